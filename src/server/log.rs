//! The lines of the log: one per event, with a stable cause word to search for.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::http::{Head, Status};
use crate::text::digits;
use crate::text::log_note::{LogNote, Report};

/// Maximum bytes of a path in a log line.
const PATH_MAX: usize = 64;

/// An event that is not about a single request.
pub(super) enum LogEvent {
    /// `accept` failed.
    AcceptFailed {
        /// The error of `accept(2)`.
        error: io::Error,
    },
    /// A thread could not be started.
    ThreadFailed {
        /// The error of `clone(2)`.
        error: io::Error,
    },
    /// A connection was accepted when all slots were taken.
    ConnectionLimitReached {
        /// The connection limit.
        limit: usize,
    },
    /// The handler panicked.
    HandlerPanicked,
    /// Lines of the log were lost.
    LinesLost {
        /// Their number.
        count: u64,
    },
}

/// Logs a request with its status. The path is logged without its query, because the query contains a signature. Bytes
/// from the client are escaped, so that they cannot start another line or control a terminal. `line` is a buffer with
/// arbitrary content.
pub(super) fn report_request(
    status: Status,
    head: Option<&Head<'_>>,
    peer: SocketAddr,
    note: &LogNote,
    line: &mut Vec<u8>,
    report: Report,
) {
    let (method, path): (&str, &[u8]) =
        head.map_or(("-", b"-"), |head| (head.method.name(), head.target.path()));
    let path = path.get(..PATH_MAX).unwrap_or(path).escape_ascii();
    line.clear();
    push_all(&[status.code(), " ", method, " "], line);
    line.extend(path);
    push_all(&[" peer="], line);
    push_address(peer, line);
    push_all(&[" cause=", note.cause, " reason=\"", &note.reason], line);
    if !note.hint.is_empty() {
        push_all(&["\" hint=\"", note.hint], line);
    }
    line.push(b'"');
    report(str::from_utf8(line).expect("the path is escaped, the rest are strings"));
}

fn push_all(parts: &[&str], line: &mut Vec<u8>) {
    for part in parts {
        line.extend_from_slice(part.as_bytes());
    }
}

/// Appends the address in the format of `Display`. For IPv4, `Display` needs four times as many instructions, and any
/// client can cause any number of log lines.
fn push_address(peer: SocketAddr, line: &mut Vec<u8>) {
    match peer {
        SocketAddr::V4(peer) => {
            let [a, b, c, d] = peer.ip().octets();
            for (number, end) in [(a, b'.'), (b, b'.'), (c, b'.'), (d, b':')] {
                digits::write_decimal(number.into(), line);
                line.push(end);
            }
            digits::write_decimal(peer.port().into(), line);
        }
        SocketAddr::V6(peer) => line.extend_from_slice(peer.to_string().as_bytes()),
    }
}

/// Permits one log line per second for a kind of event, so that many events do not fill the log.
#[derive(Default)]
pub(super) struct Throttle {
    last_second: AtomicU64,
}

impl Throttle {
    pub(super) fn permits(&self, now: u64) -> bool {
        self.last_second.swap(now, Ordering::Relaxed) != now
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn writes_addresses_as_std_does() {
        for peer in ["127.0.0.1:0", "203.0.113.255:65535", "[2001:db8::1]:443"] {
            let mut line = Vec::new();
            push_address(peer.parse().unwrap(), &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), peer);
        }
    }
}
