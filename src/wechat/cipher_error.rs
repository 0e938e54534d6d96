//! The errors of an EncodingAESKey and of the decryption of an `Encrypt`, and the lengths in the encrypted format.

/// Number of characters of an EncodingAESKey, which is the base64 of 32 bytes without padding.
pub(super) const AES_KEY_LENGTH: usize = 43;

/// Bytes in a block of AES.
pub(super) const BLOCK: usize = 16;

/// Maximum bytes of padding. The length of a padded text is a multiple of this number.
pub(super) const PADDING_MAX: usize = 32;

/// Number of random bytes at the start of each text. Because of them, equal messages are encrypted differently.
pub(super) const RANDOM: usize = 16;

/// Bytes before the message: the random bytes and the length field.
pub(super) const PREFIX: usize = RANDOM + 4;

/// The reason why a text is not an EncodingAESKey. The error shows no part of the text, because the text may be
/// the secret with a typing error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AesKeyError {
    /// The text does not have 43 characters.
    Length {
        /// The number of characters of the text.
        length: usize,
    },
    /// A character is not in the base64 alphabet.
    Character {
        /// The position of the character, counted from 1.
        position: usize,
    },
    /// The program was built without encryption.
    FeatureMissing,
}

/// The reason why an `Encrypt` cannot be decrypted. The variants are in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecryptError {
    /// `Encrypt` is not base64.
    Base64,
    /// The length of `Encrypt` is not a multiple of the block length.
    Blocks {
        /// The number of bytes that `Encrypt` has after base64 decoding.
        length: usize,
    },
    /// The decrypted text does not end in valid padding, which is N bytes with the value N (1 to 32).
    Padding,
    /// The decrypted text is shorter than the random bytes and the length field.
    TooShort {
        /// The bytes of the text without padding.
        length: usize,
    },
    /// The length field is larger than the rest of the decrypted text.
    Length {
        /// The bytes of the message according to the length field.
        length: usize,
        /// The bytes after the length field, without padding.
        rest: usize,
    },
    /// The text after the message is not the appid of the account. The length field may also be too small.
    AppId,
    /// The message is empty.
    Empty,
}
