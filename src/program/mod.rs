//! Programs as replies: `<run>`.

mod programs;
pub(crate) mod supervisor;

pub use programs::{ProgramCounts, Programs};
