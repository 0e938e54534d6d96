//! The sentences of this room's errors.

use std::error::Error;
use std::fmt::{Display, Formatter, Result};

use super::cipher_error::{AES_KEY_LENGTH, AesKeyError, BLOCK, DecryptError, PADDED, PREFIX};
use super::message::MessageError;
use super::token::{LENGTHS, TokenError};
use super::verified::{NONCE_MAX, SignatureError, TIMESTAMP_MAX};

impl Error for TokenError {}
impl Error for AesKeyError {}
impl Error for SignatureError {}
impl Error for DecryptError {}
impl Error for MessageError {}

impl Display for TokenError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Length { length } => {
                let (min, max) = (LENGTHS.start(), LENGTHS.end());
                write!(f, "token: {length} characters, {min} to {max} allowed")
            }
            Self::Character { position } => write!(
                f,
                "token: invalid character at position {position} (allowed: A-Z a-z 0-9)"
            ),
        }
    }
}

impl Display for AesKeyError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Length { length } => write!(
                f,
                "EncodingAESKey: {length} characters, {AES_KEY_LENGTH} expected"
            ),
            Self::Character { position } => write!(
                f,
                "EncodingAESKey: invalid character at position {position} (allowed: A-Z a-z 0-9 + /)"
            ),
            Self::FeatureMissing => f.write_str(
                "this program was built without encryption; \
                 build it with cargo build --release --features secure",
            ),
        }
    }
}

impl Display for SignatureError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Malformed => {
                f.write_str("signature is malformed, expected 40 hexadecimal digits")
            }
            Self::LongTimestamp { length } => write!(
                f,
                "timestamp has {length} bytes, at most {TIMESTAMP_MAX} allowed"
            ),
            Self::LongNonce { length } => {
                write!(f, "nonce has {length} bytes, at most {NONCE_MAX} allowed")
            }
            Self::Mismatch => f.write_str("signature does not match"),
            Self::MalformedTimestamp => {
                f.write_str("timestamp is malformed, expected a number of seconds")
            }
            Self::Stale {
                off,
                is_ahead: false,
                max,
            } => write!(
                f,
                "timestamp is {off} s behind this machine's clock, at most {max} s allowed"
            ),
            Self::Stale {
                off,
                is_ahead: true,
                max,
            } => write!(
                f,
                "timestamp is {off} s ahead of this machine's clock, at most {max} s allowed"
            ),
            Self::Reused => f.write_str("signature was already used for other content"),
        }
    }
}

/// Whether a response carries the sentence of [`SignatureError::Stale`], from this program.
pub(crate) fn is_stale_timestamp(reason: &str) -> bool {
    reason.contains(" this machine's clock, at most ")
}

/// Why a plain message is refused if only encrypted ones are accepted.
pub(crate) const PLAIN_REFUSED: &str = "message is not encrypted, only encrypted ones allowed";

impl Display for DecryptError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Base64 => f.write_str("Encrypt is not base64"),
            Self::Blocks { length } => write!(
                f,
                "Encrypt has {length} bytes, expected a multiple of {BLOCK}"
            ),
            Self::Padding => write!(
                f,
                "decrypted text has no valid padding, expected 1 to {PADDED} bytes of it"
            ),
            Self::TooShort { length } => write!(
                f,
                "decrypted text has {length} bytes, at least {PREFIX} expected"
            ),
            Self::Length { length, rest } => write!(
                f,
                "decrypted message has {length} bytes by its length field, at most {rest} possible"
            ),
            Self::AppId => f.write_str("appid in the decrypted text is not this account's"),
            Self::Empty => f.write_str("decrypted message is empty"),
        }
    }
}

impl Display for MessageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Xml(error) => error.fmt(f),
            Self::Root => f.write_str("root element is not <xml>"),
            Self::Encrypted => f.write_str("message is encrypted, expected a plain one"),
            Self::Missing { element } => write!(f, "element {element} is missing or empty"),
            Self::Repeated { element } => write!(f, "element {element} occurs twice"),
            Self::CreateTime => {
                f.write_str("element CreateTime is malformed, expected a number of seconds")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_the_sentences_about_the_clock() {
        for is_ahead in [false, true] {
            let (off, max) = (601, 600);
            let stale = SignatureError::Stale { off, is_ahead, max };
            assert!(is_stale_timestamp(&stale.to_string()), "{stale}");
        }
        assert!(!is_stale_timestamp(&SignatureError::Mismatch.to_string()));
    }
}
