//! The threads: several block in `accept`, and each serves the connection that it took to its end.
//!
//! Where few are idle, each starts another before it serves, so somebody always accepts; surplus idle
//! ones end. Against a thread spawned for each connection this is about 1.5 times the connections a
//! second, and needs no queue.
//!
//! A signal cannot be caught in safe Rust, so a server is ended through its [`Handle`]: `accept` returns
//! now and then, those who called it see that it is time to leave, and the last one's leaving closes the
//! socket. It is never shut: one that was handed over would be so for its next owner too.

use std::io;
use std::net::TcpListener;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::connection::{self, Buffers};
use super::handle::{Handle, Shared};
use super::log::{self, Throttle};
use super::notify::Watchdog;
use super::peer::Peer;
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

/// How long `accept` waits: how soon it is noticed that the server is to stop, that the watchdog waits,
/// and that there are more idle threads than a quiet time needs.
const TICK: Duration = Duration::from_millis(500);

/// Serves the listener until the handle stops it, each request with what `answer` makes of it: the
/// request, who sent it, and a buffer that the response may borrow from. `None` ends the connection.
///
/// # Errors
/// Where the first thread cannot be started, or the socket cannot be set to wait for a limited time.
/// After that nothing ends it but the handle.
pub fn serve(
    listener: TcpListener,
    limits: Limits,
    handle: &Handle,
    watchdog: Option<&Watchdog>,
    answer: impl for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>> + Sync,
) -> io::Result<()> {
    let shared = handle.shared();
    let is_limited = listener::limit_waiting(&listener, TICK);
    let acceptors = Acceptors {
        listener: Mutex::new(Some(Arc::new(listener))),
        limits,
        answer,
        shared,
        watchdog,
        failures: Throttle::default(),
        crowds: Throttle::default(),
    };
    thread::scope(|scope| {
        if let Err(error) = is_limited.and_then(|()| acceptors.start_one(scope)) {
            shared.end(Instant::now(), 0);
            return Err(error);
        }
        let since = shared.wait_for_stop();
        drop(acceptors.locked_listener().take());
        let cut = shared.drain(since, limits.drain, watchdog);
        shared.end(since, cut);
        Ok(())
    })
}

struct Acceptors<'h, A> {
    /// Nothing once it is time to leave.
    listener: Mutex<Option<Arc<TcpListener>>>,
    limits: Limits,
    answer: A,
    shared: &'h Shared,
    watchdog: Option<&'h Watchdog>,
    failures: Throttle,
    crowds: Throttle,
}

impl<A: for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>> + Sync>
    Acceptors<'_, A>
{
    fn start_one<'s>(&'s self, scope: &'s Scope<'s, '_>) -> io::Result<()> {
        self.shared.idle.fetch_add(1, Ordering::AcqRel);
        let started = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || self.accept_and_serve(scope));
        if started.is_err() {
            self.shared.idle.fetch_sub(1, Ordering::AcqRel);
        }
        started.map(|_| ())
    }

    fn accept_and_serve<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        let mut buffers = Buffers::new();
        // Who serves holds no listener, or it would stay open for as long.
        while let Some(listener) = self.current_listener() {
            let accepted = listener.accept();
            drop(listener);
            if let Some(watchdog) = self.watchdog {
                watchdog.pat();
            }
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.leave_if_more_than(IDLE_MIN) {
                        return;
                    }
                    continue;
                }
                Err(error) => {
                    self.survive(&error);
                    continue;
                }
            };
            if listener::prepare(&stream, &self.limits).is_err() {
                // Its peer is gone already.
                continue;
            }
            let limit = self.limits.connections.max(1);
            let seat = self.shared.seats.take(limit, stream, peer);
            if seat.was_crowded && self.crowds.permits(connection::now()) {
                log::event(
                    "crowded",
                    format_args!("all {limit} connections taken, the longest waiting one goes"),
                );
            }
            if self.shared.idle.fetch_sub(1, Ordering::AcqRel) <= IDLE_MIN
                && !self.shared.is_stopping()
                && let Err(error) = self.start_one(scope)
            {
                self.say_failure("thread", &error);
                // The thread of whoever leaves will accept. Where nobody can be made to, this one
                // has to go on accepting instead of serving.
                if !self.shared.seats.make_room() {
                    self.shared.idle.fetch_add(1, Ordering::AcqRel);
                    drop(seat);
                    thread::sleep(BACKOFF);
                    continue;
                }
            }
            let serve =
                || connection::serve(&seat, &self.limits, self.shared, &mut buffers, &self.answer);
            if panic::catch_unwind(AssertUnwindSafe(serve)).is_err() {
                self.shared.count_panic();
                log::event(
                    "panic",
                    "the connection it happened on was closed, all others go on",
                );
                buffers = Buffers::new();
            }
            drop(seat);
            self.shared.idle.fetch_add(1, Ordering::AcqRel);
            if self.leave_if_more_than(IDLE_MAX) {
                return;
            }
        }
        self.shared.idle.fetch_sub(1, Ordering::AcqRel);
    }

    /// An idle thread less, where there are more than so many.
    fn leave_if_more_than(&self, count: usize) -> bool {
        let one_less = |idle: usize| (idle > count).then_some(idle.saturating_sub(1));
        self.shared
            .idle
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less)
            .is_ok()
    }

    fn current_listener(&self) -> Option<Arc<TcpListener>> {
        self.locked_listener().clone()
    }

    fn locked_listener(&self) -> MutexGuard<'_, Option<Arc<TcpListener>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
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
        if !(is_exhausted && self.shared.seats.make_room()) {
            thread::sleep(BACKOFF);
        }
    }

    fn say_failure(&self, cause: &str, error: &io::Error) {
        if self.failures.permits(connection::now()) {
            log::event(cause, error);
        }
    }
}
