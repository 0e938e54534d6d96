//! `wechat rules`: prints a sample rules file.

use super::arguments::CommandSpec;
use super::output::print;
use crate::rules::SAMPLE;

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "rules",
    usage: "rules",
    operands_max: 0,
    flags: &[],
    summary: "print a sample rules file that shows every element",
    description: "\
Prints a rules file that shows every element once. To start with it:

  wechat rules > /etc/wechat/rules.xml
",
    run: |_| print(SAMPLE),
};
