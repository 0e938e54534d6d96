//! `wechat replay --repeat N --connections C`: the same requests again and again, and how fast they are
//! answered.

use std::collections::BinaryHeap;
use std::io::{self, IsTerminal, Write};
use std::mem::take;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
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

/// What the connections have seen together.
#[derive(Default)]
struct Seen {
    begun: AtomicUsize,
    done: AtomicUsize,
    errors: AtomicUsize,
    is_over: AtomicBool,
    first_error: Mutex<Option<String>>,
    /// Microseconds of each answer.
    latencies: Mutex<Vec<u32>>,
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
        let seen = Seen::default();
        let begun = Instant::now();
        thread::scope(|scope| {
            let work: Vec<_> = (0..self.connections.min(all))
                .map_while(|_| {
                    let send = || self.send(client.another(), url, all, &seen);
                    let thread = thread::Builder::new().spawn_scoped(scope, send);
                    thread
                        .map_err(|error| {
                            seen.report(format!("no thread for a connection: {error}"))
                        })
                        .ok()
                })
                .collect();
            if io::stderr().is_terminal() {
                while work.iter().any(|thread| !thread.is_finished()) {
                    thread::sleep(PROGRESS);
                    show_progress(&seen, all, begun.elapsed());
                }
                show("\r\x1b[K");
            }
        });
        summary(&seen, all, self.connections, begun.elapsed())
    }

    /// One connection: takes the next request until there are none.
    fn send(&self, mut client: Client, url: &Url, all: usize, seen: &Seen) {
        let mut latencies = Vec::new();
        while !seen.is_over.load(Ordering::Relaxed) {
            let number = seen.begun.fetch_add(1, Ordering::Relaxed);
            let Some((request, status)) = number
                .checked_rem(self.requests.len())
                .and_then(|at| self.requests.get(at))
            else {
                break;
            };
            if number >= all {
                break;
            }
            let error = match client.exchange(request, PATIENCE) {
                Ok(answer) if answer.head.status == *status && answer.end == End::Whole => {
                    latencies.push(u32::try_from(answer.took.as_micros()).unwrap_or(u32::MAX));
                    None
                }
                Ok(answer) if answer.end == End::Whole => {
                    Some(format!("status {}, {status} expected", answer.head.status))
                }
                Ok(_) => Some("an answer that is not whole".to_owned()),
                Err(trouble) => Some(of_trouble(&trouble, url)),
            };
            seen.done.fetch_add(1, Ordering::Relaxed);
            if let Some(error) = error {
                seen.report(error);
                if seen.errors.fetch_add(1, Ordering::Relaxed) >= ERRORS_MAX {
                    seen.is_over.store(true, Ordering::Relaxed);
                }
            }
        }
        locked(&seen.latencies).append(&mut latencies);
    }
}

impl Seen {
    fn report(&self, error: String) {
        locked(&self.first_error).get_or_insert(error);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
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

fn show_progress(seen: &Seen, all: usize, elapsed: Duration) {
    let done = seen.done.load(Ordering::Relaxed);
    let errors = seen.errors.load(Ordering::Relaxed);
    let rate = rate(done, elapsed);
    show(&format!(
        "\r\x1b[K{done} of {all}, {rate}/s, {errors} errors"
    ));
}

/// On standard error, which a summary in a file does not go to.
fn show(text: &str) {
    let _: io::Result<()> = io::stderr().write_all(text.as_bytes());
}

fn summary(seen: &Seen, all: usize, connections: usize, elapsed: Duration) -> Result<(), Error> {
    // Less code than a sort, and a million take a tenth of a second.
    let latencies = BinaryHeap::from(take(&mut *locked(&seen.latencies))).into_sorted_vec();
    let at = |percent: usize| {
        let place = latencies.len().saturating_mul(percent) / 100;
        let latency = latencies.get(place).or(latencies.last());
        seconds(Duration::from_micros(u64::from(
            latency.copied().unwrap_or(0),
        )))
    };
    let (done, errors) = (
        seen.done.load(Ordering::Relaxed),
        seen.errors.load(Ordering::Relaxed),
    );
    print(&format!(
        "{done} of {all} requests on {connections} connections in {}: {}/s, p50 {}, p99 {}, {errors} errors\n",
        seconds(elapsed),
        rate(latencies.len(), elapsed),
        at(50),
        at(99),
    ));
    match locked(&seen.first_error).take() {
        None => Ok(()),
        Some(error) => Err(Error::Backend(format!("the first error was: {error}"))),
    }
}
