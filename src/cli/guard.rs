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
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Error;
use crate::bot::{OUTPUT_MAX, REASON_MAX};

/// How long to wait for the end of what a program printed, once it has ended. Where there is none by
/// then, it has left something behind that holds on to its output.
const LEFTOVERS: Duration = Duration::from_millis(250);

/// How long something that was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(2);

/// The pauses between two looks at whether the program has ended: the first, and the longest. Mostly it
/// closes its output in that moment, so that it is looked at more often from then on.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// What the threads around a program have seen.
#[derive(Default)]
struct Seen {
    /// The server does not wait any more.
    is_left: bool,
    stdout: Stream,
    stderr: Stream,
}

/// The front of one of its outputs.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    is_cut: bool,
    is_closed: bool,
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

pub(super) fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), Error> {
    let seconds = arguments.next();
    let seconds = seconds
        .as_ref()
        .and_then(|text| text.to_str()?.parse().ok());
    let (Some(seconds), Some(program)) = (seconds, arguments.next()) else {
        let usage = "guard is for the server, which gives it seconds, a program and its arguments";
        return Err(Error::Guarded(usage.into()));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let output = guard(command, Duration::from_secs(seconds)).map_err(Error::Guarded)?;
    // Where the server is gone nothing is lost.
    let _: io::Result<()> = io::stdout().write_all(&output);
    Ok(())
}

fn guard(mut command: Command, timeout: Duration) -> Result<Vec<u8>, String> {
    let message = read_message().map_err(|error| format!("no message to be read: {error}"))?;
    let begun = Instant::now();
    let mut program = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let shared = Shared::default();
    if let Some(mut stdin) = program.stdin.take() {
        // A program need not read what it is given.
        start(move || drop(stdin.write_all(&message)));
    }
    if let Some(stdout) = program.stdout.take() {
        follow(&shared, stdout.into(), |seen| &mut seen.stdout, true);
    }
    if let Some(stderr) = program.stderr.take() {
        follow(&shared, stderr.into(), |seen| &mut seen.stderr, false);
    }
    let server = Arc::clone(&shared);
    start(move || {
        // Nothing is sent any more, so this comes back when the server is gone.
        let _: io::Result<usize> = io::stdin().lock().read(&mut [0]);
        see(&server).is_left = true;
        server.1.notify_all();
    });
    let ended = await_end(&mut program, &shared, begun, timeout);
    if ended.is_none() {
        kill(&mut program);
        // From here on it does not matter who waits.
        await_end(&mut program, &Shared::default(), Instant::now(), KILLED);
    }
    let is_open = |seen: &mut Seen| !(seen.stdout.is_closed && seen.stderr.is_closed);
    let mut seen = wait(&shared, see(&shared), LEFTOVERS, is_open);
    if is_open(&mut seen) {
        drop(seen);
        kill(&mut program);
        seen = wait(&shared, see(&shared), KILLED, is_open);
    }
    match ended {
        None if seen.is_left => Err("ended, nobody waits for it".into()),
        None => Err(format!("ended after {} seconds", timeout.as_secs())),
        // One whose output was cut fails by that.
        Some(status) if status.success() || seen.stdout.is_cut => {
            Ok(std::mem::take(&mut seen.stdout.bytes))
        }
        Some(status) => Err(format!("{status}: {}", first_line(&seen.stderr.bytes))),
    }
}

fn read_message() -> io::Result<Vec<u8>> {
    let mut stdin = io::stdin().lock();
    let mut length = String::new();
    (&mut stdin).take(10).read_line(&mut length)?;
    let length = length.trim_end().parse().map_err(io::Error::other)?;
    let mut message = vec![0; length];
    stdin.read_exact(&mut message)?;
    Ok(message)
}

/// Reads the front of an output. All of it is read, or the program would stop at a full pipe; except
/// where `is_cut_off`: there the pipe is closed at the bound, which ends whoever goes on writing.
fn follow(shared: &Shared, pipe: OwnedFd, stream: fn(&mut Seen) -> &mut Stream, is_cut_off: bool) {
    let shared = Arc::clone(shared);
    start(move || {
        let max = if is_cut_off { OUTPUT_MAX } else { REASON_MAX };
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
            let stream = stream(&mut seen);
            let room = max.saturating_sub(stream.bytes.len());
            stream.is_cut |= count > room;
            let part = part.get(..count.min(room)).unwrap_or_default();
            stream.bytes.extend_from_slice(part);
            if stream.is_cut && is_cut_off {
                break;
            }
        }
        drop(pipe);
        stream(&mut see(&shared)).is_closed = true;
        shared.1.notify_all();
    });
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
        if let Ok(Some(status)) = program.try_wait() {
            return Some(status);
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

/// Ends a program and what it has started. Only a shell can tell a whole group of processes without
/// `unsafe`; the program itself goes also where there is none.
fn kill(program: &mut Child) {
    let group = program.id().to_string();
    let told = Command::new("/bin/sh")
        .args(["-c", "kill -9 \"-$0\"", &group])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    drop(told);
    drop(program.kill());
}

/// The first line that says something.
fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or("and nothing on standard error").to_owned()
}

fn start(work: impl FnOnce() + Send + 'static) {
    thread::spawn(work);
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
