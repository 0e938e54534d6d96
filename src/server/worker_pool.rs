//! The threads of the server. Several block in `accept`, and each serves the connection it accepted to its end.
//!
//! If few threads are idle, a thread starts another one before it serves, so one always accepts. Surplus idle threads
//! end. Compared with a thread spawned per connection, this gives about 1.5 times the connections per second and needs
//! no queue.
//!
//! Safe Rust cannot catch a signal, so a server is stopped through its [`Handle`]: `accept` returns after each tick,
//! and the threads end once the backlog is empty. An inherited socket is never shut down and its backlog is left alone:
//! a shutdown affects every process that holds the socket.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::clock::now;
use super::connection::{self, Buffers, Context};
use super::handle::{Handle, ServerState};
use super::handler::Handler;
use super::limits::Limits;
use super::listener::{self, Listener};
use super::log::{Event, Throttle};
use super::systemd::Watchdog;
use crate::text::log_note::Report;

/// Idle threads that are kept for a burst. A thread that has answered costs about 18 KiB.
const IDLE_MAX: usize = 32;

/// With fewer idle threads than this, a thread that accepts a connection starts another one first. It must be at least
/// one. With a few, hundreds of connections at once, more than the 128 in the kernel's backlog, do not wait for threads
/// to start one by one.
const IDLE_MIN: usize = 8;

/// Address space of a thread's stack. Only pages that are used cost memory. The parsers here and roxmltree's do not
/// recurse, so no message can make them use more of the stack.
const STACK: usize = 256 * 1024;

/// The pause after an `accept` that failed for lack of descriptors or memory.
const BACKOFF: Duration = Duration::from_millis(100);

/// The errors of `accept` for lack of descriptors or memory: ENOMEM, ENFILE, EMFILE and ENOBUFS on Linux.
/// `io::ErrorKind` does not distinguish them.
const EXHAUSTED: [i32; 4] = [12, 23, 24, 105];

/// The timeout of `accept`. After each tick a thread checks whether the server is closing, whether a watchdog ping is
/// due, and whether there are more idle threads than needed.
const TICK: Duration = Duration::from_millis(500);

/// Serves the listener until the handle stops it. Log lines go to `report`.
///
/// # Errors
/// If the first thread cannot be started, or the socket's timeout cannot be set. After that, only the handle ends the
/// server.
pub fn serve(
    listener: Listener,
    limits: Limits,
    handle: &Handle,
    watchdog: Option<&Watchdog>,
    report: Report,
    handler: impl Handler,
) -> io::Result<()> {
    let state = handle.state();
    let on_error = |error| {
        // Without threads this returns at once.
        state.end(state.drain(Instant::now(), Duration::ZERO, || ()));
        error
    };
    let Listener { socket, is_shared } = listener;
    let as_stream = listener::as_stream(&socket).map_err(on_error)?;
    as_stream.set_read_timeout(Some(TICK)).map_err(on_error)?;
    let pool = WorkerPool {
        listener: Mutex::new(Some(Arc::new(socket))),
        shared_socket: is_shared.then_some(as_stream),
        context: Context { limits, handler, state, report },
        state,
        watchdog,
        failures: Throttle::default(),
        limit_reached: Throttle::default(),
    };
    thread::scope(|scope| {
        pool.start_thread(scope).map_err(on_error)?;
        let since = state.wait_for_stop();
        let report = state.drain(since, limits.drain, || pool.stop_accepting());
        drop(pool.listener_slot().take());
        if let Some(socket) = &pool.shared_socket {
            let _: io::Result<()> = socket.set_read_timeout(None);
        }
        state.end(report);
        Ok(())
    })
}

struct WorkerPool<'h, H> {
    /// `None` after the last thread has stopped accepting.
    listener: Mutex<Option<Arc<TcpListener>>>,
    /// The same socket if others hold it too. Other owners may change its timeout, so this server sets it before each
    /// `accept`.
    shared_socket: Option<TcpStream>,
    context: Context<'h, H>,
    state: &'h ServerState,
    watchdog: Option<&'h Watchdog>,
    failures: Throttle,
    limit_reached: Throttle,
}

impl<H: Handler> WorkerPool<'_, H> {
    fn start_thread<'s>(&'s self, scope: &'s Scope<'s, '_>) -> io::Result<()> {
        self.state.add_idle_thread();
        let started =
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || self.run_thread(scope));
        if started.is_err() {
            self.state.remove_idle_thread();
        }
        started.map(drop)
    }

    fn run_thread<'s>(&'s self, scope: &'s Scope<'s, '_>) {
        let mut buffers = Buffers::default();
        while let Some(idle_max) = self.accept_and_serve(scope, &mut buffers) {
            if self.state.remove_surplus_idle_thread(idle_max) {
                return;
            }
        }
        // The last idle thread closes the listener. Its backlog is empty, or is left to the other owners.
        if self.state.remove_idle_thread() == 1 {
            drop(self.listener_slot().take());
        }
    }

    /// Accepts a connection and serves it, or waits for one in vain. Returns how many idle threads to keep; `None` if
    /// the server is closing.
    fn accept_and_serve<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        buffers: &mut Buffers,
    ) -> Option<usize> {
        let listener = self.listener_slot().clone()?;
        if let Some(socket) = &self.shared_socket {
            let _: io::Result<()> = socket.set_read_timeout(Some(TICK));
        }
        let accepted = listener.accept();
        self.ping();
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if self.shared_socket.is_some() {
                    // Another owner may have made the socket non-blocking.
                    let _: io::Result<()> = listener.set_nonblocking(false);
                }
                return (!self.state.is_closing()).then_some(IDLE_MIN);
            }
            Err(error) => {
                self.handle_accept_error(error);
                return Some(IDLE_MAX);
            }
        };
        // A thread that serves must not keep the listener open.
        drop(listener);
        if listener::prepare(&stream, &self.context.limits).is_err() {
            // The client has closed the connection already.
            return Some(IDLE_MAX);
        }
        let limit = self.context.limits.connections.max(1);
        let on_wait = || {
            self.ping();
            self.log(&self.limit_reached, Event::ConnectionLimitReached { limit });
        };
        let table = &self.state.table;
        let slot = table.take_slot(limit, stream, peer, &on_wait)?;
        if self.state.remove_idle_thread() <= IDLE_MIN
            && !self.leaves_backlog()
            && let Err(error) = self.start_thread(scope)
        {
            self.log(&self.failures, Event::ThreadFailed { error });
            // The thread of the evicted connection will accept. If none can be evicted, this thread has to accept
            // instead of serving.
            if !table.make_room() {
                self.state.add_idle_thread();
                drop(slot);
                thread::sleep(BACKOFF);
                return Some(IDLE_MAX);
            }
        }
        let serve = || connection::serve(&slot, &self.context, buffers);
        if panic::catch_unwind(AssertUnwindSafe(serve)).is_err() {
            self.state.counters.count_panic();
            (self.context.report)(&Event::HandlerPanicked.note().to_string());
            *buffers = Buffers::default();
        }
        self.state.add_idle_thread();
        drop(slot);
        (!self.leaves_backlog()).then_some(IDLE_MAX)
    }

    /// Whether the connections in the backlog are left to the next owner of the socket.
    fn leaves_backlog(&self) -> bool {
        self.shared_socket.is_some() && self.state.is_closing()
    }

    /// Makes threads end as soon as the backlog is empty.
    fn stop_accepting(&self) {
        if self.shared_socket.is_none()
            && let Some(listener) = &*self.listener_slot()
        {
            // If this fails, the threads end after a tick without connections.
            let _: io::Result<()> = listener.set_nonblocking(true);
        }
    }

    /// Tells the watchdog that this thread accepts connections, or would if there were a free slot.
    fn ping(&self) {
        if let Some(watchdog) = self.watchdog {
            watchdog.ping();
        }
    }

    fn listener_slot(&self) -> MutexGuard<'_, Option<Arc<TcpListener>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No failed `accept` ends the server. For lack of descriptors or memory, a waiting connection is evicted. After
    /// any other error the thread tries again a little later.
    fn handle_accept_error(&self, error: io::Error) {
        use io::ErrorKind::{ConnectionAborted, Interrupted};
        if matches!(error.kind(), ConnectionAborted | Interrupted) {
            return;
        }
        let code = error.raw_os_error();
        let is_exhausted = code.is_some_and(|code| EXHAUSTED.contains(&code));
        self.log(&self.failures, Event::AcceptFailed { error });
        if !(is_exhausted && self.state.table.make_room()) {
            thread::sleep(BACKOFF);
        }
    }

    fn log(&self, throttle: &Throttle, event: Event) {
        if throttle.permits(now()) {
            (self.context.report)(&event.note().to_string());
        }
    }
}
