//! XML, the only file that names roxmltree: one linear scan first, then the parser, then a view of its tree.
//!
//! The scan exists because of what was measured. Attributes and namespaces make roxmltree quadratic and cubic (64 KiB of
//! declarations took 21 s); WeChat sends neither. Control characters fill real messages, and no XML parser takes them.

use std::borrow::Cow;
use std::fmt;

use roxmltree::{Node, ParsingOptions, StringStorage};

/// Nodes of a message. Ordinary ones have 10 to 40; white space between elements counts as a node too.
const NODES_MAX: u32 = 256;

/// Text that roxmltree may be given: UTF-8 without characters that XML 1.0 cannot carry, its tags without attributes,
/// with CDATA sections and an XML declaration as its only other markup.
#[derive(Debug)]
pub struct Xml<'a>(Cow<'a, str>);

/// Why a text is not the XML of a message. It quotes nothing, since what it would quote is what a user wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// Not UTF-8 from this byte on.
    Utf8(usize),
    /// A tag with more in it than a name: an attribute, or what roxmltree would read as one.
    Attribute,
    /// A comment, a document type or a processing instruction.
    Markup,
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
            Self::TooManyNodes => write!(f, "XML with over {NODES_MAX} nodes"),
            Self::Syntax { line, column } => {
                write!(f, "not well-formed XML at line {line} column {column}")
            }
        }
    }
}

impl std::error::Error for XmlError {}

impl<'a> Xml<'a> {
    /// Reads bytes once from front to back. A byte order mark and white space before the first tag go, and so does each
    /// character that XML 1.0 cannot carry (2.2).
    ///
    /// # Errors
    /// `Utf8`, `Attribute`, `Markup`, or `Syntax` at the end where a CDATA section or a tag is left open.
    pub fn scan(bytes: &'a [u8]) -> Result<Self, XmlError> {
        let text = str::from_utf8(bytes).map_err(|error| XmlError::Utf8(error.valid_up_to()))?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let text = without_non_characters(text.trim_start_matches(['\0', ' ', '\t', '\r', '\n']));
        check_markup(text.as_bytes())?;
        Ok(Self(text))
    }
}

/// `Char`, the characters that XML 1.0 can carry (2.2).
pub(super) const fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

fn without_non_characters(text: &str) -> Cow<'_, str> {
    // U+FFFE and U+FFFF begin with 0xEF, which most messages do not hold.
    let surely_fine = |octet| matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=0xEE | 0xF0..);
    if text.bytes().all(surely_fine) || text.chars().all(is_char) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(
            text.chars()
                .filter(|&character| is_char(character))
                .collect(),
        )
    }
}

/// Sees to it that tags hold nothing but names. It reads CDATA sections the way the parser does (to the first `]]>`), or
/// markup could hide in what only one of the two takes for text.
fn check_markup(bytes: &[u8]) -> Result<(), XmlError> {
    const OPEN: XmlError = XmlError::Syntax { line: 1, column: 1 };
    let mut rest = match bytes.strip_prefix(b"<?xml") {
        Some([b' ' | b'\t' | b'\r' | b'\n', declaration @ ..]) => {
            behind(declaration, b"?>").ok_or(OPEN)?
        }
        _ => bytes,
    };
    while let Some(tag) = behind(rest, b"<") {
        rest = match tag {
            [b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', data @ ..] => {
                behind(data, b"]]>").ok_or(OPEN)?
            }
            [b'!' | b'?', ..] => return Err(XmlError::Markup),
            _ => behind_tag(tag)?,
        };
    }
    Ok(())
}

/// What follows the first occurrence of the mark.
fn behind<'a, const N: usize>(bytes: &'a [u8], mark: &[u8; N]) -> Option<&'a [u8]> {
    let mut rest = bytes;
    loop {
        let at = rest.iter().position(|octet| mark.first() == Some(octet))?;
        rest = rest.get(at..)?;
        match rest.strip_prefix(mark) {
            Some(after) => return Some(after),
            None => rest = rest.get(1..)?,
        }
    }
}

/// `"/"? Name S? "/"? ">"`
fn behind_tag(bytes: &[u8]) -> Result<&[u8], XmlError> {
    let bytes = bytes.strip_prefix(b"/").unwrap_or(bytes);
    let in_name = |octet: &u8| {
        !matches!(
            octet,
            b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>' | b'<' | b'=' | b'"' | b'\''
        )
    };
    let end = bytes
        .iter()
        .position(|octet| !in_name(octet))
        .unwrap_or(bytes.len());
    let mut rest = bytes.get(end..).unwrap_or(b"");
    while let [b' ' | b'\t' | b'\r' | b'\n', after @ ..] = rest {
        rest = after;
    }
    match rest {
        [b'>', after @ ..] | [b'/', b'>', after @ ..] => Ok(after),
        _ => Err(XmlError::Attribute),
    }
}

/// A parsed text.
#[derive(Debug)]
pub(super) struct Document<'a>(roxmltree::Document<'a>);

impl<'a> Document<'a> {
    pub(super) fn parse(xml: &'a Xml<'_>) -> Result<Self, XmlError> {
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: NODES_MAX,
            ..ParsingOptions::default()
        };
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

    pub(super) fn root(&self) -> Element<'_> {
        Element(self.0.root_element())
    }

    /// The trimmed text of a leaf right below the root, borrowed from the input wherever it stands there as one piece.
    pub(super) fn head_text(&self, name: &str) -> Option<Cow<'a, str>> {
        let leaf = self
            .0
            .root_element()
            .children()
            .find(|child| child.tag_name().name() == name)?;
        if !Element(leaf).is_leaf() {
            return None;
        }
        Some(match leaf.text_storage() {
            None => Cow::Borrowed(""),
            Some(StringStorage::Borrowed(text)) => Cow::Borrowed(trim(text)),
            Some(StringStorage::Owned(text)) => Cow::Owned(trim(text).to_owned()),
        })
    }
}

/// `S` cut off both ends (XML 1.0 2.3): CDATA is often set in white space.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// An element of a parsed text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a>(Node<'a, 'a>);

impl<'a> Element<'a> {
    pub(super) fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    pub(super) fn is_leaf(self) -> bool {
        self.0.children().all(|child| !child.is_element())
    }

    /// The text of a leaf, as it is; empty where it has none. The scan leaves no comments that could split it.
    pub(super) fn text(self) -> &'a str {
        self.0.text().unwrap_or("")
    }

    pub(super) fn children(self) -> impl Iterator<Item = Self> {
        self.0.children().filter(Node::is_element).map(Self)
    }

    /// Every leaf below, in document order.
    pub(super) fn leaves(self) -> impl Iterator<Item = Self> {
        self.0
            .descendants()
            .filter(Node::is_element)
            .map(Self)
            .skip(1)
            .filter(|element| element.is_leaf())
    }

    /// The text of the leaf at a path of names, the first of each name.
    pub(super) fn text_at(self, path: &str) -> Option<&'a str> {
        let leaf = path.split('/').try_fold(self, |element, name| {
            element.children().find(|child| child.name() == name)
        })?;
        leaf.is_leaf().then(|| leaf.text())
    }

    /// The texts of all leaves of this name at any depth.
    pub(super) fn texts(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.leaves()
            .filter(move |leaf| leaf.name() == name)
            .map(Self::text)
    }

    /// The names from below the root down to this element, joined by `/`.
    pub(super) fn path(self) -> String {
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
}
