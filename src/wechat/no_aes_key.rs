//! Replaces `aes_key.rs` in a build without the feature `secure`. The type `AesKey` has no values here, so the
//! compiler removes all code that needs a key.

use super::cipher_error::{AesKeyError, DecryptError};

/// Whether this build can read encrypted messages.
pub const SECURE: bool = false;

/// The EncodingAESKey of the account, which this build cannot have.
#[derive(Debug)]
pub enum AesKey {}

impl AesKey {
    /// Always fails.
    ///
    /// # Errors
    /// [`AesKeyError::FeatureMissing`]
    pub const fn parse(_: &str) -> Result<Self, AesKeyError> {
        Err(AesKeyError::FeatureMissing)
    }

    pub(super) const fn decrypt(&self, _: &str) -> Result<Vec<u8>, DecryptError> {
        match *self {}
    }

    pub(super) fn encrypt(&self, _: Vec<u8>) -> String {
        match *self {}
    }
}
