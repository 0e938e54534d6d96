//! `wechat replay --repeat N --connections C`: the same requests again and again, and how fast they are
//! answered.

use std::collections::BinaryHeap;
use std::io::{self, IsTerminal, Write};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::Error;
use super::output::print;
use super::usage::UsageError;
use crate::client::{BodyEnd, Client};
use crate::http::Url;
use crate::simulator::{PATIENCE, of_content, of_trouble};
use crate::text::display::format_duration;

/// Requests in all: four bytes are kept of each.
pub(super) const REQUESTS_MAX: usize = 1_000_000;

/// Connections at once, each with a thread.
pub(super) const CONNECTIONS_MAX: usize = 1_000;

/// So many errors end it: a backend that is gone is not asked a million times more.
const ERRORS_MAX: usize = 100;

/// And so many answers that do not come in time, each of which takes [`PATIENCE`].
const TIMEOUTS_MAX: usize = 10;

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
    done: AtomicUsize,
    errors: AtomicUsize,
    timeouts: AtomicUsize,
    first_error: Mutex<Option<String>>,
}

/// What one connection has come to.
struct Part {
    /// Microseconds of each answer.
    latencies: Vec<u32>,
    /// How many requests it sent twice ([`Client::sent_again`]).
    sent_again: usize,
    /// From the beginning of all to its own end.
    took: Duration,
}

impl Load<'_> {
    /// Sends all of it and prints a summary. An answer with another status than the expected one is an
    /// error, as is one that is not whole, or none.
    pub(super) fn run(&self, client: &Client, url: &Url) -> Result<(), Error> {
        let all = self.requests.len().saturating_mul(self.repeat);
        if all > REQUESTS_MAX {
            let most = REQUESTS_MAX;
            return Err(UsageError::TooManyRequests { all, most }.into());
        }
        let progress = Progress::default();
        let begun = Instant::now();
        let parts: Vec<Part> = thread::scope(|scope| {
            let send = || {
                let mut client = client.another();
                let latencies = self.send(&mut client, url, all, &progress);
                Part {
                    latencies,
                    sent_again: client.sent_again,
                    took: begun.elapsed(),
                }
            };
            let mut connections = Vec::new();
            for _ in 0..self.connections.min(all) {
                match thread::Builder::new().spawn_scoped(scope, send) {
                    Ok(connection) => connections.push(connection),
                    Err(error) => {
                        progress.note(format!("no thread for another connection: {error}"));
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
            let joined = |connection: ScopedJoinHandle<'_, Part>| {
                connection
                    .join()
                    .unwrap_or_else(|panic| resume_unwind(panic))
            };
            connections.into_iter().map(joined).collect()
        });
        sum_up(parts, all, progress)
    }

    /// One connection: takes the next request until there are none, and returns how many microseconds
    /// each answer took.
    fn send(&self, client: &mut Client, url: &Url, all: usize, progress: &Progress) -> Vec<u32> {
        let mut latencies = Vec::new();
        while progress.is_hopeful() {
            let number = progress.begun.fetch_add(1, Ordering::Relaxed);
            let at = number.checked_rem(self.requests.len());
            let Some((request, status)) = at.and_then(|at| self.requests.get(at)) else {
                break;
            };
            if number >= all {
                break;
            }
            match client.exchange(request, PATIENCE) {
                Ok(answer) if answer.end != BodyEnd::Whole => {
                    if answer.end == BodyEnd::Timeout {
                        progress.timeouts.fetch_add(1, Ordering::Relaxed);
                    }
                    progress.fail(of_content(&answer).unwrap_or_default());
                }
                Ok(answer) if answer.head.status == *status => {
                    latencies.push(u32::try_from(answer.took.as_micros()).unwrap_or(u32::MAX));
                }
                Ok(answer) => {
                    progress.fail(format!("status {}, {status} expected", answer.head.status));
                }
                Err(trouble) => {
                    if trouble.is_timeout() {
                        progress.timeouts.fetch_add(1, Ordering::Relaxed);
                    }
                    progress.fail(of_trouble(&trouble, url));
                }
            }
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
        latencies
    }
}

fn sum_up(parts: Vec<Part>, all: usize, progress: Progress) -> Result<(), Error> {
    let connections = parts.len();
    let took = parts.iter().map(|part| part.took).max().unwrap_or_default();
    let sent_again: usize = parts.iter().map(|part| part.sent_again).sum();
    let latencies: Vec<u32> = parts.into_iter().flat_map(|part| part.latencies).collect();
    // Less code than a sort, and a million take a tenth of a second.
    let latencies = BinaryHeap::from(latencies).into_sorted_vec();
    let errors = progress.errors.into_inner();
    let again = match sent_again {
        0 => String::new(),
        _ => format!(", {sent_again} sent again on a new connection"),
    };
    print(format!(
        "{} of {all} requests on {connections} connections in {}: {}/s, p50 {}, p99 {}, {errors} errors{again}\n",
        progress.done.into_inner(),
        format_duration(took),
        rate(latencies.len(), took),
        shown(&latencies, 50),
        shown(&latencies, 99),
    ))?;
    match locked(&progress.first_error).take() {
        None => Ok(()),
        Some(first) => Err(Error::Load { errors, first }),
    }
}

/// Of sorted numbers the least that so many of a hundred do not exceed.
pub(super) fn percentile(sorted: &[u32], percent: usize) -> Option<u32> {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// The microseconds within which so many of a hundred answers came, as a person reads them.
fn shown(sorted: &[u32], percent: usize) -> String {
    let micros = percentile(sorted, percent).unwrap_or(0);
    format_duration(Duration::from_micros(u64::from(micros)))
}

impl Progress {
    fn is_hopeful(&self) -> bool {
        self.errors.load(Ordering::Relaxed) < ERRORS_MAX
            && self.timeouts.load(Ordering::Relaxed) < TIMEOUTS_MAX
    }

    fn fail(&self, error: String) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        self.note(error);
    }

    fn note(&self, error: String) {
        locked(&self.first_error).get_or_insert(error);
    }

    /// A line that takes the place of the one before.
    fn show(&self, all: usize, elapsed: Duration) {
        let done = self.done.load(Ordering::Relaxed);
        let errors = self.errors.load(Ordering::Relaxed);
        let rate = rate(done, elapsed);
        show(&format!(
            "\r\x1b[K{done} of {all}, {rate}/s, {errors} errors"
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

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_is_the_least_that_so_many_do_not_exceed() {
        assert_eq!(percentile(&[10, 20], 50), Some(10));
        assert_eq!(percentile(&[10, 20], 99), Some(20));
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}
