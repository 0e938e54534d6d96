//! `wechat guard SECONDS PROGRAM [ARGUMENT]…`: runs a program for the server.
//!
//! It reads on standard input a length in decimal, a line end and as many bytes, which become the
//! program's standard input. What follows there is nothing, until the server closes it: then nobody
//! waits for the program any more, and it is ended. So it is when its seconds are up. On standard
//! output is what the program printed; where it failed, the reason is on standard error, and the exit
//! code is 1.
//!
//! This is a process of its own because only then is the program ended when the server is killed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::programs::OUTPUT_MAX;
use crate::text::digits;

/// The command of this binary that programs are started through.
pub(crate) const COMMAND: &str = "guard";

/// How long to wait for the end of what a program printed, once it has ended. Where there is none by
/// then, it has left something behind that holds on to its output. That is ended, and waited for once
/// more; what goes on nevertheless has made itself independent.
const LEFTOVERS: Duration = Duration::from_millis(250);

/// How long a program that was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(2);

/// The pauses between two looks at whether the program has ended: the first, and the longest. Mostly it
/// closes its output in that moment, so that it is looked at more often from then on.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Bytes of a line of standard error that are kept.
const LINE_MAX: usize = 200;

/// What the threads around a program have seen.
#[derive(Default)]
struct Seen {
    /// The server does not wait any more.
    is_left: bool,
    stdout: Stream,
    stderr: Stream,
}

/// What is kept of one of its outputs.
#[derive(Default)]
struct Stream {
    front: Vec<u8>,
    /// The last [`LINE_MAX`] bytes.
    back: Vec<u8>,
    is_cut: bool,
    is_closed: bool,
}

impl Stream {
    fn take(&mut self, part: &[u8], max: usize) {
        let room = max.saturating_sub(self.front.len());
        self.is_cut |= part.len() > room;
        let fits = part.get(..room).unwrap_or(part);
        self.front.extend_from_slice(fits);
        self.back.extend_from_slice(part);
        let surplus = self.back.len().saturating_sub(LINE_MAX);
        self.back.drain(..surplus);
    }

    /// The first line that says something, and the last one, because programs differ in where they
    /// say what went wrong.
    fn summary(&self) -> String {
        let says_something = |line: &&str| !line.trim().is_empty();
        let front = String::from_utf8_lossy(&self.front);
        let back = String::from_utf8_lossy(&self.back);
        let first = front.lines().find(says_something).unwrap_or("").trim();
        let last = back.lines().rfind(says_something).unwrap_or("").trim();
        match (first, last) {
            ("", _) => String::new(),
            // A line that is longer than what is kept.
            (first, _) if self.front.len() >= LINE_MAX && !front.trim_start().contains('\n') => {
                format!(": {first}…")
            }
            (first, last) if first.ends_with(last) => format!(": {first}"),
            (first, last) => format!(": {first} … {last}"),
        }
    }
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), String> {
    let seconds = arguments.next();
    let seconds = seconds
        .as_ref()
        .and_then(|text| digits::parse_decimal(text.as_encoded_bytes()).ok());
    let (Some(seconds), Some(program)) = (seconds, arguments.next()) else {
        let usage = "guard is for the server, which gives it seconds, a program and its arguments";
        return Err(usage.into());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let output = guard(command, Duration::from_secs(seconds))?;
    // Where the server is gone nothing is lost.
    let _: io::Result<()> = io::stdout().write_all(&output);
    Ok(())
}

fn guard(mut command: Command, timeout: Duration) -> Result<Vec<u8>, String> {
    let message = read_message().map_err(|error| format!("no message to be read: {error}"))?;
    let mark = Mark::new();
    let begun = Instant::now();
    let mut program = command
        .env(MARK, &mark.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let shared = Shared::default();
    if let Err(error) = watch(&mut program, message, &shared) {
        mark.kill_all(Some(&mut program));
        return Err(format!("no thread for it: {error}"));
    }
    let Some(status) = await_end(&mut program, &shared, begun, timeout) else {
        mark.kill_all(Some(&mut program));
        // From here on it does not matter who waits.
        await_end(&mut program, &Shared::default(), Instant::now(), KILLED);
        return Err(if see(&shared).is_left {
            "ended, nobody waits for it".into()
        } else {
            format!("ended after {} seconds", timeout.as_secs())
        });
    };
    let is_open = |seen: &mut Seen| !(seen.stdout.is_closed && seen.stderr.is_closed);
    let mut seen = wait(&shared, see(&shared), LEFTOVERS, is_open);
    if is_open(&mut seen) {
        drop(seen);
        mark.kill_all(None);
        seen = wait(&shared, see(&shared), LEFTOVERS, is_open);
    }
    // One whose output was cut fails by that.
    if status.success() || seen.stdout.is_cut {
        Ok(std::mem::take(&mut seen.stdout.front))
    } else {
        Err(format!("{status}{}", seen.stderr.summary()))
    }
}

/// Starts what reads and writes beside a program.
fn watch(program: &mut Child, message: Vec<u8>, shared: &Shared) -> io::Result<()> {
    if let Some(mut stdin) = program.stdin.take() {
        // A program need not read what it is given.
        start(Box::new(move || drop(stdin.write_all(&message))))?;
    }
    if let Some(stdout) = program.stdout.take() {
        follow(shared, stdout.into(), |seen| &mut seen.stdout, true)?;
    }
    if let Some(stderr) = program.stderr.take() {
        follow(shared, stderr.into(), |seen| &mut seen.stderr, false)?;
    }
    let server = Arc::clone(shared);
    start(Box::new(move || {
        // Nothing is sent any more, so this comes back when the server is gone.
        let _: io::Result<usize> = io::stdin().lock().read(&mut [0]);
        see(&server).is_left = true;
        server.1.notify_all();
    }))
}

fn read_message() -> io::Result<Vec<u8>> {
    let mut stdin = io::stdin().lock();
    let mut length = String::new();
    (&mut stdin).take(10).read_line(&mut length)?;
    let length = digits::parse_decimal(length.trim_end()).ok();
    let length = length.and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or(io::ErrorKind::InvalidData)?;
    let mut message = vec![0; length];
    stdin.read_exact(&mut message)?;
    Ok(message)
}

/// Reads an output. All of it is read, or the program would stop at a full pipe; except where
/// `is_cut_off`: there the pipe is closed at the bound, which ends whoever goes on writing.
fn follow(
    shared: &Shared,
    pipe: OwnedFd,
    which: fn(&mut Seen) -> &mut Stream,
    is_cut_off: bool,
) -> io::Result<()> {
    let shared = Arc::clone(shared);
    start(Box::new(move || {
        let max = if is_cut_off { OUTPUT_MAX } else { LINE_MAX };
        let mut pipe = File::from(pipe);
        let mut part = [0; 4096];
        loop {
            let count = match pipe.read(&mut part) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let mut seen = see(&shared);
            let stream = which(&mut seen);
            stream.take(part.get(..count).unwrap_or_default(), max);
            if stream.is_cut && is_cut_off {
                break;
            }
        }
        drop(pipe);
        which(&mut see(&shared)).is_closed = true;
        shared.1.notify_all();
    }))
}

/// Waits for the end of a program; `None` where its time is up or nobody waits for it any more.
fn await_end(
    program: &mut Child,
    shared: &Shared,
    begun: Instant,
    timeout: Duration,
) -> Option<ExitStatus> {
    let mut pause = PAUSE_MIN;
    let mut was_closed = false;
    loop {
        match program.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => {}
            // Nobody can know it: whoever started the server has it ignore its children.
            Err(_) => return Some(ExitStatus::default()),
        }
        let left = timeout.checked_sub(begun.elapsed())?;
        let seen = wait(shared, see(shared), pause.min(left), |seen| {
            !seen.is_left && seen.stdout.is_closed == was_closed
        });
        if seen.is_left {
            return None;
        }
        pause = if seen.stdout.is_closed == was_closed {
            pause.saturating_mul(2).min(PAUSE_MAX)
        } else {
            PAUSE_MIN
        };
        was_closed = seen.stdout.is_closed;
    }
}

/// What all processes of a run have in their environment, also those that have left the program's
/// group (`timeout`, `setsid`) or their parents.
struct Mark(String);

/// Its name there.
const MARK: &str = "WECHAT_RUN";

impl Mark {
    fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self(format!("{}-{}", process::id(), now.as_nanos()))
    }

    /// Ends all marked processes, and the program with its group unless that has ended already: then
    /// its number may be another's. Only a shell or a program can tell other processes without
    /// `unsafe`.
    fn kill_all(&self, program: Option<&mut Child>) {
        let mut targets = self.processes();
        if let Some(program) = program {
            targets.push(format!("-{}", program.id()));
            tell(&targets);
            // Also where there is no shell.
            drop(program.kill());
            targets = self.processes();
        }
        // What was started meanwhile goes in another round; more than a few are a fork bomb.
        for _ in 0..4 {
            if targets.is_empty() {
                return;
            }
            tell(&targets);
            targets = self.processes();
        }
    }

    /// The marked ones that live.
    fn processes(&self) -> Vec<String> {
        let entry = format!("{MARK}={}", self.0);
        let is_marked = |process: &fs::DirEntry| {
            let environment = fs::read(process.path().join("environ")).unwrap_or_default();
            environment
                .split(|octet| *octet == 0)
                .any(|variable| variable == entry.as_bytes())
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let marked = processes.filter(is_marked);
        marked
            .filter_map(|process| process.file_name().into_string().ok())
            .filter(|name| digits::parse_decimal(name).is_ok())
            .collect()
    }
}

fn tell(targets: &[String]) {
    let told = Command::new("/bin/sh")
        .args(["-c", "kill -9 \"$@\"", "sh"])
        .args(targets)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    drop(told);
}

/// Boxed, since each kind of closure would be another copy of what starts a thread.
fn start(work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().spawn(work).map(drop)
}

fn see(shared: &Shared) -> MutexGuard<'_, Seen> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'s>(
    shared: &'s Shared,
    seen: MutexGuard<'s, Seen>,
    patience: Duration,
    holds: impl FnMut(&mut Seen) -> bool,
) -> MutexGuard<'s, Seen> {
    shared
        .1
        .wait_timeout_while(seen, patience, holds)
        .unwrap_or_else(PoisonError::into_inner)
        .0
}
