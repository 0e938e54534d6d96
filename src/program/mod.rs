//! Runs the programs of `<run>` rules. Each program is started by a supervisor process. Its output is the reply.

mod environment;
mod failure;
mod output;
mod programs;
mod run_marker;
mod start_counts;
pub(crate) mod supervisor;
mod wording;

pub use programs::{ProgramCounts, Programs};
pub(crate) use supervisor::SupervisorError;
