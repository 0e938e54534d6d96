//! The log: one line an event on standard error, with a stable cause word to search for.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::http::{Head, Note, Status};

/// Bytes of a path that a log line shows.
const PATH_MAX: usize = 64;

/// Says what became of a request. The path stands there without its query, which holds a signature;
/// foreign bytes are escaped, so that no one writes a line of their own or moves a terminal's
/// cursor.
pub(super) fn request(status: Status, head: Option<&Head<'_>>, peer: SocketAddr, note: &Note) {
    let (method, path): (&str, &[u8]) =
        head.map_or(("-", b"-"), |head| (head.method.name(), head.target.path()));
    let path = path.get(..PATH_MAX).unwrap_or(path).escape_ascii();
    let Note {
        cause,
        reason,
        hint,
    } = note;
    let hint = if hint.is_empty() {
        Cow::Borrowed("")
    } else {
        Cow::Owned(format!(" hint=\"{hint}\""))
    };
    say(format_args!(
        "{} {method} {path} peer={peer} cause={cause} reason=\"{reason}\"{hint}",
        status.code()
    ));
}

/// Says something that no request is to blame for.
pub(super) fn event(cause: &str, reason: impl fmt::Display) {
    say(format_args!("cause={cause} reason=\"{reason}\""));
}

/// A line of somebody else's, without an end.
pub fn report(line: &str) {
    say(format_args!("{line}"));
}

/// One line in one write, so that lines of several threads never mix. A log that cannot be written
/// is no reason to stop answering.
fn say(line: fmt::Arguments<'_>) {
    let line = format!("{line}\n");
    let _: io::Result<()> = io::stderr().write_all(line.as_bytes());
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
