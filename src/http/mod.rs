//! HTTP/1.x as values: bytes in, [`Head`], [`Chunked`] content and [`Response`] out (RFC 9110,
//! 9112); and for who calls a server, a [`Url`] in and a [`ResponseHead`] out.
//!
//! No sockets, no clock, and no idea of WeChat. An unfinished message is a value (`None`), not an
//! error; every way to break a rule is a [`RequestError`] that knows its status. Where the RFC lets
//! a server repair a message, this one refuses it, because the proxy in front may repair it
//! differently.

mod content;
mod date;
mod error;
mod fields;
mod grammar;
mod head;
pub mod limits;
mod response;
mod response_head;
mod target;
mod url;

pub use content::{Chunked, Framing};
pub use error::RequestError;
pub use head::{Head, Method, Persistence, Version};
pub use response::{CONTINUE, Response, Status};
pub use response_head::{ResponseError, ResponseFraming, ResponseHead};
pub use target::{Query, Target};
pub use url::{Url, UrlError};

/// A whole request: what it asks for, and the content it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The head.
    pub head: Head<'a>,
    /// The content, decoded; empty where there is none.
    pub content: &'a [u8],
}
