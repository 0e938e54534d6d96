//! Encrypted messages (消息加解密说明): the format inside `Encrypt`, and the envelope of an encrypted reply.
//!
//! ```text
//! Encrypt = base64(cbc(random(16) ‖ length(4, big-endian) ‖ message ‖ appid ‖ padding))
//! ```
//!
//! The padding follows PKCS #7 (RFC 5652 6.3) with blocks of 32 bytes.

use std::fmt;
use std::io;

use super::aes_key::AesKey;
use super::app_id::AppId;
use super::cipher_error::{DecryptError, PADDING_MAX, PREFIX, RANDOM};
use super::token::Token;
use super::verified::{Credentials, VerifiedEncrypt};
use crate::xml::writer::{sanitize, write_cdata};

/// Fills a buffer with unpredictable bytes.
type Random = dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync;

/// Decrypts the messages of an account and encrypts its replies, with the keys and the appid of the account.
pub struct Cipher {
    key: AesKey,
    previous: Option<AesKey>,
    app_id: AppId,
    random: Box<Random>,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}

impl Cipher {
    /// A cipher for the account with this appid. `previous` is the previous key. After a new key is saved in the
    /// console, WeChat uses the previous key for a while. `random` fills a buffer with unpredictable bytes;
    /// [`service::random`](crate::service::random) makes such a function.
    pub fn new(
        key: AesKey,
        previous: Option<AesKey>,
        app_id: AppId,
        random: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { key, previous, app_id, random: Box::new(random) }
    }

    /// Whether the cipher has a previous key.
    pub const fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    /// Decrypts the text of an `Encrypt` with the current key, or else with the previous key.
    ///
    /// # Errors
    /// [`DecryptError`]. With two keys, it is the error of the key that passed more checks.
    pub fn decrypt(
        &self,
        encrypt: &VerifiedEncrypt<'_>,
    ) -> Result<DecryptedMessage<'_>, DecryptError> {
        let decrypted = self.decrypt_with(&self.key, encrypt.as_str());
        let Some(previous) = &self.previous else {
            return decrypted;
        };
        decrypted.or_else(|error| {
            let decrypted = self.decrypt_with(previous, encrypt.as_str());
            decrypted.map_err(|previous_error| error.max(previous_error))
        })
    }

    fn decrypt_with<'c>(
        &'c self,
        key: &'c AesKey,
        encrypt: &str,
    ) -> Result<DecryptedMessage<'c>, DecryptError> {
        let mut text = key.decrypt(encrypt)?;
        let length = unpadded_length(&text).ok_or(DecryptError::Padding)?;
        text.truncate(length);
        let Some((prefix, rest)) = text.split_first_chunk::<PREFIX>() else {
            return Err(DecryptError::TooShort { length });
        };
        let [.., a, b, c, d] = *prefix;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some((message, app_id)) = rest.split_at_checked(length) else {
            let rest = rest.len();
            return Err(DecryptError::Length { length, rest });
        };
        if app_id != self.app_id.as_str().as_bytes() {
            return Err(DecryptError::AppId);
        }
        if message.is_empty() {
            return Err(DecryptError::Empty);
        }
        text.truncate(PREFIX + length);
        Ok(DecryptedMessage { text, cipher: self, key })
    }

    /// Encrypts a message with the current key. Returns the text of an `Encrypt`.
    ///
    /// # Errors
    /// There are no random bytes, or the message has 4 GiB or more.
    pub fn encrypt(&self, message: &[u8]) -> io::Result<String> {
        self.encrypt_with(&self.key, message)
    }

    fn encrypt_with(&self, key: &AesKey, message: &[u8]) -> io::Result<String> {
        let mut random = [0; RANDOM];
        (self.random)(&mut random)?;
        let length = u32::try_from(message.len()).map_err(io::Error::other)?;
        let app_id = self.app_id.as_str().as_bytes();
        let mut text = Vec::with_capacity(PREFIX + message.len() + app_id.len() + PADDING_MAX);
        for part in [&random, length.to_be_bytes().as_slice(), message, app_id] {
            text.extend_from_slice(part);
        }
        pad(&mut text);
        Ok(key.encrypt(text))
    }
}

/// The length of a text without its padding; `None` if the text does not end in valid padding.
fn unpadded_length(text: &[u8]) -> Option<usize> {
    let count = *text.last()?;
    let (rest, padding) = text.split_at_checked(text.len().checked_sub(count.into())?)?;
    let is_padding =
        (1..=PADDING_MAX).contains(&padding.len()) && padding.iter().all(|octet| *octet == count);
    is_padding.then_some(rest.len())
}

/// Appends 1 to 32 bytes of padding, so that the length is a multiple of 32.
fn pad(text: &mut Vec<u8>) {
    let length = (text.len() + 1).next_multiple_of(PADDING_MAX);
    let count = u8::try_from(length - text.len()).expect("at most 32 bytes of padding");
    text.resize(length, count);
}

/// A decrypted message, and the key that decrypted it. The key also encrypts the reply.
#[derive(Debug)]
pub struct DecryptedMessage<'c> {
    /// The decrypted text from its start to the end of the message.
    text: Vec<u8>,
    cipher: &'c Cipher,
    key: &'c AesKey,
}

impl DecryptedMessage<'_> {
    /// The XML of the message, as in plain mode.
    pub fn message(&self) -> &[u8] {
        &self.text[PREFIX..]
    }

    /// Encrypts the reply to this message, and signs it with the token, the time `now` (in seconds since 1970)
    /// and the nonce of the request, as in the manual. Returns the envelope of the reply.
    ///
    /// ```text
    /// <xml><Encrypt>…</Encrypt><MsgSignature>…</MsgSignature><TimeStamp>…</TimeStamp><Nonce>…</Nonce></xml>
    /// ```
    ///
    /// # Errors
    /// The same as for [`Cipher::encrypt`].
    pub fn encrypt_reply(
        &self,
        reply: &[u8],
        token: &Token,
        now: u64,
        request: &Credentials<'_>,
    ) -> io::Result<Vec<u8>> {
        let encrypt = self.cipher.encrypt_with(self.key, reply)?;
        let mut timestamp = now.to_string();
        if timestamp.as_bytes() == request.timestamp {
            // If the reply had the request's timestamp and nonce, an attacker could send it to this server as a
            // request with the request's `signature` and the reply's `MsgSignature`, and both would match.
            timestamp = (now + 1).to_string();
        }
        // Sign the nonce after the changes that XML requires, because WeChat reads it from the XML.
        let nonce = String::from_utf8_lossy(request.nonce);
        let nonce = sanitize(&nonce);
        let signature = token.sign_message(timestamp.as_bytes(), nonce.as_bytes(), &encrypt);
        let mut out = Vec::with_capacity(encrypt.len() + nonce.len() + ENVELOPE_MAX);
        out.extend_from_slice(b"<xml><Encrypt><![CDATA[");
        out.extend_from_slice(encrypt.as_bytes());
        out.extend_from_slice(b"]]></Encrypt><MsgSignature><![CDATA[");
        out.extend_from_slice(signature.digits().as_flattened());
        out.extend_from_slice(b"]]></MsgSignature><TimeStamp>");
        out.extend_from_slice(timestamp.as_bytes());
        out.extend_from_slice(b"</TimeStamp><Nonce><![CDATA[");
        write_cdata(&nonce, &mut out);
        out.extend_from_slice(b"]]></Nonce></xml>");
        Ok(out)
    }
}

/// An upper limit for the bytes of a reply's envelope besides `Encrypt` and nonce.
const ENVELOPE_MAX: usize = 256;
