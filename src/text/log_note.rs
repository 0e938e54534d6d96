//! What the log says of an event.

use std::borrow::Cow;
use std::fmt;

/// What the log says of an event: `cause=… reason="…" hint="…"`, without secrets and without what a user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogNote {
    /// The stable word to search a log for.
    pub cause: &'static str,
    /// What happened.
    pub reason: Cow<'static, str>,
    /// What the operator can do about it; empty if there is nothing to do.
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

/// Writes a line to the log. The line has no line end.
pub(crate) type Report = fn(&str);
