//! Notifications to the service manager (sd_notify(3)). They are datagrams to the Unix socket in `NOTIFY_SOCKET`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

/// The service has started and answers requests.
pub const READY: &str = "READY=1";

/// The service was told to stop and finishes its requests.
pub const STOPPING: &str = "STOPPING=1";

/// The service is alive.
const WATCHDOG: &str = "WATCHDOG=1";

/// How long the watchdog still gets pings while no thread or no slot is free for a request. WeChat's three tries of a
/// message take 15 seconds, and then a thread that waits for the end of a program is free again.
const WAIT_MAX: Duration = Duration::from_secs(15);

/// The service manager's watchdog (`WatchdogSec=`). The manager restarts a service that sends no ping for some time.
#[derive(Debug)]
pub struct Watchdog {
    socket: OsString,
    interval: Duration,
    last_ping: Mutex<Option<Instant>>,
}

impl Watchdog {
    /// A watchdog whose pings go to this socket. The manager restarts the service after `timeout` without a ping, so
    /// two pings are sent in that time.
    pub fn new(socket: OsString, timeout: Duration) -> Self {
        Self { socket, interval: timeout / 2, last_ping: Mutex::new(None) }
    }

    /// Sends a ping if one is due. The threads that accept connections call this. `waiting_since` is the time since when
    /// a connection waits for a slot or a thread. If that is too long ago, no connections are served, and the manager
    /// must restart the service.
    pub(super) fn ping(&self, waiting_since: Option<Instant>) {
        if waiting_since.is_some_and(|since| since.elapsed() >= WAIT_MAX) {
            return;
        }
        let mut last_ping = match self.last_ping.try_lock() {
            Ok(last_ping) => last_ping,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another thread is sending a ping.
            Err(TryLockError::WouldBlock) => return,
        };
        if last_ping.is_none_or(|last_ping| last_ping.elapsed() >= self.interval) {
            // Non-blocking: if the manager's queue is full, this ping is dropped, because another ping follows soon.
            let sent = UnixDatagram::unbound().and_then(|datagram| {
                datagram.set_nonblocking(true)?;
                send(&datagram, &self.socket, WATCHDOG)
            });
            if sent.is_ok() {
                *last_ping = Some(Instant::now());
            }
        }
    }
}

/// Sends a state such as [`READY`] to the socket at this path. A path that begins with `@` is a name in the abstract
/// namespace (unix(7)). If the manager's queue is full, this waits for at most a second.
///
/// # Errors
/// The errors of `socket(2)` and `sendto(2)`.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    /// A socket that receives the pings, and a watchdog that sends to it.
    fn watchdog(name: &str, timeout: Duration) -> (UnixDatagram, Watchdog) {
        let name = format!("wechat-{name}-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        manager.set_nonblocking(true).unwrap();
        (manager, Watchdog::new(format!("@{name}").into(), timeout))
    }

    #[test]
    fn sends_no_ping_if_a_connection_waits_for_too_long() {
        let (manager, watchdog) = watchdog("watchdog-waits", Duration::ZERO);
        watchdog.ping(Some(Instant::now() - WAIT_MAX));
        assert!(manager.recv(&mut [0]).is_err());
        watchdog.ping(Some(Instant::now()));
        assert!(manager.recv(&mut [0]).is_ok());
    }

    #[test]
    fn sends_one_ping_in_each_interval() {
        let (manager, watchdog) = watchdog("watchdog-interval", Duration::from_secs(3600));
        watchdog.ping(None);
        assert!(manager.recv(&mut [0]).is_ok());
        watchdog.ping(None);
        assert!(manager.recv(&mut [0]).is_err());
    }
}
