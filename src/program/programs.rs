//! Programs as answers: `<run>`.
//!
//! A program is started through this binary's own command `guard`, which is between the two for as
//! long as the program runs. It ends the program, and what that has started, when its time is up or
//! the server is gone, however the server went; and it alone holds the program's pipes, so that
//! nothing here can be kept waiting by what somebody left behind.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::supervisor;
use crate::rules::{self, ProgramCall};
use crate::session::Runner;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};
use crate::xml::trim;

/// Programs at once. Each is a process of its own, and the guard beside it.
const AT_ONCE_MAX: usize = 64;

/// Bytes of a program's output; the rest is cut.
pub(crate) const OUTPUT_MAX: usize = 64 * 1024;

/// Bytes of the line that says why a program failed.
const REASON_MAX: usize = 512;

/// Starts that are remembered for the limits, some 400 KiB of them.
const STARTS_MAX: usize = 16 * 1024;

/// What of the server's environment is none of a program's business, besides all that begins with
/// `WECHAT_`: those are the server's settings, and the names that a message's fields go by.
const WITHHELD: [&str; 7] = [
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
    "RUNTIME_DIRECTORY",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
];

/// Runs programs, so many at once and so many a user.
#[derive(Debug)]
pub struct Programs {
    guard: PathBuf,
    counts: Mutex<Counts>,
    hasher: RandomState,
    report: Report,
}

/// What became of programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramCounts {
    /// Those that run at this moment.
    pub running: usize,
    /// Those that gave no answer, for whatever reason, or could not be started.
    pub failed: u64,
    /// Those that were not started because their user was at the limit.
    pub limited: u64,
}

#[derive(Debug, Default)]
struct Counts {
    counts: ProgramCounts,
    /// Which user started which program, as a keyed hash, and when; in that order.
    starts: VecDeque<(u64, u64)>,
}

/// Why a program gave no answer.
enum Failure {
    /// So many run already.
    Busy,
    /// The user has started it as often as they may.
    Limited,
    /// The guard cannot be started or read.
    Guard(io::Error),
    /// What the guard said of it.
    ShutdownReport(String),
    /// What it printed is not a reply.
    Output(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => write!(f, "not started, {AT_ONCE_MAX} programs run already"),
            Self::Limited => f.write_str("not started, the user is at the limit"),
            Self::Guard(error) => write!(f, "its guard: {error}"),
            // Foreign bytes; a quote would end the reason.
            Self::ShutdownReport(reason) => front(reason.trim_end()).escape_debug().fmt(f),
            Self::Output(mistake) => {
                write!(f, "printed no reply: {}", front(mistake).escape_debug())
            }
        }
    }
}

/// As much of a text as a log line holds.
fn front(text: &str) -> &str {
    let end = text.floor_char_boundary(REASON_MAX);
    text.get(..end).unwrap_or(text)
}

impl Runner for Programs {
    fn run(&self, call: &ProgramCall, message: &Message<'_>) -> Reply<'static> {
        Self::run(self, call, message)
    }
}

impl Programs {
    /// Runs programs through this binary, which has to understand `guard`: the `wechat` program
    /// itself. Those that fail are reported in lines.
    pub fn new(guard: impl Into<PathBuf>, report: Report) -> Self {
        Self {
            guard: guard.into(),
            counts: Mutex::default(),
            hasher: RandomState::new(),
            report,
        }
    }

    /// What became of them so far.
    pub fn counts(&self) -> ProgramCounts {
        self.locked_counts().counts
    }

    /// Runs a program to its end, and returns the reply that it printed, else what its rule has for
    /// that case.
    pub fn run(&self, job: &ProgramCall, message: &Message<'_>) -> Reply<'static> {
        let failure = match self.try_to_run(job, message) {
            Ok(reply) => return reply,
            Err(failure) => failure,
        };
        let (cause, text) = if let Failure::Limited = failure {
            ("run-limited", &job.limited)
        } else {
            ("run-failed", &job.failed)
        };
        self.count_failure(&failure);
        let program = job.words.first().map_or("", String::as_str);
        (self.report)(&format!(
            "cause={cause} reason=\"{}: {failure}\"",
            program.escape_debug()
        ));
        Reply::text(text.clone())
    }

    fn count_failure(&self, failure: &Failure) {
        let counts = &mut self.locked_counts().counts;
        let count = match failure {
            Failure::Limited => &mut counts.limited,
            Failure::Busy | Failure::Guard(_) | Failure::ShutdownReport(_) | Failure::Output(_) => {
                &mut counts.failed
            }
        };
        *count = count.saturating_add(1);
    }

    fn try_to_run(
        &self,
        job: &ProgramCall,
        message: &Message<'_>,
    ) -> Result<Reply<'static>, Failure> {
        let _running = self.start(job, message)?;
        let output = self.output(job, message)?;
        rules::printed(&output, message).map_err(Failure::Output)
    }

    /// Counts a start, if there may be one.
    fn start(&self, job: &ProgramCall, message: &Message<'_>) -> Result<Running<'_>, Failure> {
        let now = message.received();
        let mut counts = self.locked_counts();
        let mut start = None;
        if let Some((limit, command)) = &job.limit {
            let who = self.hasher.hash_one((command, message.from_user_name()));
            start = Some((who, now));
            let is_recent = |at: u64| now.saturating_sub(at) < limit.seconds;
            let recent = counts.starts.iter().rev();
            let recent = recent.take_while(|(_, at)| is_recent(*at));
            if recent.filter(|(other, _)| *other == who).count() >= limit.count {
                return Err(Failure::Limited);
            }
        }
        let running = &mut counts.counts.running;
        if *running >= AT_ONCE_MAX {
            return Err(Failure::Busy);
        }
        *running = running.saturating_add(1);
        if let Some(start) = start {
            if counts.starts.len() >= STARTS_MAX {
                counts.starts.pop_front();
            }
            counts.starts.push_back(start);
        }
        Ok(Running(self))
    }

    fn locked_counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the program prints for this message.
    fn output(&self, job: &ProgramCall, message: &Message<'_>) -> Result<Vec<u8>, Failure> {
        let mut command = Command::new(&self.guard);
        command
            .arg(supervisor::COMMAND)
            .arg(job.timeout.to_string())
            .args(&job.words)
            // Away from the signals of a terminal, so that it is there to end the program.
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
        // From the back, so that the first of several leaves of one name is the one that counts.
        let leaves: Vec<_> = message.leaves().collect();
        for leaf in leaves.iter().rev() {
            if let Some(name) = variable(leaf.name()) {
                command.env(name, trim(leaf.text()));
            }
        }
        let mut guard = command.spawn().map_err(Failure::Guard)?;
        let output = converse(&mut guard, message.xml());
        // The guard has closed its output, and nothing keeps it now that its input is closed too.
        let status = guard.wait();
        let (output, reason) = output.map_err(Failure::Guard)?;
        match status {
            Ok(status) if status.success() => Ok(output),
            // Somebody ended the guard, or it could not write.
            Ok(status) if reason.is_empty() => {
                Err(Failure::ShutdownReport(format!("its guard, {status}")))
            }
            Ok(_) => Err(Failure::ShutdownReport(reason)),
            // Nobody can know it: whoever started the server has it ignore its children.
            Err(_) if reason.is_empty() => Ok(output),
            Err(error) => Err(Failure::Guard(error)),
        }
    }
}

/// Gives the guard the message, and reads what it says to the end.
fn converse(guard: &mut Child, message: &str) -> io::Result<(Vec<u8>, String)> {
    // While this is open the guard knows that somebody waits.
    let mut stdin = guard.stdin.take();
    if let Some(stdin) = &mut stdin {
        // A guard that reads nothing has failed, and says so itself.
        let _: io::Result<()> = write!(stdin, "{}\n{message}", message.len());
    }
    let mut output = Vec::new();
    let mut reason = Vec::new();
    if let Some(stdout) = guard.stdout.take() {
        stdout.take(bound(OUTPUT_MAX)).read_to_end(&mut output)?;
    }
    if let Some(stderr) = guard.stderr.take() {
        stderr.take(bound(REASON_MAX)).read_to_end(&mut reason)?;
    }
    let reason = String::from_utf8_lossy(&reason);
    // So does every line begin that this binary fails with.
    let reason = reason.strip_prefix("wechat: ").unwrap_or(&reason);
    Ok((output, reason.to_owned()))
}

fn bound(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The environment variable of a leaf, where its name can be one.
fn variable(leaf: &str) -> Option<OsString> {
    let can_be = leaf
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'_');
    can_be.then(|| format!("WECHAT_{}", leaf.to_ascii_uppercase()).into())
}

/// A program that runs, and counts for as long as it does.
struct Running<'p>(&'p Programs);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let running = &mut self.0.locked_counts().counts.running;
        *running = running.saturating_sub(1);
    }
}
