//! `wechat status`: shows the status of the running server, as a table or as JSON.

use super::arguments::{Args, CommandSpec};
use super::control::{ControlPath, ask};
use super::error::Error;
use super::flags::{CONTROL, JSON};
use super::output::print;
use crate::control::{STATUS, STATUS_JSON};

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "status",
    usage: "status",
    operands_max: 0,
    flags: &[&CONTROL, &JSON],
    summary: "show the status of the running server",
    description: "\
Shows the status of the running server: messages and replies since its start,
refused requests by cause, how long the last 1,024 messages took (including the
time of programs and waiting tries), and work in progress. The chapter deploy of
the manual explains the lines.
",
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let request = match args.is_on(&JSON) {
        true => STATUS_JSON,
        false => STATUS,
    };
    print(ask(ControlPath::from_args(args)?, request)?)
}
