//! `wechat check`: lists the errors and warnings of a rules file. If there are none, lists its rules.

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
Checks a rules file: RULES, else the file that WECHAT_RULES names, else the
embedded rules. Prints each error as file:line:column: message, and each warning
as file:line:column: warning: message. Exits with 1 if there is an error. If
there is nothing to report, prints one line for each rule.
",
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let path = match args.operands.first() {
        Some(path) => Some(PathBuf::from(path)),
        None => args.path(&RULES)?,
    };
    let rules = match &path {
        Some(path) => rules::check_rules(path),
        None => Rules::check(rules::EMBEDDED.as_bytes()).map_err(RulesError::Invalid),
    };
    match rules {
        Ok((rules, warnings)) => {
            let closed = path.as_deref().and_then(rules::find_closed_rules);
            if let Some(closed) = closed {
                print(Style::detect(args).with_severity(Severity::Warning, &closed))?;
            }
            let path = path.unwrap_or_else(|| EMBEDDED_RULES.into());
            let lines: Vec<String> = match warnings.is_empty() {
                true => rules.summary().collect(),
                false => warnings.iter().map(|warning| warning.line_of(&path)).collect(),
            };
            print(lines.iter().map(|line| format!("{line}\n")).collect::<String>())
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
