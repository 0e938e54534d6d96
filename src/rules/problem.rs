//! Errors and warnings about a rules file. `wording.rs` has their texts.

use super::fields::Hint;
use crate::text::executable::Fault;
use crate::text::file::ReadError;
use crate::xml::{FileError, Position, XmlError};

/// The reason why a rules file cannot be used.
#[derive(Debug)]
pub enum RulesError {
    /// The file cannot be read.
    Unreadable(ReadError),
    /// The errors in the text of the file, at least one, and perhaps warnings; in the order of the text.
    Invalid(Vec<Diagnostic>),
}

/// Maximum length of a rules file in bytes, enough for more than ten thousand rules.
pub(super) const FILE_MAX: u64 = 4 * 1024 * 1024;

/// An error or a warning about one place in a rules file. Displays as `line:column: error` or
/// `line:column: warning: warning`.
#[derive(Debug)]
pub struct Diagnostic {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    pub(super) finding: Finding,
}

/// What was found. An error makes the file unusable, a warning does not.
#[derive(Debug)]
pub(super) enum Finding {
    Error(Problem),
    Warning(Warning),
}

impl Diagnostic {
    pub(super) const fn new(position: Position, finding: Finding) -> Self {
        Self { line: position.line, column: position.column, finding }
    }

    /// Whether the file cannot be used because of this.
    pub const fn is_error(&self) -> bool {
        match self.finding {
            Finding::Error(_) => true,
            Finding::Warning(_) => false,
        }
    }
}

/// An error at one place in a rules file, or in the output of a program.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The text is not UTF-8 from this place on.
    NotUtf8,
    Utf16,
    NotWellFormed(FileError),
    /// There is no element, or text before the first.
    NoRules,
    /// The output of a program cannot be read as the XML of a reply.
    Printed(XmlError),
    UnexpectedRoot {
        name: String,
    },
    UtcOffset {
        value: String,
    },
    /// An attribute `time`, or one of several ranges in it.
    Time {
        value: String,
    },
    /// A time range whose ends are equal.
    EmptyTimeRange {
        value: String,
    },
    Weekday {
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
    /// A condition, or an argument of `wechat send`, names a field that WeChat has not documented.
    UnknownField {
        name: String,
        hint: Hint,
    },
    UnknownReply {
        name: String,
        hint: Hint,
    },
    /// A reply in WeChat's own form has a MsgType that replies do not have.
    UnknownMsgType {
        msg_type: String,
    },
    /// The last backslash of a pattern has no character after it.
    FinalBackslash,
    /// One of several alternatives of a pattern is empty. It would match every message without the field.
    EmptyAlternative,
    /// A placeholder with an unknown name. `placeholder` is as written in the file, such as `{Contnet}`.
    UnknownPlaceholder {
        placeholder: String,
        hint: Hint,
    },
    /// A `{` without a `}`.
    UnclosedPlaceholder {
        name: String,
    },
    /// A placeholder with the number of a star, which must be from 1 to `stars`.
    NoSuchStar {
        placeholder: String,
        stars: usize,
    },
    /// Text in an element that must contain only elements.
    UnexpectedText {
        element: String,
    },
    /// An element in an element that must contain only text.
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
    /// An `<on>` without a reply.
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
    /// Too many articles for a reply to a message, in a rule that matches no event.
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
    /// There may be more problems. They were not collected.
    TooMany,
}

/// A probable mistake in a rules file that can be used.
#[derive(Debug)]
pub(super) enum Warning {
    /// A condition names a field that is neither documented nor similar to a documented one. It may be new.
    UnknownField {
        name: String,
    },
    /// A placeholder names such a field. `placeholder` is as written in the file.
    UnknownPlaceholder {
        placeholder: String,
    },
    /// The rule cannot match, because the rule in this line matches all that it matches.
    Unreachable {
        line: u32,
        by: EarlierRule,
    },
    /// The rule answers events that users do not expect to be answered.
    AnswersQuietEvents {
        events: Vec<&'static str>,
    },
    /// A full-width character or a comma in a pattern. `meant` is the character that was probably meant.
    OrdinaryCharacter {
        found: char,
        meant: char,
    },
    /// A part of a pattern that has a meaning only in a regular expression.
    Regex {
        part: String,
    },
    /// WeChat has no such event.
    UnknownEvent {
        name: String,
        similar: Option<&'static str>,
    },
    /// An `Event` that is a `MsgType`.
    NotAnEvent {
        name: String,
    },
    /// WeChat has no such type of messages.
    UnknownMessageType {
        name: String,
        similar: Option<&'static str>,
    },
    /// A `MsgType` that is an `Event`.
    NotAMessageType {
        name: String,
    },
    /// A value of the sample that must be replaced.
    Placeholder {
        value: String,
    },
    /// `\n` as two characters in a text.
    EscapedLineEnd,
    LateWithoutPickup,
    /// A word of `<run>` that only a shell understands.
    ShellWord {
        word: String,
    },
    /// The program cannot be started.
    Program(Fault),
    /// There may be more warnings. They were not collected.
    TooMany,
}

/// The rule before a rule that cannot match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EarlierRule {
    /// Both rules match the same messages.
    Same,
    /// It has no conditions.
    All,
    AllEvents,
    AllTexts,
    Other,
}
