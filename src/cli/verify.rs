//! `wechat verify`: makes WeChat's token check against any backend, and explains a failure.

use std::cell::Cell;

use super::arguments::{Args, CommandSpec};
use super::error::Error;
use super::flags::{TOKEN_FILE, URL};
use super::output::{Style, print};
use super::simulator_settings::{backend_url, required_token};
use super::wording;
use crate::server;
use crate::simulator::{Severity, TokenCheck};

pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "verify",
    usage: "verify",
    operands_max: 0,
    flags: &[&URL, &TOKEN_FILE],
    summary: "make WeChat's token check and explain a failure",
    description: "\
Makes WeChat's token check against any backend and explains what is wrong with the answer. Then
repeats the check with a wrong signature, which the backend must refuse. Exits with 0 if WeChat
would accept the URL.
",
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let (url, token) = (backend_url(args)?, required_token(args)?);
    let style = Style::detect(args);
    let is_ready = Cell::new(true);
    TokenCheck::new(&url, &token, server::now()).run(|check| {
        is_ready.set(is_ready.get() && check.severity != Severity::Error);
        print(style.check(&check))
    })?;
    if is_ready.get() { print(wording::accepted(&url)) } else { Err(Error::NotReady(url)) }
}
