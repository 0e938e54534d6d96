//! The rules file: parser, patterns, templates, and reloading.

mod fields;
mod index;
mod leaf_text;
mod parser;
mod pattern;
mod reload;
mod reply_parser;
mod rule_set;
mod run;
mod template;

pub(crate) use fields::unknown_field;
pub use reload::{ReloadableRules, RulesError, read_rules};
pub(crate) use reply_parser::parse_printed_reply;
pub use rule_set::{Action, Diagnostic, Rules};
pub use run::{LateReply, ProgramCall};

/// The rules that are used where no rules file is given.
pub const EMBEDDED: &str = include_str!("embedded.xml");

/// A rules file that shows every element once.
pub const SAMPLE: &str = include_str!("sample.xml");
