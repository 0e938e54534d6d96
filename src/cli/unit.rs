//! `wechat unit`: prints the systemd unit.

use super::arguments::CommandSpec;
use super::output::print;
use crate::text::language::Text;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "unit",
    usage: "unit",
    operands_max: 0,
    flags: &[],
    summary: Text { en: "print the systemd unit", zh: "输出 systemd 单元文件" },
    description: Text { en: "\
Prints the systemd unit. To install it:

  wechat unit > /etc/systemd/system/wechat.service
", zh: "\
输出 systemd 单元文件。安装方法：

  wechat unit > /etc/systemd/system/wechat.service
" },
    run: |_| print(include_str!("../../wechat.service")),
};
