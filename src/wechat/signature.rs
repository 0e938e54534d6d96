//! The signature of a callback: who may talk to the account (接入指南).

use std::borrow::Cow;
use std::fmt;

use sha1_smol::Sha1;

use super::token::Token;
use super::verified::{Sealed, Verified};
use crate::text::digits;

/// Bytes of a timestamp and of a nonce, at most; WeChat's have about ten.
///
/// Nothing separates what is signed, so that a `msg_signature` is also the `signature` of a nonce that ends
/// in the `Encrypt`: whoever sees an encrypted message could send plain ones of their own. None is short
/// enough for that: a message of one byte and the 18 of an appid come to 88 bytes of base64.
const TIMESTAMP_MAX: usize = 20;
const NONCE_MAX: usize = 40;

impl Token {
    /// `sha1(sort(token, timestamp, nonce))`: the three strings in byte order, joined without
    /// anything between them.
    pub fn sign(&self, timestamp: &[u8], nonce: &[u8]) -> Signature {
        // An empty string stands in front of the others and adds nothing.
        self.sign_message(timestamp, nonce, "")
    }

    /// The `msg_signature` of an encrypted message: the same with its `Encrypt` as a fourth string.
    pub fn sign_message(&self, timestamp: &[u8], nonce: &[u8], encrypt: &str) -> Signature {
        let mut strings = [self.0.as_bytes(), timestamp, nonce, encrypt.as_bytes()];
        strings.sort_unstable();
        let mut sha1 = Sha1::new();
        for string in strings {
            sha1.update(string);
        }
        Signature(sha1.digest().bytes())
    }

    /// Checks the credentials of a request that came at the time `now`, in seconds since 1970.
    ///
    /// # Errors
    /// `Wrong` where the signature is another, `Malformed` where it is none, `LongTimestamp` and `LongNonce`
    /// where it could be over something else; `Timestamp` and `Stale` only behind a right signature, so that a
    /// stranger learns nothing about this clock.
    pub fn verify(
        &self,
        credentials: &Credentials<'_>,
        now: u64,
        max_age: Age,
    ) -> Result<Verified, SignatureError> {
        let claimed = self.claimed(credentials, "")?;
        if let Age::AtMost(max_age) = max_age {
            let timestamp = digits::parse_decimal(credentials.timestamp)
                .map_err(|_| SignatureError::Timestamp)?;
            let age = now.abs_diff(timestamp);
            if age > max_age {
                return Err(SignatureError::Stale {
                    age,
                    ahead: timestamp > now,
                    max_age,
                });
            }
        }
        Ok(Verified {
            at: now,
            signature: claimed,
        })
    }

    /// Checks that credentials whose signature is a `msg_signature` are over this `Encrypt`.
    ///
    /// # Errors
    /// `Wrong`, `Malformed`, `LongTimestamp` or `LongNonce`.
    pub fn verify_message<'a>(
        &self,
        credentials: &Credentials<'_>,
        encrypt: &'a str,
    ) -> Result<Sealed<'a>, SignatureError> {
        self.claimed(credentials, encrypt)?;
        Ok(Sealed { encrypt })
    }

    /// The signature of credentials where it is the right one.
    fn claimed(
        &self,
        credentials: &Credentials<'_>,
        encrypt: &str,
    ) -> Result<Signature, SignatureError> {
        let Credentials {
            signature,
            timestamp,
            nonce,
        } = *credentials;
        if timestamp.len() > TIMESTAMP_MAX {
            return Err(SignatureError::LongTimestamp(timestamp.len()));
        }
        if nonce.len() > NONCE_MAX {
            return Err(SignatureError::LongNonce(nonce.len()));
        }
        let claimed = Signature::parse(signature).ok_or(SignatureError::Malformed)?;
        match claimed.equals(&self.sign_message(timestamp, nonce, encrypt)) {
            true => Ok(claimed),
            false => Err(SignatureError::Wrong),
        }
    }
}

/// A SHA-1 over token, timestamp, nonce and, of an encrypted message, its `Encrypt`.
#[derive(Clone, Copy)]
pub struct Signature(pub(super) [u8; 20]);

impl Signature {
    /// 40 hexadecimal digits, as the `signature` parameter holds them.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (pairs, []) = text.as_chunks::<2>() else {
            return None;
        };
        let mut bytes = [0; 20];
        if pairs.len() != bytes.len() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digits::hex_octet(*high, *low)?;
        }
        Some(Self(bytes))
    }

    /// 40 hexadecimal digits in lower case.
    pub(super) fn digits(&self) -> [u8; 40] {
        let mut digits = [0; 40];
        let (pairs, _) = digits.as_chunks_mut();
        for (pair, byte) in pairs.iter_mut().zip(self.0) {
            *pair = digits::hex_digits(byte);
        }
        digits
    }

    /// Compares all twenty bytes whatever the first one says, so that the time it takes tells
    /// nothing about where two signatures part.
    fn equals(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .fold(0, |difference, (left, right)| difference | (left ^ right))
            == 0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.digits()).unwrap_or(""))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature")
    }
}

/// How far the timestamp of a request may be from this clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// So many seconds, before or after.
    AtMost(u64),
    /// Any distance: captured requests stay good.
    Any,
}

/// The query parameters that authenticate a request, percent-decoded. Timestamp and nonce are
/// opaque: the signature is over their text.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// `signature`, to be 40 hexadecimal digits.
    pub signature: &'a [u8],
    /// `timestamp`, in seconds since 1970.
    pub timestamp: &'a [u8],
    /// `nonce`.
    pub nonce: &'a [u8],
}

/// Why credentials prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The signature is not 40 hexadecimal digits.
    Malformed,
    /// A timestamp of so many bytes, where 20 are allowed.
    LongTimestamp(usize),
    /// A nonce of so many bytes, where 40 are allowed.
    LongNonce(usize),
    /// It is the signature of something else.
    Wrong,
    /// It is right, but the timestamp is not a number of seconds.
    Timestamp,
    /// It is right, but too old, or from a clock that is ahead.
    Stale {
        /// Seconds between the timestamp and this clock.
        age: u64,
        /// Whether the timestamp is the later one.
        ahead: bool,
        /// Seconds allowed.
        max_age: u64,
    },
    /// It is right, but was used for another content before.
    Reused,
}

impl SignatureError {
    /// What is wrong, in one line.
    pub(crate) fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Malformed => "signature is not 40 hexadecimal digits".into(),
            Self::LongTimestamp(length) => {
                format!("timestamp of {length} bytes, at most {TIMESTAMP_MAX} allowed").into()
            }
            Self::LongNonce(length) => {
                format!("nonce of {length} bytes, at most {NONCE_MAX} allowed").into()
            }
            Self::Wrong => "signature does not match".into(),
            Self::Timestamp => "timestamp is not a number of seconds".into(),
            Self::Stale {
                age,
                ahead,
                max_age,
            } => {
                let side = if *ahead { "ahead of" } else { "behind" };
                format!("timestamp {age} seconds {side} this clock, at most {max_age} allowed")
                    .into()
            }
            Self::Reused => "signature was used for another content".into(),
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}

impl std::error::Error for SignatureError {}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "a test fails by panicking"
    )]
    use super::*;

    #[track_caller]
    fn assert_signature(token: &str, timestamp: &str, nonce: &str, signature: &str) {
        let signed = Token::parse(token)
            .unwrap()
            .sign(timestamp.as_bytes(), nonce.as_bytes());
        assert_eq!(signed.to_string(), signature);
    }

    /// Public vectors: the manual's own, Tencent's sample, and the test suites of two libraries.
    #[test]
    fn published_signatures_are_reproduced() {
        assert_signature(
            "AAAAA",
            "1714036504",
            "1514711492",
            "f464b24fc39322e44b38aa78f5edd27bd1441696",
        );
        assert_signature(
            "AAAAA",
            "1714037059",
            "486452656",
            "899cf89e464efb63f54ddac96b0a0a235f53aa78",
        );
        assert_signature(
            "AAAAA",
            "1714112445",
            "415670741",
            "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
        );
        assert_signature(
            "test",
            "1410685589",
            "test",
            "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff",
        );
        assert_signature(
            "weixin",
            "1414387151",
            "917222494",
            "e3203b6433eb554dd2fcba78fa48cb948fcb4801",
        );
        assert_signature(
            "spamtest",
            "1409735669",
            "1320562132",
            "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a",
        );
    }

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
        Token::parse("AAAAA")
            .unwrap()
            .verify(&credentials, now, max_age)
            .map(|_| ())
    }

    const RIGHT: &str = "6c5c811b55cc85e0e1b54100749188c20beb3f5d";

    #[test]
    fn the_right_signature_is_verified_in_either_case_of_its_digits() {
        assert_eq!(
            verify(RIGHT, "1714112445", 1_714_112_445, Age::AtMost(0)),
            Ok(())
        );
        assert_eq!(
            verify(&RIGHT.to_uppercase(), "1714112445", 0, Age::Any),
            Ok(())
        );
    }

    #[test]
    fn every_single_wrong_digit_is_refused() {
        for place in 0..RIGHT.len() {
            let mut wrong = RIGHT.as_bytes().to_vec();
            wrong[place] = if wrong[place] == b'0' { b'1' } else { b'0' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(
                verify(&wrong, "1714112445", 1_714_112_445, Age::Any),
                Err(SignatureError::Wrong),
                "{place}"
            );
        }
    }

    #[test]
    fn what_is_too_long_to_be_signed_is_refused_whatever_its_signature() {
        let token = Token::parse("AAAAA").unwrap();
        for (lengths, expected) in [
            ((20, 40), Ok(())),
            ((21, 1), Err(SignatureError::LongTimestamp(21))),
            ((1, 41), Err(SignatureError::LongNonce(41))),
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
    fn what_is_no_signature_is_refused_as_such() {
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
    fn a_timestamp_too_far_on_either_side_is_stale() {
        let stale = |now| verify(RIGHT, "1714112445", now, Age::AtMost(600));
        assert_eq!(stale(1_714_112_445 + 600), Ok(()));
        assert_eq!(stale(1_714_112_445 - 600), Ok(()));
        assert_eq!(
            stale(1_714_112_445 + 601).unwrap_err().to_string(),
            "timestamp 601 seconds behind this clock, at most 600 allowed"
        );
        assert_eq!(
            stale(1_714_112_445 - 700).unwrap_err().to_string(),
            "timestamp 700 seconds ahead of this clock, at most 600 allowed"
        );
    }

    #[test]
    fn a_timestamp_is_digits_only_where_its_age_counts() {
        let token = Token::parse("AAAAA").unwrap();
        for timestamp in ["+5", "-5", "5 ", "x", "99999999999999999999"] {
            let signature = token.sign(timestamp.as_bytes(), b"415670741").to_string();
            assert_eq!(
                verify(&signature, timestamp, 5, Age::AtMost(600)),
                Err(SignatureError::Timestamp),
                "{timestamp}"
            );
            assert_eq!(
                verify(&signature, timestamp, 5, Age::Any),
                Ok(()),
                "{timestamp}"
            );
        }
    }
}
