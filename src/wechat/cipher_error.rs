//! Why a text is no EncodingAESKey, and why an `Encrypt` cannot be decrypted.

/// Characters of an EncodingAESKey: 32 bytes in base64, without its padding.
pub(super) const AES_KEY_LENGTH: usize = 43;

/// Bytes of a block of AES.
pub(super) const BLOCK: usize = 16;

/// The padding fills a message up to a multiple of this many bytes.
pub(super) const PADDED: usize = 32;

/// Random bytes at the start of each message, so that equal messages never look equal.
pub(super) const RANDOM: usize = 16;

/// Bytes before a message: the random ones, and its length.
pub(super) const PREFIX: usize = RANDOM + 4;

/// Why a text is no EncodingAESKey. The error does not show any of the text, which may be the secret with a
/// typing mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AesKeyError {
    /// The text does not have 43 characters.
    Length {
        /// Its characters.
        length: usize,
    },
    /// A character is not one of base64.
    Character {
        /// Its position, from 1.
        position: usize,
    },
    /// This build has no encryption.
    FeatureMissing,
}

/// Why an `Encrypt` cannot be decrypted, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecryptError {
    /// `Encrypt` is not base64.
    Base64,
    /// `Encrypt` is not whole blocks of the cipher.
    Blocks {
        /// Its bytes.
        length: usize,
    },
    /// The decrypted text does not end in padding: 1 to 32 bytes, each of which is their number.
    Padding,
    /// The decrypted text is shorter than what comes before a message.
    TooShort {
        /// Its bytes, without the padding.
        length: usize,
    },
    /// The message is longer than the rest of the decrypted text.
    Length {
        /// Bytes of the message, as the text says.
        length: usize,
        /// Bytes of the rest.
        rest: usize,
    },
    /// Another appid than the account's follows the message, or the length of the message is too small.
    AppId,
    /// The message is empty.
    Empty,
}
