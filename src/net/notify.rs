//! What systemd is told of a service (sd_notify(3)): a datagram to the socket of `NOTIFY_SOCKET`.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The service has started: it listens, and answers from now on.
pub const READY: &str = "READY=1";

/// Sends a state such as [`READY`] to the socket at this path; one that begins with `@` is a name in
/// the abstract namespace (unix(7)). It never waits.
///
/// # Errors
/// Those of `socket(2)` and `sendto(2)`.
pub fn notify(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let datagram = UnixDatagram::unbound()?;
    datagram.set_nonblocking(true)?;
    datagram.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}
