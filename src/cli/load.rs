//! `wechat replay --repeat N --connections C`: the same requests again and again, and how fast they are
//! answered.

use std::collections::BinaryHeap;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::Error;
use super::output::print;
use super::replay::PATIENCE;
use crate::http::Url;
use crate::net::{Client, End};
use crate::platform::{of_trouble, seconds};

/// Requests in all: four bytes are kept of each.
pub(super) const REQUESTS_MAX: usize = 1_000_000;

/// Connections at once, each with a thread.
pub(super) const CONNECTIONS_MAX: usize = 1_000;

/// So many errors end it: a backend that is gone is not asked a million times more.
const ERRORS_MAX: usize = 100;

/// How often the progress line is written.
const PROGRESS: Duration = Duration::from_millis(200);

/// Requests that are sent again and again.
pub(super) struct Load<'r> {
    /// Their bytes, and the status that is expected of the answer.
    pub(super) requests: &'r [(&'r [u8], u16)],
    /// How often each is sent.
    pub(super) repeat: usize,
    /// How many connections send at once.
    pub(super) connections: usize,
}

/// What the connections have come to together.
#[derive(Default)]
struct Progress {
    begun: AtomicUsize,
    errors: AtomicUsize,
    first_error: Mutex<Option<String>>,
}

/// What one connection has come to.
struct Part {
    /// Microseconds of each answer.
    latencies: Vec<u32>,
    /// From the beginning of all to its own end.
    took: Duration,
}

impl Load<'_> {
    /// Sends all of it and prints a summary. An answer with another status than the expected one is an
    /// error, as is one that is not whole, or none.
    pub(super) fn run(&self, client: &Client, url: &Url) -> Result<(), Error> {
        let all = self.requests.len().saturating_mul(self.repeat);
        if all > REQUESTS_MAX {
            return Err(Error::TooManyRequests {
                all,
                most: REQUESTS_MAX,
            });
        }
        let progress = Progress::default();
        let begun = Instant::now();
        let parts: Vec<Part> = thread::scope(|scope| {
            let send = || {
                let latencies = self.send(client.another(), url, all, &progress);
                let took = begun.elapsed();
                Part { latencies, took }
            };
            let mut connections = Vec::new();
            for _ in 0..self.connections.min(all) {
                match thread::Builder::new().spawn_scoped(scope, send) {
                    Ok(connection) => connections.push(connection),
                    Err(error) => {
                        progress.fail(format!("no thread for a connection: {error}"));
                        break;
                    }
                }
            }
            if io::stderr().is_terminal() {
                while connections.iter().any(|thread| !thread.is_finished()) {
                    progress.show(all, begun.elapsed());
                    thread::sleep(PROGRESS);
                }
                show("\r\x1b[K");
            }
            let parts = connections.into_iter().map(ScopedJoinHandle::join);
            parts.filter_map(Result::ok).collect()
        });
        self.sum_up(parts, all, progress)
    }

    /// One connection: takes the next request until there are none, and returns how many microseconds
    /// each answer took.
    fn send(&self, mut client: Client, url: &Url, all: usize, progress: &Progress) -> Vec<u32> {
        let mut latencies = Vec::new();
        while progress.errors.load(Ordering::Relaxed) < ERRORS_MAX {
            let number = progress.begun.fetch_add(1, Ordering::Relaxed);
            let at = number.checked_rem(self.requests.len());
            let Some((request, status)) = at.and_then(|at| self.requests.get(at)) else {
                break;
            };
            if number >= all {
                break;
            }
            match client.exchange(request, PATIENCE) {
                Ok(answer) if answer.end != End::Whole => {
                    progress.fail("an answer that is not whole".to_owned());
                }
                Ok(answer) if answer.head.status == *status => {
                    latencies.push(u32::try_from(answer.took.as_micros()).unwrap_or(u32::MAX));
                }
                Ok(answer) => {
                    progress.fail(format!("status {}, {status} expected", answer.head.status));
                }
                Err(trouble) => progress.fail(of_trouble(&trouble, url)),
            }
        }
        latencies
    }

    fn sum_up(&self, parts: Vec<Part>, all: usize, progress: Progress) -> Result<(), Error> {
        let took = parts.iter().map(|part| part.took).max().unwrap_or_default();
        let latencies: Vec<u32> = parts.into_iter().flat_map(|part| part.latencies).collect();
        // Less code than a sort, and a million take a tenth of a second.
        let latencies = BinaryHeap::from(latencies).into_sorted_vec();
        let at = |percent: usize| {
            let place = latencies.len().saturating_mul(percent) / 100;
            let micros = latencies.get(place).copied().unwrap_or(0);
            seconds(Duration::from_micros(u64::from(micros)))
        };
        let errors = progress.errors.into_inner();
        print(&format!(
            "{} of {all} requests on {} connections in {}: {}/s, p50 {}, p99 {}, {errors} errors\n",
            latencies.len().saturating_add(errors),
            self.connections,
            seconds(took),
            rate(latencies.len(), took),
            at(50),
            at(99),
        ));
        match locked(&progress.first_error).take() {
            None => Ok(()),
            Some(error) => Err(Error::Backend(format!("the first error was: {error}"))),
        }
    }
}

impl Progress {
    fn fail(&self, error: String) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        locked(&self.first_error).get_or_insert(error);
    }

    /// A line that takes the place of the one before.
    fn show(&self, all: usize, elapsed: Duration) {
        let begun = self.begun.load(Ordering::Relaxed).min(all);
        let errors = self.errors.load(Ordering::Relaxed);
        let rate = rate(begun, elapsed);
        show(&format!(
            "\r\x1b[K{begun} of {all}, {rate}/s, {errors} errors"
        ));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rate(count: usize, elapsed: Duration) -> u64 {
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    count
        .saturating_mul(1_000_000)
        .checked_div(micros)
        .unwrap_or(0)
}

/// On standard error, which a summary in a file does not go to.
fn show(text: &str) {
    let _: io::Result<()> = io::stderr().write_all(text.as_bytes());
}
