//! `wechat check`: lists the errors and warnings of a rules file. If there are none, lists its rules.

use std::path::PathBuf;

use super::arguments::{Args, CommandSpec};
use super::error::Error;
use super::flags::RULES;
use super::output::{Style, print};
use super::wording::EMBEDDED_RULES;
use crate::rules::{self, Rules, RulesError};
use crate::simulator::Severity;
use crate::text::language::Text;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "check",
    usage: "check [RULES]",
    operands_max: 1,
    flags: &[],
    summary: Text { en: "check a rules file, or list its rules", zh: "检查规则文件，或列出其中的规则" },
    description: Text { en: "\
Checks a rules file: RULES, else the file that WECHAT_RULES names, else the
embedded rules. Prints each error as file:line:column: message, and each warning
as file:line:column: warning: message. Exits with 1 if there is an error. If
there is nothing to report, prints one line for each rule.
", zh: "\
检查规则文件：RULES，否则 WECHAT_RULES 指定的文件，否则内置规则。每个错误输出为
“文件:行:列: 说明”，每个警告输出为“文件:行:列: warning: 说明”。有错误时退出码为
1。没有错误和警告时，每条规则输出一行。
" },
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
            let path = path.unwrap_or_else(|| EMBEDDED_RULES.get().into());
            let lines: Vec<String> = match warnings.is_empty() {
                true => rules.summary().collect(),
                false => warnings.iter().map(|warning| warning.line_of(&path)).collect(),
            };
            print(lines.iter().map(|line| format!("{line}\n")).collect::<String>())
        }
        Err(error) => {
            let path = path.unwrap_or_else(|| EMBEDDED_RULES.get().into());
            if let RulesError::Invalid(_) = &error {
                print(error.lines(&path).join("\n") + "\n")?;
            }
            Err(Error::Rules { path, error })
        }
    }
}
