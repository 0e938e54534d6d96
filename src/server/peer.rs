//! The sender of a request, as far as a handler needs to know it.

use std::io;

use super::connection_table::Slot;

/// The sender of a request that is being answered.
pub struct Peer<'c> {
    slot: &'c Slot<'c>,
}

impl<'c> Peer<'c> {
    pub(super) const fn new(slot: &'c Slot<'c>) -> Self {
        Self { slot }
    }

    /// Whether the peer still waits for the answer: it has not closed the connection, and the connection was not
    /// evicted. A peer that only ended its sending side counts as gone, as with nginx.
    pub fn is_connected(&self) -> bool {
        !self.slot.is_evicted() && !self.has_closed()
    }

    /// Looks for the end of the input without waiting. No other thread reads or writes while a request is answered,
    /// so the socket may be non-blocking for a moment.
    fn has_closed(&self) -> bool {
        let stream = self.slot.stream();
        let peeked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
        let is_blocking_again = stream.set_nonblocking(false).is_ok();
        let is_open = match peeked {
            // An end of input that the server made itself says nothing about the peer.
            Ok(count) => count > 0 || self.slot.input_shut_for().is_some(),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        !(is_open && is_blocking_again)
    }
}
