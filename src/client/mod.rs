//! An HTTP/1.1 client for one server: sends a request as bytes and receives the response.
//!
//! The size limits of head and content are those of the server. One deadline covers a whole exchange.

mod error;
mod exchange;
mod response;

pub use error::ExchangeError;
pub use exchange::Client;
pub use response::{BodyEnd, ReceivedResponse};
