//! The command line: a file for each command, every flag once, and the sentences that people read.
//!
//! The arguments choose a command ([`run`]), the command reads its flags and the environment, and its failure becomes
//! one line and an exit code: 0 success, 1 failure, 2 invalid arguments or settings.

mod arguments;
mod check;
mod client;
mod commands;
mod control;
mod error;
mod flags;
mod help;
mod output;
mod replay;
mod rules;
mod secrets;
mod send;
mod serve;
mod settings;
mod status;
mod stop;
mod unit;
mod verify;
mod wording;

pub use commands::run;
