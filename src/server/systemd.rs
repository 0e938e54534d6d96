//! What systemd is told of a service (sd_notify(3)): a datagram to the socket of `NOTIFY_SOCKET`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

/// The service has started: it listens, and answers from now on.
pub const READY: &str = "READY=1";

/// It was told to stop, and finishes what is under way.
pub const STOPPING: &str = "STOPPING=1";

/// It is not stuck.
const ALIVE: &str = "WATCHDOG=1";

/// A service manager that restarts a server which it has not heard of for some time (`WatchdogSec=`).
#[derive(Debug)]
pub struct Watchdog {
    socket: OsString,
    every: Duration,
    heard: Mutex<Option<Instant>>,
}

impl Watchdog {
    /// That behind this socket, which wants to hear of the server within any such time. It does twice as
    /// often.
    pub fn new(socket: OsString, within: Duration) -> Self {
        Self {
            socket,
            every: within.checked_div(2).unwrap_or(within),
            heard: Mutex::new(None),
        }
    }

    /// Tells it, if it is time to. Called where connections are accepted, so that a server that does
    /// not get there any more is not heard of.
    pub(super) fn ping(&self) {
        let mut heard = match self.heard.try_lock() {
            Ok(heard) => heard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if heard.is_none_or(|heard| heard.elapsed() >= self.every) {
            // Connections do not wait for a manager whose queue is full, which hears of it the next time.
            let sent = UnixDatagram::unbound().and_then(|datagram| {
                datagram.set_nonblocking(true)?;
                send(&datagram, &self.socket, ALIVE)
            });
            if sent.is_ok() {
                *heard = Some(Instant::now());
            }
        }
    }
}

/// Sends a state such as [`READY`] to the socket at this path; one that begins with `@` is a name in
/// the abstract namespace (unix(7)). Where its queue is full it waits, for at most a second.
///
/// # Errors
/// Those of `socket(2)` and `sendto(2)`.
pub fn notify(socket: &OsStr, state: &str) -> io::Result<()> {
    let datagram = UnixDatagram::unbound()?;
    datagram.set_write_timeout(Some(Duration::from_secs(1)))?;
    send(&datagram, socket, state)
}

fn send(datagram: &UnixDatagram, socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    datagram.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}
