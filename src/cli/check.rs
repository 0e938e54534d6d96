//! `wechat check`: what is wrong in a rules file, or a line for each of its rules.

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

/// Checks the file named, else the one of `WECHAT_RULES`, else the embedded rules.
pub(super) fn run(arguments: &[OsString], environment: Environment<'_>) -> Result<(), Error> {
    let mut given = Args::read(arguments, &SPEC, environment)?;
    let named = given.operands.pop().map(PathBuf::from);
    let path = match named {
        Some(path) => Some(path),
        None => given.path(&RULES)?,
    };
    let rules = match &path {
        Some(path) => rules::read_rules(path),
        None => Rules::parse(rules::EMBEDDED.as_bytes()).map_err(RulesError::Mistakes),
    };
    match rules {
        Ok(rules) => {
            let lines = rules.summary().map(|line| format!("{line}\n"));
            print(lines.collect::<String>())
        }
        Err(error) => {
            let path = path.unwrap_or_else(|| "the embedded rules".into());
            let lines = error.lines(&path);
            print(lines.join("\n") + "\n")?;
            Err(Error::Rules {
                path,
                count: lines.len(),
            })
        }
    }
}
