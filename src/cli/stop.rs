//! `wechat stop`: stops the running server gracefully.

use super::arguments::CommandSpec;
use super::control::{ControlPath, ask};
use super::flags::CONTROL;
use super::output::print;
use crate::control::STOP;
use crate::text::language::Text;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "stop",
    usage: "stop",
    operands_max: 0,
    flags: &[&CONTROL],
    summary: Text {
        en: "stop the server gracefully", zh: "处理完当前的消息后，停止服务器"
    },
    description: Text { en: "\
Stops the running server when every message in progress is answered, at most 15
seconds later. Until then the server still accepts WeChat's later tries of these
messages. Returns when the server has ended.
", zh: "\
等正在处理的每条消息都得到回复后停止服务器，最多等 15 秒。在此期间，服务器仍然
接受微信对这些消息的重试。服务器结束后，本命令才返回。
" },
    run: |args| print(ask(ControlPath::from_args(args)?, STOP)?),
};
