//! `wechat check`: what is wrong in a rules file, or a line for each of its rules.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Error, UsageError, no_more, print};
use crate::bot::{self, Rules, RulesError};

/// Checks the file named, else the one of `WECHAT_RULES`, else the embedded rules.
pub(super) fn run(
    mut arguments: impl Iterator<Item = OsString>,
    environment: &impl Fn(&str) -> Option<OsString>,
) -> Result<(), Error> {
    let named = arguments.next();
    if let Some(flag) = named
        .as_ref()
        .filter(|name| name.as_encoded_bytes().starts_with(b"-"))
    {
        return Err(UsageError::Flag(flag.clone()).into());
    }
    no_more(arguments)?;
    let path = named
        .or_else(|| environment("WECHAT_RULES"))
        .map(PathBuf::from);
    let rules = match &path {
        Some(path) => bot::read_rules(path),
        None => Rules::parse(bot::EMBEDDED.as_bytes()).map_err(RulesError::Mistakes),
    };
    match rules {
        Ok(rules) => {
            print(
                &rules
                    .summary()
                    .map(|line| format!("{line}\n"))
                    .collect::<String>(),
            );
            Ok(())
        }
        Err(error) => {
            let path = path.unwrap_or_else(|| "the embedded rules".into());
            let lines = error.lines(&path);
            print(
                &lines
                    .iter()
                    .map(|line| format!("{line}\n"))
                    .collect::<String>(),
            );
            Err(Error::Rules {
                path,
                count: lines.len(),
            })
        }
    }
}
