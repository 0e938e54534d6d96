//! `wechat check`: lists the errors of a rules file; if there is none, its rules.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Error;
use super::arguments::{Args, CommandSpec, Environment};
use super::output::print;
use super::settings::RULES;
use crate::rules::{self, Rules, RulesError};

const SPEC: CommandSpec = CommandSpec {
    flags: &[],
    switches: &[],
    operands: 1,
};

/// Checks the file of the operand, else that of `WECHAT_RULES`, else the embedded rules.
pub(super) fn run(arguments: &[OsString], environment: Environment<'_>) -> Result<(), Error> {
    let mut given = Args::read(arguments, &SPEC, environment)?;
    let named = given.operands.pop().map(PathBuf::from);
    let path = match named {
        Some(path) => Some(path),
        None => given.path(&RULES)?,
    };
    let rules = match &path {
        Some(path) => rules::read_rules(path),
        None => Rules::parse(rules::EMBEDDED.as_bytes()).map_err(RulesError::Invalid),
    };
    match rules {
        Ok(rules) => {
            let lines = rules.summary().map(|line| format!("{line}\n"));
            print(lines.collect::<String>())
        }
        Err(error) => {
            let path = path.unwrap_or_else(|| "the embedded rules".into());
            if let RulesError::Invalid(_) = &error {
                print(error.lines(&path).join("\n") + "\n")?;
            }
            Err(Error::Rules { path, error })
        }
    }
}
