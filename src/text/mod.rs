//! Text functions that several modules need and std does not have: digits, dates, printable input, files that a user names, log notes, similar
//! names, errors of the system, tables of texts.

pub(crate) mod blank;
pub(crate) mod calendar;
pub(crate) mod digits;
pub(crate) mod display;
pub(crate) mod executable;
pub(crate) mod file;
pub(crate) mod language;
pub(crate) mod log_note;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod similar;
pub(crate) mod system_error;
pub(crate) mod wording;
