//! The table of all open connections: a limited number of slots, and the rule that decides which connection is closed
//! when a new connection needs a slot.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection_state::{Connection, State};
use super::eviction::{self, Waiting};

/// The total number of slots, as a multiple of the connection limit.
///
/// The limit itself applies to connections that wait for their client, because anyone can open such connections. A
/// request that takes long to answer has a valid signature. WeChat sends a message up to three times, and the
/// connections of the first two tries may still be open when the third arrives.
const HARD_CAP_FACTOR: usize = 3;

/// A connection that has waited for less than this is not evicted, because its request may have arrived and may not
/// have been read yet. Threads that wait for a slot also check again after this time.
const EVICTION_GRACE: Duration = Duration::from_millis(20);

/// The table of all open connections.
///
/// Ten thousand silent connections cannot keep other clients out, whatever the timeouts are. At the limit, the
/// network with the most connections that wait for their client loses the connection that has waited longest. So a
/// client that opens many connections evicts its own, and a client with a long round-trip time keeps its only one.
///
/// A connection also waits for its client while the client sends a request or does not read the response, and more
/// bytes do not restart the waiting time. Connections whose request is being answered are never evicted. They are not
/// counted towards the limit, up to twice the limit.
#[derive(Default)]
pub(super) struct ConnectionTable {
    slots: Mutex<Slots>,
    slot_freed: Condvar,
}

#[derive(Default)]
struct Slots {
    connections: Vec<Arc<Connection>>,
    /// Accepted connections that wait for a slot.
    newcomers: usize,
    /// Evicted connections whose thread has not freed the slot yet.
    evicted: usize,
    /// Total number of evictions.
    evictions: u64,
    /// Threads that wait for `slot_freed`. If there are none, no notification is sent, because it would be a system
    /// call.
    waiting_threads: usize,
    is_closed: bool,
}

/// How the slot of an evicted connection becomes free.
#[derive(PartialEq, Eq)]
enum Eviction {
    /// The thread of the connection frees it soon.
    Ending,
    /// The connection was parked. The slot is free.
    Freed,
}

/// The slot of a connection, freed on drop.
pub(super) struct Slot<'t> {
    table: &'t ConnectionTable,
    connection: Arc<Connection>,
}

impl Slots {
    fn states(&self) -> impl Iterator<Item = (State, &Connection)> {
        let connections = self.connections.iter();
        connections.map(|connection| (*connection.state(), &**connection))
    }

    fn working(&self) -> usize {
        self.states().filter(|(state, _)| state.is_working()).count()
    }

    /// Whether there is no slot for another connection.
    fn is_full(&self, limit: usize) -> bool {
        let taken = self.connections.len();
        // The limit comes from outside and may be any number.
        let hard_cap = limit.saturating_mul(HARD_CAP_FACTOR);
        taken >= limit && (taken >= hard_cap || taken - self.working() >= limit)
    }

    /// The connections that wait for their client: all, or those that have a thread.
    fn waiting(&self, needs_thread: bool) -> impl Iterator<Item = Waiting<&Connection>> {
        self.states().filter_map(move |(state, connection)| {
            let (since, has_thread) = state.waiting()?;
            let address = connection.peer.ip();
            (has_thread || !needs_thread).then_some(Waiting { since, address, connection })
        })
    }

    /// Shuts down the connection that [`eviction::choose`] chooses, of all that wait or of those that have a thread.
    /// Returns `None` if none waits, or if the chosen connection has not waited for [`EVICTION_GRACE`]. Then no other
    /// connection is evicted, because all connections of a client that reconnects at once are young.
    fn evict(&mut self, needs_thread: bool) -> Option<Eviction> {
        while let Some(Waiting { since, connection, .. }) =
            eviction::choose(self.waiting(needs_thread))
            && since.elapsed() >= EVICTION_GRACE
        {
            let mut current = connection.state();
            // Its request may have arrived since the search.
            if let Some((current_since, has_thread)) = current.waiting()
                && current_since == since
            {
                *current = State::Evicted;
                connection.shut_down(Shutdown::Both);
                drop(current);
                let evicted: *const Connection = connection;
                self.evictions += 1;
                if has_thread {
                    self.evicted += 1;
                    return Some(Eviction::Ending);
                }
                self.connections.retain(|connection| !ptr::eq(Arc::as_ptr(connection), evicted));
                return Some(Eviction::Freed);
            }
        }
        None
    }
}

impl ConnectionTable {
    /// Takes a slot for a new connection. At the limit, evicts a connection, and waits until a slot is free. Calls
    /// `on_wait` after each wait. Returns `None` if the table is closed.
    pub(super) fn take_slot(
        &self,
        limit: usize,
        stream: TcpStream,
        peer: SocketAddr,
        on_wait: &dyn Fn(),
    ) -> Option<Slot<'_>> {
        let mut slots = self.slots();
        if slots.is_full(limit) {
            slots.newcomers += 1;
            while slots.is_full(limit) && !slots.is_closed {
                // Each newcomer needs one eviction. Each turn checks this again, because another newcomer may have
                // taken the free slot, or there was no connection to evict.
                if slots.evicted < slots.newcomers && slots.evict(false) == Some(Eviction::Freed) {
                    continue;
                }
                drop(self.wait_for_freed_slot(slots));
                on_wait();
                slots = self.slots();
            }
            slots.newcomers -= 1;
        }
        if slots.is_closed {
            return None;
        }
        let connection = Arc::new(Connection::new(stream, peer));
        slots.connections.push(Arc::clone(&connection));
        Some(Slot { table: self, connection })
    }

    /// Evicts a connection that waits for its client, to free its descriptor and memory. If `needs_thread`, evicts only
    /// a connection that has a thread. Waits briefly until the thread has freed the slot. Returns whether a connection
    /// was evicted.
    pub(super) fn evict_one(&self, needs_thread: bool) -> bool {
        let mut slots = self.slots();
        let eviction = slots.evict(needs_thread);
        if eviction == Some(Eviction::Ending) {
            drop(self.wait_for_freed_slot(slots));
        }
        eviction.is_some()
    }

    /// The number of open connections, and the number of connections whose request is being answered.
    pub(super) fn usage(&self) -> (usize, usize) {
        let slots = self.slots();
        (slots.connections.len(), slots.working())
    }

    /// The total number of evictions.
    pub(super) fn evictions(&self) -> u64 {
        self.slots().evictions
    }

    /// Whether a request that began before this time is still being received or answered.
    pub(super) fn has_request_from_before(&self, time: Instant) -> bool {
        self.slots().states().any(|(state, _)| match state {
            State::Waiting { since, is_mid_message } => is_mid_message && since < time,
            State::Working { since } => since < time,
            State::Parked { .. } | State::Evicted => false,
        })
    }

    /// Shuts down the input of the connections that have been silent for this long, so that their threads read the end
    /// of the input and end. A request that arrives at this moment can still be read, because Linux keeps bytes that
    /// arrive after the shutdown.
    pub(super) fn shut_silent(&self, silence: Duration) {
        let now = Instant::now();
        for (state, connection) in self.slots().states() {
            if !state.is_mid_message()
                && let Some((since, _)) = state.waiting()
                && now - since > silence
                && connection.input_shut_at.set(now).is_ok()
            {
                connection.shut_down(Shutdown::Read);
            }
        }
    }

    /// Shuts down all connections. The table gives out no more slots. Returns the number of requests that get no
    /// response.
    pub(super) fn close(&self) -> usize {
        let mut slots = self.slots();
        slots.is_closed = true;
        let mut unanswered = 0;
        for (state, connection) in slots.states() {
            connection.shut_down(Shutdown::Both);
            unanswered += usize::from(state.is_working() || state.is_mid_message());
        }
        unanswered
    }

    /// Waits until a slot is freed, but at most for [`EVICTION_GRACE`].
    pub(super) fn wait(&self) {
        drop(self.wait_for_freed_slot(self.slots()));
    }

    fn wait_for_freed_slot<'t>(&self, mut slots: MutexGuard<'t, Slots>) -> MutexGuard<'t, Slots> {
        slots.waiting_threads += 1;
        let waited = self.slot_freed.wait_timeout(slots, EVICTION_GRACE);
        let (mut slots, _) = waited.unwrap_or_else(PoisonError::into_inner);
        slots.waiting_threads -= 1;
        slots
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot<'_> {
    pub(super) fn stream(&self) -> &TcpStream {
        &self.connection.stream
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.connection.peer
    }

    /// Records that the server waits for the client since this time. `is_mid_message` tells whether a part of the
    /// response is not sent yet.
    pub(super) fn set_waiting(&self, since: Instant, is_mid_message: bool) {
        self.connection.set_state(State::Waiting { since, is_mid_message });
    }

    /// Records that a part of a request has arrived. The waiting time is not restarted, because the rest is still
    /// missing.
    pub(super) fn set_mid_message(&self) {
        if let State::Waiting { is_mid_message, .. } = &mut *self.connection.state() {
            *is_mid_message = true;
        }
    }

    /// Records that no thread reads the connection.
    pub(super) fn set_parked(&self) {
        self.connection.set_state(State::Parked { since: Instant::now() });
    }

    /// Records that a request is being answered since this time. Returns `false` if the connection was evicted, because
    /// then no response can be sent.
    #[must_use]
    pub(super) fn set_working(&self, since: Instant) -> bool {
        self.connection.set_state(State::Working { since })
    }

    pub(super) fn is_evicted(&self) -> bool {
        *self.connection.state() == State::Evicted
    }

    /// The time since the server shut down the input of this connection; `None` if it did not.
    pub(super) fn input_shut_for(&self) -> Option<Duration> {
        self.connection.input_shut_at.get().map(Instant::elapsed)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut slots = self.table.slots();
        let taken = slots.connections.len();
        slots.connections.retain(|connection| !Arc::ptr_eq(connection, &self.connection));
        // The slot of a parked connection may have been freed already.
        slots.evicted -= usize::from(slots.connections.len() < taken && self.is_evicted());
        if slots.waiting_threads > 0 {
            self.table.slot_freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::cell::Cell;
    use std::io::{self, Read};
    use std::net::TcpListener;

    use super::*;

    fn pair(listener: &TcpListener) -> (TcpStream, TcpStream, SocketAddr) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // If a connection is not shut down as it should be, the test fails instead of hanging.
        client.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let (served, peer) = listener.accept().unwrap();
        (client, served, peer)
    }

    #[test]
    fn evicts_the_longest_waiting_connection_and_never_a_working_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let table = ConnectionTable::default();
        let mut clients = Vec::new();
        let mut slots = Vec::new();
        for _ in 0..3 {
            let (client, served, peer) = pair(&listener);
            clients.push(client);
            slots.push(table.take_slot(3, served, peer, &|| ()).unwrap());
        }
        assert!(slots[0].set_working(Instant::now()));
        slots[1].set_waiting(Instant::now(), false);
        std::thread::sleep(2 * EVICTION_GRACE);
        let young = Instant::now();
        // The third connection has waited longest, because the first is working, and the second began to wait later.
        assert!(table.evict_one(false));
        assert_eq!(clients[2].read(&mut [0]).unwrap(), 0);
        assert!(table.evict_one(false));
        assert_eq!(clients[1].read(&mut [0]).unwrap(), 0);
        assert!(!table.evict_one(false));
        clients[0].set_nonblocking(true).unwrap();
        let still_open = clients[0].read(&mut [0]).unwrap_err();
        assert_eq!(still_open.kind(), io::ErrorKind::WouldBlock);
        slots[2].set_waiting(young, false);
        assert!(slots[2].is_evicted() && !slots[2].set_working(young));
        assert_eq!(table.evictions(), 2);
    }

    #[test]
    fn spares_a_connection_that_has_just_begun_to_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let table = ConnectionTable::default();
        let (_client, served, peer) = pair(&listener);
        let slot = table.take_slot(1, served, peer, &|| ()).unwrap();
        // A time in the future, because this thread may be suspended for longer than the grace time.
        slot.set_waiting(Instant::now() + Duration::from_secs(60), false);
        assert!(!table.evict_one(false) && !slot.is_evicted());
    }

    #[test]
    fn evicts_from_no_other_network_while_the_connections_of_the_largest_are_young() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let table = ConnectionTable::default();
        let later = Instant::now() + Duration::from_secs(60);
        let slots: Vec<_> = ["192.0.2.1", "192.0.2.2", "192.0.2.2"]
            .into_iter()
            .map(|client| {
                let (_, served, _) = pair(&listener);
                let peer = SocketAddr::new(client.parse().unwrap(), 1);
                table.take_slot(3, served, peer, &|| ()).unwrap()
            })
            .collect();
        slots[1].set_waiting(later, false);
        slots[2].set_waiting(later, false);
        std::thread::sleep(2 * EVICTION_GRACE);
        assert!(!table.evict_one(false), "the only old connection is the only one of its network");
        assert!(slots[2].set_working(later));
        assert!(table.evict_one(false) && slots[0].is_evicted(), "one waiting connection each");
    }

    #[test]
    fn does_not_count_up_to_twice_the_limit_of_working_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let table = ConnectionTable::default();
        let mut clients = Vec::new();
        let mut taken = Vec::new();
        for number in 0..6 {
            // If the table were full, `take_slot` would wait forever.
            assert!(!table.slots().is_full(2), "{number}");
            let (client, served, peer) = pair(&listener);
            let slot = table.take_slot(2, served, peer, &|| ()).unwrap();
            assert!(number >= 4 || slot.set_working(Instant::now()));
            clients.push(client);
            taken.push(slot);
        }
        assert!(table.slots().is_full(2), "two wait, four work");
        assert!(taken[5].set_working(Instant::now()));
        assert!(table.slots().is_full(2), "one waits, but there are six");
        drop(taken.pop());
        assert!(!table.slots().is_full(2));
        taken[0].set_waiting(Instant::now(), false);
        assert!(table.slots().is_full(2), "two wait, three work");
    }

    #[test]
    fn frees_the_slot_of_a_parked_connection_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let table = ConnectionTable::default();
        let (mut client, served, peer) = pair(&listener);
        let parked = table.take_slot(1, served, peer, &|| ()).unwrap();
        parked.set_parked();
        std::thread::sleep(2 * EVICTION_GRACE);
        assert!(!table.evict_one(true) && !parked.is_evicted());
        let (_second_client, served, peer) = pair(&listener);
        let newcomer = table.take_slot(1, served, peer, &|| unreachable!("it waits")).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        drop(parked);
        assert_eq!((table.usage(), table.evictions()), ((1, 0), 1));
        drop(newcomer);
        assert_eq!(table.usage(), (0, 0));
    }

    #[test]
    fn gives_the_slot_of_the_evicted_connection_to_the_newcomer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let table = ConnectionTable::default();
        let (mut first_client, served, peer) = pair(&listener);
        let first = table.take_slot(1, served, peer, &|| ()).unwrap();
        let (_second_client, served, peer) = pair(&listener);
        let has_waited = Cell::new(false);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // This thread acts like the thread of the first connection. It reads the end of the input and ends.
                assert_eq!(first.stream().read(&mut [0]).unwrap(), 0);
                drop(first);
            });
            let on_wait = || has_waited.set(true);
            assert!(table.take_slot(1, served, peer, &on_wait).is_some());
        });
        assert!(has_waited.get());
        assert_eq!(first_client.read(&mut [0]).unwrap(), 0);
    }
}
