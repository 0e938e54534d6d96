//! The log notes of `src/session`.

use crate::text::log_note::LogNote;

/// The note for late replies that were deleted before their users asked for them.
pub(super) fn late_replies_dropped(count: usize) -> LogNote {
    let reason = format!("late replies deleted to make space for newer messages: {count}");
    LogNote { cause: "late-answers-dropped", reason: reason.into(), hint: "" }
}
