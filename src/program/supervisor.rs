//! `wechat supervise SECONDS PROGRAM [ARGUMENT]…`: the process between the server and a program.
//!
//! The server writes a length in decimal, a line feed, and a message of that length to the supervisor's standard
//! input. The message becomes the program's standard input. The server then keeps the pipe open. When the server
//! closes the pipe or ends, the supervisor kills the program. It also kills the program after SECONDS.
//!
//! The supervisor prints `+` and the output of the program, or the reason why there is none: after `!` if the program
//! could not be started, else after `-`. The server thus knows whether the supervisor was killed. The reason is in the
//! language of the server, which the variable `WECHAT_LANG` names. Its orders for the killer (killer.rs) go to standard
//! error.
//!
//! The supervisor is a process of its own, because a server killed by SIGKILL cannot kill its programs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::mem;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{self, Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::run::{KILL_TIMEOUT, Run};
use crate::text::digits;
use crate::text::executable::{self, Fault};
use crate::text::language;

/// The hidden command of this binary.
pub(crate) const COMMAND: &str = "supervise";

/// The first byte that a supervisor prints: the output of the program follows, or the reason why there is none.
pub(super) const OUTPUT: u8 = b'+';
pub(super) const FAILURE: u8 = b'-';
pub(super) const NOT_STARTED: u8 = b'!';

/// The folders of programs if there is no variable `PATH`. The C libraries have longer lists, which begin with these.
const DEFAULT_PATH: &str = "/usr/local/bin:/bin:/usr/bin";

/// Maximum bytes of a program's standard output; the rest is cut off.
pub(super) const OUTPUT_MAX: usize = 64 * 1024;

/// Maximum bytes of a line of standard error; the rest is cut off.
const LINE_MAX: usize = 200;

/// How long the outputs of a program may stay open after the program has ended. If they are open longer, a
/// process that the program started still holds them. That process is killed, and the wait is repeated once.
const OUTPUT_GRACE: Duration = Duration::from_millis(250);

/// How long a killed program may take to end.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// The shortest and the longest pause between two checks whether the program has ended. Each pause is twice as
/// long as the previous pause. They start again at the shortest when the program closes its output, because then
/// it usually ends soon.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// The reason why the supervisor has no output of a program.
#[derive(Debug)]
pub(super) enum SupervisorError {
    /// The arguments are not `SECONDS PROGRAM [ARGUMENT]…`.
    Usage,
    /// The message cannot be read.
    Message(io::Error),
    /// The program cannot be started.
    Start(io::Error),
    /// The program cannot be started because of this fault of its file.
    Fault(Fault),
    /// A thread cannot be started.
    Thread(io::Error),
    /// The server closed the pipe or ended, so the program was killed.
    ServerGone,
    /// The program was killed after this many seconds.
    TimedOut(u64),
    /// The program ended with this exit status. The text is a summary of its standard error.
    Failed(ExitStatus, String),
    /// Like `Failed`, because of this fault of the program's first line.
    FailedScript(ExitStatus, String, Fault),
}

impl SupervisorError {
    /// The first byte that the supervisor prints. A script whose interpreter is not found counts as not started.
    const fn kind(&self) -> u8 {
        match self {
            Self::Start(_) | Self::Fault(_) | Self::FailedScript(..) => NOT_STARTED,
            Self::Usage
            | Self::Message(_)
            | Self::Thread(_)
            | Self::ServerGone
            | Self::TimedOut(_)
            | Self::Failed(..) => FAILURE,
        }
    }

    /// Adds the reason why the program could not be started, or why it found no interpreter.
    fn explain(self, program: &OsStr) -> Self {
        let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        match self {
            Self::Start(error) => match executable::explain(program, &path, &error) {
                Some(fault) => Self::Fault(fault),
                None => Self::Start(error),
            },
            Self::Failed(status, stderr) => {
                match executable::explain_status(program, &path, status.code()) {
                    Some(fault) => Self::FailedScript(status, stderr, fault),
                    None => Self::Failed(status, stderr),
                }
            }
            Self::Usage
            | Self::Message(_)
            | Self::Fault(_)
            | Self::Thread(_)
            | Self::ServerGone
            | Self::TimedOut(_)
            | Self::FailedScript(..) => self,
        }
    }
}

/// The state of a program, shared by the threads that read its outputs and watch the server.
#[derive(Default)]
struct ProgramState {
    is_server_gone: bool,
    stdout: Stream,
    stderr: Stream,
}

/// The stored part of one of the program's outputs.
#[derive(Default)]
struct Stream {
    /// The first bytes, up to the maximum.
    start: Vec<u8>,
    /// The last bytes, at most [`LINE_MAX`].
    end: Vec<u8>,
    /// Whether the output is longer than `start`.
    is_truncated: bool,
    is_closed: bool,
}

impl Stream {
    /// Appends a part of the output. `max` is the maximum length of `start`.
    fn push(&mut self, part: &[u8], max: usize) {
        let fitting = part.len().min(max - self.start.len());
        self.start.extend_from_slice(&part[..fitting]);
        self.is_truncated |= fitting < part.len();
        self.end.extend_from_slice(part);
        let surplus = self.end.len().saturating_sub(LINE_MAX);
        self.end.drain(..surplus);
    }

    /// The first and the last line that are not blank. In some programs the first line names the error, in other
    /// programs the last line does.
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

    /// Waits while `is_waiting` returns true, but not longer than the timeout.
    fn wait_while(
        &self,
        timeout: Duration,
        is_waiting: impl FnMut(&mut ProgramState) -> bool,
    ) -> MutexGuard<'_, ProgramState> {
        self.changed
            .wait_timeout_while(self.lock(), timeout, is_waiting)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

/// Runs the hidden command. `arguments` are the arguments after `supervise`.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let seconds =
        arguments.next().and_then(|text| digits::parse_decimal(text.as_encoded_bytes()).ok());
    let result = match (seconds, arguments.next()) {
        (Some(seconds), Some(program)) => {
            let mut command = Command::new(&program);
            command.args(arguments);
            supervise(command, Duration::from_secs(seconds))
                .map_err(|error| error.explain(&program))
        }
        _ => Err(SupervisorError::Usage),
    };
    let (kind, text, code) = match result {
        Ok(output) => (OUTPUT, output, ExitCode::SUCCESS),
        Err(error) => (error.kind(), format!("{error}\n").into_bytes(), ExitCode::FAILURE),
    };
    // If this fails, the server has ended, and the output is not needed.
    let _: io::Result<()> = io::stdout().write_all(&[&[kind], &text[..]].concat());
    code
}

/// Runs a program with the message on its standard input. Returns its output.
fn supervise(mut command: Command, timeout: Duration) -> Result<Vec<u8>, SupervisorError> {
    let message = read_message().map_err(SupervisorError::Message)?;
    let run = Run::inherit();
    let begun = Instant::now();
    let mut program = command
        .env_remove(language::VARIABLE)
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
    let kill = |timeout| run.kill(process::id(), &mut io::stderr(), timeout);
    match status {
        Ok(status) => finish(status, &shared, &kill),
        Err(error) => {
            kill(KILL_GRACE);
            // This works even without a shell. If it fails, the program has ended.
            drop(program.kill());
            kill(KILL_TIMEOUT);
            // The result does not matter, because `error` is returned anyway. The wait uses a new state, because
            // with the old state it would return at once if the server has ended.
            let (new_state, begun) = (Shared::default(), Instant::now());
            drop(wait_for_exit(&mut program, &new_state, begun, KILL_GRACE));
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
    // This fails if the program does not read all its input, which is allowed.
    start_thread(Box::new(move || drop(stdin.write_all(&message))))?;
    let stdout = program.stdout.take().expect("stdout is piped").into();
    read_stream(shared, stdout, |state| &mut state.stdout, true)?;
    let stderr = program.stderr.take().expect("stderr is piped").into();
    read_stream(shared, stderr, |state| &mut state.stderr, false)?;
    let shared = Arc::clone(shared);
    start_thread(Box::new(move || {
        // The server sends nothing after the message, so this returns when the server closes the pipe or ends.
        let _: io::Result<usize> = io::stdin().lock().read(&mut [0]);
        shared.lock().is_server_gone = true;
        shared.changed.notify_all();
    }))
}

/// Starts a thread that reads one of the program's outputs until its end, because a full pipe would block the
/// program. A bounded output is closed after [`OUTPUT_MAX`] bytes. This ends a program that writes without end.
fn read_stream(
    shared: &Arc<Shared>,
    pipe: OwnedFd,
    stream: fn(&mut ProgramState) -> &mut Stream,
    is_bounded: bool,
) -> io::Result<()> {
    let shared = Arc::clone(shared);
    start_thread(Box::new(move || {
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
            if stream.is_truncated && is_bounded {
                break;
            }
        }
        drop(pipe);
        stream(&mut shared.lock()).is_closed = true;
        shared.changed.notify_all();
    }))
}

/// Waits until the program has ended, the timeout has passed, or the server has ended.
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
            // There is no status if this process was started with SIGCHLD ignored.
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

/// Returns the output of a program that has ended. Kills processes that the program started if they still hold an
/// output.
fn finish(
    status: ExitStatus,
    shared: &Shared,
    kill: &dyn Fn(Duration),
) -> Result<Vec<u8>, SupervisorError> {
    let is_open = |state: &mut ProgramState| !(state.stdout.is_closed && state.stderr.is_closed);
    let mut state = shared.wait_while(OUTPUT_GRACE, is_open);
    if is_open(&mut state) {
        drop(state);
        kill(KILL_TIMEOUT);
        state = shared.wait_while(OUTPUT_GRACE, is_open);
    }
    // A program often fails when its output is closed at the maximum, so that failure is ignored.
    if status.success() || state.stdout.is_truncated {
        Ok(mem::take(&mut state.stdout.start))
    } else {
        Err(SupervisorError::Failed(status, state.stderr.summary()))
    }
}

/// Starts a thread. The closure is boxed, so the compiler makes one copy of this code instead of one for each
/// closure.
fn start_thread(work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().spawn(work).map(drop)
}
