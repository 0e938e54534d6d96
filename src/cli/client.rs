//! What the commands that play WeChat are given: whom to talk to, and the token.

use super::Error;
use super::arguments::{Args, Flag};
use super::secrets;
use super::usage::UsageError;
use crate::http::Url;
use crate::wechat::Token;

pub(super) const URL: Flag = Flag {
    flag: "--url",
    variable: Some("WECHAT_URL"),
};

/// Where a server listens that was not told where.
pub(super) const DEFAULT: &str = "http://127.0.0.1:8000/";

pub(super) fn url_of(given: &Args<'_>) -> Result<Url, UsageError> {
    let (name, value) = given.raw(&URL).unwrap_or((URL.flag, DEFAULT.into()));
    Url::parse(&value.to_string_lossy()).map_err(|error| UsageError::Url { name, value, error })
}

/// The token, without which nothing can be signed.
pub(super) fn token_of(given: &Args<'_>) -> Result<Token, Error> {
    Ok(secrets::token(given)?.read()?.ok_or(UsageError::NoToken)?)
}
