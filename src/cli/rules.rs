//! `wechat rules`: prints a rules file to start with, or a sample of every element.

use super::arguments::CommandSpec;
use super::flags::ALL_ELEMENTS;
use super::output::print;
use crate::rules::{SAMPLE, STARTER};
use crate::text::language::Text;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "rules",
    usage: "rules",
    operands_max: 0,
    flags: &[&ALL_ELEMENTS],
    summary: Text {
        en: "print a rules file to start with", zh: "输出一份入门的规则文件"
    },
    description: Text { en: "\
Prints a rules file that is safe to use on a live account. To start with it:

  wechat rules > /etc/wechat/rules.xml

With --all, prints a sample that shows every element once. It replies with
demonstration texts, so do not put it on a live account.
", zh: "\
输出一份可以放心用于正式公众号的规则文件。从它开始：

  wechat rules > /etc/wechat/rules.xml

使用 --all 时，输出一份示例，每个元素出现一次。它的回复是演示文字，请不要用在
正式公众号上。
" },
    run: |args| print(if args.is_on(&ALL_ELEMENTS) { SAMPLE } else { STARTER }),
};
