//! The handle of a server, which gives its statistics and stops it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection_table::ConnectionTable;
use super::stats::{Counters, Stats};

/// A server that is stopping closes connections that have been silent for this long. Other connections stay open,
/// because a client that has just connected or received a response may already have sent its next request.
const SILENCE: Duration = Duration::from_secs(1);

/// Gives the statistics of a running server, and stops it. All clones refer to the same server.
#[derive(Clone, Default)]
pub struct Handle(Arc<ServerState>);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutdownReport {
    /// The time from the call of [`Handle::stop`] to the end.
    pub took: Duration,
    /// Requests that were received, completely or in part, and got no response.
    pub unanswered: usize,
    /// Whether all threads of the server have ended. If not, some still compute responses that can no longer be sent.
    pub is_complete: bool,
}

/// The state that a server shares with its handles.
pub(super) struct ServerState {
    pub(super) table: ConnectionTable,
    pub(super) counters: Counters,
    /// Threads that wait for a connection.
    idle_threads: AtomicUsize,
    /// A copy of `phase` as a flag, so that requests need no lock to read it.
    is_stopping: AtomicBool,
    phase: Mutex<Phase>,
    phase_changed: Condvar,
    started: Instant,
}

#[derive(Clone, Copy)]
enum Phase {
    Serving,
    /// The server was told to stop at this time. Connections are still accepted.
    Draining(Instant),
    /// Since this time, only the connections in the backlog are accepted.
    Closing(Instant),
    Ended(ShutdownReport),
}

impl Handle {
    /// Tells the server to stop, and returns at once. The server finishes the requests that it has, for at most
    /// [`Limits::drain`]. Until then it still accepts connections, because WeChat sends a message again that gets no
    /// response within five seconds.
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

    /// Waits until the server has ended. If the server is never run, this waits forever.
    pub fn wait(&self) -> ShutdownReport {
        let mut phase = self.0.phase();
        loop {
            if let Phase::Ended(report) = *phase {
                return report;
            }
            phase = self.0.wait_for_change(phase);
        }
    }

    /// The current statistics of the server.
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
        matches!(*self.phase(), Phase::Closing(_) | Phase::Ended(_))
    }

    /// Whether even the connections in the backlog are no longer accepted. Without this limit, clients that connect
    /// again and again would keep the server running.
    pub(super) fn has_left_backlog(&self) -> bool {
        let is_over = |phase: &Phase| match phase {
            Phase::Serving | Phase::Draining(_) => false,
            Phase::Closing(since) => since.elapsed() > SILENCE,
            Phase::Ended(_) => true,
        };
        self.is_stopping() && is_over(&self.phase())
    }

    /// Waits until the server is told to stop, and returns the time at which it was told.
    pub(super) fn wait_for_stop(&self) -> Instant {
        let mut phase = self.phase();
        loop {
            match *phase {
                Phase::Serving => phase = self.wait_for_change(phase),
                Phase::Draining(since) => return since,
                Phase::Closing(_) | Phase::Ended(_) => return Instant::now(),
            }
        }
    }

    /// Stops the server in three steps: waits until the requests that it has are answered, calls `stop_accepting`, and
    /// waits until all threads have ended. After the time limit, counted from `since`, shuts down the remaining
    /// connections.
    pub(super) fn drain(
        &self,
        since: Instant,
        limit: Duration,
        stop_accepting: impl FnOnce(),
    ) -> ShutdownReport {
        let is_over = || since.elapsed() >= limit;
        // A message that arrives within this time may have been sent before the stop, and may also need three tries.
        let sent_before_stop = since + SILENCE;
        let may_arrive = || since.elapsed() < SILENCE && self.table.usage().0 > 0;
        while (may_arrive() || self.table.has_request_from_before(sent_before_stop)) && !is_over() {
            self.table.shut_silent(SILENCE);
            self.table.wait();
        }
        *self.phase() = Phase::Closing(Instant::now());
        stop_accepting();
        // A thread takes a slot before it stops being idle, and is idle again before it frees the slot. So a thread
        // that is still running is always counted in at least one of these two numbers.
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

    /// Returns the number of idle threads before the removal.
    pub(super) fn remove_idle_thread(&self) -> usize {
        self.idle_threads.fetch_sub(1, Ordering::AcqRel)
    }

    /// Removes an idle thread from the count if there are more than `max`. Returns whether it did.
    pub(super) fn remove_surplus_idle_thread(&self, max: usize) -> bool {
        let decrement = |idle: usize| (idle > max).then(|| idle - 1);
        self.idle_threads.fetch_update(Ordering::AcqRel, Ordering::Acquire, decrement).is_ok()
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
