//! The limits of a server: how many connections it holds, and how long each part of an exchange may take.

use std::time::Duration;

/// The limits of a server. Each duration covers the whole of its part: a client that sends a byte now and then gains
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections that wait for their client, at least 1. At the limit, a new connection replaces the one that has
    /// waited longest. Connections whose request is being answered are not counted, up to twice this number.
    pub connections: usize,
    /// From the first byte of a head to its last. WeChat gives up after 5 s, so the default of this limit and of the
    /// next two is 5 s.
    pub head: Duration,
    /// From the end of the head to the last byte of the content.
    pub content: Duration,
    /// For sending an answer.
    pub answer: Duration,
    /// From an answer, or from the start of the connection, to the first byte of the next request. The default is
    /// longer than the 60 s for which nginx keeps its connections to an upstream, so that nginx closes first and never
    /// sends into a connection that is being closed.
    pub idle: Duration,
    /// For reading what the client still sends after the last answer, so that a reset does not destroy that answer
    /// (RFC 9112 9.6).
    pub linger: Duration,
    /// For finishing requests after the server was told to stop.
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
