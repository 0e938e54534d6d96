//! Every sentence about a rules file that people see.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use super::condition::Condition;
use super::fields::Hint;
use super::problem::{Diagnostic, FILE_MAX, Problem, RulesError};
use super::reload::ReloadEvent;
use super::rule_set::{ActionTemplate, Rule};
use crate::text::log_note::LogNote;
use crate::wechat::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, TEXT_MAX};

impl RulesError {
    /// A line for each error: `file:line:column: message`; or the line of [`RulesError::summary`] if the text of
    /// the file was not read.
    pub fn lines(&self, path: &Path) -> Vec<String> {
        self.lines_up_to(usize::MAX, path)
    }

    /// [`RulesError::lines`], cut after `most` of them.
    pub(super) fn lines_up_to(&self, most: usize, path: &Path) -> Vec<String> {
        let Self::Invalid(diagnostics) = self else {
            return vec![self.summary(path)];
        };
        let path = path.display();
        let shown = diagnostics.iter().take(most);
        let mut lines: Vec<String> = shown.map(|one| format!("{path}:{one}")).collect();
        if diagnostics.len() > most {
            let more = diagnostics.len() - most;
            lines.push(format!("{path}: and {more} more; run wechat check"));
        }
        lines
    }

    /// One line about the file as a whole.
    pub fn summary(&self, path: &Path) -> String {
        match self {
            Self::Unreadable(error) => format!("cannot read rules file {path:?}: {error}"),
            Self::NotRegularFile => format!("cannot read rules file {path:?}: not a regular file"),
            Self::TooLong { bytes } => format!(
                "cannot read rules file {path:?}: {bytes} bytes, at most {FILE_MAX} allowed"
            ),
            Self::Invalid(diagnostics) if diagnostics.len() == 1 => {
                format!("1 mistake in {path:?}")
            }
            Self::Invalid(diagnostics) => format!("{} mistakes in {path:?}", diagnostics.len()),
        }
    }
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("not UTF-8 from here on; save the file as UTF-8"),
            Self::NotWellFormed(error) => error.fmt(f),
            Self::Printed(error) => error.fmt(f),
            Self::UnexpectedRoot { name } => {
                write!(f, "root element is <{name}>, expected <rules>")
            }
            Self::UtcOffset { value } => {
                write!(f, "utc-offset is {value:?}, expected -14:00 to +14:00")
            }
            Self::UnknownElement { name, parent, hint } => {
                write!(f, "unknown element <{name}> in <{parent}>{hint}")
            }
            Self::UnknownAttribute {
                name,
                element,
                hint,
            } => write!(f, "unknown attribute {name} on <{element}>{hint}"),
            Self::UnknownField { name, hint } => write!(f, "unknown field {name}{hint}"),
            Self::UnknownReply { name, hint } => write!(f, "unknown reply <{name}>{hint}"),
            Self::FinalBackslash => f.write_str(
                r"pattern ends with \, which makes the next character literal; write \\ for a backslash",
            ),
            Self::EmptyAlternative => f.write_str(
                "empty alternative before or after |, which would match every message without this field",
            ),
            Self::UnknownPlaceholder { placeholder, hint } => {
                write!(f, "unknown field {placeholder}{hint}")
            }
            Self::UnclosedPlaceholder { name } => {
                write!(f, "{{{name} has no closing }}; write {{{{ for a brace")
            }
            Self::NoSuchStar { placeholder, stars: 0 } => {
                write!(f, "{placeholder}, but no condition of this rule has a *")
            }
            Self::NoSuchStar { placeholder, stars: 1 } => {
                write!(f, "{placeholder}, but this rule has one *: only {{1}} allowed")
            }
            Self::NoSuchStar { placeholder, stars } => write!(
                f,
                "{placeholder}, but this rule has {stars} of *: {{1}} to {{{stars}}} allowed"
            ),
            Self::UnexpectedText { element } => write!(f, "text in <{element}>, none allowed"),
            Self::ElementInText { name, parent } => write!(
                f,
                "<{name}> in <{parent}>, which holds only text; write &lt; for <"
            ),
            Self::RepeatedElement { name, parent } => {
                write!(f, "more than one <{name}> in <{parent}>")
            }
            Self::MissingElement { name, parent } => write!(f, "<{parent}> without a <{name}>"),
            Self::EmptyElement { name } => write!(f, "<{name}> is empty"),
            Self::NoReply => f.write_str("<on> without a reply; write <success/> for no reply"),
            Self::EmptyText => f.write_str("text is empty; write <success/> for no reply"),
            Self::TextTooLong { bytes } => {
                write!(f, "text of {bytes} bytes, at most {TEXT_MAX} allowed")
            }
            Self::NoArticle => f.write_str("<news> without an <item>"),
            Self::TooManyArticles { count } => {
                write!(f, "{count} articles, at most {ARTICLES_MAX} allowed")
            }
            Self::TooManyArticlesToMessage { count } => write!(
                f,
                "{count} articles in a reply to a message, at most {ARTICLES_MAX_TO_MESSAGE} allowed \
                 ({ARTICLES_MAX} in a reply to an event)"
            ),
            Self::NoProgram => f.write_str("<run> without a program"),
            Self::PlaceholderInProgram => {
                f.write_str("placeholder in the name of a program, allowed only in its arguments")
            }
            Self::QuotedWord => f.write_str(
                "word begins with a quote, but no shell reads it; write <arg>…</arg> for a word with white space",
            ),
            Self::TextAfterArg => {
                f.write_str("text after an <arg>; write words before the first <arg>")
            }
            Self::Timeout { value } => {
                write!(f, "timeout is {value:?}, expected 1s to 1h, such as 90s or 5m")
            }
            Self::Limit { value } => {
                write!(f, "limit is {value:?}, expected 1/1s to 1000/1d, such as 20/1h")
            }
            Self::LimitedWithoutLimit => {
                f.write_str("limited without limit; add a limit, such as limit=\"20/1h\"")
            }
            Self::EmptyPickup => {
                f.write_str("pickup is empty; without the attribute, any text picks the answer up")
            }
        }
    }
}

/// What follows an unknown name in a sentence.
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
    /// One line about the rule: `line 16: on Event="subscribe": text`.
    pub(super) fn summary(&self) -> String {
        let mut summary = format!("line {}: on", self.line);
        for Condition { field, source, .. } in &self.conditions {
            summary.push_str(&format!(" {field}={source:?}"));
        }
        let name = |action: &ActionTemplate| match action {
            ActionTemplate::Reply { name, .. } => *name,
            ActionTemplate::Run(_) => "run",
        };
        let replies: Vec<&str> = self.actions.iter().map(name).collect();
        format!("{summary}: {}", replies.join(" or "))
    }
}

impl ReloadEvent<'_> {
    pub(super) fn note(&self) -> LogNote {
        let (cause, reason) = match self {
            Self::Reloaded { file, rules: 1 } => {
                ("rules-changed", format!("reloaded {file}: 1 rule"))
            }
            Self::Reloaded { file, rules } => {
                ("rules-changed", format!("reloaded {file}: {rules} rules"))
            }
            Self::Failed { file } => {
                ("rules-kept", format!("reload of {file} failed; keeping the previous rules"))
            }
        };
        LogNote { cause, reason: reason.into(), hint: "" }
    }
}
