//! The texts of the errors of `src/wechat`. A row of `wording!` has the pattern of an error, and the arguments of `write!` that
//! make its text.

use std::error::Error;

use super::cipher_error::{AES_KEY_LENGTH, AesKeyError, BLOCK, DecryptError, PADDING_MAX, PREFIX};
use super::message::MessageError;
use super::token::{LENGTH_MAX, LENGTH_MIN, TokenError};
use super::verified::SignatureError;
use crate::text::wording::wording;

impl Error for TokenError {}
impl Error for AesKeyError {}
impl Error for SignatureError {}
impl Error for DecryptError {}
impl Error for MessageError {}

wording! { TokenError {
    Self::Length { length } => "token: {length} characters, {LENGTH_MIN} to {LENGTH_MAX} allowed";
    Self::Character { position } =>
        "token: invalid character at position {position} (allowed: A-Z a-z 0-9)";
} }

wording! { AesKeyError {
    Self::Length { length } => "EncodingAESKey: {length} characters, {AES_KEY_LENGTH} expected";
    Self::Character { position } =>
        "EncodingAESKey: invalid character at position {position} (allowed: A-Z a-z 0-9 + /)";
    Self::FeatureMissing => "this program was built without encryption; \
        build it with cargo build --release --features secure";
} }

wording! { SignatureError {
    Self::Malformed => "signature is malformed, expected 40 hexadecimal digits";
    Self::TooLong { parameter, length, max } =>
        "{parameter} has {length} bytes, at most {max} allowed";
    Self::Mismatch => "{SIGNATURE_MISMATCH}";
    Self::MalformedTimestamp =>
        "timestamp is malformed, expected 10 digits (seconds since 1970)";
    Self::MillisecondTimestamp =>
        "timestamp has 13 digits, apparently milliseconds, expected 10 digits (seconds since 1970)";
    Self::Stale { off, is_ahead: false, max } =>
        "timestamp is {off} s behind this machine's clock, at most {max} s allowed";
    Self::Stale { off, is_ahead: true, max } =>
        "timestamp is {off} s ahead of this machine's clock, at most {max} s allowed";
    Self::Reused => "signature was already used for other content";
} }

/// The text of [`SignatureError::Mismatch`]. It is a constant, because any client can cause this error, and the
/// response to it must not allocate memory.
pub(crate) const SIGNATURE_MISMATCH: &str = "signature does not match";

/// Whether a text contains the text of [`SignatureError::Stale`]. The simulator explains this error.
pub(crate) fn is_stale_timestamp(text: &str) -> bool {
    text.contains(" this machine's clock, at most ")
}

/// The text for a plain message if only encrypted messages are accepted. The simulator explains this error.
pub(crate) const PLAIN_REFUSED: &str = "message is not encrypted, only encrypted messages allowed";

wording! { DecryptError {
    Self::Base64 => "Encrypt is not base64";
    Self::Blocks { length } => "Encrypt has {length} bytes, expected a multiple of {BLOCK}";
    Self::Padding => "decrypted text has no valid padding, expected 1 to {PADDING_MAX} bytes of padding";
    Self::TooShort { length } => "decrypted text has {length} bytes, at least {PREFIX} expected";
    Self::Length { length, rest } =>
        "length field of the decrypted text says {length} bytes, at most {rest} possible";
    Self::AppId => "appid in the decrypted text is not this account's";
    Self::Empty => "decrypted message is empty";
} }

wording! { MessageError {
    Self::Xml(error) => "{error}";
    Self::Root => "root element is not <xml>";
    Self::Encrypted => "message is encrypted, expected a plain message";
    Self::Missing { element } => "element {element} is missing or empty";
    Self::Repeated { element } => "element {element} occurs twice";
    Self::CreateTime => "element CreateTime is malformed, expected a number of seconds";
} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_the_texts_about_the_clock() {
        for is_ahead in [false, true] {
            let (off, max) = (601, 600);
            let stale = SignatureError::Stale { off, is_ahead, max };
            assert!(is_stale_timestamp(&stale.to_string()), "{stale}");
        }
        assert!(!is_stale_timestamp(&SignatureError::Mismatch.to_string()));
    }
}
