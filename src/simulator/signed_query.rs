//! The parts that all requests of WeChat have: the signed query parameters (接入指南), and a head as in captures of real
//! requests.

use std::hash::{BuildHasher, RandomState};

use crate::http::Url;
use crate::wechat::{Signature, Token};

/// The three query parameters of every request: timestamp, nonce and their signature.
pub(crate) struct SignedQuery {
    timestamp: String,
    nonce: String,
    signature: String,
}

impl SignedQuery {
    /// Signs `now`, in seconds since 1970, and a new nonce.
    pub(crate) fn new(token: &Token, now: u64) -> Self {
        let timestamp = now.to_string();
        let nonce = (random_number() % 10_000_000_000).to_string();
        let signature = token.sign(timestamp.as_bytes(), nonce.as_bytes());
        Self { signature: signature.to_string(), timestamp, nonce }
    }

    /// The `msg_signature` of an encrypted message sent with this timestamp and nonce.
    pub(super) fn sign_message(&self, token: &Token, encrypt: &str) -> Signature {
        token.sign_message(self.timestamp.as_bytes(), self.nonce.as_bytes(), encrypt)
    }

    /// Changes the first digit of the signature.
    pub(super) fn with_wrong_signature(mut self) -> Self {
        let digit = if self.signature.starts_with('0') { "1" } else { "0" };
        self.signature.replace_range(..1, digit);
        self
    }

    /// `signature=…&timestamp=…&nonce=…`, in the order of captured requests.
    pub(super) fn parameters(&self) -> String {
        let (timestamp, nonce) = (&self.timestamp, &self.nonce);
        format!("signature={}&timestamp={timestamp}&nonce={nonce}", self.signature)
    }
}

/// The request line and the field lines that every captured request has. The caller adds more field lines and the empty
/// line.
pub(super) fn request_head(method: &str, target: &str, url: &Url) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\nHost: {}\r\n\
         Pragma: no-cache\r\n",
        url.authority()
    )
}

/// A random number, which is made from the keys of std's hash maps, because std has no other random source. It is good
/// enough to distinguish messages, but not for secrets.
pub(crate) fn random_number() -> u64 {
    RandomState::new().hash_one(0_u8)
}
