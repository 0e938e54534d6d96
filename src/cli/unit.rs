//! `wechat unit`: prints the systemd unit.

use super::arguments::CommandSpec;
use super::output::print;

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "unit",
    usage: "unit",
    operands_max: 0,
    flags: &[],
    summary: "print the systemd unit",
    description: "\
Prints the systemd unit. To install it:

  wechat unit > /etc/systemd/system/wechat.service
",
    run: |_| print(include_str!("../../wechat.service")),
};
