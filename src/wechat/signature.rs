//! The signature of a request (接入指南), which is the SHA-1 of the sorted strings that are signed.

use std::fmt::{self, Write as _};

use sha1_smol::Sha1;

use super::token::Token;
use crate::text::digits;

impl Token {
    /// The `signature` of a request: `sha1(sort(token, timestamp, nonce))`. The three strings are sorted as
    /// bytes, and joined without a separator.
    pub fn sign(&self, timestamp: &[u8], nonce: &[u8]) -> Signature {
        // An empty fourth string does not change the hash.
        self.sign_message(timestamp, nonce, "")
    }

    /// The `msg_signature` of an encrypted message. It also signs the text of `Encrypt`, as a fourth string.
    pub fn sign_message(&self, timestamp: &[u8], nonce: &[u8], encrypt: &str) -> Signature {
        let mut strings = [self.as_bytes(), timestamp, nonce, encrypt.as_bytes()];
        strings.sort_unstable();
        let mut sha1 = Sha1::new();
        for string in strings {
            sha1.update(string);
        }
        Signature(sha1.digest().bytes())
    }
}

/// A `signature` or `msg_signature`.
#[derive(Clone, Copy)]
pub struct Signature([u8; 20]);

impl Signature {
    /// Parses 40 hexadecimal digits, in either case; `None` for any other text.
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

    /// The 20 bytes of the hash.
    pub(super) const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// 40 hexadecimal digits in lower case, in pairs.
    pub(super) fn digits(&self) -> [[u8; 2]; 20] {
        self.0.map(digits::hex_digits)
    }

    /// Whether two signatures are equal. Always compares all 20 bytes, so that the time taken does not show where
    /// the signatures differ.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(other.0);
        pairs.fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
    }
}

/// Prints 40 hexadecimal digits in lower case.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        digits.as_flattened().iter().try_for_each(|digit| f.write_char(char::from(*digit)))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[track_caller]
    fn assert_signature(token: &str, timestamp: &str, nonce: &str, signature: &str) {
        let signed = Token::parse(token).unwrap().sign(timestamp.as_bytes(), nonce.as_bytes());
        assert_eq!(signed.to_string(), signature);
    }

    /// The signatures are from the manual, from Tencent's sample code, and from the test suites of two libraries.
    #[test]
    fn reproduces_published_signatures() {
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
        assert_signature("test", "1410685589", "test", "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff");
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
}
