//! The errors of an exchange that gave no response.

use std::io;
use std::net::SocketAddr;

use crate::http::ResponseError;

/// An exchange failed before the head of the response was complete. `simulator/wording.rs` has the texts.
#[derive(Debug)]
pub enum ExchangeError {
    /// The host name has no address.
    Resolve {
        /// The error of the system's resolver.
        error: io::Error,
    },
    /// Connecting to the last address that was tried failed.
    Connect {
        /// The address.
        address: SocketAddr,
        /// The error of `connect(2)`.
        error: io::Error,
    },
    /// Connecting to the last address that was tried timed out.
    ConnectTimeout {
        /// The address.
        address: SocketAddr,
    },
    /// The connection was closed or reset before the first byte of the response.
    Closed,
    /// No byte of the response was received in time.
    Timeout,
    /// The received bytes are not the head of a response.
    Head {
        /// The error of the parser.
        error: ResponseError,
        /// The first received bytes, at most 32.
        excerpt: Vec<u8>,
    },
    /// The connection was closed or reset in the middle of the head.
    HeadClosed,
    /// The head was not received in time.
    HeadTimeout,
}

impl ExchangeError {
    /// Whether the time limit of the exchange was exceeded.
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::ConnectTimeout { .. } | Self::Timeout | Self::HeadTimeout)
    }
}
