//! The seam between HTTP and the account: a [`Request`](crate::http::Request) in, a
//! [`Response`](crate::http::Response) out. No sockets, no parsing of XML.

mod handler;
mod metrics;
mod path;
mod query;
mod rejection;
mod wording;

pub use handler::{Callback, EncryptionPolicy};
pub use metrics::Metrics;
pub use path::ServedPath;
