//! Stores which signature was used for which content, to detect reused signatures.
//!
//! A signature covers token, timestamp and nonce, but not the content. An attacker who sees the URL of a request,
//! for example in an access log, could send any content to that URL until its timestamp is too old. Therefore each
//! signature is valid for only one content. A request with equal signature and content is another try by WeChat.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use super::verified::{SignatureError, Verified};

/// Number of uses in a set. With more uses, the search in a set would be slower. With fewer uses, the sets would
/// fill less evenly.
const USES_PER_SET: usize = 16;

/// Number of sets. Together they hold 32,768 uses in 512 KiB. The default `--max-age` is 600 seconds. At 20 messages
/// a second, one use in 2,000 is overwritten before it is 600 seconds old; at 30 messages a second, one use in 50.
const SETS: usize = 2048;

/// One use of a signature: the first eight bytes of the signature, and a hash of the content. The hash has a random
/// key, so an attacker cannot find different content with an equal hash.
type Use = [u64; 2];

/// The signatures that were used lately, each with the hash of its content. The memory is limited,
/// because a new use overwrites the oldest use in its set. Two bytes of a signature select the set.
///
/// Only correct signatures are stored, so only a sender who knows the token can cause uses to be overwritten.
pub struct UsedSignatures {
    sets: Mutex<Vec<[Use; USES_PER_SET]>>,
    hasher: RandomState,
}

impl Default for UsedSignatures {
    fn default() -> Self {
        Self {
            // Zeros are allocated without writing them, so a page uses no memory until its first use.
            sets: Mutex::new(vec![[[0; 2]; USES_PER_SET]; SETS]),
            hasher: RandomState::new(),
        }
    }
}

impl fmt::Debug for UsedSignatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UsedSignatures")
    }
}

impl UsedSignatures {
    /// Records that the signature of a verified request is used for this content.
    ///
    /// # Errors
    /// `Reused` if the signature was already used for different content.
    pub fn use_for(
        &self,
        verified: Verified,
        content: impl Hash,
    ) -> Result<Verified, SignatureError> {
        self.use_for_hash(verified, self.hasher.hash_one(content))
    }

    fn use_for_hash(&self, verified: Verified, hash: u64) -> Result<Verified, SignatureError> {
        let [b0, b1, b2, b3, b4, b5, b6, b7, s0, s1, ..] = *verified.signature().as_bytes();
        let signature = u64::from_ne_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        let set = usize::from(u16::from_ne_bytes([s0, s1])) % SETS;
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let uses = &mut sets[set];
        match uses.iter().find(|[used, _]| *used == signature) {
            Some([_, used_for]) if *used_for != hash => return Err(SignatureError::Reused),
            Some(_) => {}
            None => {
                uses.rotate_right(1);
                uses[0] = [signature, hash];
            }
        }
        Ok(verified)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::token::Token;
    use super::super::verified::{Age, Credentials};
    use super::*;

    fn verified(nonce: usize) -> Verified {
        let token = Token::parse("hello2021").unwrap();
        let nonce = nonce.to_string();
        let signature = token.sign(b"1626513248", nonce.as_bytes()).to_string();
        let credentials = Credentials {
            signature: signature.as_bytes(),
            timestamp: b"1626513248",
            nonce: nonce.as_bytes(),
        };
        token.verify(&credentials, 0, Age::Any).unwrap()
    }

    fn uses(signatures: &UsedSignatures, nonce: usize, content: &[u8]) -> bool {
        match signatures.use_for(verified(nonce), content) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, SignatureError::Reused);
                false
            }
        }
    }

    #[test]
    fn accepts_a_signature_again_with_equal_content_only() {
        let signatures = UsedSignatures::default();
        assert!(uses(&signatures, 1, b"one"));
        assert!(uses(&signatures, 1, b"one"));
        assert!(!uses(&signatures, 1, b"two"));
        assert!(!uses(&signatures, 1, b""));
        assert!(uses(&signatures, 2, b"two"));
        assert!(uses(&signatures, 1, b"one"));
    }

    /// Sets fill unevenly, so the exact number of stored uses is random.
    #[test]
    fn overwrites_the_oldest_uses_and_does_not_grow() {
        let signatures = UsedSignatures::default();
        let count = 3 * SETS * USES_PER_SET;
        for nonce in 0..count {
            assert!(uses(&signatures, nonce, b"one"));
        }
        let stored = |nonces: std::ops::Range<usize>| {
            nonces.filter(|nonce| !uses(&signatures, *nonce, b"two")).count()
        };
        assert_eq!(stored(count - 1000..count), 1000, "the latest");
        assert!(stored(0..1000) < 10, "the oldest");
        assert_eq!(signatures.sets.lock().unwrap().len(), SETS);
    }
}
