//! The texts of the control socket. Those that the server sends are in the language of the client.

use crate::server::ShutdownReport;
use crate::text::display::format_duration;
use crate::text::language::{Language, Text};
use crate::text::wording::said;

/// Shown for a status value that does not exist yet, such as the time since the last message.
pub(super) const NONE_YET: Text = Text { en: "none yet", zh: "暂无" };

pub(super) const fn yes_or_no(value: bool) -> Text {
    if value { Text { en: "yes", zh: "是" } } else { Text { en: "no", zh: "否" } }
}

/// The name of a count. Values of `MsgType` and cause words are the same in both languages.
pub(super) fn count_name(name: &str, language: Language) -> &str {
    match (language, name) {
        (Language::Chinese, "plain") => "明文模式",
        (Language::Chinese, "compatible") => "兼容模式",
        (Language::Chinese, "safe") => "安全模式",
        (Language::Chinese, "other") => "其他",
        _ => name,
    }
}

/// The units of an age, with their length in seconds.
pub(super) const UNITS: [(u64, Text); 4] = [
    (86_400, Text { en: "d", zh: "天" }),
    (3_600, Text { en: "h", zh: "小时" }),
    (60, Text { en: "min", zh: "分" }),
    (1, Text { en: "s", zh: "秒" }),
];

/// The response to a command that this version does not know.
pub(super) fn unknown_command(command: &str, version: &str, language: Language) -> String {
    let command = command.escape_debug();
    match language {
        Language::English => format!("unknown command \"{command}\"; this server is wechat {version}"),
        Language::Chinese => format!("未知命令 \"{command}\"；本服务器是 wechat {version}"),
    }
}

/// The rest of the response to `stop`, when the server has ended.
pub(super) fn stopped(report: &ShutdownReport, language: Language) -> String {
    let took = format_duration(report.took);
    match (language, report.unanswered) {
        (Language::English, 0) => format!("stopped after {took}\n"),
        (Language::English, 1) => format!("stopped after {took}; 1 request was not answered\n"),
        (Language::English, count) => format!("stopped after {took}; {count} requests were not answered\n"),
        (Language::Chinese, 0) => format!("已停止，用时 {took}\n"),
        (Language::Chinese, count) => format!("已停止，用时 {took}；{count} 个请求没有得到响应\n"),
    }
}

pub(super) const NOT_A_SOCKET: Text = Text { en: "the file exists and is not a socket", zh: "文件已存在，而且不是套接字" };

pub(super) const SOCKET_IN_USE: Text = Text { en: "another server uses this socket", zh: "另一个服务器正在使用这个套接字" };

pub(super) const FOLDER_CHANGED: Text = Text { en: "another user changes this folder", zh: "别的用户正在修改这个目录" };

pub(super) fn path_too_long(length: usize, max: usize) -> String {
    said!(en: "path of {length} bytes, at most {max} allowed", zh: "路径有 {length} 字节，最多 {max} 字节" )
}

#[cfg(test)]
mod samples;
