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
    /// Whether other processes or servers also hold the socket. They accept the connections that are left in its
    /// backlog.
    pub(super) is_shared: bool,
}

impl Listener {
    /// Binds a new socket to the address.
    ///
    /// # Errors
    /// The errors of `socket(2)`, `bind(2)` and `listen(2)`.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: TcpListener::bind(address)?, is_shared: false })
    }

    /// Uses a socket that other processes or servers also hold. It stays open when this server has ended.
    pub const fn from_shared(socket: TcpListener) -> Self {
        Self { socket, is_shared: true }
    }

    /// The listening socket that is standard input; `None` if standard input is something else, such as the connected
    /// socket that inetd passes.
    ///
    /// Descriptor 3 of systemd (`LISTEN_FDS`) is not supported, because safe Rust can duplicate standard input but cannot
    /// take over a descriptor by its number.
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
    /// The errors of `getsockname(2)`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Sets the options of a new connection: `TCP_NODELAY`, because each response is one write, and the timeouts for the
/// first request. On Linux a connection inherits the timeouts of its listener. But connections that were in the backlog
/// before the listener's timeouts were set, such as the first connections of a systemd socket unit, do not inherit
/// them.
pub(super) fn prepare(stream: &TcpStream, limits: &Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(limits.idle))?;
    stream.set_write_timeout(Some(limits.response))
}

/// Returns the same socket as a type that has a read timeout. The read timeout of a listening socket limits `accept`,
/// which then fails with `WouldBlock` (socket(7), SO_RCVTIMEO).
pub(super) fn as_stream(listener: &TcpListener) -> io::Result<TcpStream> {
    Ok(TcpStream::from(OwnedFd::from(listener.try_clone()?)))
}
