//! The listening socket: bound here, or handed over as standard input (`systemd.socket(5)`, `StandardInput=socket`).

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use super::Limits;

/// A listening socket at the address.
///
/// # Errors
/// Those of `socket(2)`, `bind(2)` and `listen(2)`.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// The listening socket that standard input is, if it is one. A connected socket, as inetd hands over, is none.
///
/// Duplicating the descriptor of standard input is safe Rust, whereas descriptor 3 of `LISTEN_FDS` is not to be had
/// without `unsafe`.
pub fn from_stdin() -> Option<TcpListener> {
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    listener.local_addr().ok()?;
    match as_stream(&listener).ok()?.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Some(listener),
        _ => None,
    }
}

/// Sets on the listener what accepted sockets inherit from it on Linux: no delay, and the time-outs of a connection that
/// waits for its first request. That saves three system calls a connection.
pub(super) fn prepare(listener: &TcpListener, limits: &Limits) -> io::Result<()> {
    listener.set_nonblocking(false)?;
    let socket = as_stream(listener)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(limits.idle))?;
    socket.set_write_timeout(Some(limits.answer))
}

/// The same socket as a type that has all the options.
fn as_stream(listener: &TcpListener) -> io::Result<TcpStream> {
    Ok(TcpStream::from(OwnedFd::from(listener.try_clone()?)))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test fails by panicking"
    )]
    use super::*;

    #[test]
    fn accepted_sockets_inherit_the_options_of_the_listener() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let limits = Limits::default();
        prepare(&listener, &limits).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
        assert_eq!(accepted.read_timeout().unwrap(), Some(limits.idle));
        assert_eq!(accepted.write_timeout().unwrap(), Some(limits.answer));
    }
}
