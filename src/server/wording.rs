//! The texts of the server's log, each with its cause word.

use super::log::LogEvent;
use crate::text::log_note::LogNote;

impl LogEvent {
    /// The log note of the event.
    pub(super) fn note(&self) -> LogNote {
        let (cause, reason) = match self {
            Self::AcceptFailed { error } => ("accept", format!("cannot accept clients: {error}")),
            Self::ThreadFailed { error } => ("thread", format!("cannot start a thread: {error}")),
            Self::ConnectionLimitReached { limit } => (
                "crowded",
                format!(
                    "connection limit {limit} reached; closing a connection that waits for its client"
                ),
            ),
            Self::HandlerPanicked => {
                ("panic", "handler panicked; its connection was closed".to_owned())
            }
            Self::LinesLost { count } => (
                "log",
                format!("{count} log lines were lost, because standard error did not accept them"),
            ),
        };
        LogNote { cause, reason: reason.into(), hint: "" }
    }
}
