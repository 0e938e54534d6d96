//! The client of a request, for a handler that checks whether the client is still connected.

use std::cell::RefCell;
use std::io::{self, Read};

use super::connection_table::Slot;

/// The client of the request that is being answered.
pub struct Peer<'c> {
    slot: &'c Slot<'c>,
    read_ahead: RefCell<&'c mut Vec<u8>>,
    read_ahead_max: usize,
}

impl<'c> Peer<'c> {
    /// The bytes that the client sends after its request are added to `read_ahead`, up to this number of bytes.
    pub(super) const fn new(
        slot: &'c Slot<'c>,
        read_ahead: &'c mut Vec<u8>,
        read_ahead_max: usize,
    ) -> Self {
        Self { slot, read_ahead: RefCell::new(read_ahead), read_ahead_max }
    }

    /// Whether the client has not closed the connection, and the connection was not evicted. Like in nginx, a client
    /// that has shut down only its sending side counts as disconnected. So does a client that has sent too many bytes
    /// after its request, because the server cannot see whether more bytes or the end follow.
    pub fn is_connected(&self) -> bool {
        !self.slot.is_evicted() && !self.has_closed()
    }

    /// Checks for the end of the input without blocking. While a request is being answered, no other thread reads or
    /// writes, so the socket may be non-blocking for a moment.
    fn has_closed(&self) -> bool {
        let stream = self.slot.stream();
        let read = stream.set_nonblocking(true).and_then(|()| self.read_to_end());
        let is_blocking_again = stream.set_nonblocking(false).is_ok();
        let is_open = match read {
            // If the server has shut down the input itself, the end of the input says nothing about the client.
            Ok(()) => self.slot.input_shut_for().is_some(),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        !(is_open && is_blocking_again)
    }

    /// Reads ahead until the end of the input, because the end comes after all bytes that the client has sent, such as
    /// a line end or another request. Also returns when `read_ahead` is full.
    fn read_to_end(&self) -> io::Result<()> {
        let read_ahead = &mut **self.read_ahead.borrow_mut();
        let rest = self.read_ahead_max - read_ahead.len();
        self.slot.stream().take(rest as u64).read_to_end(read_ahead).map(drop)
    }
}
