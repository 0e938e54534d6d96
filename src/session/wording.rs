//! The log notes of `src/session`.

use crate::text::language::Text;
use crate::text::log_note::LogNote;
use crate::text::wording::said;
use crate::wechat::TEXT_MAX;

/// The note for the first text that is cut. It has this many bytes.
pub(super) fn text_cut(bytes: usize) -> LogNote {
    let reason = said!(
        en: "text of {bytes} bytes is cut to {TEXT_MAX} bytes, the most that WeChat shows",
        zh: "{bytes} 字节的文本被截断为 {TEXT_MAX} 字节，这是微信能显示的上限"
    );
    let hint = Text {
        en: "answer in fewer words; later texts are cut without a line in the log",
        zh: "请缩短回复；以后再截断不会写日志",
    };
    LogNote { cause: "text-cut", reason: reason.into(), hint: hint.get() }
}

/// The note for late replies that were deleted before their users asked for them.
pub(super) fn late_replies_dropped(count: usize) -> LogNote {
    let reason = said!(
        en: "late replies deleted to make space for newer messages: {count}",
        zh: "为给新消息腾出空间，删除了 {count} 条迟到的回复"
    );
    LogNote { cause: "late-answers-dropped", reason: reason.into(), hint: "" }
}

#[cfg(test)]
mod samples;
