//! The statistics of a server.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::Status;
use crate::text::log_note::LogNote;

/// Number of response times that are kept.
const RESPONSE_TIMES: usize = 1024;

/// The events of a server since its start, and its current connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The time since the handle of the server was created.
    pub uptime: Duration,
    /// Whether the server was told to stop.
    pub is_stopping: bool,
    /// Open connections.
    pub connections: usize,
    /// Open connections whose request is being answered.
    pub working: usize,
    /// Connections that the server closed so that it can serve other connections.
    pub evictions: u64,
    /// Panics of the handler. Each panic closed one connection.
    pub panics: u64,
    /// Refused requests by cause word, in the order of their first occurrence.
    pub refusals: Vec<(&'static str, u64)>,
    /// Microseconds from a complete POST request to its response, for the last 1,024 responses with status 200, in any
    /// order.
    pub response_times: Vec<u32>,
}

/// The counters from which [`Stats`] are made.
pub(super) struct Counters {
    panics: AtomicU64,
    refusals: Mutex<Vec<(&'static str, u64)>>,
    /// A ring buffer. An entry of 0 is not written yet.
    response_times: [AtomicU32; RESPONSE_TIMES],
    responses: AtomicUsize,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            panics: AtomicU64::new(0),
            refusals: Mutex::default(),
            response_times: [const { AtomicU32::new(0) }; RESPONSE_TIMES],
            responses: AtomicUsize::new(0),
        }
    }

    pub(super) fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refused request. A status of 200 is no refusal.
    pub(super) fn count_refusal(&self, status: Status, note: &LogNote) {
        if status == Status::Ok {
            return;
        }
        let mut refusals = self.refusals();
        match refusals.iter_mut().find(|(cause, _)| *cause == note.cause) {
            Some((_, count)) => *count += 1,
            None => refusals.push((note.cause, 1)),
        }
    }

    /// Records the time from a complete request to its response.
    pub(super) fn record_response(&self, took: Duration) {
        let index = self.responses.fetch_add(1, Ordering::Relaxed) % RESPONSE_TIMES;
        // 32 bits hold at most 71 minutes.
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.response_times[index].store(micros.max(1), Ordering::Relaxed);
    }

    /// The counters as `Stats`, whose other fields are empty.
    pub(super) fn stats(&self) -> Stats {
        let times = self.response_times.iter();
        let times = times.map(|time| time.load(Ordering::Relaxed));
        Stats {
            panics: self.panics.load(Ordering::Relaxed),
            refusals: self.refusals().clone(),
            response_times: times.filter(|time| *time > 0).collect(),
            ..Stats::default()
        }
    }

    fn refusals(&self) -> MutexGuard<'_, Vec<(&'static str, u64)>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
