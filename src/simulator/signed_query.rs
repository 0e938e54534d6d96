//! What all requests of WeChat have: timestamp, nonce and their signature, and some fields.

use std::hash::{BuildHasher, RandomState};

use crate::http::Url;
use crate::wechat::{Signature, Token};

/// The three query parameters that every request of WeChat has.
pub(crate) struct SignedQuery {
    timestamp: String,
    nonce: String,
    signature: String,
}

impl SignedQuery {
    /// Signed now, in seconds since 1970, with a nonce of its own.
    pub(crate) fn new(token: &Token, now: u64) -> Self {
        let timestamp = now.to_string();
        let nonce = (random() % 10_000_000_000).to_string();
        let signature = token.sign(timestamp.as_bytes(), nonce.as_bytes());
        Self {
            signature: signature.to_string(),
            timestamp,
            nonce,
        }
    }

    /// The `msg_signature` of what is encrypted, with the same timestamp and nonce.
    pub(super) fn sign_message(&self, token: &Token, encrypt: &str) -> Signature {
        token.sign_message(self.timestamp.as_bytes(), self.nonce.as_bytes(), encrypt)
    }

    /// The same with another first digit of the signature.
    pub(super) fn forged(mut self) -> Self {
        let other = if self.signature.starts_with('0') {
            "1"
        } else {
            "0"
        };
        self.signature.replace_range(..1, other);
        self
    }

    /// `signature=…&timestamp=…&nonce=…`, in the order of a captured message.
    pub(super) fn parameters(&self) -> String {
        let Self {
            timestamp,
            nonce,
            signature,
        } = self;
        format!("signature={signature}&timestamp={timestamp}&nonce={nonce}")
    }
}

/// The request line and the fields that every captured request has; more may follow.
pub(super) fn request_head(method: &str, target: &str, url: &Url) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\nHost: {}\r\n\
         Pragma: no-cache\r\n",
        url.authority()
    )
}

/// A number that nobody used before. std has no other source of them, and for telling two messages
/// apart the keys of its hash maps are random enough.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0_u8)
}
