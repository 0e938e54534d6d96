//! The log notes of `src/session`.

use crate::text::log_note::LogNote;
use crate::wechat::TEXT_MAX;

/// The note for the first text that is cut. It has this many bytes.
pub(super) fn text_cut(bytes: usize) -> LogNote {
    let reason =
        format!("text of {bytes} bytes is cut to {TEXT_MAX} bytes, the most that WeChat shows");
    let hint = "answer in fewer words; later texts are cut without a line in the log";
    LogNote { cause: "text-cut", reason: reason.into(), hint }
}

/// The note for late replies that were deleted before their users asked for them.
pub(super) fn late_replies_dropped(count: usize) -> LogNote {
    let reason = format!("late replies deleted to make space for newer messages: {count}");
    LogNote { cause: "late-answers-dropped", reason: reason.into(), hint: "" }
}
