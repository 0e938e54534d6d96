//! The log: one line an event on standard error, with a stable cause word to search for.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::http::{Head, Status};
use crate::text::digits;
use crate::text::log_note::LogNote;

/// Bytes of a path that a log line shows.
const PATH_MAX: usize = 64;

/// Says what became of a request. The path stands there without its query, which holds a signature;
/// foreign bytes are escaped, so that no one writes a line of their own or moves a terminal's
/// cursor. The line is made in a buffer whose content does not matter.
pub(super) fn request(
    status: Status,
    head: Option<&Head<'_>>,
    peer: SocketAddr,
    note: &LogNote,
    line: &mut Vec<u8>,
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
    line.extend_from_slice(b"\"\n");
    say(line);
}

/// Says something that no request is to blame for.
pub(super) fn event(cause: &str, reason: impl fmt::Display) {
    say(format!("cause={cause} reason=\"{reason}\"\n").as_bytes());
}

/// A line of somebody else's, without an end.
pub fn report(line: &str) {
    say(format!("{line}\n").as_bytes());
}

/// One line, with its end, in one write, so that lines of several threads never mix. A log that cannot be
/// written is no reason to stop answering.
fn say(line: &[u8]) {
    let _: io::Result<()> = io::stderr().write_all(line);
}

fn push_all(parts: &[&str], line: &mut Vec<u8>) {
    for part in parts {
        line.extend_from_slice(part.as_bytes());
    }
}

/// The address as `Display` writes it, which takes four times the instructions for the usual kind: what
/// strangers can make us log should cost little.
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
        SocketAddr::V6(peer) => {
            // Writing to a vector cannot fail.
            let _: io::Result<()> = write!(line, "{peer}");
        }
    }
}

/// Lets one event of a kind through in a second, so that a flood of them does not become a flood of
/// lines.
#[derive(Default)]
pub(super) struct Throttle(AtomicU64);

impl Throttle {
    pub(super) fn permits(&self, now: u64) -> bool {
        self.0.swap(now, Ordering::Relaxed) != now
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn addresses_are_written_as_std_writes_them() {
        for peer in ["127.0.0.1:0", "203.0.113.255:65535", "[2001:db8::1]:443"] {
            let mut line = Vec::new();
            push_address(peer.parse().unwrap(), &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), peer);
        }
    }
}
