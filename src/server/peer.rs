//! The client of a request, for a handler that checks whether the client is still connected.

use std::io;

use super::connection_table::Slot;

/// The client of the request that is being answered.
pub struct Peer<'c> {
    slot: &'c Slot<'c>,
}

impl<'c> Peer<'c> {
    pub(super) const fn new(slot: &'c Slot<'c>) -> Self {
        Self { slot }
    }

    /// Whether the client has not closed the connection, and the connection was not evicted. Like in nginx, a client
    /// that has shut down only its sending side counts as disconnected.
    pub fn is_connected(&self) -> bool {
        !self.slot.is_evicted() && !self.has_closed()
    }

    /// Checks for the end of the input without blocking. While a request is being answered, no other thread reads or
    /// writes, so the socket may be non-blocking for a moment.
    fn has_closed(&self) -> bool {
        let stream = self.slot.stream();
        let peeked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
        let is_blocking_again = stream.set_nonblocking(false).is_ok();
        let is_open = match peeked {
            // If the server has shut down the input itself, the end of the input says nothing about the client.
            Ok(count) => count > 0 || self.slot.input_shut_for().is_some(),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        !(is_open && is_blocking_again)
    }
}
