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
    /// The number of received bytes after the end of the response.
    pub surplus: usize,
    /// All received bytes, without interim responses.
    pub bytes: &'c [u8],
    /// The time from the start of the exchange to the last byte, including the time to connect.
    pub took: Duration,
}

/// How the content of a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// The content is complete.
    Whole,
    /// The connection was closed or reset before the content was complete.
    Closed,
    /// The content was not received in time.
    Timeout,
    /// The content is longer than [`limits::CONTENT`](crate::http::limits::CONTENT).
    TooLong,
    /// The chunked coding is invalid.
    Chunk(RequestError),
}
