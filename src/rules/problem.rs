//! What can be wrong with a rules file, and why it cannot be used. The sentences are in `wording.rs`.

use std::io;

use super::fields::Hint;
use crate::xml::{FileError, Position, XmlError};

/// Why a file has no rules.
#[derive(Debug)]
pub enum RulesError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// A folder, a pipe or a device.
    NotRegularFile,
    /// More than 4 MiB.
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// Its text has errors: at least one, in the order of the text.
    Invalid(Vec<Diagnostic>),
}

/// Bytes of a rules file, at most: more than ten thousand rules.
pub(super) const FILE_MAX: u64 = 4 * 1024 * 1024;

/// An error in the text of a rules file. Displays as `line:column: message`.
#[derive(Debug)]
pub struct Diagnostic {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    pub(super) problem: Problem,
}

impl Diagnostic {
    pub(super) const fn new(position: Position, problem: Problem) -> Self {
        Self { line: position.line, column: position.column, problem }
    }
}

/// What is wrong at one place of a rules file, or of what a program printed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The bytes from this place on are not UTF-8.
    NotUtf8,
    NotWellFormed(FileError),
    /// What a program printed is not the XML of a reply.
    Printed(XmlError),
    UnexpectedRoot {
        name: String,
    },
    UtcOffset {
        value: String,
    },
    UnknownElement {
        name: String,
        parent: String,
        hint: Hint,
    },
    UnknownAttribute {
        name: String,
        element: String,
        hint: Hint,
    },
    /// A condition or a message names a field that WeChat has not documented.
    UnknownField {
        name: String,
        hint: Hint,
    },
    UnknownReply {
        name: String,
        hint: Hint,
    },
    /// The last backslash of a pattern has no character after it.
    FinalBackslash,
    /// One of several alternatives of a pattern is empty. It would match every message without the field.
    EmptyAlternative,
    /// `placeholder` is as written, such as `{Contnet}`; so below.
    UnknownPlaceholder {
        placeholder: String,
        hint: Hint,
    },
    /// `{` without `}`.
    UnclosedPlaceholder {
        name: String,
    },
    /// The number of a star that the conditions do not have.
    NoSuchStar {
        placeholder: String,
        stars: usize,
    },
    /// Text in an element that holds only elements.
    UnexpectedText {
        element: String,
    },
    /// An element in one that holds only text.
    ElementInText {
        name: String,
        parent: String,
    },
    RepeatedElement {
        name: &'static str,
        parent: String,
    },
    MissingElement {
        name: &'static str,
        parent: String,
    },
    EmptyElement {
        name: &'static str,
    },
    /// `<on>` without a reply.
    NoReply,
    /// `<text>` without a text.
    EmptyText,
    TextTooLong {
        bytes: usize,
    },
    /// `<news>` without an `<item>`.
    NoArticle,
    TooManyArticles {
        count: usize,
    },
    /// Too many in a rule that matches no event.
    TooManyArticlesToMessage {
        count: usize,
    },
    /// `<run>` without a program.
    NoProgram,
    PlaceholderInProgram,
    /// A word of `<run>` that begins with a quote.
    QuotedWord,
    TextAfterArg,
    Timeout {
        value: String,
    },
    Limit {
        value: String,
    },
    LimitedWithoutLimit,
    EmptyPickup,
}
