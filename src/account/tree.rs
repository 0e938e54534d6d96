//! The elements of a message, read from front to back once: no recursion, and no allocation for what
//! WeChat sends. With roxmltree, which reads what people write, this was 21,000 of 50,000 instructions a
//! message, and a dozen allocations.
//!
//! Of XML 1.0 it takes what WeChat's messages are made of: elements without attributes, text with the
//! references that need no declaration (4.1, 4.6), CDATA sections, and an XML declaration in front, which
//! is not read. What is well-formed beyond that (attributes, comments, document types, instructions) is
//! refused by name. Whatever it takes, roxmltree reads alike: `tests/fuzz` holds the two against each other.

use super::characters::{
    Piece, XML_SPACE, decode, is_name_char, is_name_octet, is_name_start, is_space,
};
use super::xml::{XmlError, split_at_mark};

/// Nodes of a message: its elements, the runs of text in them, and the document. Ordinary ones have 10 to
/// 40; white space between elements is a run of text too.
pub(super) const NODES_MAX: usize = 256;

/// A table of all elements in document order, the root first.
#[derive(Debug)]
pub(super) struct Tree {
    entries: [Entry; NODES_MAX],
    count: usize,
    /// Texts that do not stand in the input as they are: in several pieces, with references, or with a CR.
    decoded: String,
    /// Where the root's end tag ends.
    end: usize,
}

/// An element. Places are bytes of the input, or of the decoded texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: Span,
    pub(super) text: Span,
    pub(super) is_decoded: bool,
    pub(super) is_leaf: bool,
    /// The number of the element that it stands in; the root's is its own.
    pub(super) parent: u16,
}

/// From one byte to before another. Half as long as two `usize`, so that the table is 5 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    const NOTHING: Self = Self { start: 0, end: 0 };

    /// No input is too long for it: HTTP ends at 64 KiB.
    fn new(start: usize, end: usize) -> Self {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    pub(super) fn of(self, text: &str) -> &str {
        let long = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        text.get(long(self.start)..long(self.end)).unwrap_or("")
    }

    const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl Entry {
    pub(super) const NOTHING: Self = Self {
        name: Span::NOTHING,
        text: Span::NOTHING,
        is_decoded: false,
        is_leaf: false,
        parent: 0,
    };
}

impl Tree {
    /// Reads the whole text.
    ///
    /// # Errors
    /// The first thing that is not taken, and where.
    pub(super) fn read(text: &str) -> Result<Self, XmlError> {
        let mut reader = Reader {
            text,
            at: 0,
            tree: Self {
                entries: [Entry::NOTHING; NODES_MAX],
                count: 0,
                decoded: String::new(),
                end: 0,
            },
            open: None,
            nodes: 1,
            is_in_text: false,
        };
        reader.read()?;
        Ok(reader.tree)
    }

    pub(super) fn entry(&self, number: usize) -> Option<&Entry> {
        self.entries.get(..self.count)?.get(number)
    }

    /// How many elements there are.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) fn decoded(&self) -> &str {
        &self.decoded
    }

    /// From the root's start tag to its end tag. It begins with the `<` in front of its name.
    pub(super) fn root(&self) -> Span {
        let name = self.entry(0).map_or(Span::NOTHING, |root| root.name);
        Span {
            start: name.start.saturating_sub(1),
            ..Span::new(0, self.end)
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    tree: Tree,
    /// The element that is open, if one is.
    open: Option<usize>,
    nodes: usize,
    /// Whether what comes next goes on with a run of text.
    is_in_text: bool,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.text.as_bytes().get(self.at..).unwrap_or(b"")
    }

    fn read(&mut self) -> Result<(), XmlError> {
        // With anything but a space behind it, it is an instruction.
        if let Some(declaration) = self.rest().strip_prefix(b"<?xml ") {
            let (inside, _) = split_at_mark(declaration, b"?>").ok_or(XmlError::Open)?;
            self.at = b"<?xml ?>".len().saturating_add(inside.len());
        }
        loop {
            self.take_text()?;
            match self.rest() {
                [] => break,
                [
                    b'<',
                    b'!',
                    b'[',
                    b'C',
                    b'D',
                    b'A',
                    b'T',
                    b'A',
                    b'[',
                    data @ ..,
                ] => {
                    let (inside, _) = split_at_mark(data, b"]]>").ok_or(XmlError::Open)?;
                    let length = inside.len();
                    self.take_cdata(length)?;
                }
                [b'<', b'!' | b'?', ..] => return Err(XmlError::Markup),
                [b'<', b'/', ..] => self.take_end_tag()?,
                _ => self.take_start_tag()?,
            }
        }
        match self.open.is_none() && self.tree.count > 0 {
            true => Ok(()),
            false => Err(self.syntax(self.at)),
        }
    }

    /// `CharData? ((Reference) CharData?)*`, up to the next tag.
    fn take_text(&mut self) -> Result<(), XmlError> {
        let mut is_odd = false;
        let mut length = 0_usize;
        for octet in self.rest() {
            match octet {
                b'<' => break,
                b'&' | b'\r' | b'>' => is_odd = true,
                _ => {}
            }
            length = length.saturating_add(1);
        }
        if length == 0 {
            return Ok(());
        }
        let (start, end) = (self.at, self.at.saturating_add(length));
        self.at = end;
        let piece = self.text.get(start..end).unwrap_or("");
        if self.open.is_none() {
            let blank = piece
                .len()
                .saturating_sub(piece.trim_start_matches(XML_SPACE).len());
            return match blank == piece.len() {
                true => Ok(()),
                false => Err(self.syntax(start.saturating_add(blank))),
            };
        }
        if is_odd && let Some(at) = piece.find("]]>") {
            return Err(self.syntax(start.saturating_add(at)));
        }
        self.add(start, end, Piece::Text, is_odd)
    }

    fn take_cdata(&mut self, length: usize) -> Result<(), XmlError> {
        if self.open.is_none() {
            return Err(self.syntax(self.at));
        }
        let start = self.at.saturating_add(b"<![CDATA[".len());
        let end = start.saturating_add(length);
        self.at = end.saturating_add(b"]]>".len());
        let has_cr = self
            .text
            .as_bytes()
            .get(start..end)
            .is_some_and(|data| data.contains(&b'\r'));
        self.add(start, end, Piece::Cdata, has_cr)
    }

    /// Adds a piece to the text of the open element.
    fn add(
        &mut self,
        start: usize,
        end: usize,
        piece: Piece,
        is_odd: bool,
    ) -> Result<(), XmlError> {
        if !self.is_in_text {
            self.is_in_text = true;
            self.count_node()?;
        }
        let text = self.text;
        let Some(entry) = self.open.and_then(|open| self.tree.entries.get_mut(open)) else {
            return Ok(());
        };
        let decoded = &mut self.tree.decoded;
        if entry.is_leaf && entry.text.is_empty() && !is_odd {
            entry.text = Span::new(start, end);
            entry.is_decoded = false;
            return Ok(());
        }
        if !entry.is_leaf && !is_odd {
            // Text between elements, which nobody asks for.
            return Ok(());
        }
        let before = decoded.len();
        if entry.is_leaf && !entry.is_decoded {
            decoded.push_str(entry.text.of(text));
            entry.text.start = Span::new(before, before).start;
            entry.is_decoded = true;
        }
        let place = decode(text.get(start..end).unwrap_or(""), piece, decoded);
        if entry.is_leaf {
            entry.text.end = Span::new(0, decoded.len()).end;
        } else {
            decoded.truncate(before);
        }
        place.map_err(|at| self.syntax(start.saturating_add(at)))
    }

    fn count_node(&mut self) -> Result<(), XmlError> {
        self.nodes = self.nodes.saturating_add(1);
        match self.nodes > NODES_MAX {
            true => Err(XmlError::TooManyNodes),
            false => Ok(()),
        }
    }

    /// `"<" Name S? "/"? ">"`
    fn take_start_tag(&mut self) -> Result<(), XmlError> {
        let begin = self.at;
        self.at = begin.saturating_add(1);
        let name = self.take_name()?;
        let is_empty = self.rest().starts_with(b"/");
        self.at = self.at.saturating_add(usize::from(is_empty));
        self.take_tag_end()?;
        let is_second_root = self.open.is_none() && self.tree.count > 0;
        if is_second_root {
            return Err(self.syntax(begin));
        }
        self.is_in_text = false;
        self.count_node()?;
        let number = self.tree.count;
        if let Some(parent) = self.open.and_then(|open| self.tree.entries.get_mut(open)) {
            parent.is_leaf = false;
        }
        if let Some(entry) = self.tree.entries.get_mut(number) {
            *entry = Entry {
                name,
                is_leaf: true,
                parent: u16::try_from(self.open.unwrap_or(number)).unwrap_or(0),
                ..Entry::NOTHING
            };
        }
        self.tree.count = number.saturating_add(1);
        if !is_empty {
            self.open = Some(number);
        }
        self.tree.end = self.at;
        Ok(())
    }

    /// `"</" Name S? ">"`
    fn take_end_tag(&mut self) -> Result<(), XmlError> {
        let begin = self.at;
        self.at = begin.saturating_add(2);
        let name = self.take_name()?;
        self.take_tag_end()?;
        let number = self.open;
        let Some(entry) = number.and_then(|open| self.tree.entry(open)) else {
            return Err(self.syntax(begin));
        };
        if entry.name.of(self.text) != name.of(self.text) {
            return Err(self.syntax(begin));
        }
        let parent = usize::from(entry.parent);
        self.open = Some(parent).filter(|parent| Some(*parent) != number);
        self.is_in_text = false;
        self.tree.end = self.at;
        Ok(())
    }

    /// `Name S?`
    fn take_name(&mut self) -> Result<Span, XmlError> {
        let start = self.at;
        let octets = self.rest().iter();
        let length = octets.take_while(|octet| is_name_octet(**octet)).count();
        let end = start.saturating_add(length);
        let name = self.text.get(start..end).unwrap_or("");
        self.at = end;
        let is_name =
            name.starts_with(is_name_start) && (name.is_ascii() || name.chars().all(is_name_char));
        if !is_name && !name.is_empty() {
            return Err(self.syntax(start));
        }
        let octets = self.rest().iter();
        let spaces = octets.take_while(|octet| is_space(**octet)).count();
        if spaces > 0 && name.is_empty() {
            return Err(XmlError::Attribute);
        }
        if name.is_empty() {
            return Err(self.odd_tag());
        }
        self.at = end.saturating_add(spaces);
        Ok(Span::new(start, end))
    }

    fn take_tag_end(&mut self) -> Result<(), XmlError> {
        if !self.rest().starts_with(b">") {
            return Err(self.odd_tag());
        }
        self.at = self.at.saturating_add(1);
        Ok(())
    }

    /// What is wrong in a tag that does not go on as it should.
    fn odd_tag(&self) -> XmlError {
        let before = self.text.as_bytes().get(self.at.saturating_sub(1));
        let is_behind_name = before.is_some_and(|octet| is_space(*octet) || *octet == b'/');
        match self.rest() {
            rest if !rest.contains(&b'>') => XmlError::Open,
            [b'/' | b'<' | b'=' | b'"' | b'\'', ..] => XmlError::Attribute,
            _ if is_behind_name => XmlError::Attribute,
            _ => self.syntax(self.at),
        }
    }

    /// Not well-formed at this byte.
    fn syntax(&self, at: usize) -> XmlError {
        let front = self.text.get(..at).unwrap_or(self.text);
        let short = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let line = front.rsplit('\n').next().unwrap_or("");
        XmlError::Syntax {
            line: short(front.matches('\n').count().saturating_add(1)),
            column: short(line.chars().count().saturating_add(1)),
        }
    }
}
