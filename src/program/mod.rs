//! Runs the programs of `<run>` rules: starts them under a supervisor process, and reads replies from their output.

mod failure;
mod output;
mod programs;
mod run_marker;
pub(crate) mod supervisor;
mod wording;

pub use programs::{ProgramCounts, Programs};
pub use supervisor::SupervisorError;
