//! A running server seen from outside: its statistics, and how to stop it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection_table::ConnectionTable;
use super::stats::{Counters, Stats};

/// A server that is stopping closes a connection that has been silent for this long. A client that has just connected,
/// or has just got an answer, may have sent its next request already.
const SILENCE: Duration = Duration::from_secs(1);

/// Shows what a running server does, and stops it. All clones refer to the same server.
#[derive(Clone, Default)]
pub struct Handle(Arc<ServerState>);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownReport {
    /// The time from the call of [`Handle::stop`] to the end.
    pub took: Duration,
    /// Requests that were received and not answered.
    pub unanswered: usize,
    /// Whether all threads of the server have ended. Otherwise some still work on answers that cannot be sent.
    pub is_complete: bool,
}

/// The state that a server shares with its handles.
pub(super) struct ServerState {
    pub(super) table: ConnectionTable,
    pub(super) counters: Counters,
    /// Threads that wait for a connection.
    idle_threads: AtomicUsize,
    /// Derived from `phase`, for every request to read without a lock.
    is_stopping: AtomicBool,
    phase: Mutex<Phase>,
    phase_changed: Condvar,
    started: Instant,
}

#[derive(Clone, Copy)]
enum Phase {
    Serving,
    /// Told to stop at this time. Connections are still accepted.
    Draining(Instant),
    /// No connections are accepted.
    Closing,
    Ended(ShutdownReport),
}

impl Handle {
    /// Tells the server to stop, and returns at once. The server answers the requests it has, for at most
    /// [`Limits::drain`]. Until these are answered it still accepts connections, because WeChat repeats a message that
    /// takes longer than five seconds.
    ///
    /// [`Limits::drain`]: super::Limits::drain
    pub fn stop(&self) {
        let mut phase = self.0.phase();
        if let Phase::Serving = *phase {
            *phase = Phase::Draining(Instant::now());
            self.0.is_stopping.store(true, Ordering::Release);
            self.0.phase_changed.notify_all();
        }
    }

    /// Waits until the server has ended. A server that never ran does not end.
    pub fn wait(&self) -> ShutdownReport {
        let mut phase = self.0.phase();
        loop {
            if let Phase::Ended(report) = *phase {
                return report;
            }
            phase = self.0.wait_for_change(phase);
        }
    }

    /// What the server has done so far.
    pub fn stats(&self) -> Stats {
        let state = &*self.0;
        let (connections, working) = state.table.usage();
        Stats {
            uptime: state.started.elapsed(),
            is_stopping: state.is_stopping(),
            connections,
            working,
            evictions: state.table.evictions(),
            ..state.counters.stats()
        }
    }

    pub(super) fn state(&self) -> &ServerState {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Default for ServerState {
    fn default() -> Self {
        Self {
            table: ConnectionTable::default(),
            counters: Counters::new(),
            idle_threads: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
            phase: Mutex::new(Phase::Serving),
            phase_changed: Condvar::new(),
            started: Instant::now(),
        }
    }
}

impl ServerState {
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    /// Whether connections are no longer accepted.
    pub(super) fn is_closing(&self) -> bool {
        matches!(*self.phase(), Phase::Closing | Phase::Ended(_))
    }

    /// Waits until the server is told to stop, and returns since when.
    pub(super) fn wait_for_stop(&self) -> Instant {
        let mut phase = self.phase();
        loop {
            match *phase {
                Phase::Serving => phase = self.wait_for_change(phase),
                Phase::Draining(since) => return since,
                Phase::Closing | Phase::Ended(_) => return Instant::now(),
            }
        }
    }

    /// Stops the server in three steps: waits until the requests that it has are answered, calls `stop_accepting`, and
    /// waits until all threads have ended. Shuts down what is left when the time limit, counted from `since`, is over.
    pub(super) fn drain(
        &self,
        since: Instant,
        limit: Duration,
        stop_accepting: impl FnOnce(),
    ) -> ShutdownReport {
        let is_over = || since.elapsed() >= limit;
        // A message that arrives in the first moments was sent before the stop, and may need WeChat's three tries too.
        let first_moments = since + SILENCE;
        let may_arrive = || since.elapsed() < SILENCE && self.table.usage().0 > 0;
        while (may_arrive() || self.table.has_request_from_before(first_moments)) && !is_over() {
            self.table.shut_silent(SILENCE);
            self.table.wait();
        }
        *self.phase() = Phase::Closing;
        stop_accepting();
        // A thread takes a slot before it stops being idle, and is idle again before it frees the slot, so no
        // connection is missed between these two numbers.
        let has_threads = || self.has_idle_threads() || self.table.usage().0 > 0;
        while has_threads() && !is_over() {
            self.table.shut_silent(SILENCE);
            self.table.wait();
        }
        let is_complete = !has_threads();
        let unanswered = self.table.close();
        // The idle threads need a moment to end.
        let closed = Instant::now();
        while self.has_idle_threads() && closed.elapsed() < SILENCE {
            self.table.wait();
        }
        ShutdownReport { took: since.elapsed(), unanswered, is_complete }
    }

    /// Records that the server has ended.
    pub(super) fn end(&self, report: ShutdownReport) {
        *self.phase() = Phase::Ended(report);
        self.phase_changed.notify_all();
    }

    pub(super) fn add_idle_thread(&self) {
        self.idle_threads.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns how many idle threads there were before.
    pub(super) fn remove_idle_thread(&self) -> usize {
        self.idle_threads.fetch_sub(1, Ordering::AcqRel)
    }

    /// Removes an idle thread if there are more than `count`. Returns whether it did.
    pub(super) fn remove_surplus_idle_thread(&self, count: usize) -> bool {
        let one_less = |idle: usize| (idle > count).then(|| idle - 1);
        self.idle_threads.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less).is_ok()
    }

    fn has_idle_threads(&self) -> bool {
        self.idle_threads.load(Ordering::Acquire) > 0
    }

    fn wait_for_change<'p>(&self, phase: MutexGuard<'p, Phase>) -> MutexGuard<'p, Phase> {
        let woken = self.phase_changed.wait(phase);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
