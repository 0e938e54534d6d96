//! The texts of the server's log, each with its cause word.

use super::log::LogEvent;
use crate::text::log_note::LogNote;
use crate::text::system_error::SystemError;
use crate::text::wording::said;

impl LogEvent {
    /// The log note of the event.
    pub(super) fn note(&self) -> LogNote {
        let (cause, reason) = match self {
            Self::AcceptFailed { error } => (
                "accept",
                said!(en: "cannot accept clients: {}", zh: "无法接受新连接：{}", SystemError(error)),
            ),
            Self::ThreadFailed { error } => (
                "thread",
                said!(en: "cannot start a thread: {}", zh: "无法启动线程：{}", SystemError(error)),
            ),
            Self::ConnectionLimitReached { limit } => (
                "crowded",
                said!(
                    en: "connection limit {limit} reached; closing a connection that waits for its client",
                    zh: "已达到 {limit} 个连接的上限；将关闭一个正在等待客户端的连接"
                ),
            ),
            Self::HandlerPanicked => (
                "panic",
                said!(
                    en: "handler panicked; its connection was closed",
                    zh: "处理请求时发生 panic；已关闭该连接"
                ),
            ),
            Self::LinesLost { count } => (
                "log",
                said!(
                    en: "{count} log lines were lost, because standard error did not accept them",
                    zh: "丢失了 {count} 行日志，因为标准错误无法写入"
                ),
            ),
        };
        LogNote { cause, reason: reason.into(), hint: "" }
    }
}

#[cfg(test)]
mod samples;
