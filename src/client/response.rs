//! A response as received, complete or not.

use std::time::Duration;

use crate::http::{RequestError, ResponseHead};

/// A response whose head is complete.
#[derive(Debug)]
pub struct ReceivedResponse<'c> {
    /// The head.
    pub head: ResponseHead<'c>,
    /// The content received so far, without the chunked coding.
    pub content: &'c [u8],
    /// How the content ended.
    pub end: BodyEnd,
    /// The number of received bytes that follow the response.
    pub surplus: usize,
    /// All received bytes, without interim responses.
    pub bytes: &'c [u8],
    /// The time from the start of the exchange, before any connection was made, to the last byte.
    pub took: Duration,
}

/// How the content of a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// It is complete.
    Whole,
    /// The connection was closed or reset before it was complete.
    Closed,
    /// It was not received in time.
    Timeout,
    /// It is longer than [`limits::CONTENT`](crate::http::limits::CONTENT).
    TooLong,
    /// The chunked coding breaks this rule.
    Chunk(RequestError),
}
