//! What a program prints: a reply element as in a rules file, or else a text.

use crate::rules;
use crate::wechat::{Message, Reply};
use crate::xml::trim;

/// Why an output is no reply.
pub(super) enum OutputError {
    /// It is not UTF-8 from this byte on.
    Utf8(usize),
    /// What is wrong with its reply element.
    Reply(String),
}

/// The reply that a program printed for this message.
pub(super) fn parse(output: &[u8], message: &Message<'_>) -> Result<Reply<'static>, OutputError> {
    let text = decode(output)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    match rules::parse_printed_reply(text, message) {
        Some(reply) => reply.map_err(|problem| OutputError::Reply(problem.to_string())),
        None => Ok(Reply::text(trim(text).to_owned())),
    }
}

/// The output as text, without a last character that was cut in two at the maximum length.
fn decode(output: &[u8]) -> Result<&str, OutputError> {
    match str::from_utf8(output) {
        Ok(text) => Ok(text),
        Err(error) => {
            let (valid, _) = output.split_at(error.valid_up_to());
            match (error.error_len(), str::from_utf8(valid)) {
                (None, Ok(text)) => Ok(text),
                _ => Err(OutputError::Utf8(error.valid_up_to())),
            }
        }
    }
}
