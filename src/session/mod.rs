//! One run per message: retries joined, late replies kept for their user.

mod in_flight;
mod line;
mod responder;
mod retries;
mod retry_store;

pub use responder::{Responder, Runner};
pub use retries::{Caller, Outcome, Retries};
