//! What this room says in the log.

use crate::text::log_note::LogNote;

/// How many unexpired answers were forgotten before their users asked for them.
pub(super) struct AnswersLost(pub(super) usize);

impl AnswersLost {
    pub(super) fn note(&self) -> LogNote {
        let Self(count) = self;
        LogNote {
            cause: "late-answers-dropped",
            reason: format!(
                "undelivered answers forgotten to make room for newer messages: {count}"
            )
            .into(),
            hint: "",
        }
    }
}
