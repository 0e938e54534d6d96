//! `wechat verify`: the token check against any backend, and what is wrong where it fails.

use std::cell::Cell;
use std::ffi::OsString;

use super::Error;
use super::arguments::{Args, CommandSpec, Environment};
use super::client::{URL, token_of, url_of};
use super::output::{Style, print};
use super::secrets::TOKEN_FILE;
use crate::server;
use crate::simulator::{Severity, TokenCheck};

const SPEC: CommandSpec = CommandSpec {
    flags: &[&URL, &TOKEN_FILE],
    switches: &[],
    operands: 0,
};

pub(super) fn run(arguments: &[OsString], environment: Environment<'_>) -> Result<(), Error> {
    let given = Args::read(arguments, &SPEC, environment)?;
    let (url, token) = (url_of(&given)?, token_of(&given)?);
    let style = Style::of(environment);
    let is_ready = Cell::new(true);
    TokenCheck::new(&url, &token, server::now()).run(|check| {
        is_ready.set(is_ready.get() && check.severity != Severity::Error);
        print(style.check(&check))
    })?;
    if is_ready.get() {
        print(format!("WeChat would take {url} with this token\n"))
    } else {
        Err(Error::NotReady(url))
    }
}
