//! The listening socket: bound by the server itself, or inherited as standard input (systemd.socket(5),
//! `StandardInput=socket`).

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use super::limits::Limits;

/// Standard input is a socket that cannot accept connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotListening {
    /// A TCP socket that neither listens nor is connected.
    Tcp,
    /// A socket of another protocol, such as UDP.
    OtherProtocol,
}

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
    /// Descriptor 3 of systemd (`LISTEN_FDS`) is not supported, because safe Rust can duplicate standard input but
    /// cannot take over a descriptor by its number.
    ///
    /// # Errors
    /// [`NotListening`] if standard input is a socket of the internet, but cannot accept connections.
    pub fn from_stdin() -> Result<Option<Self>, NotListening> {
        let Ok(stdin) = io::stdin().as_fd().try_clone_to_owned() else { return Ok(None) };
        let listener = TcpListener::from(stdin);
        let (Ok(_), Ok(stream)) = (listener.local_addr(), as_stream(&listener)) else {
            return Ok(None);
        };
        if stream.nodelay().is_err() {
            return Err(NotListening::OtherProtocol);
        }
        if stream.peer_addr().is_ok() {
            return Ok(None);
        }
        // std cannot read the option SO_ACCEPTCONN. But Linux (`inet_shutdown`) ignores the shutdown of the output of a
        // listening socket, and refuses it for any other socket that is not connected. The first call may end an
        // attempt to connect.
        let shut_down = || stream.shutdown(Shutdown::Write);
        match shut_down().and_then(|()| shut_down()) {
            Ok(()) => Ok(Some(Self::from_shared(listener))),
            Err(_) => Err(NotListening::Tcp),
        }
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
