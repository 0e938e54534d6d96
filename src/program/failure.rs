//! The reasons why a run gave no reply.

use std::io;
use std::process::ExitStatus;

use crate::rules::Limit;

/// Maximum number of runs at the same time. Each run has two processes, the supervisor and the program.
pub(super) const RUNNING_MAX: usize = 64;

/// Maximum bytes of an argument or variable (execve(2)), without the terminating zero byte.
pub(super) const STRING_MAX: usize = 128 * 1024 - 1;

/// The reason why a run gave no reply.
pub(super) enum Failure {
    /// The program was not started, because [`RUNNING_MAX`] programs are running.
    Busy,
    /// The program was not started, because the user has reached the limit.
    Limited(Limit),
    /// The program was not started, because the system refuses its arguments and environment variables as too long.
    TooLong { longest: Longest, bytes: usize },
    /// The supervisor cannot be started, or its output cannot be read.
    Supervisor(io::Error),
    /// The supervisor ended without output, for example because it was killed. The server has killed the program.
    SupervisorEnded(ExitStatus),
    /// The supervisor did not end after the timeout of this many seconds. The server has killed it and the program.
    SupervisorHung(u64),
    /// The program could not be started. The text is the reason that the supervisor printed.
    NotStarted(String),
    /// The program failed. The text is the reason that the supervisor printed.
    Program(String),
    /// The output is not UTF-8. The number is the offset of the first invalid byte.
    OutputNotUtf8(usize),
    /// The output begins with a reply element that has this error.
    OutputInvalid(String),
}

/// The longest of the arguments and variables of a program.
pub(super) enum Longest {
    /// An argument, counted from 1. 0 is the program.
    Argument(usize),
    /// An environment variable with this name.
    Variable(String),
}

impl Failure {
    /// Whether the reason is the user's limit. Then the program itself did not fail.
    pub(super) const fn is_limit(&self) -> bool {
        matches!(self, Self::Limited(_))
    }

    /// Whether the program could not be started, although no limit was reached.
    pub(super) const fn is_failed_start(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::Supervisor(_) | Self::NotStarted(_))
    }
}
