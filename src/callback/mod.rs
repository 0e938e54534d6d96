//! Handles the HTTP requests that WeChat sends to an account's server: [`Callback`] turns a
//! [`Request`](crate::http::Request) into a [`Response`](crate::http::Response), without I/O.

mod handler;
mod metrics;
mod other_content;
mod path;
mod query;
mod rejection;
mod wording;

pub use handler::{Callback, EncryptionPolicy};
pub use metrics::Metrics;
pub use path::ServedPath;
