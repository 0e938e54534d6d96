//! HTTP/1.x as values: bytes in, [`Head`], [`Chunked`] content and [`Response`] out (RFC 9110,
//! 9112).
//!
//! No sockets, no clock, and no idea of WeChat. An unfinished message is a value (`None`), not an
//! error; every way to break a rule is a [`RequestError`] that knows its status. Where the RFC lets
//! a server repair a message, this one refuses it, because the proxy in front may repair it
//! differently.

mod content;
mod date;
mod error;
mod grammar;
mod head;
pub mod limits;
mod response;
mod target;

pub use content::{Chunked, Framing};
pub use error::RequestError;
pub use head::{Head, Method, Persistence, Version};
pub use response::{CONTINUE, Note, Response, Status};
pub use target::{Query, Target};

/// A whole request: what it asks for, and the content it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The head.
    pub head: Head<'a>,
    /// The content, decoded; empty where there is none.
    pub content: &'a [u8],
}
