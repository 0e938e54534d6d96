//! Reads the XML of a message in one pass and without recursion. A usual message needs no allocation. roxmltree needed a
//! dozen allocations and most of the time that a message takes.
//!
//! The reader accepts the part of XML 1.0 that WeChat's messages use: elements without attributes, text with the
//! references that need no declaration (4.1, 4.6), CDATA sections, and an XML declaration, whose content is ignored. All
//! other markup is refused, even if it is well-formed. `tests/fuzz` checks that roxmltree reads every accepted text in the
//! same way.

use super::characters::{
    Piece, decode, find_non_space, is_char, is_name_char, is_name_start, is_plain, is_space,
    is_suspect, starts_with_non_character,
};
use super::error::{Position, XmlError};
use super::tree::{Span, Tree};

/// The maximum number of elements in a message. Nearly all messages have at most 16.
const ELEMENTS_MAX: usize = 256;

/// Reads the whole text into an empty tree.
///
/// # Errors
/// [`XmlError`], for the first part that is not allowed.
pub(super) fn read(source: &str, tree: &mut Tree) -> Result<(), XmlError> {
    let mut reader = Reader { source, rest: source.as_bytes(), tree, open: None };
    reader.parse_document()
}

struct Reader<'t> {
    source: &'t str,
    /// The part of the source that has not been read yet.
    rest: &'t [u8],
    tree: &'t mut Tree,
    /// The number of the innermost open element.
    open: Option<usize>,
}

impl Reader<'_> {
    /// The offset of `rest` in the source.
    const fn position(&self) -> usize {
        self.source.len() - self.rest.len()
    }

    fn skip(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }

    /// `XMLDecl? S? element S?`
    fn parse_document(&mut self) -> Result<(), XmlError> {
        // Only `<?xml` followed by a space is read as a declaration. Everything else is a processing instruction.
        if let Some(declaration) = self.source.strip_prefix("<?xml ") {
            let (content, after) = declaration.split_once("?>").ok_or(XmlError::Open)?;
            // If a character that XML does not allow is removed, the declaration may end earlier. The caller must remove such
            // characters first.
            if !content.chars().all(is_char) {
                return Err(XmlError::Open);
            }
            self.rest = after.as_bytes();
        }
        loop {
            match self.rest {
                [] => break,
                [b'<', b'/', ..] => self.parse_end_tag()?,
                [b'<', b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => self.parse_cdata()?,
                [b'<', b'!' | b'?', ..] => return Err(XmlError::Markup),
                [b'<', ..] => self.parse_start_tag()?,
                _ => self.parse_text(Piece::Text)?,
            }
        }
        match self.open.is_none() && self.tree.count > 0 {
            true => Ok(()),
            false => Err(self.syntax(self.position())),
        }
    }

    /// Parses `CharData? (Reference CharData?)*` up to the next `<`, or `CData` up to `]]>`.
    fn parse_text(&mut self, piece: Piece) -> Result<(), XmlError> {
        let start = self.position();
        let mut is_verbatim = true;
        loop {
            let plain = match piece {
                Piece::Text => self.rest.iter().take_while(|octet| is_plain(**octet)).count(),
                Piece::Cdata => {
                    let end =
                        self.rest.iter().position(|octet| *octet == b']' || is_suspect(*octet));
                    end.ok_or(XmlError::Open)?
                }
            };
            self.skip(plain);
            match (piece, self.rest) {
                (Piece::Text, [] | [b'<', ..]) | (Piece::Cdata, [b']', b']', b'>', ..]) => break,
                (Piece::Text, [b'&', ..]) | (_, [b'\r', ..]) => is_verbatim = false,
                (Piece::Text, [b']', b']', b'>', ..]) => return Err(self.syntax(self.position())),
                (_, rest) if starts_with_non_character(rest) => {
                    return Err(self.syntax(self.position()));
                }
                _ => {}
            }
            self.skip(1);
        }
        let end = self.position();
        let span = Span { start, end };
        let Some(open) = self.open else {
            // Only white space is allowed outside the root.
            let text = find_non_space(span.bytes_of(self.source));
            return text.map_or(Ok(()), |offset| Err(self.syntax(start + offset)));
        };
        if is_verbatim {
            self.tree.add_text(open, self.source, span, None);
        } else {
            let decoded = decode(span.of(self.source), piece);
            let decoded = decoded.map_err(|offset| self.syntax(start + offset))?;
            self.tree.add_text(open, self.source, span, Some(&decoded));
        }
        Ok(())
    }

    /// `"<![CDATA[" CData "]]>"`
    fn parse_cdata(&mut self) -> Result<(), XmlError> {
        if self.open.is_none() {
            return Err(self.syntax(self.position()));
        }
        self.skip(b"<![CDATA[".len());
        self.parse_text(Piece::Cdata)?;
        self.skip(b"]]>".len());
        Ok(())
    }

    /// `"<" Name S? "/"? ">"`
    fn parse_start_tag(&mut self) -> Result<(), XmlError> {
        let start = self.position();
        self.skip(b"<".len());
        let name = self.consume_name()?;
        let is_empty = self.rest.starts_with(b"/");
        self.skip(usize::from(is_empty));
        self.skip_tag_end()?;
        if self.open.is_none() && self.tree.count > 0 {
            return Err(self.syntax(start));
        }
        if self.tree.count == ELEMENTS_MAX {
            return Err(XmlError::TooManyElements);
        }
        let end = self.position();
        let number = self.tree.add_element(self.open, Span { start, end }, name);
        if !is_empty {
            self.open = Some(number);
        }
        Ok(())
    }

    /// `"</" Name S? ">"`
    fn parse_end_tag(&mut self) -> Result<(), XmlError> {
        let start = self.position();
        let Some(open) = self.open else {
            return Err(self.syntax(start));
        };
        self.skip(b"</".len());
        let name = self.tree.entry(open).name.bytes_of(self.source);
        let Some(after) = self.rest.strip_prefix(name) else {
            self.consume_name()?;
            self.skip_tag_end()?;
            return Err(self.syntax(start));
        };
        self.rest = after;
        self.skip_space();
        self.skip_tag_end()?;
        let end = self.position();
        let entry = self.tree.entry_mut(open);
        entry.source.end = end;
        self.open = (open > 0).then_some(entry.parent);
        Ok(())
    }

    /// `Name S?`
    fn consume_name(&mut self) -> Result<Span, XmlError> {
        let start = self.position();
        // Nearly all names have only ASCII letters, and bytes are faster to check than characters.
        let letters = self.rest.iter().take_while(|octet| octet.is_ascii_alphabetic());
        self.skip(letters.count());
        let has_letters = self.position() > start;
        if !matches!(self.rest, [b'>', ..]) {
            let rest = &self.source[self.position()..];
            if !has_letters
                && rest.starts_with(|first| is_name_char(first) && !is_name_start(first))
            {
                return Err(self.no_name(start));
            }
            self.skip(rest.find(|other| !is_name_char(other)).unwrap_or(rest.len()));
        }
        let end = self.position();
        self.skip_space();
        match end > start {
            true => Ok(Span { start, end }),
            false => Err(self.no_name(start)),
        }
    }

    /// The error that no name begins at this offset, directly after a `<` or `</`.
    #[cold]
    fn no_name(&self, offset: usize) -> XmlError {
        match (self.rest, self.source[..offset].rfind('<')) {
            (rest, Some(tag)) if rest.contains(&b'>') => {
                let Position { line, column } = Position::from_offset(self.source, tag);
                XmlError::NoName { line, column }
            }
            _ => XmlError::Open,
        }
    }

    fn skip_space(&mut self) {
        while let [octet, after @ ..] = self.rest
            && is_space(*octet)
        {
            self.rest = after;
        }
    }

    #[inline]
    fn skip_tag_end(&mut self) -> Result<(), XmlError> {
        self.rest = self.rest.strip_prefix(b">").ok_or_else(|| self.tag_error())?;
        Ok(())
    }

    /// The error in a tag that cannot continue at this position.
    #[cold]
    fn tag_error(&self) -> XmlError {
        let before = self.source.as_bytes()[self.position() - 1];
        match self.rest {
            rest if !rest.contains(&b'>') => XmlError::Open,
            [b'/' | b'<' | b'=' | b'"' | b'\'', ..] => XmlError::Attribute,
            _ if is_space(before) || before == b'/' => XmlError::Attribute,
            _ => self.syntax(self.position()),
        }
    }

    /// The error that the source is not well-formed at this offset.
    fn syntax(&self, offset: usize) -> XmlError {
        let Position { line, column } = Position::from_offset(self.source, offset);
        XmlError::Syntax { line, column }
    }
}
