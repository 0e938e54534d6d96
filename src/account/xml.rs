//! XML, the only file that names roxmltree: one linear scan first, then the parser, then a view of
//! its tree.
//!
//! The scan exists because of what was measured. Attributes and namespaces make roxmltree quadratic
//! and cubic (64 KiB of declarations took 21 s); WeChat sends neither. Control characters fill real
//! messages, and no XML parser takes them.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;

use roxmltree::{Node, ParsingOptions, StringStorage, TextPos};

/// Nodes of a message. Ordinary ones have 10 to 40; white space between elements counts as a node
/// too.
const NODES_MAX: u32 = 256;

/// Text that roxmltree may be given: UTF-8 without characters that XML 1.0 cannot carry, its tags
/// without attributes, with CDATA sections and an XML declaration as its only other markup.
#[derive(Debug)]
pub struct Xml<'a>(Cow<'a, str>);

/// Why a text is not the XML of a message. It quotes nothing, since what it would quote is what a
/// user wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// Not UTF-8 from this byte on.
    Utf8(usize),
    /// A tag with more in it than a name: an attribute, or what roxmltree would read as one.
    Attribute,
    /// A comment, a document type or a processing instruction.
    Markup,
    /// A tag, a CDATA section or a declaration without its end.
    Open,
    /// More than 256 nodes.
    TooManyNodes,
    /// Not well-formed at this line and column, both counted from 1.
    Syntax {
        /// The line.
        line: u32,
        /// The column, in characters.
        column: u32,
    },
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8(at) => write!(f, "not UTF-8 from byte {at} on"),
            Self::Attribute => f.write_str("XML tag with an attribute, none allowed"),
            Self::Markup => {
                f.write_str("XML with a comment, a document type or an instruction, none allowed")
            }
            Self::Open => f.write_str("XML with a tag or a CDATA section left open"),
            Self::TooManyNodes => write!(f, "XML with over {NODES_MAX} nodes"),
            Self::Syntax { line, column } => {
                write!(f, "not well-formed XML at line {line} column {column}")
            }
        }
    }
}

impl std::error::Error for XmlError {}

impl<'a> Xml<'a> {
    /// Reads bytes once from front to back. A byte order mark and white space before the first tag
    /// go, and so does each character that XML 1.0 cannot carry (2.2).
    ///
    /// # Errors
    /// `Utf8`, `Attribute`, `Markup` or `Open`.
    pub fn scan(bytes: &'a [u8]) -> Result<Self, XmlError> {
        let text = str::from_utf8(bytes).map_err(|error| XmlError::Utf8(error.valid_up_to()))?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let text = without_non_characters(text.trim_start_matches(['\0', ' ', '\t', '\r', '\n']));
        check_markup(text.as_bytes())?;
        Ok(Self(text))
    }
}

/// `Char`, the characters that XML 1.0 can carry (2.2).
pub(crate) const fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// The text without what XML cannot carry, which most texts do not hold.
pub(super) fn without_non_characters(text: &str) -> Cow<'_, str> {
    if has_non_characters(text.as_bytes()) {
        Cow::Owned(
            text.chars()
                .filter(|&character| is_char(character))
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether UTF-8 holds a character that [`is_char`] refuses: a control character, or U+FFFE or
/// U+FFFF, which end in 0xBF 0xBE and 0xBF 0xBF behind 0xEF.
fn has_non_characters(bytes: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let is_control = |octet: &u8| *octet < b' ' && !matches!(octet, b'\t' | b'\n' | b'\r');
    // Eight at once: the subtraction borrows into the top bit of an octet below the space.
    let may_hold_one = |eight: &[u8; 8]| {
        let word = u64::from_ne_bytes(*eight);
        word.wrapping_sub(EACH.wrapping_mul(0x20)) & !word & EACH.wrapping_mul(0x80) != 0
    };
    let (eights, rest) = bytes.as_chunks::<8>();
    eights
        .iter()
        .any(|eight| may_hold_one(eight) && eight.iter().any(is_control))
        || rest.iter().any(is_control)
        || (bytes.contains(&0xEF)
            && bytes
                .windows(3)
                .any(|three| matches!(three, [0xEF, 0xBF, 0xBE | 0xBF])))
}

/// Sees to it that tags hold nothing but names. It reads CDATA sections the way the parser does (to
/// the first `]]>`), or markup could hide in what only one of the two takes for text.
fn check_markup(bytes: &[u8]) -> Result<(), XmlError> {
    // With anything but a space behind it, the parser takes `<?xml` for an instruction.
    let mut rest = match bytes.strip_prefix(b"<?xml ") {
        Some(declaration) => behind(declaration, b"?>")?,
        None => bytes,
    };
    while let Some((_, tag)) = split_at_mark(rest, b"<") {
        rest = match tag {
            [b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', data @ ..] => behind(data, b"]]>")?,
            [b'!' | b'?', ..] => return Err(XmlError::Markup),
            _ => behind_tag(tag)?,
        };
    }
    Ok(())
}

fn behind<'a, const N: usize>(bytes: &'a [u8], mark: &[u8; N]) -> Result<&'a [u8], XmlError> {
    split_at_mark(bytes, mark)
        .map(|(_, after)| after)
        .ok_or(XmlError::Open)
}

/// What stands before and behind the first occurrence of the mark.
pub(super) fn split_at_mark<'a, const N: usize>(
    bytes: &'a [u8],
    mark: &[u8; N],
) -> Option<(&'a [u8], &'a [u8])> {
    let first = *mark.first()?;
    let mut from = 0_usize;
    loop {
        let tail = bytes.get(from..)?;
        let at = tail.iter().position(|octet| *octet == first)?;
        let (before, found) = bytes.split_at_checked(from.saturating_add(at))?;
        match found.strip_prefix(mark) {
            Some(after) => return Some((before, after)),
            None => from = before.len().saturating_add(1),
        }
    }
}

/// `"/"? Name S? "/"? ">"`
fn behind_tag(bytes: &[u8]) -> Result<&[u8], XmlError> {
    let (tag, after) = split_at_mark(bytes, b">").ok_or(XmlError::Open)?;
    let tag = tag.strip_prefix(b"/").unwrap_or(tag);
    let mut name = tag.strip_suffix(b"/").unwrap_or(tag);
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = name {
        name = rest;
    }
    // No name holds these; a `>` within the quotes of an attribute leaves the opening quote on this
    // side.
    let foreign = |octet: u8| octet <= b' ' || matches!(octet, b'/' | b'<' | b'=' | b'"' | b'\'');
    if name
        .iter()
        .fold(false, |found, &octet| found | foreign(octet))
    {
        return Err(XmlError::Attribute);
    }
    Ok(after)
}

/// One thread parses at a time. musl's allocator has a single lock, and roxmltree allocates a dozen
/// times a message, so threads that parse at once hand that lock to each other through the kernel.
/// On two cores with 16 connections this is the difference between 42,000 and 68,000 messages a
/// second. The price: a message of 64 KiB takes a millisecond, and holds up the others for that long.
static TURN: Mutex<()> = Mutex::new(());

/// A turn takes a few microseconds, less than it takes to sleep and be woken, so the others first
/// let somebody else run.
fn take_turn() -> MutexGuard<'static, ()> {
    for _ in 0..10 {
        match TURN.try_lock() {
            Ok(turn) => return turn,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => thread::yield_now(),
        }
    }
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A parsed text.
#[derive(Debug)]
pub(crate) struct Document<'a>(roxmltree::Document<'a>);

impl<'a> Document<'a> {
    pub(crate) fn parse(xml: &'a Xml<'_>) -> Result<Self, XmlError> {
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: NODES_MAX,
            ..ParsingOptions::default()
        };
        let _turn = take_turn();
        match roxmltree::Document::parse_with_options(&xml.0, options) {
            Ok(document) => Ok(Self(document)),
            Err(roxmltree::Error::NodesLimitReached) => Err(XmlError::TooManyNodes),
            Err(error) => {
                let position = error.pos();
                Err(XmlError::Syntax {
                    line: position.row,
                    column: position.col,
                })
            }
        }
    }

    /// A document that a person wrote: of any length, with attributes and comments. Where it is not
    /// well-formed, the first place where that shows and what is wrong there.
    pub(crate) fn written(text: &'a str) -> Result<Self, (Place, String)> {
        roxmltree::Document::parse(text).map(Self).map_err(|error| {
            let position = error.pos();
            let message = if let roxmltree::Error::MalformedEntityReference(_) = error {
                "& without a reference that it could begin; a bare one is written &amp;".to_owned()
            } else if let roxmltree::Error::InvalidName(_) = error {
                "< without a name behind it; a bare one is written &lt;".to_owned()
            } else if let roxmltree::Error::DuplicatedAttribute(name, _) = error {
                format!("attribute {name} twice")
            } else if let roxmltree::Error::DtdDetected = error {
                "document type, none allowed".to_owned()
            } else if let roxmltree::Error::UnexpectedCloseTag(expected, found, _) = error {
                format!("</{found}> where </{expected}> belongs")
            } else {
                let message = error.to_string();
                let place = format!(" at {position}");
                let message = message.strip_suffix(&place).unwrap_or(&message);
                // It shows the first octet of what it found, which is â of “, and a line end as it is.
                match message.split_once(" not '") {
                    Some((expected, _)) => format!("{expected}, not {}", found(text, position)),
                    None => message.to_owned(),
                }
            };
            (Place::from(position), message)
        })
    }

    pub(crate) fn root(&self) -> Element<'_> {
        Element(self.0.root_element())
    }

    /// The elements right below the root, in order: each one's name and, of a leaf, its text,
    /// trimmed and borrowed from the input wherever it stands there as one piece.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, Option<Cow<'a, str>>)> {
        self.0
            .root_element()
            .children()
            .filter(Node::is_element)
            .map(|node| {
                let text = Element(node).is_leaf().then(|| match node.text_storage() {
                    None => Cow::Borrowed(""),
                    Some(StringStorage::Borrowed(text)) => Cow::Borrowed(trim(text)),
                    Some(StringStorage::Owned(text)) => Cow::Owned(trim(text).to_owned()),
                });
                (node.tag_name().name(), text)
            })
    }
}

/// What stands at this place of a text, as a person reads it.
fn found(text: &str, place: TextPos) -> String {
    let at = |count: u32| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = text.split('\n').nth(at(place.row)).unwrap_or("");
    match line.chars().nth(at(place.col)) {
        Some(character) => format!("{character:?}"),
        None => "the end of the line".to_owned(),
    }
}

/// `S` cut off both ends (XML 1.0 2.3): CDATA is often set in white space.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(XML_SPACE)
}

const XML_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A place in a text: line and column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl From<TextPos> for Place {
    fn from(position: TextPos) -> Self {
        Self {
            line: position.row,
            column: position.col,
        }
    }
}

/// An element of a parsed text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a>(Node<'a, 'a>);

impl<'a> Element<'a> {
    pub(crate) fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    pub(super) fn is_leaf(self) -> bool {
        self.0.children().all(|child| !child.is_element())
    }

    /// The text of a leaf, as it is; empty where it has none. The scan leaves no comments that
    /// could split it.
    pub(crate) fn text(self) -> &'a str {
        self.0.text().unwrap_or("")
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        self.0.children().filter(Node::is_element).map(Self)
    }

    /// Every element below, in document order.
    fn elements(self) -> impl Iterator<Item = Self> {
        self.0
            .descendants()
            .filter(Node::is_element)
            .map(Self)
            .skip(1)
    }

    /// Every leaf below, in document order.
    pub(crate) fn leaves(self) -> impl Iterator<Item = Self> {
        self.elements().filter(|element| element.is_leaf())
    }

    /// The text of the leaf at a path of names, the first of each name.
    pub(crate) fn text_at(self, path: &str) -> Option<&'a str> {
        let leaf = path.split('/').try_fold(self, |element, name| {
            element.children().find(|child| child.name() == name)
        })?;
        leaf.is_leaf().then(|| leaf.text())
    }

    /// The texts of all leaves of this name at any depth.
    pub(super) fn texts(self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self
            .elements()
            .filter(move |element| element.name() == name);
        named.filter(|element| element.is_leaf()).map(Self::text)
    }

    /// The names from below the root down to this element, joined by `/`.
    pub(crate) fn path(self) -> String {
        let mut names: Vec<&str> = self
            .0
            .ancestors()
            .filter(Node::is_element)
            .map(|node| node.tag_name().name())
            .collect();
        names.pop();
        names.reverse();
        names.join("/")
    }

    /// The attributes in order: name, value, and at which byte of the file each begins.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str, usize)> {
        let attributes = self.0.attributes();
        attributes.map(|attribute| (attribute.name(), attribute.value(), attribute.range().start))
    }

    /// At which byte of the file it begins.
    pub(crate) fn offset(self) -> usize {
        self.0.range().start
    }

    /// Where this part of it first stands in the file; where it begins, if the part is written
    /// otherwise there.
    pub(crate) fn offset_of(self, part: &str) -> usize {
        self.offset()
            .saturating_add(self.source().find(part).unwrap_or(0))
    }

    /// Where text first stands between the elements in it.
    pub(crate) fn stray_text(self) -> Option<usize> {
        self.0.children().find_map(beginning_of_text)
    }

    /// Where text first stands behind an element in it.
    pub(crate) fn text_behind(self) -> Option<usize> {
        let in_front = |child: &Node<'_, '_>| !child.is_element();
        let mut children = self.0.children().skip_while(in_front);
        children.find_map(beginning_of_text)
    }

    /// The text in front of the first element in it.
    pub(crate) fn text_in_front(self) -> String {
        self.0
            .children()
            .take_while(|child| !child.is_element())
            .filter(Node::is_text)
            .filter_map(|node| node.text())
            .collect()
    }

    /// All text right in it, whatever comments stand between.
    pub(crate) fn whole_text(self) -> String {
        self.0
            .children()
            .filter(Node::is_text)
            .filter_map(|node| node.text())
            .collect()
    }

    /// The element as it stands in the file.
    pub(crate) fn source(self) -> &'a str {
        self.0
            .document()
            .input_text()
            .get(self.0.range())
            .unwrap_or("")
    }
}

/// At which byte of the file a piece of text begins to be more than white space.
fn beginning_of_text(node: Node<'_, '_>) -> Option<usize> {
    let source = node.document().input_text().get(node.range())?;
    let text = source.trim_start_matches(XML_SPACE);
    let blank = source.len().saturating_sub(text.len());
    (node.is_text() && !text.is_empty()).then(|| node.range().start.saturating_add(blank))
}
