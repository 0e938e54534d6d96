//! Starts programs and counts them.
//!
//! The server does not start a program itself. It starts a supervisor process (this binary with a hidden
//! command), which starts the program. When the timeout has passed or the server has ended, even by SIGKILL,
//! the supervisor kills the program and all processes that the program started. Only the supervisor holds the
//! program's pipes, so the server never waits for a process that the program left running.
//!
//! A program can kill or stop its supervisor. The server then kills the processes of the run itself.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::failure::{Failure, RUNNING_MAX};
use super::killer;
use super::process::ServiceGroup;
use super::run::{self, KILL_TIMEOUT, LeftCount, Run};
use super::start_counts::StartCounts;
use super::supervisor::{NOT_STARTED, OUTPUT};
use super::{environment, output, supervisor, wording};
use crate::rules::{Limit, ProgramCall};
use crate::session::Runner;
use crate::text::language;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};

/// How long a supervisor may take to end after the timeout. Then the server kills the program.
const SUPERVISOR_GRACE: Duration = Duration::from_secs(2);

/// Runs programs within the limits of the server and of each user.
#[derive(Debug)]
pub struct Programs {
    /// The path of the `wechat` binary.
    supervisor: PathBuf,
    /// The environment variables that are settings of this binary. No field of a message sets one of them.
    settings: Vec<&'static str>,
    counters: Mutex<Counters>,
    /// Where orders for the killer are written. `None` before the first run, which starts the killer.
    killer: Mutex<Option<UnixStream>>,
    service: Option<ServiceGroup>,
    left: Mutex<LeftCount>,
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
    /// Processes that programs have left running, counted at most once a second.
    pub left: usize,
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
    /// The runs in progress, in the order of their starts.
    runs: Vec<Run>,
    /// The number of the latest run.
    number: u64,
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
            // Servers begin with different numbers.
            counters: Mutex::new(Counters {
                number: u64::from(process::id()),
                ..Counters::default()
            }),
            killer: Mutex::default(),
            service: ServiceGroup::own(),
            left: Mutex::default(),
            hasher: RandomState::new(),
            epoch: Instant::now(),
            report,
        }
    }

    /// The counts at this moment.
    pub fn counts(&self) -> ProgramCounts {
        let (counts, runs) = {
            let counters = self.lock();
            (counters.counts, counters.runs.clone())
        };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left.get(Instant::now, || run::count_left(&runs, self.service.as_ref()));
        ProgramCounts { running: runs.len(), left, ..counts }
    }

    fn try_run(
        &self,
        call: &ProgramCall,
        message: &Message<'_>,
    ) -> Result<Reply<'static>, Failure> {
        let running = self.admit(call, message)?;
        let printed = self.run_supervisor(&running.run, call, message);
        if printed.as_ref().is_err_and(Failure::is_failed_start) {
            running.forget_start();
        }
        output::parse(&printed?, message)
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
        if counters.runs.len() >= RUNNING_MAX {
            return Err(Failure::Busy);
        }
        let run = counters.new_run();
        let lost_counts = limit.map_or(0, |(key, limit)| counters.starts.add(key, limit, now));
        drop(counters);
        let start = limit.map(|(key, limit)| (key, limit, now));
        let running = Running { programs: self, run, start };
        if lost_counts > 0 {
            (self.report)(&wording::start_counts_dropped(lost_counts).to_string());
        }
        Ok(running)
    }

    /// The supervisor's command line and environment.
    fn command(&self, run: &Run, call: &ProgramCall, message: &Message<'_>) -> Command {
        let mut command = Command::new(&self.supervisor);
        command
            .arg(supervisor::COMMAND)
            .arg(call.timeout.to_string())
            .args(&call.words)
            // A new process group, because Ctrl-C in a terminal must not end the supervisor before it has killed
            // the program.
            .process_group(0);
        environment::set(&mut command, message, &self.settings);
        command.env(run::VARIABLE, &run.marker);
        // The reasons that the supervisor prints are for the server's log. It hides this variable from the program.
        command.env(language::VARIABLE, language::CODE.get());
        command
    }

    /// Runs a supervisor until it ends. Returns the output of the program.
    fn run_supervisor(
        &self,
        run: &Run,
        call: &ProgramCall,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let mut command = self.command(run, call, message);
        let mut socket = self.connect(&mut command).map_err(Failure::Supervisor)?;
        let mut supervisor = command.spawn().map_err(|error| {
            let is_too_long = error.kind() == io::ErrorKind::ArgumentListTooLong;
            if is_too_long {
                environment::too_long(&command, &call.words)
            } else {
                Failure::Supervisor(error)
            }
        })?;
        // Closes the supervisor's end of the socket in this process.
        drop(command);
        let timeout = Duration::from_secs(call.timeout) + SUPERVISOR_GRACE;
        let result = exchange(&mut socket, message.xml(), timeout);
        if let Ok(printed) = &result
            && let Some((first, text)) = printed.split_first()
        {
            // The supervisor has closed the socket, so it ends soon.
            drop(supervisor.wait());
            return match *first {
                OUTPUT => Ok(text.to_owned()),
                NOT_STARTED => Err(Failure::NotStarted(String::from_utf8_lossy(text).into_owned())),
                _ => Err(Failure::Program(String::from_utf8_lossy(text).into_owned())),
            };
        }
        // The supervisor was killed or is stopped. It has not been waited for, so no other process has its id yet.
        if let Ok(mut killer) = self.killer() {
            run.kill(supervisor.id(), &mut killer, KILL_TIMEOUT);
        }
        drop(supervisor.kill());
        let is_hung = result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        Err(match supervisor.wait() {
            Ok(status) if !is_hung => Failure::SupervisorEnded(status),
            _ => Failure::SupervisorHung(call.timeout),
        })
    }

    /// Sets the standard streams of a supervisor. Returns the socket to its standard input and output. The orders that it
    /// writes to standard error go to the killer.
    fn connect(&self, command: &mut Command) -> io::Result<UnixStream> {
        let (socket, its_socket) = UnixStream::pair()?;
        command
            .stdin(OwnedFd::from(its_socket.try_clone()?))
            .stdout(OwnedFd::from(its_socket))
            .stderr(OwnedFd::from(self.killer()?));
        Ok(socket)
    }

    /// The killer. The first run starts it.
    fn killer(&self) -> io::Result<UnixStream> {
        let mut killer = self.killer.lock().unwrap_or_else(PoisonError::into_inner);
        if killer.is_none() {
            *killer = Some(killer::start()?);
        }
        killer.as_ref().expect("it was started").try_clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    /// Adds a run. Its number is the first free one after the number of the latest run.
    fn new_run(&mut self) -> Run {
        let is_free = |number: &u64| self.runs.iter().all(|run| run.number() != *number);
        let mut numbers =
            (1..=RUNNING_MAX as u64).map(|step| (self.number + step) % RUNNING_MAX as u64);
        self.number = numbers.find(is_free).expect("fewer than RUNNING_MAX runs");
        let run = Run::new(self.number);
        self.runs.push(run.clone());
        run
    }
}

/// Sends the message to a supervisor. Returns what the supervisor prints.
fn exchange(socket: &mut UnixStream, message: &str, timeout: Duration) -> io::Result<Vec<u8>> {
    socket.set_write_timeout(Some(timeout))?;
    socket.set_read_timeout(Some(timeout))?;
    socket.write_all(format!("{}\n{message}", message.len()).as_bytes())?;
    let mut printed = Vec::new();
    socket.read_to_end(&mut printed)?;
    Ok(printed)
}

/// A run that counts as running until this is dropped.
struct Running<'p> {
    programs: &'p Programs,
    run: Run,
    /// Key, limit and time of the start that was counted for the limit of the user.
    start: Option<(u64, Limit, u32)>,
}

impl Running<'_> {
    /// Undoes the count of the start, because the program could not be started.
    fn forget_start(&self) {
        if let Some((key, limit, now)) = self.start {
            self.programs.lock().starts.remove(key, limit, now);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.programs.lock().runs.retain(|run| *run != self.run);
    }
}
