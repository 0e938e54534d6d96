//! Who sent a request, as far as whoever answers it may ask.

use std::io;

use super::connections::Seat;

/// The sender of a request that is being answered.
pub struct Peer<'c> {
    seat: &'c Seat<'c>,
}

impl<'c> Peer<'c> {
    pub(super) const fn at(seat: &'c Seat<'c>) -> Self {
        Self { seat }
    }

    /// Whether they still wait for the answer: they have not closed the connection, and did not have
    /// to make room for another. One that only ended its sending side counts as gone, as with nginx.
    pub fn is_there(&self) -> bool {
        !self.seat.has_to_leave() && !self.has_closed()
    }

    /// Looks for the end of the stream without waiting for it. Nobody else uses the socket meanwhile.
    fn has_closed(&self) -> bool {
        let stream = self.seat.stream();
        let looked = stream
            .set_nonblocking(true)
            .and_then(|()| stream.peek(&mut [0]));
        let is_blocking_again = stream.set_nonblocking(false).is_ok();
        let is_open = match looked {
            Ok(count) => count > 0 || self.seat.shut_for().is_some(),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        !(is_open && is_blocking_again)
    }
}
