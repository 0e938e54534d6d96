//! The threads of the server. Several threads block in `accept`. Each thread serves the connection that it accepted
//! until the connection ends.
//!
//! If few threads are idle, a thread starts another thread before it serves its connection, so that there is always a
//! thread that accepts. Surplus idle threads end. This handles about 1.5 times as many connections per second as one
//! new thread per connection, and needs no queue.
//!
//! If no thread can be started, new connections are parked. A thread takes a parked connection when the head of its
//! request has arrived. The last idle thread continues to accept instead, and evicts connections that wait for their
//! client, so that other threads become idle.
//!
//! Safe Rust cannot catch a signal, so a server is stopped through its [`Handle`]. `accept` returns after each
//! [`TICK`], so that the threads notice the stop. They end once the backlog is empty. A shared socket is never shut
//! down, because a shutdown affects every process that holds the socket. Its backlog is left to the other owners.

use std::cell::OnceCell;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::clock::now;
use super::connection::{self, Buffers, Context};
use super::connection_table::Slot;
use super::handle::{Handle, ServerState};
use super::handler::Handler;
use super::limits::Limits;
use super::listener::{self, Listener};
use super::log::{LogEvent, Throttle};
use super::parked::{self, ParkedConnections};
use super::systemd::Watchdog;
use crate::text::log_note::Report;

/// Maximum idle threads while connections arrive. They are kept for a burst of connections. A thread that has served a
/// request needs about 18 KiB.
const IDLE_MAX: usize = 32;

/// If fewer other threads than this are idle, a thread that has accepted a connection starts another thread before it
/// serves. This must be at least 1. With a few more, a burst of hundreds of connections (the kernel's backlog holds
/// 128) does not wait for threads that start one after another. It is also the number of idle threads that are kept
/// while no connections arrive.
const IDLE_MIN: usize = 8;

/// Bytes of a thread's stack. Only pages that are used need memory. No parser that reads messages recurses, so no
/// message can overflow the stack.
const STACK: usize = 256 * 1024;

/// The pause after an `accept` that failed for lack of descriptors or memory.
const BACKOFF: Duration = Duration::from_millis(100);

/// The error numbers of `accept` for lack of descriptors or memory (ENOMEM, ENFILE, EMFILE and ENOBUFS on Linux).
/// `io::ErrorKind` does not distinguish them.
const EXHAUSTED: [i32; 4] = [12, 23, 24, 105];

/// The timeout of `accept`, unless connections are parked. After each tick a thread checks whether the server is
/// closing, whether a watchdog ping is due, and whether there are more idle threads than needed.
const TICK: Duration = Duration::from_millis(500);

/// Serves the listener until the handle stops it. Log lines go to `report`.
///
/// # Errors
/// The first thread cannot be started, or the socket's timeout cannot be set. Later errors do not end the server.
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
        // `drain` returns at once, because the server has no threads.
        state.end(state.drain(Instant::now(), Duration::ZERO, || ()));
        error
    };
    let Listener { socket, is_shared } = listener;
    let as_stream = listener::as_stream(&socket).map_err(on_error)?;
    as_stream.set_read_timeout(Some(TICK)).map_err(on_error)?;
    let pool = WorkerPool {
        listener: Mutex::new(Some(Arc::new(socket))),
        shared_socket: is_shared.then_some(as_stream),
        parked: ParkedConnections::default(),
        is_polling: AtomicBool::new(false),
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
    /// The same socket, if it is shared. Other owners may change its timeout, so this server sets the timeout before
    /// each `accept`.
    shared_socket: Option<TcpStream>,
    parked: ParkedConnections<'h>,
    /// Whether the timeout of `accept` is the poll interval of the parked connections.
    is_polling: AtomicBool,
    context: Context<'h, H>,
    state: &'h ServerState,
    watchdog: Option<&'h Watchdog>,
    failures: Throttle,
    limit_reached: Throttle,
}

impl<'h, H: Handler> WorkerPool<'h, H> {
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
        // The last idle thread closes the listener. The backlog is empty, or is left to the other owners of the socket.
        if self.state.remove_idle_thread() == 1 {
            drop(self.listener_slot().take());
        }
    }

    /// Accepts a connection and serves or parks it, or returns after a tick without a connection. Returns how many idle
    /// threads to keep; `None` if the server is closing.
    fn accept_and_serve<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        buffers: &mut Buffers,
    ) -> Option<usize> {
        let ready_since = self.parked.poll(&self.context.limits);
        if ready_since.is_some()
            && let Some(slot) = self.take_parked()
        {
            return self.serve(slot, buffers);
        }
        if self.state.has_left_backlog() {
            return self.wait_for_parked();
        }
        let listener = self.listener_slot().clone()?;
        self.set_accept_timeout(&listener);
        let accepted = listener.accept();
        let (stream, peer) = match accepted {
            Ok(accepted) => {
                self.ping(ready_since);
                accepted
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.ping(ready_since);
                if self.shared_socket.is_some() {
                    // Another owner may have made the socket non-blocking.
                    let _: io::Result<()> = listener.set_nonblocking(false);
                }
                return match self.state.is_closing() {
                    true => self.wait_for_parked(),
                    false => Some(IDLE_MIN),
                };
            }
            Err(error) => {
                self.handle_accept_error(error);
                return Some(IDLE_MAX);
            }
        };
        // While this thread serves a connection, it must not keep the listener open.
        drop(listener);
        if listener::prepare(&stream, &self.context.limits).is_err() {
            // The client has closed the connection already.
            return Some(IDLE_MAX);
        }
        let limit = self.context.limits.connections.max(1);
        let waiting_since = OnceCell::new();
        let on_wait = || {
            self.ping(Some(*waiting_since.get_or_init(Instant::now)));
            self.log(&self.limit_reached, LogEvent::ConnectionLimitReached { limit });
        };
        let slot = self.state.table.take_slot(limit, stream, peer, &on_wait)?;
        let idle = self.state.remove_idle_thread();
        if idle <= IDLE_MIN
            && !self.leaves_backlog()
            && let Err(error) = self.start_thread(scope)
        {
            self.log(&self.failures, LogEvent::ThreadFailed { error });
            self.state.add_idle_thread();
            self.parked.push(slot, &self.context.limits);
            return Some(IDLE_MAX);
        }
        self.serve(slot, buffers)
    }

    /// Serves a connection until it ends. This thread is not counted as idle. Returns how many idle threads to keep;
    /// `None` if the server is closing.
    fn serve(&self, slot: Slot<'_>, buffers: &mut Buffers) -> Option<usize> {
        let serve = || connection::serve(&slot, &self.context, buffers);
        if panic::catch_unwind(AssertUnwindSafe(serve)).is_err() {
            self.state.counters.count_panic();
            (self.context.report)(&LogEvent::HandlerPanicked.note().to_string());
            *buffers = Buffers::default();
        }
        self.state.add_idle_thread();
        drop(slot);
        (!self.leaves_backlog() || !self.parked.is_empty()).then_some(IDLE_MAX)
    }

    /// Takes a parked connection whose head has arrived, if another thread is idle, or if there is no other thread.
    /// Otherwise evicts a connection, so that its thread becomes idle.
    fn take_parked(&self) -> Option<Slot<'h>> {
        loop {
            let is_only_thread = || self.state.table.usage().0 == self.parked.len();
            if self.state.remove_surplus_idle_thread(1)
                || (is_only_thread() && self.state.remove_surplus_idle_thread(0))
            {
                let slot = self.parked.take_ready();
                if slot.is_none() {
                    self.state.add_idle_thread();
                }
                return slot;
            }
            if !self.state.table.evict_one(true) {
                return None;
            }
        }
    }

    /// Waits for input of the parked connections after the last `accept`. Returns `None` if no connection is parked.
    fn wait_for_parked(&self) -> Option<usize> {
        if self.parked.is_empty() {
            return None;
        }
        thread::sleep(parked::POLL_INTERVAL);
        Some(IDLE_MIN)
    }

    /// Sets how long `accept` waits. Linux reads the timeout when `accept` begins.
    fn set_accept_timeout(&self, listener: &TcpListener) {
        let is_polling = !self.parked.is_empty();
        let timeout = if is_polling { parked::POLL_INTERVAL } else { TICK };
        let was_polling = self.is_polling.swap(is_polling, Ordering::AcqRel);
        let _: io::Result<()> = match &self.shared_socket {
            Some(socket) => socket.set_read_timeout(Some(timeout)),
            None if is_polling == was_polling => Ok(()),
            None => listener::as_stream(listener)
                .and_then(|socket| socket.set_read_timeout(Some(timeout))),
        };
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

    /// Tells the watchdog that connections are served, unless one has waited too long for a slot or a thread.
    fn ping(&self, waiting_since: Option<Instant>) {
        if let Some(watchdog) = self.watchdog {
            watchdog.ping(waiting_since);
        }
    }

    fn listener_slot(&self) -> MutexGuard<'_, Option<Arc<TcpListener>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles an error of `accept`, which never ends the server. If descriptors or memory are exhausted, a waiting
    /// connection is evicted. After any other error, or if no connection can be evicted, the thread pauses.
    fn handle_accept_error(&self, error: io::Error) {
        use io::ErrorKind::{ConnectionAborted, Interrupted};
        if matches!(error.kind(), ConnectionAborted | Interrupted) {
            return;
        }
        let code = error.raw_os_error();
        let is_exhausted = code.is_some_and(|code| EXHAUSTED.contains(&code));
        self.log(&self.failures, LogEvent::AcceptFailed { error });
        if !(is_exhausted && self.state.table.evict_one(false)) {
            thread::sleep(BACKOFF);
        }
    }

    fn log(&self, throttle: &Throttle, event: LogEvent) {
        if throttle.permits(now()) {
            (self.context.report)(&event.note().to_string());
        }
    }
}
