//! `wechat verify`: makes WeChat's token check against any backend, and explains a failure.

use std::ffi::OsString;

use super::arguments::{Args, CommandSpec};
use super::error::{Error, UsageError};
use super::flags::{TOKEN_FILE, URL};
use super::output::{Style, print};
use super::simulator_settings::{backend_url, required_token};
use super::wording;
use crate::http::{Url, UrlError};
use crate::server;
use crate::simulator::{Severity, TokenCheck};
use crate::text::language::Text;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "verify",
    usage: "verify",
    operands_max: 0,
    flags: &[&URL, &TOKEN_FILE],
    summary: Text { en: "make WeChat's token check and explain a failure", zh: "像微信一样验证令牌(Token)，并解释失败的原因" },
    description: Text { en: "\
Makes WeChat's token check against any backend, and explains what is wrong with
the answer. Then repeats the check with a wrong signature, which the backend
must refuse. Exits with 0 if WeChat would accept the URL.

For an https:// URL, prints a command for curl instead, says how to read its
answer, and exits with 1.
", zh: "\
像微信一样向任意后端验证令牌(Token)，并解释响应有什么问题。然后用错误的签名再
验证一次，后端必须拒绝。微信会接受这个 URL 时，退出码为 0。

对于 https:// 的 URL，改为输出一条 curl 命令，说明怎样判断结果，退出码为 1。
" },
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let url = match backend_url(args) {
        Err(UsageError::Url { name, value, error: UrlError::Https }) => {
            return show_curl(args, name, value);
        }
        url => url?,
    };
    let token = required_token(args)?;
    let style = Style::detect(args);
    let mut is_ready = true;
    TokenCheck::new(&url, &token, server::now()).run(|check| {
        is_ready &= check.severity != Severity::Error;
        print(style.check(&check))
    })?;
    if is_ready { print(wording::accepted(&url)) } else { Err(Error::NotReady(url)) }
}

/// Prints the command by which curl makes the token check of an https URL.
///
/// # Errors
/// The URL has not been checked.
fn show_curl(args: &Args<'_>, name: &'static str, value: OsString) -> Result<(), Error> {
    let text = value.to_string_lossy();
    let (_, rest) = text.split_once("://").expect("the URL begins with https://");
    // The check needs host, path and query, which both schemes write in the same way.
    let url = Url::parse(&format!("http://{rest}")).map_err(|error| {
        let value = value.clone();
        UsageError::Url { name, value, error }
    })?;
    let token = required_token(args)?;
    let check = TokenCheck::new(&url, &token, server::now());
    let (target, echostr) = check.signed_target();
    // The printed command has the URL in single quotes.
    let signed = format!("https://{}{}", url.authority(), target).replace('\'', "%27");
    print(wording::curl_check(&signed, echostr))?;
    Err(Error::NotChecked(text.into_owned()))
}
