//! Text functions that several rooms need and std does not have: digits, dates, display of input, log notes, tables of
//! sentences.

pub(crate) mod calendar;
pub(crate) mod digits;
pub(crate) mod display;
pub(crate) mod log_note;
pub(crate) mod similar;
pub(crate) mod wording;
