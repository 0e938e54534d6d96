//! The texts of `src/program`: reasons for the log, some of which the supervisor prints.

use std::process::ExitStatus;

use super::failure::{Failure, Longest, RUNNING_MAX, STRING_MAX};
use super::supervisor::SupervisorError;
use crate::rules::Limit;
use crate::text::language::Text;
use crate::text::log_note::LogNote;
use crate::text::system_error::SystemError;
use crate::text::wording::{said, wording};

/// Maximum bytes of a program's text in a reason.
const EXCERPT_MAX: usize = 512;

impl Failure {
    /// The log note for this failure of `program`.
    pub(super) fn note(&self, program: &str) -> LogNote {
        let cause = if self.is_limit() { "run-limited" } else { "run-failed" };
        let program = program.escape_debug();
        let reason = said!(en: "{program}: {self}", zh: "{program}：{self}");
        LogNote { cause, reason: reason.into(), hint: "" }
    }
}

/// The note for users whose starts were forgotten before the period of their limit ended.
pub(super) fn start_counts_dropped(count: usize) -> LogNote {
    let reason = said!(
        en: "starts of {count} users forgotten to make space for other users",
        zh: "为给其他用户腾出空间，清除了 {count} 个用户的启动次数"
    );
    let hint = Text {
        en: "their limits start again at zero; they had started no program for the longest time",
        zh: "他们的次数从零重新计算；他们是最久没有启动程序的用户",
    };
    LogNote { cause: "limits-forgotten", reason: reason.into(), hint: hint.get() }
}

wording! { Failure {
    Self::Busy => en: "not started: limit of {RUNNING_MAX} running programs reached",
        zh: "没有启动：已达到同时运行 {RUNNING_MAX} 个程序的上限";
    Self::Limited(Limit { count, seconds }) => en: "not started: user limit reached ({count} per {seconds} s)",
        zh: "没有启动：用户已达到上限（{seconds} 秒内 {count} 次）";
    Self::TooLong { longest, bytes } if *bytes > STRING_MAX =>
        en: "not started: {longest} has {bytes} bytes, at most {STRING_MAX} allowed",
        zh: "没有启动：{longest}有 {bytes} 字节，最多 {STRING_MAX} 字节";
    Self::TooLong { longest, bytes } =>
        en: "not started: arguments and environment are too long together; \
            the longest is {longest} with {bytes} bytes",
        zh: "没有启动：参数和环境变量合起来太长；最长的是{longest}，有 {bytes} 字节";
    Self::Supervisor(error) => en: "cannot run the supervisor: {}", zh: "无法运行监管进程：{}", SystemError(error);
    Self::SupervisorEnded(status) => en: "supervisor ended with {}; program killed",
        zh: "监管进程已结束（{}）；程序已被杀死", shown(status);
    Self::SupervisorHung(seconds) =>
        en: "killed because it was still running after {seconds} s; its supervisor did not respond",
        zh: "{seconds} 秒后仍在运行，已被杀死；它的监管进程没有回应";
    Self::NotStarted(reason) | Self::Program(reason) => en: "{}", zh: "{}", excerpt(reason.trim_end()).escape_debug();
    Self::OutputNotUtf8(offset) => en: "output is not UTF-8 from byte {offset} on",
        zh: "输出从第 {offset} 字节起不是 UTF-8";
    Self::OutputInvalid(problem) => en: "output is not a valid reply: {}", zh: "输出不是有效的回复：{}",
        excerpt(problem).escape_debug();
} }

wording! { Longest {
    Self::Argument(0) => en: "the program's name", zh: "程序的名称";
    Self::Argument(number) => en: "argument {number}", zh: "第 {number} 个参数";
    Self::Variable(name) => en: "variable {name}", zh: "名为 {name} 的环境变量";
} }

wording! { SupervisorError {
    Self::Usage => en: "only the server uses supervise; expected supervise SECONDS PROGRAM [ARGUMENT]...",
        zh: "supervise 只由服务器使用；应为 supervise SECONDS PROGRAM [ARGUMENT]...";
    Self::Message(error) => en: "cannot read the message: {}", zh: "无法读取消息：{}", SystemError(error);
    Self::Start(error) => en: "cannot start the program: {}", zh: "无法启动程序：{}", SystemError(error);
    Self::Fault(fault) => en: "cannot start the program: {fault}", zh: "无法启动程序：{fault}";
    Self::Thread(error) => en: "cannot start a thread: {}", zh: "无法启动线程：{}", SystemError(error);
    Self::ServerGone => en: "killed because the server ended", zh: "服务器已结束，所以程序被杀死";
    Self::TimedOut(seconds) => en: "killed because it was still running after {seconds} s",
        zh: "{seconds} 秒后仍在运行，已被杀死";
    Self::Failed(status, stderr) if stderr.is_empty() => en: "{}", zh: "{}", shown(status);
    Self::Failed(status, stderr) => en: "{}: {stderr}", zh: "{}：{stderr}", shown(status);
    Self::FailedScript(status, stderr, fault) => en: "{}: {stderr}; {fault}", zh: "{}：{stderr}；{fault}", shown(status);
} }

/// An exit status. std has only the English texts.
fn shown(status: &ExitStatus) -> String {
    let text = status.to_string();
    if let Some(code) = text.strip_prefix("exit status: ") {
        said!(en: "exit status: {code}", zh: "退出码 {code}")
    } else if let Some(signal) = text.strip_prefix("signal: ") {
        said!(en: "signal: {signal}", zh: "被信号 {signal} 终止")
    } else {
        text
    }
}

/// The beginning of a program's text.
fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(EXCERPT_MAX)]
}

#[cfg(test)]
mod samples;
