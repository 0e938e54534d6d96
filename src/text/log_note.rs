//! Notes for the log. All modules write their log lines in this format.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use super::language::{Language, Text, language};

/// A note for the log: `cause=… reason="…" hint="…"`. It must not contain secrets or text from users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogNote {
    /// A stable word to search the log for.
    pub cause: &'static str,
    /// A sentence that says what happened.
    pub reason: Cow<'static, str>,
    /// A sentence that says what to do; empty if there is nothing to do.
    pub hint: &'static str,
}

impl fmt::Display for LogNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cause={} reason=\"{}\"", self.cause, self.reason)?;
        match self.hint {
            "" => Ok(()),
            hint => write!(f, " hint=\"{hint}\""),
        }
    }
}

/// The reason of a rejection. The log has it in the language of this process. The client gets it in English, because
/// programs read it.
pub(crate) struct Reason {
    /// The text for the log.
    pub(crate) log: Cow<'static, str>,
    /// The text for the client; `None` if it is the text for the log.
    pub(crate) english: Option<Cow<'static, str>>,
}

impl From<Text> for Reason {
    fn from(text: Text) -> Self {
        let english = (language() != Language::English).then_some(text.en.into());
        Self { log: text.get().into(), english }
    }
}

/// The text of an error from `wording!`, whose alternate form is English.
impl<E: Error> From<&E> for Reason {
    fn from(error: &E) -> Self {
        let english = (language() != Language::English).then(|| format!("{error:#}").into());
        Self { log: error.to_string().into(), english }
    }
}

/// Writes one line to the log. The line is passed without a line end.
pub(crate) type Report = fn(&str);
