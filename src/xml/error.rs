//! Errors in the XML of messages, and positions in a text. `wording.rs` has the texts of the errors.

/// An error in the XML of a message. It does not quote the message, because a user wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// The message is not UTF-8 from this byte on.
    Utf8(usize),
    /// A tag has an attribute, or something that can be read as an attribute.
    Attribute,
    /// There is a comment, a document type declaration or a processing instruction.
    Markup,
    /// A tag, a CDATA section or an XML declaration has no end.
    Open,
    /// There are more than 256 elements.
    TooManyElements,
    /// A `<` has no name directly after it. Perhaps it is part of a text.
    NoName {
        /// The line, counted from 1.
        line: u32,
        /// The column in characters, counted from 1.
        column: u32,
    },
    /// The message is not well-formed XML at this place.
    Syntax {
        /// The line, counted from 1.
        line: u32,
        /// The column in characters, counted from 1.
        column: u32,
    },
}

impl std::error::Error for XmlError {}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl Position {
    /// The position of an offset, which must be the start of a character or the end of the text.
    pub(super) fn from_offset(text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let line = before.rsplit('\n').next().unwrap_or(before);
        // All texts are shorter than 4 GiB.
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        Self { line: number(before.matches('\n').count()), column: number(line.chars().count()) }
    }
}
