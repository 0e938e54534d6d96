//! The threads: several block in `accept`, and each serves the connection that it took to its end.
//!
//! Where few are idle, each starts another before it serves, so somebody always accepts; surplus idle
//! ones end. Against a thread spawned for each connection this is about 1.5 times the connections a
//! second, and needs no queue.
//!
//! A signal cannot be caught in safe Rust, so a server is ended through its [`Handle`]: `accept` returns
//! now and then, those who called it see that it is time to leave, and they leave once nobody is waiting in
//! the socket's queue. A socket that others have too keeps its queue for them, and is never shut: it would
//! be so for its next owner as well.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::Limits;
use super::connection::{self, Buffers};
use super::handle::{Handle, Shared};
use super::listener::{self, Listener};
use super::log::{self, Throttle};
use super::peer::Peer;
use super::systemd::Watchdog;
use crate::http::{Request, Response};

/// Idle threads that are kept for a burst. One that has answered costs about 18 KiB.
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
    listener: Listener,
    limits: Limits,
    handle: &Handle,
    watchdog: Option<&Watchdog>,
    answer: impl for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>> + Sync,
) -> io::Result<()> {
    let shared = handle.shared();
    let Listener { socket, is_shared } = listener;
    let failed = |error| {
        shared.end(Instant::now(), 0, true);
        error
    };
    let waiting = listener::as_stream(&socket).map_err(failed)?;
    waiting.set_read_timeout(Some(TICK)).map_err(failed)?;
    let workers = WorkerPool {
        listener: Mutex::new(Some(Arc::new(socket))),
        shared_socket: is_shared.then_some(waiting),
        limits,
        answer,
        shared,
        watchdog,
        failures: Throttle::default(),
        crowds: Throttle::default(),
    };
    thread::scope(|scope| {
        workers.start_one(scope).map_err(failed)?;
        let since = shared.wait_for_stop();
        let (cut, is_whole) = shared.drain(since, limits.drain, || workers.close());
        drop(workers.locked_listener().take());
        if let Some(socket) = &workers.shared_socket {
            let _: io::Result<()> = socket.set_read_timeout(None);
        }
        shared.end(since, cut, is_whole);
        Ok(())
    })
}

struct WorkerPool<'h, A> {
    /// Nothing once the last one has left it.
    listener: Mutex<Option<Arc<TcpListener>>>,
    /// The same socket, where others have it too. They may set it to wait as they like, and so do we.
    shared_socket: Option<TcpStream>,
    limits: Limits,
    answer: A,
    shared: &'h Shared,
    watchdog: Option<&'h Watchdog>,
    failures: Throttle,
    crowds: Throttle,
}

impl<A: for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>> + Sync>
    WorkerPool<'_, A>
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
            if let Some(socket) = &self.shared_socket {
                let _: io::Result<()> = socket.set_read_timeout(Some(TICK));
            }
            let accepted = listener.accept();
            self.ping();
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.shared.is_closing() {
                        break;
                    }
                    if self.leave_if_more_than(IDLE_MIN) {
                        return;
                    }
                    if self.shared_socket.is_some() {
                        // Another owner may have set it so that `accept` does not wait at all.
                        let _: io::Result<()> = listener.set_nonblocking(false);
                    }
                    continue;
                }
                Err(error) => {
                    self.survive(&error);
                    continue;
                }
            };
            drop(listener);
            if listener::prepare(&stream, &self.limits).is_err() {
                // Its peer is gone already.
                continue;
            }
            let limit = self.limits.connections.max(1);
            let seats = &self.shared.seats;
            let Some(seat) = seats.take(limit, stream, peer, &|| self.ping()) else {
                break;
            };
            if seat.was_crowded && self.crowds.permits(connection::now()) {
                log::event(
                    "crowded",
                    format_args!("all {limit} connections taken, the longest waiting one goes"),
                );
            }
            if self.shared.idle.fetch_sub(1, Ordering::AcqRel) <= IDLE_MIN
                && !self.has_to_leave()
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
            self.shared.idle.fetch_add(1, Ordering::AcqRel);
            drop(seat);
            if self.leave_if_more_than(IDLE_MAX) {
                return;
            }
            if self.has_to_leave() {
                break;
            }
        }
        // It is time to leave, and the last one closes the door: nobody waits in the queue, or it is
        // left to the other owners.
        if self.shared.idle.fetch_sub(1, Ordering::AcqRel) == 1 {
            drop(self.locked_listener().take());
        }
    }

    /// Whether not even those are accepted any more who wait already: the next owner will.
    fn has_to_leave(&self) -> bool {
        self.shared_socket.is_some() && self.shared.is_closing()
    }

    /// From now on who accepts leaves where nobody waits to be accepted.
    fn close(&self) {
        if let Some(listener) = self.current_listener()
            && self.shared_socket.is_none()
        {
            // Where that fails, they leave when nobody has come for a tick.
            let _: io::Result<()> = listener.set_nonblocking(true);
        }
    }

    /// Tells the watchdog that connections are accepted, or would be if there was room.
    fn ping(&self) {
        if let Some(watchdog) = self.watchdog {
            watchdog.ping();
        }
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
