//! Checks the signatures of a request (接入指南). The types in this file prove that a signature was checked.

use super::signature::Signature;
use super::token::Token;
use crate::text::digits;

/// Digits of a timestamp, from the year 2001 to 2286.
///
/// The limits of timestamp and nonce prevent an attack. The signed strings have no separator, so a `msg_signature`
/// is also a correct `signature` if the `Encrypt` is appended to the nonce. Without the limits, an attacker who saw
/// an encrypted message could send plain messages with that signature. The shortest possible `Encrypt`, for a
/// message of one byte and an appid of 18 bytes, has 88 bytes. The two limits together allow only 50 bytes.
///
/// Digits can still move between the two. Above all, a correct signature stays correct if timestamp and nonce are
/// swapped, so an old request is valid again at the time that its nonce looks like.
const TIMESTAMP_DIGITS: usize = 10;

/// Digits of a timestamp in milliseconds.
const MILLISECONDS_DIGITS: usize = 13;

/// Maximum bytes of a timestamp that is hashed.
const TIMESTAMP_MAX: usize = 20;

/// Maximum bytes of a nonce. WeChat's nonces have about 10 bytes.
const NONCE_MAX: usize = 40;

/// Maximum difference between the timestamp of a request and this machine's clock, in the past or the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// At most this many seconds.
    AtMost(u64),
    /// No maximum, so captured requests stay valid forever.
    Any,
}

/// The query parameters that authenticate a request, percent-decoded. They are not parsed, because the signature
/// covers the exact text of timestamp and nonce.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// `signature` or `msg_signature`: 40 hexadecimal digits.
    pub signature: &'a [u8],
    /// `timestamp`: seconds since 1970.
    pub timestamp: &'a [u8],
    /// `nonce`: a random text.
    pub nonce: &'a [u8],
}

/// The reason why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The signature is not 40 hexadecimal digits.
    Malformed,
    /// A parameter is too long.
    TooLong {
        /// `timestamp` or `nonce`.
        parameter: &'static str,
        /// The bytes of the parameter.
        length: usize,
        /// The maximum number of bytes.
        max: usize,
    },
    /// The signature does not match the token, the timestamp and the nonce (and `Encrypt`, for `msg_signature`).
    Mismatch,
    /// The signature is correct, but the timestamp is not a number of ten digits.
    MalformedTimestamp,
    /// The signature is correct, but the timestamp has 13 digits, so it is in milliseconds.
    MillisecondTimestamp,
    /// The signature is correct, but the timestamp is too far from this machine's clock.
    Stale {
        /// The difference in seconds.
        off: u64,
        /// Whether the timestamp is in the future.
        is_ahead: bool,
        /// The maximum difference in seconds.
        max: u64,
    },
    /// The signature is correct, but was used before, for other content.
    Reused,
}

/// Proof that the signature of a request is correct. So the client knows the token, or has seen a request by WeChat
/// that is not older than the maximum age.
///
/// Only [`Token::verify`] creates this proof, and [`Message::parse`](super::Message::parse) consumes it. It proves
/// **nothing** about the message, because the signature covers token, timestamp and nonce, but not the method, the
/// target or the content.
///
/// ```
/// use wechat::wechat::Credentials;
/// use wechat::xml::Document;
/// use wechat::{Age, Message, Token};
/// let token = Token::parse("hello2021").unwrap();
/// let signature = token.sign(b"1626513248", b"1982032182").to_string();
/// let credentials =
///     Credentials { signature: signature.as_bytes(), timestamp: b"1626513248", nonce: b"1982032182" };
/// let verified = token.verify(&credentials, 1626513250, Age::AtMost(600)).unwrap();
/// let xml = Document::parse_message(
///     b"<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>oUser1</FromUserName>\
///     <CreateTime>1626513248</CreateTime><MsgType>text</MsgType><Content>hi</Content></xml>",
/// )
/// .unwrap();
/// assert_eq!(Message::parse(verified, &xml).unwrap().field("Content"), Some("hi"));
/// ```
/// Code that creates the proof without the check does not compile:
/// ```compile_fail,E0451
/// use wechat::Message;
/// use wechat::wechat::{Signature, Verified};
/// use wechat::xml::Document;
/// let signature = Signature::parse(&[b'0'; 40]).unwrap();
/// let verified = Verified { received: 0, signature };
/// let xml = Document::parse_message(
///     b"<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>oUser1</FromUserName>\
///     <CreateTime>1626513248</CreateTime><MsgType>text</MsgType><Content>hi</Content></xml>",
/// )
/// .unwrap();
/// assert_eq!(Message::parse(verified, &xml).unwrap().field("Content"), Some("hi"));
/// ```
#[derive(Debug)]
pub struct Verified {
    received: u64,
    signature: Signature,
}

impl Verified {
    /// The time when the request was received, by this machine's clock, in seconds since 1970.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// The correct signature.
    pub(super) const fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// The text of an `Encrypt` whose `msg_signature` is correct, so its sender knows the token. Only such a text can be
/// decrypted.
///
/// Only [`Token::verify_message`] creates this value.
#[derive(Debug)]
pub struct VerifiedEncrypt<'a>(&'a str);

impl<'a> VerifiedEncrypt<'a> {
    /// The text of the `Encrypt`, in base64.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

impl Token {
    /// Checks the `signature` of a request that was received at the time `now`, in seconds since 1970.
    ///
    /// # Errors
    /// [`SignatureError`], but not `Reused`. The timestamp is compared with the clock only if the signature is
    /// correct, so a client without the token learns nothing about the clock.
    pub fn verify(
        &self,
        credentials: &Credentials<'_>,
        now: u64,
        max_age: Age,
    ) -> Result<Verified, SignatureError> {
        let signature = self.check(credentials, "")?;
        let digits = credentials.timestamp.len();
        let timestamp = match digits::parse_decimal(credentials.timestamp) {
            Ok(timestamp) if digits == TIMESTAMP_DIGITS => timestamp,
            Ok(_) if digits == MILLISECONDS_DIGITS => {
                return Err(SignatureError::MillisecondTimestamp);
            }
            Ok(_) | Err(_) => return Err(SignatureError::MalformedTimestamp),
        };
        if let Age::AtMost(max) = max_age {
            let off = now.abs_diff(timestamp);
            if off > max {
                let is_ahead = timestamp > now;
                return Err(SignatureError::Stale { off, is_ahead, max });
            }
        }
        Ok(Verified { received: now, signature })
    }

    /// Checks the `msg_signature` of an `Encrypt`.
    ///
    /// # Errors
    /// `TooLong`, `Malformed` or `Mismatch`
    pub fn verify_message<'a>(
        &self,
        credentials: &Credentials<'_>,
        encrypt: &'a str,
    ) -> Result<VerifiedEncrypt<'a>, SignatureError> {
        self.check(credentials, encrypt)?;
        Ok(VerifiedEncrypt(encrypt))
    }

    /// Checks a `signature`, or a `msg_signature` if `encrypt` is not empty. Returns it.
    fn check(
        &self,
        credentials: &Credentials<'_>,
        encrypt: &str,
    ) -> Result<Signature, SignatureError> {
        let Credentials { signature, timestamp, nonce } = *credentials;
        let lengths =
            [("timestamp", timestamp.len(), TIMESTAMP_MAX), ("nonce", nonce.len(), NONCE_MAX)];
        for (parameter, length, max) in lengths {
            if length > max {
                return Err(SignatureError::TooLong { parameter, length, max });
            }
        }
        let signature = Signature::parse(signature).ok_or(SignatureError::Malformed)?;
        match signature.is_equal(&self.sign_message(timestamp, nonce, encrypt)) {
            true => Ok(signature),
            false => Err(SignatureError::Mismatch),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn verify(
        signature: &str,
        timestamp: &str,
        now: u64,
        max_age: Age,
    ) -> Result<(), SignatureError> {
        let credentials = Credentials {
            signature: signature.as_bytes(),
            timestamp: timestamp.as_bytes(),
            nonce: b"415670741",
        };
        Token::parse("AAAAA").unwrap().verify(&credentials, now, max_age).map(|_| ())
    }

    const RIGHT: &str = "6c5c811b55cc85e0e1b54100749188c20beb3f5d";

    #[test]
    fn accepts_the_right_signature_in_upper_and_lower_case() {
        assert_eq!(verify(RIGHT, "1714112445", 1_714_112_445, Age::AtMost(0)), Ok(()));
        assert_eq!(verify(&RIGHT.to_uppercase(), "1714112445", 0, Age::Any), Ok(()));
    }

    #[test]
    fn refuses_a_signature_with_one_wrong_digit() {
        for index in 0..RIGHT.len() {
            let mut wrong = RIGHT.as_bytes().to_vec();
            wrong[index] = if wrong[index] == b'0' { b'1' } else { b'0' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(
                verify(&wrong, "1714112445", 1_714_112_445, Age::Any),
                Err(SignatureError::Mismatch),
                "{index}"
            );
        }
    }

    #[test]
    fn refuses_a_long_timestamp_or_nonce_whatever_the_signature() {
        let token = Token::parse("AAAAA").unwrap();
        let too_long =
            |parameter, length, max| Err(SignatureError::TooLong { parameter, length, max });
        for (lengths, expected) in [
            ((10, 40), Ok(())),
            ((20, 40), Err(SignatureError::MalformedTimestamp)),
            ((21, 1), too_long("timestamp", 21, 20)),
            ((1, 41), too_long("nonce", 41, 40)),
        ] {
            let (timestamp, nonce) = (vec![b'1'; lengths.0], vec![b'1'; lengths.1]);
            let signature = token.sign(&timestamp, &nonce).to_string();
            let credentials = Credentials {
                signature: signature.as_bytes(),
                timestamp: &timestamp,
                nonce: &nonce,
            };
            let verified = token.verify(&credentials, 0, Age::Any).map(|_| ());
            assert_eq!(verified, expected);
        }
    }

    #[test]
    fn refuses_text_that_is_no_signature() {
        for text in [
            "",
            "6c5c",
            &RIGHT[1..],
            &format!("{RIGHT}0"),
            &RIGHT.replace('d', "g"),
            &RIGHT.replace("6c", "+c"),
        ] {
            assert_eq!(
                verify(text, "1714112445", 1_714_112_445, Age::Any),
                Err(SignatureError::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_a_timestamp_too_far_in_the_past_or_future() {
        let stale = |now| verify(RIGHT, "1714112445", now, Age::AtMost(600));
        assert_eq!(stale(1_714_112_445 + 600), Ok(()));
        assert_eq!(stale(1_714_112_445 - 600), Ok(()));
        assert_eq!(
            stale(1_714_112_445 + 601).unwrap_err().to_string(),
            "timestamp is 601 s behind this machine's clock, at most 600 s allowed"
        );
        assert_eq!(
            stale(1_714_112_445 - 700).unwrap_err().to_string(),
            "timestamp is 700 s ahead of this machine's clock, at most 600 s allowed"
        );
    }

    #[test]
    fn timestamp_has_ten_digits_even_if_its_age_is_not_limited() {
        let token = Token::parse("AAAAA").unwrap();
        let refused = |timestamp: &str, expected| {
            let signature = token.sign(timestamp.as_bytes(), b"415670741").to_string();
            for max_age in [Age::AtMost(600), Age::Any] {
                assert_eq!(verify(&signature, timestamp, 5, max_age), Err(expected), "{timestamp}");
            }
        };
        for timestamp in ["+171411244", "-5", "5 ", "x", "171411244", "01714112445", "1714112445.0"]
        {
            refused(timestamp, SignatureError::MalformedTimestamp);
        }
        for timestamp in ["171411244x", "1714112445 ", "99999999999999999999", "1714112445abc"] {
            refused(timestamp, SignatureError::MalformedTimestamp);
        }
        refused("1714112445123", SignatureError::MillisecondTimestamp);
        assert_eq!(
            SignatureError::MillisecondTimestamp.to_string(),
            "timestamp has 13 digits, apparently milliseconds, expected 10 digits (seconds since 1970)"
        );
    }

    /// WeChat's scheme sorts the strings, so their order is not signed. The manual describes what follows.
    #[test]
    fn signature_stays_correct_if_timestamp_and_nonce_are_swapped() {
        let token = Token::parse("AAAAA").unwrap();
        let (old, nonce) = (b"1514711492", b"1714112445");
        let signature = token.sign(old, nonce).to_string();
        let signature = signature.as_bytes();
        let verify = |timestamp, nonce| {
            let credentials = Credentials { signature, timestamp, nonce };
            token.verify(&credentials, 1_714_112_445, Age::AtMost(600)).is_ok()
        };
        assert!(!verify(old, nonce));
        assert!(verify(nonce, old));
    }
}
