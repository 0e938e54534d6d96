//! Encrypted messages (消息加解密说明): AES-256-CBC under the EncodingAESKey, in base64. The only file that
//! names the packages of the feature `secure`.
//!
//! ```text
//! Encrypt = base64(cbc(random(16) ‖ length(4, big-endian) ‖ message ‖ appid ‖ padding))
//! ```
//!
//! The padding is that of PKCS #7 (RFC 5652 6.3) for blocks of 32 bytes; the initialization vector is the
//! front of the key.

use std::borrow::Cow;
use std::fmt;
use std::io;

use aes::Aes256;
use aes::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{NO_PAD, STANDARD};
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::envelope::{AesKeyError, AppId, OpenError};
use super::signature::Credentials;
use super::token::Token;
use super::verified::Sealed;
use crate::text::digits;
use crate::xml::writer::{sanitize, write_cdata};

/// Whether this build can read encrypted messages.
pub const SECURE: bool = true;

/// Characters of an EncodingAESKey: 32 bytes, without the padding of base64.
const KEY_LENGTH: usize = 43;

/// Random bytes in front of each message, so that the same one never looks the same.
const RANDOM: usize = 16;

/// What stands in front of a message: those, and its length.
const FRONT: usize = RANDOM + 4;

/// The padding makes a multiple of so many bytes.
const PADDED: usize = 32;

/// Bytes that the cipher takes at once.
const BLOCK: usize = 16;

/// Four of five real keys end in bits that belong to no byte, which a strict decoder refuses.
const OF_KEYS: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD_AND_ANY_TRAILING_BITS);
const NO_PAD_AND_ANY_TRAILING_BITS: GeneralPurposeConfig =
    NO_PAD.with_decode_allow_trailing_bits(true);

/// The EncodingAESKey of the account. It prints nothing in `Debug` and has no `Display`.
pub struct AesKey([u8; 32]);

impl AesKey {
    /// The EncodingAESKey as it stands in the WeChat console: 43 characters of base64.
    ///
    /// # Errors
    /// [`AesKeyError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, AesKeyError> {
        let is_other = |letter: char| !letter.is_ascii_alphanumeric() && !"+/".contains(letter);
        if let Some(place) = text.chars().position(is_other) {
            return Err(AesKeyError::Character(place.saturating_add(1)));
        }
        let wrong = AesKeyError::Length(text.len());
        if text.len() != KEY_LENGTH {
            return Err(wrong);
        }
        let bytes = OF_KEYS.decode(text).map_err(|_| wrong)?;
        bytes.try_into().map(Self).map_err(|_| wrong)
    }

    fn iv(&self) -> [u8; BLOCK] {
        self.0.first_chunk().copied().unwrap_or_default()
    }

    fn decrypt(&self, bytes: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(bytes);
        cbc::Decryptor::<Aes256>::new(&self.0.into(), &self.iv().into()).decrypt_blocks(blocks);
    }

    fn encrypt(&self, bytes: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(bytes);
        cbc::Encryptor::<Aes256>::new(&self.0.into(), &self.iv().into()).encrypt_blocks(blocks);
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AesKey")
    }
}

/// Fills bytes with random ones that nobody can predict.
type Random = dyn Fn(&mut [u8]) -> io::Result<()> + Send + Sync;

/// What encrypts between WeChat and the account.
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
    /// For the account with this appid, under this key. Messages under the one of before are opened too, since
    /// WeChat changes over some time after a new one is saved in the console. `random` fills bytes with random
    /// ones that nobody can predict: [`server::random`](crate::server::random) makes such a function.
    pub fn new(
        key: AesKey,
        previous: Option<AesKey>,
        app_id: AppId,
        random: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            key,
            previous,
            app_id,
            random: Box::new(random),
        }
    }

    /// Whether there is a key of before.
    pub const fn has_previous(&self) -> bool {
        self.previous.is_some()
    }

    /// Opens what was sealed with this key, or the one before, for this account.
    ///
    /// # Errors
    /// [`OpenError`]; of two keys, that of the one with which it went further.
    pub fn open(&self, sealed: &Sealed<'_>) -> Result<Opened<'_>, OpenError> {
        let encrypted = STANDARD.decode(sealed.encrypt());
        let encrypted = encrypted.map_err(|_| OpenError::Base64)?;
        if !encrypted.len().is_multiple_of(BLOCK) {
            return Err(OpenError::Blocks(encrypted.len()));
        }
        let Some(previous) = &self.previous else {
            return self.open_with(&self.key, encrypted);
        };
        let opened = self.open_with(&self.key, encrypted.clone());
        opened.or_else(|first| {
            let opened = self.open_with(previous, encrypted);
            opened.map_err(|second| first.max(second))
        })
    }

    fn open_with<'c>(
        &'c self,
        key: &'c AesKey,
        mut text: Vec<u8>,
    ) -> Result<Opened<'c>, OpenError> {
        key.decrypt(&mut text);
        let length = unpadded(&text).ok_or(OpenError::Padding)?;
        text.truncate(length);
        let front = text.split_first_chunk::<FRONT>();
        let ([.., a, b, c, d], rest) = front.ok_or(OpenError::Short(length))?;
        let length = u32::from_be_bytes([*a, *b, *c, *d]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let left = rest.len();
        let (message, app_id) = rest
            .split_at_checked(length)
            .ok_or(OpenError::Length { length, left })?;
        if app_id != self.app_id.as_str().as_bytes() {
            return Err(OpenError::AppId);
        }
        if message.is_empty() {
            return Err(OpenError::Empty);
        }
        text.truncate(FRONT.saturating_add(length));
        Ok(Opened {
            text,
            cipher: self,
            key,
        })
    }

    /// Encrypts a message under the present key, and returns the base64 of it.
    ///
    /// # Errors
    /// Those of the source of random bytes.
    pub fn seal(&self, message: &[u8]) -> io::Result<String> {
        self.seal_with(&self.key, message)
    }

    fn seal_with(&self, key: &AesKey, message: &[u8]) -> io::Result<String> {
        let mut front = [0; RANDOM];
        (self.random)(&mut front)?;
        let length = u32::try_from(message.len()).map_err(io::Error::other)?;
        let (length, app_id) = (length.to_be_bytes(), self.app_id.as_str());
        let all = FRONT
            .saturating_add(message.len())
            .saturating_add(app_id.len());
        let mut text = Vec::with_capacity(all.saturating_add(PADDED));
        for part in [&front, length.as_slice(), message, app_id.as_bytes()] {
            text.extend_from_slice(part);
        }
        pad(&mut text);
        key.encrypt(&mut text);
        Ok(STANDARD.encode(text))
    }
}

/// How many bytes there are in front of the padding, where the text ends in one.
fn unpadded(text: &[u8]) -> Option<usize> {
    let count = *text.last()?;
    let length = text.len().checked_sub(count.into())?;
    let padding = text.get(length..)?;
    let is_padding = (1..=PADDED).contains(&padding.len());
    (is_padding && padding.iter().all(|octet| *octet == count)).then_some(length)
}

/// Makes the text a multiple of 32 bytes long, by 1 to 32 bytes.
fn pad(text: &mut Vec<u8>) {
    let length = text.len().saturating_add(1).next_multiple_of(PADDED);
    let count = length.saturating_sub(text.len());
    text.resize(length, u8::try_from(count).unwrap_or(0));
}

/// A message that was opened, and what its reply is sealed with: the key that opened it.
#[derive(Debug)]
pub struct Opened<'c> {
    /// With what stands in front of it.
    text: Vec<u8>,
    cipher: &'c Cipher,
    key: &'c AesKey,
}

impl Opened<'_> {
    /// The message, as it would have come in plain mode.
    pub fn message(&self) -> &[u8] {
        self.text.get(FRONT..).unwrap_or(b"")
    }

    /// Appends the envelope of the reply to it, signed with this token at the time `now`, in seconds since
    /// 1970, and with the nonce of the request, as the manual has it. Where the request is of the same
    /// second, the reply is of the next: with both the same, the `signature` of the one and the
    /// `MsgSignature` of the other would make a request of the reply.
    ///
    /// ```text
    /// <xml><Encrypt>…</Encrypt><MsgSignature>…</MsgSignature><TimeStamp>…</TimeStamp><Nonce>…</Nonce></xml>
    /// ```
    ///
    /// # Errors
    /// Those of the source of random bytes.
    pub fn write_reply(
        &self,
        reply: &[u8],
        token: &Token,
        now: u64,
        request: &Credentials<'_>,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let encrypt = self.cipher.seal_with(self.key, reply)?;
        let mut timestamp = Vec::new();
        digits::write_decimal(now, &mut timestamp);
        if timestamp == request.timestamp {
            timestamp.clear();
            digits::write_decimal(now.saturating_add(1), &mut timestamp);
        }
        // As whoever reads the XML will see it.
        let nonce = String::from_utf8_lossy(request.nonce);
        let nonce: Cow<'_, str> = sanitize(&nonce);
        let signature = token.sign_message(&timestamp, nonce.as_bytes(), &encrypt);
        out.extend_from_slice(b"<xml><Encrypt><![CDATA[");
        out.extend_from_slice(encrypt.as_bytes());
        out.extend_from_slice(b"]]></Encrypt><MsgSignature><![CDATA[");
        out.extend_from_slice(&signature.digits());
        out.extend_from_slice(b"]]></MsgSignature><TimeStamp>");
        out.extend_from_slice(&timestamp);
        out.extend_from_slice(b"</TimeStamp><Nonce><![CDATA[");
        write_cdata(&nonce, out);
        out.extend_from_slice(b"]]></Nonce></xml>");
        Ok(())
    }
}
