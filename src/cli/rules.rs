//! `wechat rules`: prints a rules file to start with, or a sample of every element.

use super::arguments::CommandSpec;
use super::flags::ALL_ELEMENTS;
use super::output::print;
use crate::rules::{SAMPLE, STARTER};

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "rules",
    usage: "rules",
    operands_max: 0,
    flags: &[&ALL_ELEMENTS],
    summary: "print a rules file to start with",
    description: "\
Prints a rules file that is safe to use on a live account. To start with it:

  wechat rules > /etc/wechat/rules.xml

With --all, prints a sample that shows every element once. It replies with
demonstration texts, so do not put it on a live account.
",
    run: |args| print(if args.is_on(&ALL_ELEMENTS) { SAMPLE } else { STARTER }),
};
