//! Notes for the log. All modules write their log lines in this format.

use std::borrow::Cow;
use std::fmt;

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

/// Writes one line to the log. The line is passed without a line end.
pub(crate) type Report = fn(&str);
