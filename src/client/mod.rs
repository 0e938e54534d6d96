//! An HTTP/1.1 client for one server: sends a request as bytes and receives the response.
//!
//! Head and content are limited as in the server, and one deadline holds for a whole exchange.

mod error;
mod exchange;
mod response;

pub use error::ExchangeError;
pub use exchange::Client;
pub use response::{BodyEnd, ReceivedResponse};
