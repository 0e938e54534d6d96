//! Text as everybody needs it and std does not have it: digits, dates, and foreign bytes made safe to display.

pub(crate) mod calendar;
pub(crate) mod digits;
pub(crate) mod display;
pub(crate) mod log_note;
pub(crate) mod similar;
pub(crate) mod wording;
