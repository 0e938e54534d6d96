//! Sockets: the listener, the threads that accept, the life of a connection, who has to go when it
//! gets crowded, and how all of it ends; the socket through which a server is asked how it is; and the
//! other end of a connection, for whoever calls a server.
//!
//! Knows HTTP only as far as a connection must (where a request ends, what refuses it), and WeChat
//! not at all: it is handed a function that makes a response of a request.

mod connection;
mod connections;
mod handle;
mod input;
mod listener;
mod log;
mod peer;
mod systemd;
mod workers;

use std::time::Duration;

pub use connection::now;
pub use handle::{Handle, ShutdownReport, Traffic};
pub use listener::Listener;
pub use log::report;
pub use peer::Peer;
pub use systemd::{READY, STOPPING, Watchdog, notify};
pub use workers::serve;

/// How many connections there may be, and how long each may keep a thread waiting. Every duration
/// is for the whole of its part: a peer that sends a byte now and then gains nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once, at least 1. At the limit, the one that has waited longest for its peer
    /// makes room. Those whose request is being worked on come on top, up to twice as many.
    pub connections: usize,
    /// From the first byte of a head to its last. WeChat itself gives up after 5 s, so does
    /// everything below.
    pub head: Duration,
    /// From the end of the head to the last byte of the content.
    pub content: Duration,
    /// For writing an answer.
    pub answer: Duration,
    /// From an answer, or from the beginning, to the first byte of the next request. Longer than
    /// the 60 s for which nginx keeps its connections to an upstream, so that nginx closes first
    /// and never sends into a closing connection.
    pub idle: Duration,
    /// For reading, after the last answer, what the peer is still sending, so that a reset does not
    /// destroy the answer on its way (RFC 9112 9.6).
    pub linger: Duration,
    /// For finishing what is under way, once the server is told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(5),
            content: Duration::from_secs(5),
            answer: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            linger: Duration::from_secs(1),
            drain: Duration::from_secs(15),
        }
    }
}
