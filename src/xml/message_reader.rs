//! A message's XML, read from front to back once: no recursion, and no allocation for what WeChat
//! sends. With roxmltree, which reads what people write, this was most of what a message costs,
//! and a dozen allocations.
//!
//! Of XML 1.0 it takes what WeChat's messages are made of: elements without attributes, text with the
//! references that need no declaration (4.1, 4.6), CDATA sections, and an XML declaration in front, which
//! is not read. What is well-formed beyond that (attributes, comments, document types, instructions) is
//! refused by name. Whatever it takes, roxmltree reads alike: `tests/fuzz` holds the two against each other.

use super::characters::{
    Piece, XML_SPACE, decode, is_name_char, is_name_octet, is_name_start, is_plain_text, is_space,
};
use super::document::{XmlError, has_non_characters, split_at_mark};
use super::tree::{Entry, Span, Tree};
use crate::text::search;

/// Nodes of a message: its elements, the runs of text in them, and the document. Ordinary ones have 10 to
/// 40; white space between elements is a run of text too.
pub(super) const NODES_MAX: usize = 256;

/// Reads the whole text into an empty table.
///
/// # Errors
/// The first thing that is not taken, and where.
pub(super) fn read(text: &str, tree: &mut Tree) -> Result<(), XmlError> {
    let mut reader = Reader {
        text,
        at: 0,
        tree,
        open: None,
        nodes: 1,
        is_in_text: false,
    };
    reader.read()
}

/// Whether UTF-8 from here on begins with a character that XML can carry, as far as what takes one
/// octet and U+FFFE and U+FFFF are concerned.
const fn starts_with_character(bytes: &[u8]) -> bool {
    !matches!(
        bytes,
        [0..=8 | 0xB | 0xC | 0xE..=0x1F, ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..]
    )
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    tree: &'t mut Tree,
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
            // It is not read, but what has to go from it may hide its end.
            if has_non_characters(inside) {
                return Err(XmlError::Open);
            }
            self.at = b"<?xml ?>".len().saturating_add(inside.len());
        }
        loop {
            self.take_text()?;
            match self.rest() {
                [] => break,
                [b'<', b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => {
                    self.take_cdata()?;
                }
                [b'<', b'!' | b'?', ..] => return Err(XmlError::Markup),
                [b'<', b'/', ..] => self.take_end_tag()?,
                _ => self.take_start_tag()?,
            }
        }
        match self.open.is_none() && self.tree.count() > 0 {
            true => Ok(()),
            false => Err(self.syntax(self.at)),
        }
    }

    /// `CharData? ((Reference) CharData?)*`, up to the next tag.
    fn take_text(&mut self) -> Result<(), XmlError> {
        let start = self.at;
        let mut is_odd = false;
        loop {
            let plain = self
                .rest()
                .iter()
                .take_while(|octet| is_plain_text(**octet));
            self.at = self.at.saturating_add(plain.count());
            match self.rest() {
                [] | [b'<', ..] => break,
                [b'&' | b'>' | b'\r', ..] => is_odd = true,
                rest if starts_with_character(rest) => {}
                _ => return Err(self.syntax(self.at)),
            }
            self.at = self.at.saturating_add(1);
        }
        let end = self.at;
        if start == end {
            return Ok(());
        }
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

    /// `"<![CDATA[" CData "]]>"`
    fn take_cdata(&mut self) -> Result<(), XmlError> {
        if self.open.is_none() {
            return Err(self.syntax(self.at));
        }
        let start = self.at.saturating_add(b"<![CDATA[".len());
        self.at = start;
        let mut has_cr = false;
        loop {
            let plain = search::find_control_or(self.rest(), [b']', 0xEF]).ok_or(XmlError::Open)?;
            self.at = self.at.saturating_add(plain);
            match self.rest() {
                [b']', b']', b'>', ..] => break,
                [b'\r', ..] => has_cr = true,
                [b']', ..] => {}
                rest if starts_with_character(rest) => {}
                _ => return Err(self.syntax(self.at)),
            }
            self.at = self.at.saturating_add(1);
        }
        let end = self.at;
        self.at = end.saturating_add(b"]]>".len());
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
        let is_second_root = self.open.is_none() && self.tree.count() > 0;
        if is_second_root {
            return Err(self.syntax(begin));
        }
        self.is_in_text = false;
        self.count_node()?;
        if let Some(parent) = self.open.and_then(|open| self.tree.entries.get_mut(open)) {
            parent.is_leaf = false;
        }
        let number = self.tree.entries.add(Entry {
            name,
            is_leaf: true,
            // Only the root has none, whose number is 0.
            parent: u16::try_from(self.open.unwrap_or(0)).unwrap_or(0),
            ..Entry::NOTHING
        });
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
        let open = self.open.and_then(|open| self.tree.entry(open)).copied();
        let expected = open.map(|entry| entry.name.octets_of(self.text));
        let behind = expected.and_then(|name| self.rest().strip_prefix(name));
        if let Some([b'>', rest @ ..]) = behind {
            // As nearly all are.
            self.at = self.text.len().saturating_sub(rest.len());
        } else {
            let name = self.take_name()?;
            self.take_tag_end()?;
            if Some(name.octets_of(self.text)) != expected {
                return Err(self.syntax(begin));
            }
        }
        let parent = open.map(|entry| usize::from(entry.parent));
        self.open = parent.filter(|parent| Some(*parent) != self.open);
        self.is_in_text = false;
        self.tree.end = self.at;
        Ok(())
    }

    /// `Name S?`
    fn take_name(&mut self) -> Result<Span, XmlError> {
        let start = self.at;
        let rest = self.rest();
        let ascii = rest.iter().take_while(|octet| is_name_octet(**octet));
        let length = ascii.count();
        if let (Some(b'A'..=b'Z' | b'a'..=b'z'), Some(b'>')) = (rest.first(), rest.get(length)) {
            // As nearly all are.
            self.at = start.saturating_add(length);
            return Ok(Span::new(start, self.at));
        }
        let is_in_name = |octet: &&u8| is_name_octet(**octet) || !octet.is_ascii();
        let length = rest.iter().take_while(is_in_name).count();
        let end = start.saturating_add(length);
        let name = self.text.get(start..end).unwrap_or("");
        self.at = end;
        let is_name = name.starts_with(is_name_start) && name.chars().all(is_name_char);
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
