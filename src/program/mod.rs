//! `<run>`: launching programs, the supervisor process beside each, and what programs print.

mod failure;
mod output;
mod programs;
mod run_marker;
pub(crate) mod supervisor;
mod wording;

pub use programs::{ProgramCounts, Programs};
pub use supervisor::SupervisorError;
