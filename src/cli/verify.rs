//! `wechat verify`: the token check against any backend, and what is wrong where it fails.

use std::cell::Cell;
use std::ffi::OsString;

use super::Error;
use super::arguments::{Environment, Given, Takes};
use super::client::{URL, token_of, url_of};
use super::output::{Style, print};
use super::secrets::TOKEN_FILE;
use crate::net;
use crate::platform::{Grade, TokenCheck};

const TAKES: Takes = Takes {
    flags: &[&URL, &TOKEN_FILE],
    switches: &[],
    operands: 0,
};

pub(super) fn run(arguments: &[OsString], environment: Environment<'_>) -> Result<(), Error> {
    let given = Given::read(arguments, &TAKES, environment)?;
    let (url, token) = (url_of(&given)?, token_of(&given)?);
    let style = Style::of(environment);
    let is_ready = Cell::new(true);
    TokenCheck::new(&url, &token, net::now()).run(|finding| {
        is_ready.set(is_ready.get() && finding.grade != Grade::Fault);
        print(style.finding(&finding))
    })?;
    if is_ready.get() {
        print(format!("WeChat would take {url} with this token\n"))
    } else {
        Err(Error::NotReady(url))
    }
}
