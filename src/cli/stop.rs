//! `wechat stop`: stops the running server gracefully.

use super::arguments::CommandSpec;
use super::control::{ControlPath, ask};
use super::flags::CONTROL;
use super::output::print;
use crate::control::STOP;

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "stop",
    usage: "stop",
    operands_max: 0,
    flags: &[&CONTROL],
    summary: "stop the server gracefully",
    description: "\
Stops the running server when every message in progress is answered, at most 15
seconds later. Until then the server still accepts WeChat's later tries of these
messages. Returns when the server has ended.
",
    run: |args| print(ask(ControlPath::from_args(args)?, STOP)?),
};
