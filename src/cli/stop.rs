//! `wechat stop`: ends the server, as soon as it has finished what is under way.

use std::ffi::OsString;

use super::Error;
use super::arguments::{Args, CommandSpec};
use super::control::{self, CONTROL, ControlPath};
use super::output::print;
use crate::control::STOP;

const SPEC: CommandSpec = CommandSpec {
    flags: &[&CONTROL],
    switches: &[],
    operands: 0,
};

pub(super) fn run(
    arguments: &[OsString],
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(), Error> {
    let given = Args::read(arguments, &SPEC, environment)?;
    print(control::ask(ControlPath::of(&given)?, STOP)?)
}
