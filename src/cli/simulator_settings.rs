//! The settings that the commands which simulate WeChat share (`verify`, `send`, `replay`): the URL of the backend, and
//! the token.

use super::arguments::Args;
use super::error::{Error, UsageError};
use super::flags::URL;
use super::secrets;
use crate::http::Url;
use crate::wechat::Token;

/// The URL of the backend.
pub(super) fn backend_url(args: &Args<'_>) -> Result<Url, UsageError> {
    let (name, value) = args.raw(&URL).expect("--url has a default value");
    Url::parse(&value.to_string_lossy()).map_err(|error| UsageError::Url { name, value, error })
}

/// The token to sign requests with.
///
/// # Errors
/// `NoToken` if no token is given.
pub(super) fn required_token(args: &Args<'_>) -> Result<Token, Error> {
    Ok(secrets::token(args)?.ok_or(UsageError::NoToken)?)
}
