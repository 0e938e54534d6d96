//! Why a program gave no reply.

use std::io;
use std::process::ExitStatus;

/// Programs running at a time. Each is two processes: the supervisor and the program.
pub(super) const RUNNING_MAX: usize = 64;

pub(super) enum Failure {
    /// Not started: [`RUNNING_MAX`] programs are running.
    Busy,
    /// Not started: the user has started it `count` times within these seconds.
    Limited { count: usize, seconds: u64 },
    /// The supervisor cannot be started, or its output cannot be read.
    Supervisor(io::Error),
    /// The supervisor failed without a reason: it was killed.
    SupervisorEnded(ExitStatus),
    /// The program failed, for this reason.
    Program(String),
    /// The output is not UTF-8 from this byte on.
    OutputNotUtf8(usize),
    /// The output begins with a reply element, which has this problem.
    OutputInvalid(String),
}

impl Failure {
    /// Whether the user's limit is the reason. That is not a fault of the program.
    pub(super) const fn is_limit(&self) -> bool {
        matches!(self, Self::Limited { .. })
    }
}
