//! One run for all tries of a message, and late answers kept for their users.

mod recent_message;
mod responder;
mod retries;
mod retry_store;
mod wording;

pub use responder::{Responder, Runner};
pub use retries::{Caller, Outcome, Retries, Timing};
