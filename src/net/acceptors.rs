//! The threads: several block in `accept`, and each serves the connection that it took to its end.
//!
//! Where few are idle, each starts another before it serves, so somebody always accepts; surplus idle
//! ones end. Against a thread spawned for each connection this is about 1.5 times the connections a
//! second, and needs no queue.

use std::io;
use std::net::TcpListener;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Scope};
use std::time::Duration;

use super::connection::{self, Buffers};
use super::log::{self, Throttle};
use super::peer::Peer;
use super::seats::Seats;
use super::{Limits, listener};
use crate::http::{Request, Response};

/// Idle threads that are kept for a burst. One costs about 6 KiB.
const IDLE_MAX: usize = 32;

/// Idle threads below which each that takes a connection starts another one first. It has to be one at
/// least; with a few, they do not have to wait for each other to be started when hundreds of connections
/// come at once, which is more than the 128 that the kernel queues for us.
const IDLE_MIN: usize = 8;

/// Address space of a thread's stack; only pages that are used cost memory. The parsers here and
/// roxmltree's do not recurse, so a message cannot use more of them by its shape.
const STACK: usize = 256 * 1024;

/// How long to hold off after an `accept` that failed for want of descriptors or memory.
const BACKOFF: Duration = Duration::from_millis(100);

/// What `accept` fails with when there are no descriptors or no memory left: ENOMEM, ENFILE, EMFILE
/// and ENOBUFS of Linux. `io::ErrorKind` does not tell them apart.
const EXHAUSTED: [i32; 4] = [12, 23, 24, 105];

/// Serves the listener for ever, each request with what `answer` makes of it: the request, who sent
/// it, and a buffer that the response may borrow from. `None` ends the connection.
///
/// # Errors
/// Where the first thread cannot be started. After that nothing ends it.
pub fn serve(
    listener: &TcpListener,
    limits: Limits,
    answer: impl for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>> + Sync,
) -> io::Result<()> {
    let acceptors = Acceptors {
        listener,
        limits,
        answer,
        seats: Seats::new(limits.connections.max(1)),
        idle: AtomicUsize::new(0),
        failures: Throttle::default(),
        crowds: Throttle::default(),
    };
    thread::scope(|scope| acceptors.start_one(scope))
}

struct Acceptors<'l, A> {
    listener: &'l TcpListener,
    limits: Limits,
    answer: A,
    seats: Seats,
    idle: AtomicUsize,
    failures: Throttle,
    crowds: Throttle,
}

impl<A: for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>> + Sync>
    Acceptors<'_, A>
{
    fn start_one<'s>(&'s self, scope: &'s Scope<'s, '_>) -> io::Result<()> {
        self.idle.fetch_add(1, Ordering::AcqRel);
        let started = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || self.accept_and_serve(scope));
        if started.is_err() {
            self.idle.fetch_sub(1, Ordering::AcqRel);
        }
        started.map(|_| ())
    }

    fn accept_and_serve<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        let mut buffers = Buffers::new();
        loop {
            let (stream, peer) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.survive(&error);
                    continue;
                }
            };
            if listener::prepare(&stream, &self.limits).is_err() {
                // Its peer is gone already.
                continue;
            }
            let seat = self.seats.take(stream, peer);
            if seat.was_crowded && self.crowds.permits(connection::now()) {
                let limit = self.limits.connections;
                log::event(
                    "crowded",
                    format_args!("all {limit} connections taken, the longest waiting one goes"),
                );
            }
            if self.idle.fetch_sub(1, Ordering::AcqRel) <= IDLE_MIN
                && let Err(error) = self.start_one(scope)
            {
                self.say_failure("thread", &error);
                // The thread of whoever leaves will accept. Where nobody can be made to, this one
                // has to go on accepting instead of serving.
                if !self.seats.make_room() {
                    self.idle.fetch_add(1, Ordering::AcqRel);
                    drop(seat);
                    thread::sleep(BACKOFF);
                    continue;
                }
            }
            let serve = || connection::serve(&seat, &self.limits, &mut buffers, &self.answer);
            if panic::catch_unwind(AssertUnwindSafe(serve)).is_err() {
                log::event(
                    "panic",
                    "the connection it happened on was closed, all others go on",
                );
                buffers = Buffers::new();
            }
            drop(seat);
            if self.idle.fetch_add(1, Ordering::AcqRel) >= IDLE_MAX {
                self.idle.fetch_sub(1, Ordering::AcqRel);
                return;
            }
        }
    }

    /// An `accept` that fails is never the end. Out of descriptors or memory, a waiting connection
    /// gives some back; whatever else it is, it is tried again a little later.
    fn survive(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, Interrupted};
        if matches!(error.kind(), ConnectionAborted | Interrupted) {
            return;
        }
        self.say_failure("accept", error);
        let is_exhausted = error
            .raw_os_error()
            .is_some_and(|code| EXHAUSTED.contains(&code));
        if !(is_exhausted && self.seats.make_room()) {
            thread::sleep(BACKOFF);
        }
    }

    fn say_failure(&self, cause: &str, error: &io::Error) {
        if self.failures.permits(connection::now()) {
            log::event(cause, error);
        }
    }
}
