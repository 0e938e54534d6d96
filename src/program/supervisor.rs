//! `wechat supervise SECONDS PROGRAM [ARGUMENT]…`: the process between the server and a program.
//!
//! Its standard input is a length in decimal, a line feed, and that many bytes, which become the program's
//! standard input. After that it stays open: the program is killed when the server closes it or ends. The
//! program is also killed after SECONDS. Standard output is what the program printed. If the program
//! failed, standard error says why, and the exit code is 1.
//!
//! This is a separate process because a server that is killed cannot kill its programs any more.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::mem;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::run_marker::{self, RunMarker};
use crate::text::digits;

/// The hidden command of this binary.
pub(crate) const COMMAND: &str = "supervise";

/// Bytes of a program's standard output; the rest is cut off.
pub(super) const OUTPUT_MAX: usize = 64 * 1024;

/// Bytes that are kept of a line of standard error.
const LINE_MAX: usize = 200;

/// How long the outputs of a program may stay open after it has ended. A process that it left behind
/// holds them then, and is killed; its output is waited for once more.
const OUTPUT_GRACE: Duration = Duration::from_millis(250);

/// How long a killed program may take to end.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// The shortest and the longest pause between two checks whether the program has ended. The pauses grow,
/// and begin anew when the program closes its output, because then it usually ends.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Why there is no output of a program.
#[derive(Debug)]
pub enum SupervisorError {
    /// The arguments are not those that the server passes.
    Usage,
    /// The message cannot be read.
    Message(io::Error),
    /// The program cannot be started.
    Start(io::Error),
    /// A thread cannot be started.
    Thread(io::Error),
    /// The server has closed its end, so the program was killed.
    ServerGone,
    /// The program was killed after this many seconds.
    TimedOut(u64),
    /// The program ended with this status, and a summary of its standard error.
    Failed(ExitStatus, String),
}

/// What the threads around a program have observed.
#[derive(Default)]
struct ProgramState {
    is_server_gone: bool,
    stdout: Stream,
    stderr: Stream,
}

/// What is kept of one of the program's outputs.
#[derive(Default)]
struct Stream {
    start: Vec<u8>,
    /// The last [`LINE_MAX`] bytes.
    end: Vec<u8>,
    is_cut: bool,
    is_closed: bool,
}

impl Stream {
    fn push(&mut self, part: &[u8], max: usize) {
        let fitting = part.len().min(max - self.start.len());
        self.start.extend_from_slice(&part[..fitting]);
        self.is_cut |= fitting < part.len();
        self.end.extend_from_slice(part);
        let surplus = self.end.len().saturating_sub(LINE_MAX);
        self.end.drain(..surplus);
    }

    /// The first and the last line that are not blank: programs differ in which of them names the error.
    fn summary(&self) -> String {
        let is_text = |line: &&str| !line.trim().is_empty();
        let start = String::from_utf8_lossy(&self.start);
        let end = String::from_utf8_lossy(&self.end);
        let first = start.lines().find(is_text).unwrap_or_default().trim();
        let last = end.lines().rfind(is_text).unwrap_or_default().trim();
        let is_long = self.start.len() >= LINE_MAX && !start.trim_start().contains('\n');
        if first.is_empty() {
            String::new()
        } else if is_long {
            format!("{first}…")
        } else if first.ends_with(last) {
            first.to_owned()
        } else {
            format!("{first} … {last}")
        }
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<ProgramState>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, ProgramState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the condition holds, and at most as long as the timeout.
    fn wait_while(
        &self,
        timeout: Duration,
        holds: impl FnMut(&mut ProgramState) -> bool,
    ) -> MutexGuard<'_, ProgramState> {
        self.changed
            .wait_timeout_while(self.lock(), timeout, holds)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// Runs the command with the arguments after its name.
///
/// # Errors
/// [`SupervisorError`]
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<(), SupervisorError> {
    let seconds =
        arguments.next().and_then(|text| digits::parse_decimal(text.as_encoded_bytes()).ok());
    let (Some(seconds), Some(program)) = (seconds, arguments.next()) else {
        return Err(SupervisorError::Usage);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let output = supervise(command, Duration::from_secs(seconds))?;
    // This fails only if the server is gone, and nothing else needs the output.
    let _: io::Result<()> = io::stdout().write_all(&output);
    Ok(())
}

fn supervise(mut command: Command, timeout: Duration) -> Result<Vec<u8>, SupervisorError> {
    let message = read_message().map_err(SupervisorError::Message)?;
    let marker = RunMarker::new();
    let begun = Instant::now();
    let mut program = command
        .env(run_marker::VARIABLE, &marker.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(SupervisorError::Start)?;
    let shared = Arc::default();
    let status = start_threads(&mut program, message, &shared)
        .map_err(SupervisorError::Thread)
        .and_then(|()| wait_for_exit(&mut program, &shared, begun, timeout));
    match status {
        Ok(status) => finish(status, &shared, &marker),
        Err(error) => {
            marker.kill_with(&mut program);
            // The error stays, whether this succeeds or not. A new state, because the server may be gone.
            let (unobserved, begun) = (Shared::default(), Instant::now());
            drop(wait_for_exit(&mut program, &unobserved, begun, KILL_GRACE));
            Err(error)
        }
    }
}

/// Reads the message that the server sends before the program is started.
fn read_message() -> io::Result<Vec<u8>> {
    let mut stdin = io::stdin().lock();
    let mut length = String::new();
    (&mut stdin).take(10).read_line(&mut length)?;
    let length = digits::parse_decimal(length.trim_end()).ok();
    let length = length.and_then(|length| usize::try_from(length).ok());
    let mut message = vec![0; length.ok_or(io::ErrorKind::InvalidData)?];
    stdin.read_exact(&mut message)?;
    Ok(message)
}

/// Starts the threads that write the program's input, read its outputs, and watch the server.
fn start_threads(program: &mut Child, message: Vec<u8>, shared: &Arc<Shared>) -> io::Result<()> {
    let mut stdin = program.stdin.take().expect("stdin is piped");
    // A program need not read its input.
    start(Box::new(move || drop(stdin.write_all(&message))))?;
    let stdout = program.stdout.take().expect("stdout is piped").into();
    read_stream(shared, stdout, |state| &mut state.stdout, true)?;
    let stderr = program.stderr.take().expect("stderr is piped").into();
    read_stream(shared, stderr, |state| &mut state.stderr, false)?;
    let shared = Arc::clone(shared);
    start(Box::new(move || {
        // The server sends nothing more, so this returns when the server is gone.
        let _: io::Result<usize> = io::stdin().lock().read(&mut [0]);
        shared.lock().is_server_gone = true;
        shared.changed.notify_all();
    }))
}

/// Reads one of the program's outputs to its end, because a full pipe would stop the program. A
/// bounded one is closed at [`OUTPUT_MAX`], which ends a program that writes without end.
fn read_stream(
    shared: &Arc<Shared>,
    pipe: OwnedFd,
    stream: fn(&mut ProgramState) -> &mut Stream,
    is_bounded: bool,
) -> io::Result<()> {
    let shared = Arc::clone(shared);
    start(Box::new(move || {
        let max = if is_bounded { OUTPUT_MAX } else { LINE_MAX };
        let mut pipe = File::from(pipe);
        let mut part = [0; 4096];
        loop {
            let length = match pipe.read(&mut part) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let mut state = shared.lock();
            let stream = stream(&mut state);
            stream.push(&part[..length], max);
            if stream.is_cut && is_bounded {
                break;
            }
        }
        drop(pipe);
        stream(&mut shared.lock()).is_closed = true;
        shared.changed.notify_all();
    }))
}

/// Waits until the program has ended, the timeout has passed, or the server is gone.
fn wait_for_exit(
    program: &mut Child,
    shared: &Shared,
    begun: Instant,
    timeout: Duration,
) -> Result<ExitStatus, SupervisorError> {
    let mut pause = PAUSE_MIN;
    let mut was_closed = false;
    loop {
        match program.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => {}
            // The status is lost where SIGCHLD is ignored, which this process may have inherited.
            Err(_) => return Ok(ExitStatus::default()),
        }
        let Some(left) = timeout.checked_sub(begun.elapsed()) else {
            return Err(SupervisorError::TimedOut(timeout.as_secs()));
        };
        let state = shared.wait_while(pause.min(left), |state| {
            !state.is_server_gone && state.stdout.is_closed == was_closed
        });
        if state.is_server_gone {
            return Err(SupervisorError::ServerGone);
        }
        pause =
            if state.stdout.is_closed == was_closed { PAUSE_MAX.min(pause * 2) } else { PAUSE_MIN };
        was_closed = state.stdout.is_closed;
    }
}

/// The output of a program that has ended. Kills the processes that it left behind with an open output.
fn finish(
    status: ExitStatus,
    shared: &Shared,
    marker: &RunMarker,
) -> Result<Vec<u8>, SupervisorError> {
    let is_open = |state: &mut ProgramState| !(state.stdout.is_closed && state.stderr.is_closed);
    let mut state = shared.wait_while(OUTPUT_GRACE, is_open);
    if is_open(&mut state) {
        drop(state);
        marker.kill_rest();
        state = shared.wait_while(OUTPUT_GRACE, is_open);
    }
    // A program whose output was cut off fails because of that.
    if status.success() || state.stdout.is_cut {
        Ok(mem::take(&mut state.stdout.start))
    } else {
        Err(SupervisorError::Failed(status, state.stderr.summary()))
    }
}

/// Starts a thread. The closure is boxed so that the code that starts a thread exists once.
fn start(work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().spawn(work).map(drop)
}
