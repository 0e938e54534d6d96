//! `wechat stop`: ends the server, as soon as it has finished what is under way.

use std::ffi::OsString;

use super::Error;
use super::arguments::{Given, Takes};
use super::control::{self, CONTROL, ControlPath};
use super::output::print;

const TAKES: Takes = Takes {
    flags: &[&CONTROL],
    switches: &[],
    operands: 0,
};

pub(super) fn run(
    arguments: &[OsString],
    environment: &dyn Fn(&str) -> Option<OsString>,
) -> Result<(), Error> {
    let given = Given::read(arguments, &TAKES, environment)?;
    print(control::ask(ControlPath::of(&given)?, control::STOP)?)
}
