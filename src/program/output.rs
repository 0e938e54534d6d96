//! The output of a program: a reply as XML, `success` for no reply, or a plain text.

use super::failure::Failure;
use crate::rules;
use crate::wechat::{Message, Reply};
use crate::xml::trim;

/// The output for no reply, which is also what a backend answers to WeChat for no reply.
const SUCCESS: &str = "success";

/// Parses the output of a program as the reply to this message.
pub(super) fn parse(output: &[u8], message: &Message<'_>) -> Result<Reply<'static>, Failure> {
    let text = decode(output)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    match rules::parse_printed_reply(text, message) {
        Some(reply) => reply.map_err(|problem| Failure::OutputInvalid(problem.to_string())),
        None if text.starts_with(SUCCESS) && trim(text) == SUCCESS => Ok(Reply::Success),
        None => Ok(Reply::text(trim(text).to_owned())),
    }
}

/// Decodes UTF-8. Drops an incomplete character at the end, because output may be cut off at its maximum length.
fn decode(output: &[u8]) -> Result<&str, Failure> {
    str::from_utf8(output).or_else(|error| {
        let valid = str::from_utf8(&output[..error.valid_up_to()]);
        match error.error_len() {
            None => Ok(valid.expect("UTF-8 up to the error")),
            Some(_) => Err(Failure::OutputNotUtf8(error.valid_up_to())),
        }
    })
}
