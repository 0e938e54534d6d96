//! `wechat status`: how the server is, as a table for people or JSON for machines.

use std::ffi::OsString;

use super::Error;
use super::arguments::{Args, CommandSpec};
use super::control::{self, CONTROL, ControlPath};
use super::output::print;
use crate::control::{STATUS, STATUS_JSON};

const JSON: &str = "--json";

const SPEC: CommandSpec = CommandSpec {
    flags: &[&CONTROL],
    switches: &[JSON],
    operands: 0,
};

pub(super) fn run(
    arguments: &[OsString],
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(), Error> {
    let given = Args::read(arguments, &SPEC, environment)?;
    let question = match given.has(JSON) {
        true => STATUS_JSON,
        false => STATUS,
    };
    print(control::ask(ControlPath::of(&given)?, question)?)
}
