//! What this room says in the log.

use crate::text::log_note::LogNote;

/// This many answers were forgotten before their users asked for them.
pub(super) fn late_answers_dropped(count: usize) -> LogNote {
    let reason = format!("undelivered answers forgotten to make room for newer messages: {count}");
    LogNote { cause: "late-answers-dropped", reason: reason.into(), hint: "" }
}
