//! Makes the reply to a message. A program runs once for all tries of a message. Late replies are kept for their
//! users.

mod delivery;
mod pending;
mod recent_message;
mod responder;
mod retries;
mod retry_store;
mod wording;

pub use responder::{Responder, Runner};
pub use retries::{Outcome, Retries, Timing, WaitingClient};
