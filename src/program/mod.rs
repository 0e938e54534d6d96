//! Runs the programs of `<run>` rules. Each program is started by a supervisor process. Its output is the reply.

mod environment;
mod failure;
mod killer;
mod output;
mod process;
mod programs;
mod run;
mod start_counts;
pub(crate) mod supervisor;
mod wording;

pub use programs::{ProgramCounts, Programs};
