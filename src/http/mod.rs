//! HTTP/1.x as values (RFC 9110, RFC 9112). A server parses a [`Head`] and [`Chunked`] content, and writes a
//! [`Response`]. A client parses a [`Url`] and a [`ResponseHead`].
//!
//! This module uses no I/O and no clock, and does not depend on WeChat. An incomplete message is a value (`None`), not
//! an error. Each broken rule is a variant of [`RequestError`]. Where the RFC allows a server to repair a message, this
//! server refuses the message, because a proxy may repair it in another way.

mod content;
mod date;
mod error;
mod fields;
mod grammar;
mod head;
pub mod limits;
mod method;
mod other_protocol;
mod response;
mod response_head;
mod status;
mod target;
mod url;
mod version;

pub use content::{Chunked, Framing};
pub(crate) use error::NOTHING_SERVED;
pub use error::{RequestError, ResponseError, UrlError};
pub use head::{Head, Request};
pub use method::Method;
pub use response::{CONTINUE, ContentDecision, Response};
pub use response_head::{ResponseFraming, ResponseHead};
pub use status::Status;
pub use target::{Query, Target};
pub use url::Url;
pub use version::{Persistence, Version};

/// The log note of a [`Response`]. Library users pass a note to [`Response::rejection`].
pub use crate::text::log_note::LogNote;
