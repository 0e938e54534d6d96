//! Replies to messages: one run of a program for all tries of a message, and late replies kept for their users.

mod recent_message;
mod responder;
mod retries;
mod retry_store;
mod wording;

pub use responder::{Responder, Runner};
pub use retries::{Outcome, Retries, Timing, WaitingClient};
