//! The EncodingAESKey, which decrypts and encrypts the base64 text of `Encrypt` with AES-256-CBC (消息加解密说明;
//! RFC 4648 4).
//!
//! This is the only file that uses the packages of the feature `secure`. A build without the feature uses
//! `no_aes_key.rs` instead.

use std::fmt;

use aes::Aes256;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{NO_PAD, STANDARD};
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::cipher_error::{AES_KEY_LENGTH, AesKeyError, BLOCK, DecryptError};

/// Whether this build can read encrypted messages.
pub const SECURE: bool = true;

/// 43 characters of base64 hold two bits more than the 32 bytes of a key. In four of five real keys these bits
/// are not zero, and a strict decoder would refuse the key.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_TRAILING_BITS);
const ANY_TRAILING_BITS: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);

/// The EncodingAESKey of the account. `Debug` prints only the type name, and there is no `Display`, so no log or
/// error can show the key.
pub struct AesKey([u8; 32]);

impl AesKey {
    /// Parses the EncodingAESKey as the WeChat console shows it: 43 characters of base64.
    ///
    /// # Errors
    /// [`AesKeyError`]
    pub fn parse(text: &str) -> Result<Self, AesKeyError> {
        let is_invalid = |letter: char| !letter.is_ascii_alphanumeric() && !"+/".contains(letter);
        if let Some(index) = text.chars().position(is_invalid) {
            let position = index + 1;
            return Err(AesKeyError::Character { position });
        }
        let length = text.len();
        if length != AES_KEY_LENGTH {
            return Err(AesKeyError::Length { length });
        }
        let bytes = KEY_BASE64.decode(text).ok();
        let key = bytes.and_then(|bytes| bytes.try_into().ok());
        Ok(Self(key.expect("43 characters of base64 hold 32 bytes")))
    }

    /// Decodes and decrypts the text of an `Encrypt`. The result still has its padding.
    ///
    /// # Errors
    /// `Base64` or `Blocks`
    pub(super) fn decrypt(&self, encrypt: &str) -> Result<Vec<u8>, DecryptError> {
        let mut text = STANDARD.decode(encrypt).map_err(|_| DecryptError::Base64)?;
        let length = text.len();
        let (blocks, []) = Array::slice_as_chunks_mut(&mut text) else {
            return Err(DecryptError::Blocks { length });
        };
        cbc::Decryptor::<Aes256>::new(&self.0.into(), &self.iv().into()).decrypt_blocks(blocks);
        Ok(text)
    }

    /// Encrypts a padded text, and encodes the result in base64.
    pub(super) fn encrypt(&self, mut padded: Vec<u8>) -> String {
        let (blocks, rest) = Array::slice_as_chunks_mut(&mut padded);
        assert!(rest.is_empty(), "the padding fills the last block");
        cbc::Encryptor::<Aes256>::new(&self.0.into(), &self.iv().into()).encrypt_blocks(blocks);
        STANDARD.encode(padded)
    }

    /// The initialization vector, which is the first half of the key.
    fn iv(&self) -> [u8; BLOCK] {
        *self.0.first_chunk().expect("a key has 32 bytes")
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey")
    }
}
