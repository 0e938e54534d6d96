//! The listening socket: bound here, or handed over as standard input (`systemd.socket(5)`,
//! `StandardInput=socket`).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use super::Limits;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: TcpListener,
    /// Whether others have it too, who will serve what is left in its queue.
    pub(super) is_shared: bool,
}

impl Listener {
    /// One of our own, at the address.
    ///
    /// # Errors
    /// Those of `socket(2)`, `bind(2)` and `listen(2)`.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            socket: TcpListener::bind(address)?,
            is_shared: false,
        })
    }

    /// One that somebody else has too, and will go on with.
    pub const fn shared(socket: TcpListener) -> Self {
        Self {
            socket,
            is_shared: true,
        }
    }

    /// The listening socket that standard input is, if it is one. A connected socket, as inetd hands
    /// over, is none.
    ///
    /// Duplicating the descriptor of standard input is safe Rust, whereas descriptor 3 of `LISTEN_FDS`
    /// is not to be had without `unsafe`.
    pub fn from_stdin() -> Option<Self> {
        let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
        listener.local_addr().ok()?;
        let is_connected = as_stream(&listener)
            .ok()?
            .peer_addr()
            .map_err(|error| error.kind());
        let is_listening = is_connected == Err(io::ErrorKind::NotConnected);
        is_listening.then(|| Self::shared(listener))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Sets what every connection starts with: no delay, since each answer is one write, and the
/// time-outs of one that waits for its first request. Linux lets a connection inherit them from its
/// listener, but not one that was already queued when they were set there, as the first ones of a
/// socket unit are; so each connection is told itself.
pub(super) fn prepare(stream: &TcpStream, limits: &Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(limits.idle))?;
    stream.set_write_timeout(Some(limits.answer))
}

/// The same socket as the type that can be asked for its peer, and told how long to wait: `accept` then
/// fails with `WouldBlock`.
pub(super) fn as_stream(listener: &TcpListener) -> io::Result<TcpStream> {
    Ok(TcpStream::from(OwnedFd::from(listener.try_clone()?)))
}
