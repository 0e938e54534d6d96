//! The command line: one file per command, one file of all flags, and all texts for the user.
//!
//! [`run`] chooses the command that the arguments name. The command reads its flags and the environment. An error is
//! printed as one line and sets the exit code: 0 success, 1 failure, 2 invalid arguments or settings.

mod arguments;
mod check;
mod commands;
mod control;
mod error;
#[rustfmt::skip] // Each flag takes few lines, so that the file reads as a table.
mod flags;
mod help;
mod output;
mod replay;
mod rules;
mod secrets;
mod send;
mod serve;
mod settings;
mod simulator_settings;
mod status;
mod stop;
mod unit;
mod verify;
#[rustfmt::skip] // Most texts take one or two lines.
mod wording;

pub use commands::run;
