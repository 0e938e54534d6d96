//! All texts about a rules file that are shown to people.

use std::fmt::{self, Display, Formatter, Write as _};
use std::path::Path;

use super::condition::Condition;
use super::fields::Hint;
use super::parser::PROBLEMS_MAX;
use super::problem::{Diagnostic, EarlierRule, Finding, Problem, RulesError, Warning};
use super::reload::ReloadEvent;
use super::rule_set::{ActionTemplate, Rule};
use crate::text::display::is_printable;
use crate::text::file::{ClosedToOthers, ReadError, is_home};
use crate::text::log_note::LogNote;
use crate::text::wording::wording;
use crate::wechat::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, TEXT_MAX};
use crate::xml::{ESCAPE_TEXT, XmlError};

/// Maximum bytes of the text of an error. Only an error that quotes a very long name is longer; the rest is cut off.
const ERROR_MAX: usize = 512;

impl RulesError {
    /// One line for each error and warning: `file:line:column: message`. If the file was not read, the only line is
    /// [`RulesError::summary`].
    pub fn lines(&self, path: &Path) -> Vec<String> {
        self.lines_up_to(usize::MAX, path)
    }

    /// The first `max` lines of [`RulesError::lines`], and the number of omitted lines.
    pub(super) fn lines_up_to(&self, max: usize, path: &Path) -> Vec<String> {
        let Self::Invalid(diagnostics) = self else {
            return vec![self.summary(path)];
        };
        let shown = diagnostics.iter().take(max);
        let mut lines: Vec<String> = shown.map(|diagnostic| diagnostic.line_of(path)).collect();
        if diagnostics.len() > max {
            let (path, more) = (path.display(), diagnostics.len() - max);
            lines.push(format!("{path}: and {more} more; run wechat check to see all"));
        }
        lines
    }

    /// One line about the file as a whole.
    pub fn summary(&self, path: &Path) -> String {
        match self {
            Self::Unreadable(error) => {
                let remedy = match error {
                    ReadError::NoPermission { closed, is_folder, .. } => {
                        open_up(closed, *is_folder)
                    }
                    ReadError::System(_)
                    | ReadError::NotRegularFile
                    | ReadError::TooLong { .. } => String::new(),
                };
                format!("cannot read rules file {path:?}: {error}{remedy}")
            }
            Self::Invalid(diagnostics) => {
                let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
                match errors {
                    1 => format!("1 error in {path:?}"),
                    ..=PROBLEMS_MAX => format!("{errors} errors in {path:?}"),
                    _ => format!("at least {PROBLEMS_MAX} errors in {path:?}"),
                }
            }
        }
    }
}

/// How to let every user read a rules file. `closed` is the file, or the folder above it that is closed.
fn open_up(closed: &Path, is_folder: bool) -> String {
    match is_folder {
        true if is_home(closed) => {
            "; move the file out of the home folder, for example to /etc/wechat".to_owned()
        }
        true => format!("; chmod o+x {}", closed.display()),
        false => format!("; chmod o+r {}", closed.display()),
    }
}

/// The warning about a rules file that only some users can read.
impl Display for ClosedToOthers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { closed, mode, is_folder } = self;
        let kind = if *is_folder { "folder" } else { "file" };
        let remedy = open_up(closed, *is_folder);
        write!(
            f,
            "{kind} {closed:?} has mode {mode:04o}, so the user of the service may not be able to read the rules{remedy}"
        )
    }
}

impl Diagnostic {
    /// The line about this file: `file:line:column: error` or `file:line:column: warning: warning`.
    pub fn line_of(&self, path: &Path) -> String {
        let (path, text) = (path.display(), self.to_string());
        match text.split_at(text.floor_char_boundary(ERROR_MAX)) {
            (text, "") => format!("{path}:{text}"),
            (start, _) => format!("{path}:{start}…"),
        }
    }
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { line, column, finding } = self;
        match finding {
            Finding::Error(problem) => write!(f, "{line}:{column}: {problem}"),
            Finding::Warning(warning) => write!(f, "{line}:{column}: warning: {warning}"),
        }
    }
}

wording! { Warning {
    Self::UnknownField { name } => "unknown field {name}, not in WeChat's manual";
    Self::UnknownPlaceholder { placeholder } =>
        "unknown field in placeholder {placeholder}, not in WeChat's manual; write {{{{ for a literal {{";
    Self::Unreachable { line, by: EarlierRule::Same } =>
        "this rule never matches: the rule in line {line} matches the same messages; remove one of the two";
    Self::Unreachable { line, by } =>
        "this rule never matches: the rule in line {line} matches {}; move this rule above it", all_of(*by);
    Self::AnswersQuietEvents { events } =>
        "this rule also answers {}, which users do not expect; \
         write <on Event=\"{}\"> <success/> </on> above it", enumerate(events), events.join("|");
    Self::OrdinaryCharacter { found, meant } =>
        "'{found}' has no meaning in a pattern; write '{meant}', or '\\{found}' if it is part of the text";
    Self::Regex { part } =>
        "{part} looks like a regular expression; patterns have only * (any characters), | (or) and \\ (the next character as it is)";
    Self::UnknownEvent { name, similar: Some(similar) } => "WeChat has no event {name}, did you mean {similar}?";
    Self::UnknownEvent { name, similar: None } =>
        "WeChat's manual has no event {name}; users cause subscribe unsubscribe SCAN LOCATION CLICK VIEW";
    Self::NotAnEvent { name } => "WeChat has no event {name}; write MsgType=\"{name}\"";
    Self::UnknownMessageType { name, similar: Some(similar) } =>
        "WeChat has no message of type {name}, did you mean {similar}?";
    Self::UnknownMessageType { name, similar: None } =>
        "WeChat's manual has no message of type {name}; users send text image voice video shortvideo location link file";
    Self::NotAMessageType { name } => "WeChat has no message of type {name}; write Event=\"{name}\"";
    Self::Placeholder { value } => "{value} is a placeholder of the sample; write your own value";
    Self::EscapedLineEnd => "\\n in a text is a backslash and an n; for a new line write a line end";
    Self::LateWithoutPickup =>
        "late without pickup: the user cannot ask for the late reply, but gets it with the next message; \
         add for example pickup=\"1\" and say so in late";
    Self::ShellWord { word } =>
        "{word} has a meaning only in a shell, and no shell runs this command; write /bin/sh -c <arg>…</arg>, or remove it";
    Self::Program(fault) => "program cannot be started: {fault}";
    Self::TooMany => "{PROBLEMS_MAX} warnings reported; there may be more";
} }

/// Joins words as in `a, b and c`.
fn enumerate(words: &[&str]) -> String {
    match words {
        [words @ .., last] if !words.is_empty() => format!("{} and {last}", words.join(", ")),
        _ => words.concat(),
    }
}

/// What an earlier rule matches.
const fn all_of(rule: EarlierRule) -> &'static str {
    match rule {
        EarlierRule::Same => "the same messages",
        EarlierRule::All => "every message and every event",
        EarlierRule::AllEvents => "every event",
        EarlierRule::AllTexts => "every text",
        EarlierRule::Other => "all that this rule matches",
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8 from here on; save the file as UTF-8"),
            Self::Utf16 => f.write_str("UTF-16; save the file as UTF-8"),
            Self::NotWellFormed(error) => error.fmt(f),
            Self::Printed(
                error @ (XmlError::Utf8(_) | XmlError::Open | XmlError::TooManyElements),
            ) => error.fmt(f),
            Self::Printed(error) => write!(f, "{error}; in a text {ESCAPE_TEXT}"),
            Self::NoRules => f.write_str(
                "expected <rules>; a rules file is <rules>, then <on> elements, then </rules>",
            ),
            Self::UnexpectedRoot { name } if name == "on" => f.write_str(
                "no <rules> around the <on> elements; write <rules> before the first and </rules> after the last",
            ),
            Self::UnexpectedRoot { name } => {
                write!(f, "root element is <{name}>, expected <rules>")
            }
            Self::UtcOffset { value } => {
                write!(f, "utc-offset is {}, expected -14:00 to +14:00", Attribute(value))
            }
            Self::Time { value } => write!(
                f,
                "time is {value:?}, expected HH:MM-HH:MM, such as 09:00-18:00 or 22:00-02:00"
            ),
            Self::EmptyTimeRange { value } => write!(
                f,
                "time is {value:?}, a range without a minute; for the whole day, remove the attribute"
            ),
            Self::Weekday { value } => write!(
                f,
                "weekday is {value:?}, expected days from 1 (Monday) to 7 (Sunday), such as 1-5 or 6|7"
            ),
            Self::UnknownElement { name, parent, hint } => {
                write!(f, "unknown element <{name}> in <{parent}>{hint}")
            }
            Self::UnknownAttribute { name, element, hint } => {
                write!(f, "unknown attribute {name} on <{element}>{hint}")
            }
            Self::UnknownField { name, hint } => write!(f, "unknown field {name}{hint}"),
            Self::UnknownMsgType { msg_type } => write!(f, "<MsgType> is {msg_type:?}, which no reply has"),
            Self::UnknownReply { name, hint } => write!(f, "unknown reply <{name}>{hint}"),
            Self::FinalBackslash => f.write_str(
                r"pattern ends with a single \; write \\ for a literal backslash",
            ),
            Self::EmptyAlternative => f.write_str(
                "empty alternative before or after |, which would match every message without this field",
            ),
            Self::UnknownPlaceholder { placeholder, hint } => {
                write!(f, "unknown field in placeholder {placeholder}{hint}")
            }
            Self::UnclosedPlaceholder { name } => {
                write!(f, "{{{name} has no closing }}; write {{{{ for a literal {{")
            }
            Self::NoSuchStar { placeholder, stars: 0 } => {
                write!(f, "{placeholder} refers to a * that does not exist; this rule has no *")
            }
            Self::NoSuchStar { placeholder, stars: 1 } => {
                write!(f, "{placeholder} refers to a * that does not exist; this rule has one *, so only {{1}} is allowed")
            }
            Self::NoSuchStar { placeholder, stars } => write!(
                f,
                "{placeholder} refers to a * that does not exist; this rule has {stars} stars, so {{1}} to {{{stars}}} are allowed"
            ),
            Self::UnexpectedText { element } => {
                let child = match element.as_str() {
                    "rules" => {
                        return f.write_str(
                            "text between the <on> elements; a reply is written <on> <text>…</text> </on>",
                        );
                    }
                    "success" => return f.write_str("text in <success>; write <success/>"),
                    "on" => "text",
                    "image" | "voice" => "MediaId",
                    "transfer_customer_service" => "KfAccount",
                    _ => return write!(f, "text in <{element}>, outside of the elements in it"),
                };
                write!(f, "text in <{element}>; write <{child}>…</{child}> around it")
            }
            Self::ElementInText { name, parent } => {
                write!(f, "<{name}> in <{parent}>, which must contain only text; ")?;
                if name.eq_ignore_ascii_case("br") {
                    f.write_str("for a new line write a line end; for the tag itself ")?;
                }
                ESCAPE_TEXT.fmt(f)
            }
            Self::RepeatedElement { name, parent } => {
                write!(f, "more than one <{name}> in <{parent}>")
            }
            Self::MissingElement { name, parent } => write!(f, "<{parent}> has no <{name}>"),
            Self::EmptyElement { name } => write!(f, "<{name}> is empty"),
            Self::NoReply => f.write_str("<on> has no reply; write <success/> to send none"),
            Self::EmptyText => f.write_str("text is empty; write <success/> for no reply"),
            Self::TextTooLong { bytes } => {
                write!(f, "text of {bytes} bytes, at most {TEXT_MAX} allowed")
            }
            Self::NoArticle => f.write_str("<news> has no <item>"),
            Self::TooManyArticles { count } => {
                write!(f, "{count} articles, at most {ARTICLES_MAX} allowed")
            }
            Self::TooManyArticlesToMessage { count } => write!(
                f,
                "{count} articles in a reply to a message, at most {ARTICLES_MAX_TO_MESSAGE} allowed \
                 ({ARTICLES_MAX} in a reply to an event)"
            ),
            Self::NoProgram => f.write_str("<run> has no program"),
            Self::PlaceholderInProgram => {
                f.write_str("placeholder in the name of a program; placeholders are allowed only in arguments")
            }
            Self::QuotedWord => f.write_str(
                "word begins with a quote, but the command is not run by a shell; write <arg>…</arg> for a word with white space",
            ),
            Self::TextAfterArg => {
                f.write_str("text after an <arg>; write words before the first <arg>")
            }
            Self::Timeout { value } => {
                write!(f, "timeout is {}, expected 1s to 1h, such as 90s or 5m", Attribute(value))
            }
            Self::Limit { value } => {
                write!(f, "limit is {}, expected COUNT/PERIOD from 1/1s to 1000/1d, such as 20/1h", Attribute(value))
            }
            Self::LimitedWithoutLimit => {
                f.write_str("attribute limited needs attribute limit; add for example limit=\"20/1h\"")
            }
            Self::TooMany => {
                write!(f, "{PROBLEMS_MAX} errors reported; the rest of the file was not checked")
            }
            Self::EmptyPickup => f.write_str(
                "pickup is empty; remove the attribute to let the next message get the late reply",
            ),
        }
    }
}

/// The end of a sentence about an unknown name.
impl Display for Hint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::DidYouMean(name) => write!(f, ", did you mean {name}?"),
            Self::Allowed(names) => write!(f, ", allowed: {}", names.join(" ")),
            Self::NoneAllowed => f.write_str(", none allowed"),
            Self::Nothing => Ok(()),
        }
    }
}

impl Rule {
    /// One line about the rule, such as `line 16: on Event="subscribe": text`.
    pub(super) fn summary(&self) -> String {
        let mut summary = format!("line {}: on", self.line);
        for Condition { field, source, .. } in &self.conditions {
            summary.push_str(&format!(" {field}={}", Attribute(source)));
        }
        for (name, source) in self.schedule.iter().flat_map(|schedule| &schedule.sources) {
            summary.push_str(&format!(" {name}={source:?}"));
        }
        let name = |action: &ActionTemplate| match action {
            ActionTemplate::Reply { name, .. } => *name,
            ActionTemplate::Run(_) => "run",
        };
        let replies: Vec<&str> = self.actions.iter().map(name).collect();
        format!("{summary}: {}", replies.join(" or "))
    }
}

/// The value of an attribute as it is written in the file, with its quotes.
struct Attribute<'a>(&'a str);

impl Display for Attribute<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' => f.write_str("&quot;"),
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                _ if is_printable(character) && character != '\t' => f.write_char(character),
                _ => write!(f, "&#x{:X};", u32::from(character)),
            }?;
        }
        f.write_char('"')
    }
}

impl ReloadEvent<'_> {
    pub(super) fn note(&self) -> LogNote {
        let (cause, reason, hint) = match self {
            Self::Reloaded { file, rules: 1 } => {
                ("rules-changed", format!("reloaded {file}: 1 rule"), "")
            }
            Self::Reloaded { file, rules } => {
                ("rules-changed", format!("reloaded {file}: {rules} rules"), "")
            }
            Self::Failed { file } => {
                ("rules-kept", format!("reload of {file} failed; keeping the previous rules"), "")
            }
            Self::Detached { file } => (
                "rules-kept",
                format!(
                    "{file} was replaced or deleted outside of its mount; its old content is still mounted"
                ),
                "mount the folder of the rules file, not the file alone",
            ),
        };
        LogNote { cause, reason: reason.into(), hint }
    }
}
