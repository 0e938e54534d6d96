//! What a server counts.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::http::Status;
use crate::text::log_note::LogNote;

/// How many of the last answer times are kept.
const ANSWER_TIMES: usize = 1024;

/// What a server has done since its start, and its connections at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The time since the handle of the server was made.
    pub uptime: Duration,
    /// Whether the server was told to stop.
    pub is_stopping: bool,
    /// Open connections.
    pub connections: usize,
    /// Open connections whose request is being answered.
    pub working: usize,
    /// Connections that were closed to make room for others.
    pub evictions: u64,
    /// Panics of the handler. Each closed one connection.
    pub panics: u64,
    /// Refused requests by cause word, in the order of their first occurrence.
    pub refusals: Vec<(&'static str, u64)>,
    /// The times from a complete message to its answer in microseconds: the last 1,024, in no order.
    pub answer_times: Vec<u32>,
}

/// The counters from which [`Stats`] are made.
pub(super) struct Counters {
    panics: AtomicU64,
    refusals: Mutex<Vec<(&'static str, u64)>>,
    /// A ring. A time of 0 is not written yet.
    answer_times: [AtomicU32; ANSWER_TIMES],
    answers: AtomicUsize,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            panics: AtomicU64::new(0),
            refusals: Mutex::default(),
            answer_times: [const { AtomicU32::new(0) }; ANSWER_TIMES],
            answers: AtomicUsize::new(0),
        }
    }

    pub(super) fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that was not answered with 200.
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

    /// Records the time from a complete message to its answer.
    pub(super) fn record_answer(&self, took: Duration) {
        let index = self.answers.fetch_add(1, Ordering::Relaxed) % ANSWER_TIMES;
        // A message may take longer than the 71 minutes that fit.
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.answer_times[index].store(micros.max(1), Ordering::Relaxed);
    }

    /// The counters as `Stats`, whose other fields are empty.
    pub(super) fn stats(&self) -> Stats {
        let times = self.answer_times.iter();
        let times = times.map(|time| time.load(Ordering::Relaxed));
        Stats {
            panics: self.panics.load(Ordering::Relaxed),
            refusals: self.refusals().clone(),
            answer_times: times.filter(|time| *time > 0).collect(),
            ..Stats::default()
        }
    }

    fn refusals(&self) -> MutexGuard<'_, Vec<(&'static str, u64)>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
