//! Who is connected, and who has to go when all seats are taken.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Added to the time: the peer is not waited for, but worked for since then.
const WORKING: u64 = 1 << 63;

/// Instead of a time: the connection was told to go.
const LEAVING: u64 = u64::MAX;

/// So many times the limit are the seats in all. The limit is for those whose peer is waited for, which
/// are in anybody's power. Work that is slow is not: it takes a right signature. But WeChat asks three
/// times for one message, and its first two connections may still have a thread when the third comes.
const WITH_WORK: usize = 3;

/// How long a connection is left in peace at least: its request may be here and not read yet. Also
/// how soon to look again where nobody could be sent away.
const GRACE: Duration = Duration::from_millis(20);

/// The seats of all connections.
///
/// Ten thousand silent connections cannot keep anybody out, whatever the deadlines say: at the
/// limit, the connection that has waited longest for its peer is shut to make room. A peer in the
/// middle of a request, or that does not take its answer, counts as waited for, and since when does
/// not change with each byte. Nor can slow answers: connections that are worked for are not counted,
/// up to twice the limit of them.
pub(super) struct Seats {
    table: Mutex<Table>,
    someone_left: Condvar,
    evictions: AtomicU64,
    epoch: Instant,
}

#[derive(Default)]
struct Table {
    seats: Vec<Option<Arc<Position>>>,
    free: Vec<usize>,
    /// Connections that wait for a seat.
    newcomers: usize,
    /// Threads that want to be told when somebody leaves: to tell nobody is a system call too.
    waiting: usize,
    /// There are no seats any more.
    is_closed: bool,
}

struct Position {
    stream: TcpStream,
    /// Since when the peer is waited for, or worked for, in nanoseconds since the epoch of the seats.
    since: AtomicU64,
    /// Whether a part of its next request is here, or a part of the last answer not sent.
    has_begun: AtomicBool,
    /// When we ended its sending side, so that reading says it has ended; 0 where we have not.
    shut: AtomicU64,
}

/// A connection's seat, free again when this is dropped.
pub(super) struct Seat<'s> {
    seats: &'s Seats,
    index: usize,
    place: Arc<Position>,
    pub(super) peer: SocketAddr,
    /// Whether somebody else had to leave for it.
    pub(super) was_crowded: bool,
}

impl Table {
    fn taken(&self) -> usize {
        self.seats.len().saturating_sub(self.free.len())
    }

    /// Whether there is no seat for another.
    fn is_full(&self, limit: usize) -> bool {
        let taken = self.taken();
        taken >= limit
            && (taken >= limit.saturating_mul(WITH_WORK)
                || taken.saturating_sub(self.working()) >= limit)
    }

    fn working(&self) -> usize {
        self.places()
            .filter(|(since, _)| is_working(*since))
            .count()
    }

    fn places(&self) -> impl Iterator<Item = (u64, &Position)> {
        let places = self.seats.iter().flatten();
        places.map(|place| (place.since.load(Ordering::Acquire), &**place))
    }

    /// Seats whose connection was told to go and has not gone yet.
    fn leaving(&self) -> usize {
        self.places().filter(|(since, _)| *since == LEAVING).count()
    }

    /// Makes the connection leave that has waited longest for its peer, if one has waited since
    /// before this time.
    fn shut_longest_waiting(&self, before: u64) -> bool {
        let longest = || {
            self.places()
                .filter(|(since, _)| *since < before)
                .min_by_key(|(since, _)| *since)
        };
        while let Some((since, place)) = longest() {
            // It may have got its request in between; then it is no longer the one.
            let told =
                place
                    .since
                    .compare_exchange(since, LEAVING, Ordering::AcqRel, Ordering::Acquire);
            if told.is_ok() {
                // A peer that is gone already cannot be shut, and needs no shutting.
                let _: io::Result<()> = place.stream.shutdown(Shutdown::Both);
                return true;
            }
        }
        false
    }
}

const fn is_working(since: u64) -> bool {
    since >= WORKING && since != LEAVING
}

impl Seats {
    pub(super) fn new() -> Self {
        Self {
            table: Mutex::default(),
            someone_left: Condvar::new(),
            evictions: AtomicU64::new(0),
            epoch: Instant::now(),
        }
    }

    /// CommandSpec one of so many seats for a connection. With all of them taken it waits, after making the
    /// longest waiting connection leave, until one is free, and does something else `meanwhile`. `None`
    /// once there are no seats any more.
    pub(super) fn take(
        &self,
        limit: usize,
        stream: TcpStream,
        peer: SocketAddr,
        meanwhile: &dyn Fn(),
    ) -> Option<Seat<'_>> {
        let mut table = self.table();
        let was_crowded = table.is_full(limit);
        if was_crowded {
            table.newcomers = table.newcomers.saturating_add(1);
            while table.is_full(limit) && !table.is_closed {
                // One has to leave for each newcomer. It is looked at again after each wait, since
                // another newcomer may have got the seat, or all may have been working.
                if table.leaving() < table.newcomers {
                    self.evict(&table);
                }
                self.wait_in(table);
                meanwhile();
                table = self.table();
            }
            table.newcomers = table.newcomers.saturating_sub(1);
        }
        if table.is_closed {
            return None;
        }
        let place = Arc::new(Position {
            stream,
            since: AtomicU64::new(self.since_epoch(Instant::now())),
            has_begun: AtomicBool::new(false),
            shut: AtomicU64::new(0),
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
        Some(Seat {
            seats: self,
            index,
            place,
            peer,
            was_crowded,
        })
    }

    /// Makes the connection leave that has waited longest for its peer, to give back what it holds,
    /// and waits for it a little; `false` where none could be sent away.
    pub(super) fn make_room(&self) -> bool {
        let table = self.table();
        let is_leaving = self.evict(&table);
        if is_leaving {
            self.wait_in(table);
        }
        is_leaving
    }

    /// Connections, and those of them that are being worked for.
    pub(super) fn taken(&self) -> (usize, usize) {
        let table = self.table();
        (table.taken(), table.working())
    }

    /// Connections that had to make room.
    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    /// Whether something is being worked on since before this time, or was waited for then and has begun
    /// to come.
    pub(super) fn is_working_since_before(&self, time: Instant) -> bool {
        let before = self.since_epoch(time);
        let has_begun = |place: &Position| place.has_begun.load(Ordering::Relaxed);
        self.table().places().any(|(since, place)| {
            is_working(since) && since < WORKING.saturating_add(before)
                || since < before && has_begun(place)
        })
    }

    /// Wakes connections that have been silent for so long, to see that there will be no more requests
    /// of theirs. A request that is on its way in this moment can still be read: Linux takes in what
    /// comes behind the end that we make.
    pub(super) fn shut_silent(&self, patience: Duration) {
        let before = Instant::now()
            .checked_sub(patience)
            .map_or(0, |before| self.since_epoch(before));
        for (since, place) in self.table().places() {
            if since < before && !place.has_begun.load(Ordering::Relaxed) {
                let now = self.since_epoch(Instant::now()).max(1);
                // The first time counts.
                let _: Result<u64, u64> =
                    place
                        .shut
                        .compare_exchange(0, now, Ordering::AcqRel, Ordering::Relaxed);
                // A peer that is gone already cannot be shut, and needs no shutting.
                let _: io::Result<()> = place.stream.shutdown(Shutdown::Read);
            }
        }
    }

    /// CommandSpec the seats away, and says of how many connections a request was here whose answer is not
    /// sent.
    pub(super) fn close(&self) -> usize {
        let mut table = self.table();
        table.is_closed = true;
        let shut = |(since, place): (u64, &Position)| {
            let _: io::Result<()> = place.stream.shutdown(Shutdown::Both);
            is_working(since) || place.has_begun.load(Ordering::Relaxed)
        };
        table.places().map(shut).filter(|is_cut| *is_cut).count()
    }

    /// Waits a little, but no longer than until somebody has left.
    pub(super) fn wait_for_a_seat(&self) {
        self.wait_in(self.table());
    }

    fn evict(&self, table: &Table) -> bool {
        let is_leaving = table.shut_longest_waiting(self.before_grace());
        self.evictions
            .fetch_add(u64::from(is_leaving), Ordering::Relaxed);
        is_leaving
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_in(&self, mut table: MutexGuard<'_, Table>) {
        table.waiting = table.waiting.saturating_add(1);
        let waited = self.someone_left.wait_timeout(table, GRACE);
        let (mut table, _) = waited.unwrap_or_else(PoisonError::into_inner);
        table.waiting = table.waiting.saturating_sub(1);
    }

    fn before_grace(&self) -> u64 {
        let grace = u64::try_from(GRACE.as_nanos()).unwrap_or(u64::MAX);
        self.since_epoch(Instant::now()).saturating_sub(grace)
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        let nanoseconds = now.saturating_duration_since(self.epoch).as_nanos();
        u64::try_from(nanoseconds)
            .unwrap_or(u64::MAX)
            .min(WORKING.saturating_sub(1))
    }
}

impl Seat<'_> {
    pub(super) fn stream(&self) -> &TcpStream {
        &self.place.stream
    }

    /// From now on the peer is waited for.
    pub(super) fn wait(&self, now: Instant) {
        self.set_since(self.seats.since_epoch(now));
    }

    /// Whether a part of its next request is here, or a part of its answer not sent.
    pub(super) fn set_begun(&self, has_begun: bool) {
        self.place.has_begun.store(has_begun, Ordering::Relaxed);
    }

    /// From now on it is not: its request is here. `false` where the connection was told to go, so
    /// that nothing is done for an answer that cannot be sent.
    #[must_use]
    pub(super) fn work(&self, now: Instant) -> bool {
        self.set_since(WORKING.saturating_add(self.seats.since_epoch(now)))
    }

    /// For how long it is that we ended its sending side, if it was we who did.
    pub(super) fn shut_for(&self) -> Option<Duration> {
        let shut = self.place.shut.load(Ordering::Acquire);
        let now = self.seats.since_epoch(Instant::now());
        (shut > 0).then(|| Duration::from_nanos(now.saturating_sub(shut)))
    }

    /// Whether the connection was told to go.
    pub(super) fn has_to_leave(&self) -> bool {
        self.place.since.load(Ordering::Acquire) == LEAVING
    }

    /// Who was told to leave stays so: its socket is shut already.
    fn set_since(&self, since: u64) -> bool {
        let stay = |before| (before != LEAVING).then_some(since);
        self.place
            .since
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, stay)
            .is_ok()
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut table = self.seats.table();
        if let Some(seat) = table.seats.get_mut(self.index) {
            *seat = None;
        }
        table.free.push(self.index);
        if table.waiting > 0 {
            self.seats.someone_left.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects,
        reason = "a test fails by panicking"
    )]
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    fn pair(listener: &TcpListener) -> (TcpStream, TcpStream, SocketAddr) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // A connection that is not shut as it should be fails the test instead of hanging it.
        client
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let (served, peer) = listener.accept().unwrap();
        (client, served, peer)
    }

    /// Long enough for every connection so far to be sent away.
    fn outlast_the_grace() {
        std::thread::sleep(GRACE + GRACE);
    }

    #[test]
    fn the_longest_waiting_connection_is_shut_and_a_working_one_never() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seats = Seats::new();
        let mut clients = Vec::new();
        let mut taken = Vec::new();
        for _ in 0..3 {
            let (client, served, peer) = pair(&listener);
            clients.push(client);
            taken.push(seats.take(3, served, peer, &|| ()).unwrap());
        }
        assert!(!seats.make_room(), "all of them are too young");
        assert!(taken[0].work(Instant::now()));
        taken[1].wait(Instant::now());
        outlast_the_grace();
        // The third waits longest now: the first works, and the second has begun to wait anew.
        assert!(seats.make_room());
        assert_eq!(clients[2].read(&mut [0]).unwrap(), 0);
        assert!(seats.make_room());
        assert_eq!(clients[1].read(&mut [0]).unwrap(), 0);
        assert!(!seats.make_room());
        clients[0].set_nonblocking(true).unwrap();
        let still_open = clients[0].read(&mut [0]).unwrap_err();
        assert_eq!(still_open.kind(), io::ErrorKind::WouldBlock);
        // Who was told to leave cannot get back to work.
        taken[2].wait(Instant::now());
        assert!(taken[2].has_to_leave() && !taken[2].work(Instant::now()));
    }

    #[test]
    fn who_is_worked_for_does_not_count_up_to_twice_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seats = Seats::new();
        let mut clients = Vec::new();
        let mut taken = Vec::new();
        for number in 0..6 {
            // Or there would be nobody to make room, ever.
            assert!(!seats.table().is_full(2), "{number}");
            let (client, served, peer) = pair(&listener);
            let seat = seats.take(2, served, peer, &|| ()).unwrap();
            assert!(number >= 4 || seat.work(Instant::now()));
            clients.push(client);
            taken.push(seat);
        }
        assert!(seats.table().is_full(2), "two wait, four work");
        assert!(taken[5].work(Instant::now()));
        assert!(seats.table().is_full(2), "one waits, but there are six");
        drop(taken.pop());
        assert!(!seats.table().is_full(2));
        taken[0].wait(Instant::now());
        assert!(seats.table().is_full(2), "two wait, three work");
    }

    #[test]
    fn a_crowded_newcomer_gets_the_seat_of_the_one_that_leaves() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let seats = Seats::new();
        let (mut first_client, served, peer) = pair(&listener);
        let first = seats.take(1, served, peer, &|| ()).unwrap();
        let (_second_client, served, peer) = pair(&listener);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // What the thread of the first connection does: it wakes because it was shut, and
                // leaves.
                assert_eq!(first.stream().read(&mut [0]).unwrap(), 0);
                drop(first);
            });
            assert!(seats.take(1, served, peer, &|| ()).unwrap().was_crowded);
        });
        assert_eq!(first_client.read(&mut [0]).unwrap(), 0);
    }
}
