//! The listening socket: bound by the server itself, or inherited as standard input (systemd.socket(5),
//! `StandardInput=socket`).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use super::limits::Limits;

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: TcpListener,
    /// Whether other processes or servers hold the socket too, and will accept the connections left in its backlog.
    pub(super) is_shared: bool,
}

impl Listener {
    /// Binds a new socket to the address.
    ///
    /// # Errors
    /// Those of `socket(2)`, `bind(2)` and `listen(2)`.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address)?, is_shared: false })
    }

    /// Uses a socket that others hold too and keep when this server has ended.
    pub const fn from_shared(socket: TcpListener) -> Self {
        Self { socket, is_shared: true }
    }

    /// The listening socket that is standard input; `None` if standard input is something else, such as the connected
    /// socket that inetd passes.
    ///
    /// Safe Rust can duplicate the descriptor of standard input. It cannot take descriptor 3 of `LISTEN_FDS`.
    pub fn from_stdin() -> Option<Self> {
        let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
        listener.local_addr().ok()?;
        let peer = as_stream(&listener).ok()?.peer_addr();
        let is_listening = peer.is_err_and(|error| error.kind() == io::ErrorKind::NotConnected);
        is_listening.then(|| Self::from_shared(listener))
    }

    /// The address of the socket.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Sets the options of a new connection: no delay, because each answer is one write, and the timeouts of a connection
/// that waits for its first request. On Linux a connection inherits the timeouts of its listener, but not if it was in
/// the backlog before they were set, as the first connections of a socket unit are.
pub(super) fn prepare(stream: &TcpStream, limits: &Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(limits.idle))?;
    stream.set_write_timeout(Some(limits.answer))
}

/// The same socket as a type that has a read timeout. On a listening socket that timeout is one of `accept`, which then
/// fails with `WouldBlock` (socket(7), SO_RCVTIMEO).
pub(super) fn as_stream(listener: &TcpListener) -> io::Result<TcpStream> {
    Ok(TcpStream::from(OwnedFd::from(listener.try_clone()?)))
}
