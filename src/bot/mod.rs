//! What the account says: rules, read from a file that can change while the server runs.
//!
//! Knows the account's messages and replies; no HTTP, no sockets.

mod leaf;
mod live;
mod names;
mod pattern;
mod read;
mod rules;
mod template;

pub use live::{LiveRules, RulesError, read_rules};
pub use rules::{Mistake, Rules};

/// The rules of an account that was given none.
pub const EMBEDDED: &str = include_str!("embedded.xml");

/// Rules that show every element once.
pub const SAMPLE: &str = include_str!("sample.xml");
