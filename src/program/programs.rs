//! Starts programs and counts them.
//!
//! The server does not start a program itself. It starts a supervisor process (this binary with a hidden
//! command), which starts the program. When the timeout has passed or the server has ended, even by SIGKILL,
//! the supervisor kills the program and all processes that the program started. Only the supervisor holds the
//! program's pipes, so the server never waits for a process that the program left running.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::failure::{Failure, RUNNING_MAX};
use super::start_counts::StartCounts;
use super::{environment, output, supervisor, wording};
use crate::rules::ProgramCall;
use crate::session::Runner;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};

/// Runs programs within the limits of the server and of each user.
#[derive(Debug)]
pub struct Programs {
    /// The path of the `wechat` binary.
    supervisor: PathBuf,
    /// The environment variables that are settings of this binary. No field of a message sets one of them.
    settings: Vec<&'static str>,
    counters: Mutex<Counters>,
    hasher: RandomState,
    /// The beginning of the times in `starts`. Setting the system clock does not change these times.
    epoch: Instant,
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
    /// The starts of each user, for the limits. The keys are keyed hashes of `<run>` element and user.
    starts: StartCounts,
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
            epoch: Instant::now(),
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
        let now = u32::try_from(self.epoch.elapsed().as_secs()).expect("less than 136 years");
        let limit = call.limit.map(|(limit, run)| {
            let run_and_user = self.hasher.hash_one((run, message.from_user_name()));
            (run_and_user, limit)
        });
        let mut counters = self.lock();
        if let Some((key, limit)) = limit
            && counters.starts.is_reached(key, limit, now)
        {
            return Err(Failure::Limited(limit));
        }
        if counters.counts.running >= RUNNING_MAX {
            return Err(Failure::Busy);
        }
        counters.counts.running += 1;
        let lost_counts = limit.map_or(0, |(key, limit)| counters.starts.add(key, limit, now));
        drop(counters);
        let running = Running(self);
        if lost_counts > 0 {
            (self.report)(&wording::start_counts_dropped(lost_counts).to_string());
        }
        Ok(running)
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
