//! Starts programs and counts them.
//!
//! The server does not start a program itself. It starts a supervisor process (this binary with a hidden
//! command), which starts the program. When the timeout has passed or the server has ended, even by SIGKILL,
//! the supervisor kills the program and all processes that the program started. Only the supervisor holds the
//! program's pipes, so the server never waits for a process that the program left running.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::failure::{Failure, RUNNING_MAX};
use super::{environment, output, supervisor};
use crate::rules::ProgramCall;
use crate::session::Runner;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};

/// Maximum number of starts stored for the limits of users. They use 256 KiB.
const STARTS_MAX: usize = 16 * 1024;

/// Runs programs within the limits of the server and of each user.
#[derive(Debug)]
pub struct Programs {
    /// The path of the `wechat` binary.
    supervisor: PathBuf,
    /// The environment variables that are settings of this binary. No field of a message sets one of them.
    settings: Vec<&'static str>,
    counters: Mutex<Counters>,
    hasher: RandomState,
    report: Report,
}

/// Counts of programs since the start of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramCounts {
    /// Programs running at this moment.
    pub running: usize,
    /// Programs that could not be started or gave no valid reply.
    pub failed: u64,
    /// Programs that were not started because their user had reached the limit.
    pub limited: u64,
}

#[derive(Debug, Default)]
struct Counters {
    counts: ProgramCounts,
    /// Recent starts, oldest first. Each has a keyed hash of rule and user, and its time in seconds since 1970.
    starts: VecDeque<(u64, u64)>,
}

impl Runner for Programs {
    fn run(&self, call: &ProgramCall, message: &Message<'_>) -> Reply<'static> {
        let failure = match self.try_run(call, message) {
            Ok(reply) => return reply,
            Err(failure) => failure,
        };
        let program = call.words.first().map_or("", String::as_str);
        (self.report)(&failure.note(program).to_string());
        let counts = &mut self.lock().counts;
        let (count, text) = if failure.is_limit() {
            (&mut counts.limited, &call.limited)
        } else {
            (&mut counts.failed, &call.failed)
        };
        *count += 1;
        Reply::text(text.clone())
    }
}

impl Programs {
    /// `supervisor` is the path of the `wechat` binary, and `settings` are the environment variables that its commands
    /// read. Log lines about failed programs go to `report`.
    pub fn new(
        supervisor: impl Into<PathBuf>,
        settings: Vec<&'static str>,
        report: Report,
    ) -> Self {
        Self {
            supervisor: supervisor.into(),
            settings,
            counters: Mutex::default(),
            hasher: RandomState::new(),
            report,
        }
    }

    /// The counts at this moment.
    pub fn counts(&self) -> ProgramCounts {
        self.lock().counts
    }

    fn try_run(
        &self,
        call: &ProgramCall,
        message: &Message<'_>,
    ) -> Result<Reply<'static>, Failure> {
        let _running = self.admit(call, message)?;
        let printed = run_supervisor(self.command(call, message), call, message.xml())?;
        output::parse(&printed, message)
    }

    /// Counts a start. Fails if a limit is reached.
    fn admit(&self, call: &ProgramCall, message: &Message<'_>) -> Result<Running<'_>, Failure> {
        let now = message.received();
        let mut counters = self.lock();
        let mut start = None;
        if let Some((limit, element)) = &call.limit {
            let rule_and_user = self.hasher.hash_one((element, message.from_user_name()));
            let is_recent = |at: u64| now.saturating_sub(at) < limit.seconds;
            let recent = counters.starts.iter().rev();
            let recent = recent.take_while(|(_, at)| is_recent(*at));
            if recent.filter(|(other, _)| *other == rule_and_user).count() >= limit.count {
                let (count, seconds) = (limit.count, limit.seconds);
                return Err(Failure::Limited { count, seconds });
            }
            start = Some((rule_and_user, now));
        }
        if counters.counts.running >= RUNNING_MAX {
            return Err(Failure::Busy);
        }
        counters.counts.running += 1;
        if let Some(start) = start {
            if counters.starts.len() >= STARTS_MAX {
                counters.starts.pop_front();
            }
            counters.starts.push_back(start);
        }
        Ok(Running(self))
    }

    /// The supervisor's command line and environment.
    fn command(&self, call: &ProgramCall, message: &Message<'_>) -> Command {
        let mut command = Command::new(&self.supervisor);
        command
            .arg(supervisor::COMMAND)
            .arg(call.timeout.to_string())
            .args(&call.words)
            // A new process group, because Ctrl-C in a terminal must not end the supervisor before it has killed
            // the program.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        environment::set(&mut command, message, &self.settings);
        command
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a supervisor until it ends. Returns the output of the program.
fn run_supervisor(
    mut command: Command,
    call: &ProgramCall,
    message: &str,
) -> Result<Vec<u8>, Failure> {
    let mut supervisor = command.spawn().map_err(|error| {
        let is_too_long = error.kind() == io::ErrorKind::ArgumentListTooLong;
        if is_too_long {
            environment::too_long(&command, &call.words)
        } else {
            Failure::Supervisor(error)
        }
    })?;
    let outputs = exchange(&mut supervisor, message);
    // The pipes of the supervisor are closed now, so it ends soon.
    let status = supervisor.wait();
    let (printed, reason) = outputs.map_err(Failure::Supervisor)?;
    match status {
        Ok(status) if status.success() => Ok(printed),
        Ok(status) if reason.is_empty() => Err(Failure::SupervisorEnded(status)),
        Ok(_) => Err(Failure::Program(reason)),
        // There is no status if the server was started with SIGCHLD ignored.
        Err(_) if reason.is_empty() => Ok(printed),
        Err(error) => Err(Failure::Supervisor(error)),
    }
}

/// Sends the message to a supervisor. Returns its standard output and its standard error.
fn exchange(supervisor: &mut Child, message: &str) -> io::Result<(Vec<u8>, String)> {
    // Must stay open until this function returns, because the supervisor kills the program when it is closed.
    let mut stdin = supervisor.stdin.take().expect("stdin is piped");
    // If writing fails, the supervisor has failed, and its standard error has the reason.
    let _: io::Result<()> = write!(stdin, "{}\n{message}", message.len());
    let (mut printed, mut reason) = (Vec::new(), Vec::new());
    let mut stdout = supervisor.stdout.take().expect("stdout is piped");
    stdout.read_to_end(&mut printed)?;
    let mut stderr = supervisor.stderr.take().expect("stderr is piped");
    stderr.read_to_end(&mut reason)?;
    let reason = String::from_utf8_lossy(&reason);
    // `main` writes this prefix before every error.
    let reason = reason.strip_prefix("wechat: ").unwrap_or(&reason);
    Ok((printed, reason.to_owned()))
}

/// A run that is counted in `running` until this is dropped.
struct Running<'p>(&'p Programs);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().counts.running -= 1;
    }
}
