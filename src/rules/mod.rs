//! The rules file: its parser, patterns, templates, and reloading.

mod condition;
mod coverage;
mod events;
mod fields;
mod file_parser;
mod folding;
mod index;
mod leaf_text;
mod order_checks;
mod parser;
mod pattern;
mod pattern_checks;
mod printed;
mod problem;
mod reload;
mod reply_checks;
mod reply_parser;
mod rule_set;
mod rules_file;
mod run;
mod run_parser;
mod schedule;
mod template;
mod value;
mod values;
mod warnings;
mod wording;

pub use crate::text::file::{ClosedToOthers, ReadError};
pub(crate) use condition::check_field;
pub(crate) use printed::parse_printed_reply;
pub use problem::{Diagnostic, RulesError};
pub use reload::{ReloadableRules, check_rules, find_closed_rules};
pub use rule_set::{Action, Rules};
pub(crate) use run::Limit;
pub use run::{LateReply, ProgramCall};

/// The rules of a server that has no rules file.
pub const EMBEDDED: &str = include_str!("embedded.xml");

/// A rules file to start with on a live account.
pub const STARTER: &str = include_str!("starter.xml");

/// A sample rules file, which uses every element.
pub const SAMPLE: &str = include_str!("sample.xml");
