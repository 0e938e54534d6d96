//! The texts of the control socket.

use crate::server::ShutdownReport;
use crate::text::display::format_duration;

/// Shown for a status value that does not exist yet, such as the time since the last message.
pub(super) const NONE_YET: &str = "none yet";

pub(super) const fn yes_or_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// The response to a command that this version does not know.
pub(super) fn unknown_command(command: &str, version: &str) -> String {
    let command = command.escape_debug();
    format!("unknown command \"{command}\"; this server is wechat {version}")
}

/// The rest of the response to `stop`, when the server has ended.
pub(super) fn stopped(report: &ShutdownReport) -> String {
    let took = format_duration(report.took);
    match report.unanswered {
        0 => format!("stopped after {took}\n"),
        1 => format!("stopped after {took}; 1 request was not answered\n"),
        count => format!("stopped after {took}; {count} requests were not answered\n"),
    }
}

pub(super) const NOT_A_SOCKET: &str = "the file exists and is not a socket";

pub(super) const SOCKET_IN_USE: &str = "another server uses this socket";

pub(super) const FOLDER_CHANGED: &str = "another user changes this folder";

pub(super) fn path_too_long(length: usize, max: usize) -> String {
    format!("path of {length} bytes, at most {max} allowed")
}
