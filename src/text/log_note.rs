//! Notes for the log. Each room writes its log lines in this format.

use std::borrow::Cow;
use std::fmt;

/// A note for the log: `cause=… reason="…" hint="…"`. It holds no secrets and nothing that a user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogNote {
    /// A stable word to search the log for.
    pub cause: &'static str,
    /// The sentence that says what happened.
    pub reason: Cow<'static, str>,
    /// The sentence that says what to do; empty if there is nothing to do.
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

/// Writes one line, without a line end, to the log.
pub(crate) type Report = fn(&str);
