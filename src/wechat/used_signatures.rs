//! Remembers which signature was used for which content.
//!
//! The signature covers token, timestamp and nonce, but not the content. So an attacker who sees a request's
//! URL, in an access log for example, could send any content with it until its timestamp is too old.
//! Therefore each signature is valid for one content only. Equal content is a retry by WeChat.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use super::verified::{SignatureError, Verified};

/// Uses in a set. With more, a search would take longer; with fewer, the sets would fill less evenly.
const USES: usize = 16;

/// Sets: 32,768 uses in 512 KiB. At 20 messages a second, one use in 2,000 is forgotten before the 600
/// seconds of the default `--max-age` are over; at 30 messages a second, one in 50.
const SETS: usize = 2048;

/// The first eight bytes of a signature, and the hash of its content. The hash has a random key, so nobody can
/// choose a content for its hash.
type Use = [u64; 2];

/// The signatures that were used lately, and the hash of the content of each. The memory is bounded: a new
/// use replaces the oldest one of its set, which two bytes of the signature select.
///
/// Only right signatures are remembered, so only a sender who knows the token can make an entry be forgotten.
pub struct UsedSignatures {
    sets: Mutex<Vec<[Use; USES]>>,
    hasher: RandomState,
}

impl Default for UsedSignatures {
    fn default() -> Self {
        Self {
            // The kernel zeroes a page when it is first written to: until then it takes no memory.
            sets: Mutex::new(vec![[[0; 2]; USES]; SETS]),
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
    /// Uses the signature of a verified request for its content.
    ///
    /// # Errors
    /// `Reused` if the signature was used for other content.
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

    /// Sets fill unevenly, so the exact number of remembered uses is random.
    #[test]
    fn forgets_the_oldest_uses_and_does_not_grow() {
        let signatures = UsedSignatures::default();
        let count = 3 * SETS * USES;
        for nonce in 0..count {
            assert!(uses(&signatures, nonce, b"one"));
        }
        let remembered = |nonces: std::ops::Range<usize>| {
            nonces.filter(|nonce| !uses(&signatures, *nonce, b"two")).count()
        };
        assert_eq!(remembered(count - 1000..count), 1000, "the latest");
        assert!(remembered(0..1000) < 10, "the oldest");
        assert_eq!(signatures.sets.lock().unwrap().len(), SETS);
    }
}
