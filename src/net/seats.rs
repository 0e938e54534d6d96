//! Who is connected, and who has to go when all seats are taken.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Instead of a turn: the peer is not being waited for.
const WORKING: u64 = u64::MAX;

/// Instead of a turn: the connection was told to go.
const LEAVING: u64 = u64::MAX - 1;

/// How soon to look again for somebody to send away where all were working.
const ALL_WORKING: Duration = Duration::from_millis(20);

/// The seats of all connections.
///
/// Ten thousand silent connections cannot keep anybody out, whatever the deadlines say: at the
/// limit, the connection that has waited longest for its peer is shut to make room. A peer in the
/// middle of a request counts as waited for, and since when does not change with each byte that it
/// sends.
pub(super) struct Seats {
    limit: usize,
    table: Mutex<Table>,
    someone_left: Condvar,
    turns: AtomicU64,
}

#[derive(Default)]
struct Table {
    seats: Vec<Option<Arc<Place>>>,
    free: Vec<usize>,
    /// Connections that wait for a seat.
    newcomers: usize,
}

impl Table {
    fn taken(&self) -> usize {
        self.seats.len().saturating_sub(self.free.len())
    }

    /// Seats whose connection was told to go and has not gone yet.
    fn leaving(&self) -> usize {
        let is_leaving = |place: &&Arc<Place>| place.since.load(Ordering::Acquire) == LEAVING;
        self.seats.iter().flatten().filter(is_leaving).count()
    }
}

struct Place {
    stream: TcpStream,
    /// When the waiting began, in turns: numbers that only grow, which is all the order needs, and
    /// cost no clock.
    since: AtomicU64,
}

/// A connection's seat, free again when this is dropped.
pub(super) struct Seat<'s> {
    seats: &'s Seats,
    index: usize,
    place: Arc<Place>,
    pub(super) peer: SocketAddr,
}

impl Seats {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            table: Mutex::default(),
            someone_left: Condvar::new(),
            turns: AtomicU64::new(0),
        }
    }

    /// Takes a seat for a connection. With all seats taken it waits, after making the longest
    /// waiting connection leave, until one is free; `crowded` is called before it does.
    pub(super) fn take(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        crowded: impl FnOnce(),
    ) -> Seat<'_> {
        let mut table = self.table();
        if table.taken() >= self.limit {
            crowded();
            table.newcomers = table.newcomers.saturating_add(1);
            while table.taken() >= self.limit {
                // One has to leave for each newcomer, and another newcomer may have got the seat of
                // ours.
                if table.leaving() < table.newcomers {
                    shut_longest_waiting(&table);
                }
                let waited = self.someone_left.wait_timeout(table, ALL_WORKING);
                (table, _) = waited.unwrap_or_else(PoisonError::into_inner);
            }
            table.newcomers = table.newcomers.saturating_sub(1);
        }
        let place = Arc::new(Place {
            stream,
            since: AtomicU64::new(self.next_turn()),
        });
        let index = match table.free.pop() {
            Some(index) => index,
            None => {
                table.seats.push(None);
                table.seats.len().saturating_sub(1)
            }
        };
        if let Some(seat) = table.seats.get_mut(index) {
            *seat = Some(Arc::clone(&place));
        }
        Seat {
            seats: self,
            index,
            place,
            peer,
        }
    }

    /// Makes the connection leave that has waited longest for its peer, to give back what it holds.
    pub(super) fn make_room(&self) {
        shut_longest_waiting(&self.table());
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_turn(&self) -> u64 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }
}

fn shut_longest_waiting(table: &Table) {
    let longest = || {
        let waiting = table
            .seats
            .iter()
            .flatten()
            .map(|place| (place.since.load(Ordering::Acquire), place));
        waiting
            .filter(|(since, _)| *since < LEAVING)
            .min_by_key(|(since, _)| *since)
    };
    while let Some((since, place)) = longest() {
        // It may have got its request in between; then it is no longer the one.
        if place
            .since
            .compare_exchange(since, LEAVING, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
        {
            // A peer that is gone already cannot be shut, and needs no shutting.
            let _: io::Result<()> = place.stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

impl Seat<'_> {
    pub(super) fn stream(&self) -> &TcpStream {
        &self.place.stream
    }

    /// From now on the peer is waited for.
    pub(super) fn wait(&self) {
        self.place
            .since
            .store(self.seats.next_turn(), Ordering::Release);
    }

    /// From now on it is not: its request is here.
    pub(super) fn work(&self) {
        self.since(WORKING);
    }

    /// Whether the connection was told to go.
    pub(super) fn has_to_leave(&self) -> bool {
        self.place.since.load(Ordering::Acquire) == LEAVING
    }

    /// Who was told to leave stays so: its socket is shut already.
    fn since(&self, turn: u64) {
        let stay = |since| (since != LEAVING).then_some(turn);
        let _: Result<u64, u64> =
            self.place
                .since
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, stay);
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut table = self.seats.table();
        if let Some(seat) = table.seats.get_mut(self.index) {
            *seat = None;
        }
        table.free.push(self.index);
        drop(table);
        self.seats.someone_left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test fails by panicking"
    )]
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    fn pair(listener: &TcpListener) -> (TcpStream, TcpStream, SocketAddr) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (served, peer) = listener.accept().unwrap();
        (client, served, peer)
    }

    #[test]
    fn the_longest_waiting_connection_is_shut_and_a_working_one_never() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seats = Seats::new(3);
        let mut clients = Vec::new();
        let mut taken = Vec::new();
        for _ in 0..3 {
            let (client, served, peer) = pair(&listener);
            clients.push(client);
            taken.push(seats.take(served, peer, || {}));
        }
        taken[0].work();
        taken[1].wait();
        seats.make_room();
        // The third waits longest now: the first works, and the second has begun to wait anew.
        assert_eq!(clients[2].read(&mut [0]).unwrap(), 0);
        seats.make_room();
        assert_eq!(clients[1].read(&mut [0]).unwrap(), 0);
        seats.make_room();
        taken[0].wait();
        clients[0].set_nonblocking(true).unwrap();
        assert_eq!(
            clients[0].read(&mut [0]).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
    }

    #[test]
    fn a_crowded_newcomer_gets_the_seat_of_the_one_that_leaves() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seats = Seats::new(1);
        let (mut first_client, served, peer) = pair(&listener);
        let first = seats.take(served, peer, || {});
        let (_second_client, served, peer) = pair(&listener);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // What the thread of the first connection does: it wakes because it was shut, and
                // leaves.
                assert_eq!(first.stream().read(&mut [0]).unwrap(), 0);
                drop(first);
            });
            let mut was_crowded = false;
            drop(seats.take(served, peer, || was_crowded = true));
            assert!(was_crowded);
        });
        assert_eq!(first_client.read(&mut [0]).unwrap(), 0);
    }
}
