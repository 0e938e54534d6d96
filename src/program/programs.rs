//! Launches programs and counts them.
//!
//! A program is not started by the server itself, but by a supervisor process: this binary with its hidden
//! command. The supervisor kills the program, and all that it has started, after its timeout or when the
//! server ends, however the server ends. It alone holds the program's pipes, so a process that the program
//! left behind cannot keep the server waiting.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::failure::{Failure, RUNNING_MAX};
use super::{output, supervisor};
use crate::rules::ProgramCall;
use crate::session::Runner;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};
use crate::xml::trim;

/// Starts that are remembered for the limits of users: 256 KiB.
const STARTS_MAX: usize = 16 * 1024;

/// Variables of the server that programs do not get, besides all that begin with `WECHAT_`: those are
/// the server's settings, and are replaced by the fields of the message.
const WITHHELD: [&str; 7] = [
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
    "RUNTIME_DIRECTORY",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
];

/// Runs programs, within the limits of the server and of each user.
#[derive(Debug)]
pub struct Programs {
    supervisor: PathBuf,
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
    /// Recent starts, oldest first: a keyed hash of program and user, and when.
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
    /// Programs are supervised by the `wechat` binary at this path. Log lines about failed programs go
    /// to `report`.
    pub fn new(supervisor: impl Into<PathBuf>, report: Report) -> Self {
        Self {
            supervisor: supervisor.into(),
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
        let printed = run_supervisor(self.command(call, message), message.xml())?;
        output::parse(&printed, message)
    }

    /// Counts a start, unless a limit is reached.
    fn admit(&self, call: &ProgramCall, message: &Message<'_>) -> Result<Running<'_>, Failure> {
        let now = message.received();
        let mut counters = self.lock();
        let mut start = None;
        if let Some((limit, element)) = &call.limit {
            let who = self.hasher.hash_one((element, message.from_user_name()));
            let is_recent = |at: u64| now.saturating_sub(at) < limit.seconds;
            let recent = counters.starts.iter().rev();
            let recent = recent.take_while(|(_, at)| is_recent(*at));
            if recent.filter(|(other, _)| *other == who).count() >= limit.count {
                let (count, seconds) = (limit.count, limit.seconds);
                return Err(Failure::Limited { count, seconds });
            }
            start = Some((who, now));
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
            // A signal from a terminal must not end the supervisor before it has killed the program.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in WITHHELD {
            command.env_remove(name);
        }
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"WECHAT_") {
                command.env_remove(name);
            }
        }
        // In reverse, so that the first of several fields with one name is the one that remains.
        let leaves: Vec<_> = message.fields().collect();
        for leaf in leaves.iter().rev() {
            if let Some(name) = variable(leaf.name()) {
                command.env(name, trim(leaf.text()));
            }
        }
        command
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The environment variable of a field, if its name can be part of one.
fn variable(field: &str) -> Option<OsString> {
    let is_allowed = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    field.bytes().all(is_allowed).then(|| format!("WECHAT_{}", field.to_ascii_uppercase()).into())
}

/// Runs a supervisor to its end. Returns what the program printed.
fn run_supervisor(mut command: Command, message: &str) -> Result<Vec<u8>, Failure> {
    let mut supervisor = command.spawn().map_err(Failure::Supervisor)?;
    let outputs = exchange(&mut supervisor, message);
    // Its input and outputs are closed now, so it ends.
    let status = supervisor.wait();
    let (printed, reason) = outputs.map_err(Failure::Supervisor)?;
    match status {
        Ok(status) if status.success() => Ok(printed),
        Ok(status) if reason.is_empty() => Err(Failure::SupervisorEnded(status)),
        Ok(_) => Err(Failure::Program(reason)),
        // The status is lost where SIGCHLD is ignored, which this server may have inherited.
        Err(_) if reason.is_empty() => Ok(printed),
        Err(error) => Err(Failure::Supervisor(error)),
    }
}

/// Sends a supervisor the message. Returns all that it writes to standard output and standard error.
fn exchange(supervisor: &mut Child, message: &str) -> io::Result<(Vec<u8>, String)> {
    // The supervisor kills the program when this is closed, so it is dropped at the end only.
    let mut stdin = supervisor.stdin.take().expect("stdin is piped");
    // A supervisor that does not read has failed, and says why itself.
    let _: io::Result<()> = write!(stdin, "{}\n{message}", message.len());
    let (mut printed, mut reason) = (Vec::new(), Vec::new());
    let mut stdout = supervisor.stdout.take().expect("stdout is piped");
    stdout.read_to_end(&mut printed)?;
    let mut stderr = supervisor.stderr.take().expect("stderr is piped");
    stderr.read_to_end(&mut reason)?;
    let reason = String::from_utf8_lossy(&reason);
    // `main` puts this before every error.
    let reason = reason.strip_prefix("wechat: ").unwrap_or(&reason);
    Ok((printed, reason.to_owned()))
}

/// Counts as a running program until it is dropped.
struct Running<'p>(&'p Programs);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().counts.running -= 1;
    }
}
