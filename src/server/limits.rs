//! The limits of a server: how many connections it holds, and how long each part of an exchange may take.

use std::time::Duration;

/// The limits of a server. Each duration limits a whole step, not a single read or write, so a client cannot extend it
/// by sending a byte at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum connections that wait for their client, at least 1. At the limit, a new connection replaces the longest
    /// waiting connection of the address with the most waiting connections. IPv6 addresses are counted by their first
    /// 64 bits. Connections whose request is being answered are not counted, up to twice this number.
    pub connections: usize,
    /// Time from the first byte of a head to its last byte. The default of `head`, `content` and `response` is 5 s,
    /// because WeChat waits for a response for 5 s.
    pub head: Duration,
    /// Time from the end of the head to the last byte of the content.
    pub content: Duration,
    /// Time to send a response.
    pub response: Duration,
    /// Time from the start of the connection, or from a response, to the first byte of the next request. nginx keeps
    /// its upstream connections for 60 s. The default is longer, so that nginx closes first and never sends a request
    /// on a connection that the server is closing.
    pub idle: Duration,
    /// Time to read what the client still sends after the last response. Without this, a reset could destroy the
    /// response (RFC 9112 9.6).
    pub linger: Duration,
    /// Time to finish requests after the server was told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: Duration::from_secs(5),
            content: Duration::from_secs(5),
            response: Duration::from_secs(5),
            idle: Duration::from_secs(75),
            linger: Duration::from_secs(1),
            drain: Duration::from_secs(15),
        }
    }
}
