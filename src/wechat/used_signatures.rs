//! Which signature has been used for which content.
//!
//! The signature covers token, timestamp and nonce, but no content, so whoever sees one URL in an
//! access log could post anything under it for as long as its timestamp is young enough. Therefore
//! each signature is good for one content. The same content again is WeChat asking again.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

use super::signature::SignatureError;
use super::verified::Verified;

/// Uses that a set holds. More would take longer to look through, fewer fill less evenly.
const USES: usize = 16;

/// Sets: 32,768 uses in 512 KiB. Of an account that gets 20 messages a second one in 2,000 is
/// forgotten before the 600 seconds of the usual `--max-age` are over; at 30 a second one in 50.
const SETS: usize = 2048;

/// A signature, and the content it was used for: eight bytes of the one, and a keyed hash of the
/// other that nobody outside can aim at.
type Use = [u64; 2];

/// A bounded memory of signatures and the contents they were used for.
///
/// A signature's own bits say which set it belongs to; in a set the oldest use makes room. It takes
/// other right signatures to crowd one out, so that nobody can who is not sent through WeChat.
pub struct UsedSignatures {
    sets: Mutex<Vec<[Use; USES]>>,
    hasher: RandomState,
}

impl Default for UsedSignatures {
    fn default() -> Self {
        Self {
            // Zeroed by the kernel, page by page, when a page is first written to.
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
    /// `Reused` where it was used for another content before.
    pub fn use_for(
        &self,
        verified: Verified,
        content: impl Hash,
    ) -> Result<Verified, SignatureError> {
        self.use_for_hash(verified, self.hasher.hash_one(content))
    }

    fn use_for_hash(&self, verified: Verified, content: u64) -> Result<Verified, SignatureError> {
        let [b0, b1, b2, b3, b4, b5, b6, b7, s0, s1, ..] = verified.signature.0;
        let tag = u64::from_ne_bytes([b0, b1, b2, b3, b4, b5, b6, b7]);
        let set = usize::from(u16::from_ne_bytes([s0, s1])) % SETS;
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(uses) = sets.get_mut(set) else {
            return Ok(verified);
        };
        match uses.iter().find(|[used, _]| *used == tag) {
            Some([_, before]) if *before != content => return Err(SignatureError::Reused),
            Some(_) => {}
            None => {
                uses.rotate_right(1);
                uses[0] = [tag, content];
            }
        }
        Ok(verified)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::signature::{Age, Credentials};
    use super::super::token::Token;
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
    fn a_signature_is_good_for_one_content_however_often() {
        let signatures = UsedSignatures::default();
        assert!(uses(&signatures, 1, b"one"));
        assert!(uses(&signatures, 1, b"one"));
        assert!(!uses(&signatures, 1, b"two"));
        assert!(!uses(&signatures, 1, b""));
        assert!(uses(&signatures, 2, b"two"));
        assert!(uses(&signatures, 1, b"one"));
    }

    /// How many of the last uses are surely remembered is chance, since sets fill unevenly.
    #[test]
    fn the_oldest_uses_make_room_and_the_memory_does_not_grow() {
        let signatures = UsedSignatures::default();
        let count = 3 * SETS * USES;
        for nonce in 0..count {
            assert!(uses(&signatures, nonce, b"one"));
        }
        let kept = |nonces: std::ops::Range<usize>| {
            nonces
                .filter(|nonce| !uses(&signatures, *nonce, b"two"))
                .count()
        };
        assert_eq!(kept(count - 1000..count), 1000, "the youngest");
        assert!(kept(0..1000) < 10, "the oldest");
        assert_eq!(signatures.sets.lock().unwrap().len(), SETS);
    }
}
