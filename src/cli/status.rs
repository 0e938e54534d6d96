//! `wechat status`: shows the status of the running server, as a table or as JSON.

use super::arguments::{Args, CommandSpec};
use super::control::{ControlPath, ask};
use super::error::Error;
use super::flags::{CONTROL, JSON};
use super::output::print;
use crate::control::{STATUS, STATUS_JSON};
use crate::text::language::Text;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "status",
    usage: "status",
    operands_max: 0,
    flags: &[&CONTROL, &JSON],
    summary: Text {
        en: "show the status of the running server", zh: "显示服务器的运行状态"
    },
    description: Text { en: "\
Shows the status of the running server: messages and replies since its start,
refused requests by cause, how long the last 1,024 messages took (including the
time of programs and waiting tries), and work in progress. The chapter deploy of
the manual explains the lines.
", zh: "\
显示服务器的运行状态：启动以来的消息和回复、各种原因拒绝的请求、最近 1,024 条
消息的用时（包括程序运行和重试等待的时间），以及正在进行的工作。各行的含义见手册
的 deploy 一章。
" },
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let request = match args.is_on(&JSON) {
        true => STATUS_JSON,
        false => STATUS,
    };
    print(ask(ControlPath::from_args(args)?, request)?)
}
