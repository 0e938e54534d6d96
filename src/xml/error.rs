//! Why a message is not XML, and a place in a text. The sentences are in `wording.rs`.

/// Why a text is not the XML of a message. It quotes nothing of the text, which a user wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// Not UTF-8 from this byte on.
    Utf8(usize),
    /// A tag that holds more than a name: an attribute, or something that could be read as one.
    Attribute,
    /// A comment, a document type declaration or a processing instruction.
    Markup,
    /// A tag, a CDATA section or an XML declaration without its end.
    Open,
    /// More than 256 elements.
    TooManyElements,
    /// Not well-formed at this place.
    Syntax {
        /// The line, counted from 1.
        line: u32,
        /// The column in characters, counted from 1.
        column: u32,
    },
}

impl std::error::Error for XmlError {}

/// A place in a text: line and column, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The place of a byte, which begins a character or is the end of the text.
    pub(super) fn of_offset(text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let line = before.rsplit('\n').next().unwrap_or(before);
        // No text that is read is 4 GiB long.
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        Self { line: number(before.matches('\n').count()), column: number(line.chars().count()) }
    }
}
