//! `wechat status`: the status of the running server, as a table or as JSON.

use super::arguments::{Args, CommandSpec};
use super::control::{ControlPath, ask};
use super::error::Error;
use super::flags::JSON;
use super::output::print;
use crate::control::{STATUS, STATUS_JSON};

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "status",
    usage: "status",
    operands_max: 0,
    summary: "show the status of the running server",
    description: "\
Shows the status of the running server: what it has answered since its start, what it has refused
and why, how long the last 1,024 answers took (programs and waiting tries included), and what is
in progress.
",
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let question = match args.has(&JSON) {
        true => STATUS_JSON,
        false => STATUS,
    };
    print(ask(ControlPath::from_args(args)?, question)?)
}
