//! `wechat check`: lists the errors of a rules file. If there are no errors, lists its rules.

use std::path::PathBuf;

use super::arguments::{Args, CommandSpec};
use super::error::Error;
use super::flags::RULES;
use super::output::{Style, print};
use super::wording::EMBEDDED_RULES;
use crate::rules::{self, Rules, RulesError};
use crate::simulator::Severity;

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "check",
    usage: "check [RULES]",
    operands_max: 1,
    flags: &[],
    summary: "check a rules file, or list its rules",
    description: "\
Checks a rules file: RULES, else the file that WECHAT_RULES names, else the embedded rules. Prints
each error as file:line:column: message and exits with 1. If there are no errors, prints one line
for each rule.
",
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let path = match args.operands.first() {
        Some(path) => Some(PathBuf::from(path)),
        None => args.path(&RULES)?,
    };
    let rules = match &path {
        Some(path) => rules::read_rules(path),
        None => Rules::parse(rules::EMBEDDED.as_bytes()).map_err(RulesError::Invalid),
    };
    match rules {
        Ok(rules) => {
            if let Some(closed) = path.as_deref().and_then(rules::find_closed_rules) {
                print(Style::detect(args).with_severity(Severity::Warning, &closed))?;
            }
            let lines = rules.summary().map(|line| format!("{line}\n"));
            print(lines.collect::<String>())
        }
        Err(error) => {
            let path = path.unwrap_or_else(|| EMBEDDED_RULES.into());
            if let RulesError::Invalid(_) = &error {
                print(error.lines(&path).join("\n") + "\n")?;
            }
            Err(Error::Rules { path, error })
        }
    }
}
