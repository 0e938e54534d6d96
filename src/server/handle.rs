//! A server seen from outside while it runs: what it has done so far, and how to end it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connections::Seats;
use crate::http::Status;
use crate::text::log_note::LogNote;

/// Answers whose times are remembered.
const TIMES: usize = 1024;

/// For how long a connection must have been silent to be closed by a server that is ending: who has
/// just connected, or just got an answer, may have the next request on its way.
const SILENCE: Duration = Duration::from_secs(1);

/// What is known of a server while it runs, and the way to end it. All clones speak of the same one.
#[derive(Clone, Default)]
pub struct Handle(Arc<Shared>);

/// What a server has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// How long ago its handle was made.
    pub uptime: Duration,
    /// Whether it was told to stop.
    pub is_stopping: bool,
    /// Connections at this moment.
    pub connections: usize,
    /// Those of them whose request is being worked on.
    pub working: usize,
    /// Connections that had to make room for others.
    pub evictions: u64,
    /// Panics, each of which ended one connection.
    pub panics: u64,
    /// Refused requests by their cause, in the order in which the causes came up.
    pub refusals: Vec<(&'static str, u64)>,
    /// How many microseconds it took from a whole message to its answer: the last 1,024, in no order.
    pub times: Vec<u32>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownReport {
    /// How long it took after it was told to.
    pub took: Duration,
    /// Connections whose request was not answered by then.
    pub cut: usize,
    /// Whether all of it has ended. Else work may be going on for answers that nobody can be given any
    /// more.
    pub is_whole: bool,
}

pub(super) struct Shared {
    pub(super) seats: Seats,
    /// Threads that wait for a connection.
    pub(super) idle: AtomicUsize,
    is_stopping: AtomicBool,
    is_closing: AtomicBool,
    phase: Mutex<Phase>,
    changed: Condvar,
    since: Instant,
    panics: AtomicU64,
    refusals: Mutex<Vec<(&'static str, u64)>>,
    times: [AtomicU32; TIMES],
    answers: AtomicUsize,
}

#[derive(Clone, Copy)]
enum Phase {
    Serving,
    /// Told to stop then.
    Stopping(Instant),
    ShutdownReport(ShutdownReport),
}

impl Handle {
    /// Ends the server: it finishes what is under way, for at most as long as [`Limits::drain`] says, and
    /// then is over. Connections are taken as long as work from before this goes on, since WeChat asks
    /// again for what takes longer than it waits. Returns at once.
    ///
    /// [`Limits::drain`]: super::Limits::drain
    pub fn stop(&self) {
        let mut phase = self.0.phase();
        if let Phase::Serving = *phase {
            *phase = Phase::Stopping(Instant::now());
            self.0.is_stopping.store(true, Ordering::Release);
            self.0.changed.notify_all();
        }
    }

    /// Waits until the server has ended, which one that never ran does not do. Where something was cut, the
    /// work on it may go on behind that.
    pub fn wait(&self) -> ShutdownReport {
        let mut phase = self.0.phase();
        loop {
            if let Phase::ShutdownReport(ended) = *phase {
                return ended;
            }
            let woken = self.0.changed.wait(phase);
            phase = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What it has done so far.
    pub fn traffic(&self) -> Traffic {
        let shared = &*self.0;
        let (connections, working) = shared.seats.taken();
        let answers = shared.answers.load(Ordering::Relaxed);
        let times = shared.times.iter().take(answers);
        let times = times.map(|time| time.load(Ordering::Relaxed));
        Traffic {
            uptime: shared.since.elapsed(),
            is_stopping: shared.is_stopping(),
            connections,
            working,
            evictions: shared.seats.evictions(),
            panics: shared.panics.load(Ordering::Relaxed),
            refusals: shared.refusals().clone(),
            // Of one that is being written in this moment there is nothing yet.
            times: times.filter(|time| *time > 0).collect(),
        }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            seats: Seats::new(),
            idle: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
            is_closing: AtomicBool::new(false),
            phase: Mutex::new(Phase::Serving),
            changed: Condvar::new(),
            since: Instant::now(),
            panics: AtomicU64::new(0),
            refusals: Mutex::default(),
            times: [const { AtomicU32::new(0) }; TIMES],
            answers: AtomicUsize::new(0),
        }
    }
}

impl Shared {
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Whether it is time not to accept any more.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    pub(super) fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what became of a request, if that is a refusal.
    pub(super) fn count_refusal(&self, status: Status, note: &LogNote) {
        if status == Status::Ok {
            return;
        }
        let mut refusals = self.refusals();
        match refusals.iter_mut().find(|(cause, _)| *cause == note.cause) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => refusals.push((note.cause, 1)),
        }
    }

    /// Remembers how long a message took.
    pub(super) fn count_answer(&self, took: Duration) {
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        if let Some(time) = self.times.get(number % TIMES) {
            let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
            time.store(micros.max(1), Ordering::Relaxed);
        }
    }

    /// Waits until the server is told to stop, and returns since when.
    pub(super) fn wait_for_stop(&self) -> Instant {
        let mut phase = self.phase();
        loop {
            match *phase {
                Phase::Serving => {
                    let woken = self.changed.wait(phase);
                    phase = woken.unwrap_or_else(PoisonError::into_inner);
                }
                Phase::Stopping(since) => return since,
                Phase::ShutdownReport(_) => return Instant::now(),
            }
        }
    }

    /// Sees the server to its end: waits until nothing is worked on that had begun, then until nobody
    /// accepts, then until nobody is served, and for at most so long in all. `close` is called when it is
    /// time not to accept any more. Returns how many were cut, and whether all has ended.
    pub(super) fn drain(
        &self,
        since: Instant,
        patience: Duration,
        close: impl FnOnce(),
    ) -> (usize, bool) {
        let is_late = || since.elapsed() >= patience;
        // A message that comes in the first moments is one that was on its way, and may take WeChat's three
        // tries as well.
        let counted = since.checked_add(SILENCE).unwrap_or(since);
        let may_come = || since.elapsed() < SILENCE && self.seats.taken().0 > 0;
        while (may_come() || self.seats.is_working_since_before(counted)) && !is_late() {
            self.seats.shut_silent(SILENCE);
            self.seats.wait_for_a_seat();
        }
        self.is_closing.store(true, Ordering::Release);
        close();
        // Who accepts has a seat before they count as idle no more, and who leaves a seat counts as idle
        // before they have left it; so nobody is overlooked.
        while self.idle.load(Ordering::Acquire) > 0 || self.seats.taken().0 > 0 {
            if is_late() {
                return (self.cut(), false);
            }
            self.seats.shut_silent(SILENCE);
            self.seats.wait_for_a_seat();
        }
        (0, true)
    }

    /// Ends all connections, and waits until nobody accepts, which takes a moment.
    fn cut(&self) -> usize {
        let cut = self.seats.close();
        let begun = Instant::now();
        while self.idle.load(Ordering::Acquire) > 0 && begun.elapsed() < SILENCE {
            self.seats.wait_for_a_seat();
        }
        cut
    }

    /// The server has ended.
    pub(super) fn end(&self, since: Instant, cut: usize, is_whole: bool) {
        let took = since.elapsed();
        *self.phase() = Phase::ShutdownReport(ShutdownReport {
            took,
            cut,
            is_whole,
        });
        self.changed.notify_all();
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusals(&self) -> MutexGuard<'_, Vec<(&'static str, u64)>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
