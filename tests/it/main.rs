//! The integration tests. Each module tests one subject. All modules are one crate, so that it is linked once and long
//! tests run at the same time.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::type_complexity,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod cli;
mod client;
mod control;
mod docs;
mod fifteen_seconds;
mod http;
mod late;
mod late_next;
mod layout;
mod log;
mod matching;
mod message;
mod modes;
mod operator;
mod programs;
mod replay;
mod retries;
mod rules;
mod secure;
mod send;
mod shutdown;
mod support;
mod tasks;
mod tidy;
mod unread;
mod verify;
mod warnings;
mod wire;
mod wording;
