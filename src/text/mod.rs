//! Text functions that several modules need and std does not have: digits, dates, printable input, log notes, similar
//! names, tables of texts.

pub(crate) mod calendar;
pub(crate) mod digits;
pub(crate) mod display;
pub(crate) mod log_note;
pub(crate) mod similar;
pub(crate) mod wording;
