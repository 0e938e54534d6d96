//! The texts of `src/program`: reasons for the log, some of which the supervisor prints.

use std::fmt::{self, Display, Formatter};

use super::failure::{Failure, Longest, RUNNING_MAX, STRING_MAX};
use super::supervisor::SupervisorError;
use crate::rules::Limit;
use crate::text::log_note::LogNote;

/// Maximum bytes of a program's text in a reason.
const EXCERPT_MAX: usize = 512;

impl Failure {
    /// The log note for this failure of `program`.
    pub(super) fn note(&self, program: &str) -> LogNote {
        let cause = if self.is_limit() { "run-limited" } else { "run-failed" };
        LogNote { cause, reason: format!("{}: {self}", program.escape_debug()).into(), hint: "" }
    }
}

/// The note for users whose starts were forgotten before the period of their limit ended.
pub(super) fn start_counts_dropped(count: usize) -> LogNote {
    let reason = format!("starts of {count} users forgotten to make space for other users");
    let hint = "their limits start again at zero; they had started no program for the longest time";
    LogNote { cause: "limits-forgotten", reason: reason.into(), hint }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => write!(f, "not started: limit of {RUNNING_MAX} running programs reached"),
            Self::Limited(Limit { count, seconds }) => {
                write!(f, "not started: user limit reached ({count} per {seconds} s)")
            }
            Self::TooLong { longest, bytes } if *bytes > STRING_MAX => {
                write!(f, "not started: {longest} has {bytes} bytes, at most {STRING_MAX} allowed")
            }
            Self::TooLong { longest, bytes } => write!(
                f,
                "not started: arguments and environment are too long together; \
                 the longest is {longest} with {bytes} bytes"
            ),
            Self::Supervisor(error) => write!(f, "cannot run the supervisor: {error}"),
            Self::SupervisorEnded(status) => {
                write!(f, "supervisor ended with {status}; program killed")
            }
            Self::SupervisorHung(seconds) => write!(
                f,
                "killed because it was still running after {seconds} s; its supervisor did not respond"
            ),
            Self::NotStarted(reason) | Self::Program(reason) => {
                Display::fmt(&excerpt(reason.trim_end()).escape_debug(), f)
            }
            Self::OutputNotUtf8(offset) => write!(f, "output is not UTF-8 from byte {offset} on"),
            Self::OutputInvalid(problem) => {
                let problem = excerpt(problem).escape_debug();
                write!(f, "output is not a valid reply: {problem}")
            }
        }
    }
}

impl Display for Longest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(0) => f.write_str("the program's name"),
            Self::Argument(number) => write!(f, "argument {number}"),
            Self::Variable(name) => write!(f, "variable {name}"),
        }
    }
}

impl Display for SupervisorError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => f.write_str(
                "only the server uses supervise; expected supervise SECONDS PROGRAM [ARGUMENT]...",
            ),
            Self::Message(error) => write!(f, "cannot read the message: {error}"),
            Self::Start(error) => write!(f, "cannot start the program: {error}"),
            Self::Fault(fault) => write!(f, "cannot start the program: {fault}"),
            Self::Thread(error) => write!(f, "cannot start a thread: {error}"),
            Self::ServerGone => f.write_str("killed because the server ended"),
            Self::TimedOut(seconds) => {
                write!(f, "killed because it was still running after {seconds} s")
            }
            Self::Failed(status, stderr) if stderr.is_empty() => Display::fmt(status, f),
            Self::Failed(status, stderr) => write!(f, "{status}: {stderr}"),
            Self::FailedScript(status, stderr, fault) => write!(f, "{status}: {stderr}; {fault}"),
        }
    }
}

/// The beginning of a program's text.
fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(EXCERPT_MAX)]
}
