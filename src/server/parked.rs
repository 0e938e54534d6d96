//! Connections without a thread. If no thread can be started (`TasksMax=`, `ulimit -u`), a connection is parked here
//! until the head of its request has arrived and a thread is free. So clients that send nothing, or send slowly, need
//! no thread, and the threads that exist serve the others.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection_table::Slot;
use super::limits::Limits;
use crate::http::{self, Head};

/// The time between two checks of the parked connections.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The time between two checks is at least this many times as long as a check takes, so that checks need a fifth of a
/// processor at most.
const PAUSE_FACTOR: u32 = 4;

#[derive(Default)]
pub(super) struct ParkedConnections<'t> {
    list: Mutex<List<'t>>,
    /// The length of the list, so that threads usually need no lock.
    count: AtomicUsize,
}

#[derive(Default)]
struct List<'t> {
    connections: Vec<Parked<'t>>,
    next_poll: Option<Instant>,
    /// Holds the input of one connection during its check.
    buffer: Vec<u8>,
}

struct Parked<'t> {
    slot: Slot<'t>,
    since: Instant,
    /// When the first input was found.
    begun_at: Option<Instant>,
    /// When a complete head was found.
    ready_since: Option<Instant>,
}

impl<'t> ParkedConnections<'t> {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Parks a connection.
    pub(super) fn push(&self, slot: Slot<'t>, limits: &Limits) {
        slot.set_parked();
        // If this fails, a check may block for as long as a thread that reads a request.
        let _: io::Result<()> = slot.stream().set_nonblocking(true);
        let mut parked = Parked { slot, since: Instant::now(), begun_at: None, ready_since: None };
        let mut list = self.list();
        list.buffer.resize(http::limits::HEAD, 0);
        if parked.check(limits, &mut list.buffer) {
            list.connections.push(parked);
            self.count.store(list.connections.len(), Ordering::Release);
        }
    }

    /// Checks the connections if that is due. Ends those that were closed or evicted, and those whose time is over.
    /// Returns since when a request has waited for a thread; `None` if none waits.
    pub(super) fn poll(&self, limits: &Limits) -> Option<Instant> {
        if self.is_empty() {
            return None;
        }
        let mut list = self.list();
        let start = Instant::now();
        if list.next_poll.is_none_or(|next| next <= start) {
            let List { connections, buffer, .. } = &mut *list;
            connections.retain_mut(|parked| parked.check(limits, buffer));
            self.count.store(connections.len(), Ordering::Release);
            let pause = POLL_INTERVAL.max(start.elapsed() * PAUSE_FACTOR);
            list.next_poll = Some(Instant::now() + pause);
        }
        list.connections.iter().find_map(|parked| parked.ready_since)
    }

    /// Removes the first connection whose head is complete.
    pub(super) fn take_ready(&self) -> Option<Slot<'t>> {
        let mut list = self.list();
        let index = list.connections.iter().position(|parked| parked.ready_since.is_some())?;
        let Parked { slot, .. } = list.connections.remove(index);
        self.count.store(list.connections.len(), Ordering::Release);
        slot.set_waiting(Instant::now(), false);
        slot.stream().set_nonblocking(false).ok()?;
        Some(slot)
    }

    fn list(&self) -> MutexGuard<'_, List<'t>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parked<'_> {
    /// Checks for input. Returns whether the connection stays open.
    fn check(&mut self, limits: &Limits, buffer: &mut [u8]) -> bool {
        if self.slot.is_evicted() {
            return false;
        }
        if self.ready_since.is_some() {
            return true;
        }
        match self.slot.stream().peek(buffer) {
            Ok(0) => return false,
            Ok(count) => {
                let now = Instant::now();
                self.begun_at.get_or_insert(now);
                // A thread also answers an invalid head.
                let is_incomplete = matches!(Head::parse(&buffer[..count]), Ok(None));
                self.ready_since = (!is_incomplete).then_some(now);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return error.kind() == io::ErrorKind::Interrupted,
        }
        let is_late = self.begun_at.map(|begun_at| begun_at.elapsed() >= limits.head);
        !is_late.unwrap_or_else(|| self.since.elapsed() >= limits.idle)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::super::connection_table::ConnectionTable;
    use super::*;

    #[test]
    fn the_head_limit_begins_with_the_first_byte_and_the_idle_limit_ends_there() {
        const HOUR: Duration = Duration::from_secs(3600);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for (bytes, head, idle, stays) in [
            ("", Duration::ZERO, HOUR, true),
            ("", HOUR, Duration::ZERO, false),
            ("POST /wx", Duration::ZERO, HOUR, false),
            ("POST /wx", HOUR, Duration::ZERO, true),
        ] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            client.write_all(bytes.as_bytes()).unwrap();
            let (served, peer) = listener.accept().unwrap();
            let (table, limits) =
                (ConnectionTable::default(), Limits { head, idle, ..Limits::default() });
            let parked = ParkedConnections::default();
            parked.push(table.take_slot(1, served, peer, &|| ()).unwrap(), &limits);
            assert_eq!(!parked.is_empty(), stays, "{bytes:?} {head:?} {idle:?}");
        }
    }
}
