//! XML that people and programs write, with attributes and comments; the only file that names roxmltree.

use roxmltree::{Node, TextPos};

use super::characters::XML_SPACE;
use super::document::{Document, XmlError};

/// A parsed text.
#[derive(Debug)]
pub(crate) struct FileDocument<'a>(roxmltree::Document<'a>);

impl<'a> FileDocument<'a> {
    /// What a program printed, or another server: short, without attributes and comments, since those make
    /// roxmltree quadratic and cubic (64 KiB of declarations took 21 s).
    pub(crate) fn parse(xml: &'a Document<'_>) -> Result<Self, XmlError> {
        roxmltree::Document::parse(xml.text())
            .map(Self)
            .map_err(|error| {
                let position = error.pos();
                XmlError::Syntax {
                    line: position.row,
                    column: position.col,
                }
            })
    }

    /// A document that a person wrote: of any length, with attributes and comments. Where it is not
    /// well-formed, the first place where that shows and what is wrong there.
    pub(crate) fn written(text: &'a str) -> Result<Self, (Position, String)> {
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
            (Position::from(position), message)
        })
    }

    pub(crate) fn root(&self) -> FileElement<'_> {
        FileElement(self.0.root_element())
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

/// A place in a text: line and column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl From<TextPos> for Position {
    fn from(position: TextPos) -> Self {
        Self {
            line: position.row,
            column: position.col,
        }
    }
}

/// An element of a parsed text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileElement<'a>(Node<'a, 'a>);

impl<'a> FileElement<'a> {
    pub(crate) fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    pub(crate) fn is_leaf(self) -> bool {
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
