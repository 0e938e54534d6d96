//! What stands in for `secure.rs` in a build without the feature `secure`: there is no key, so that nothing
//! which takes one is ever reached, nor in the program.

use std::io;

use super::envelope::{AesKeyError, AppId, OpenError};
use super::signature::Credentials;
use super::token::Token;
use super::verified::Sealed;

/// Whether this build can read encrypted messages.
pub const SECURE: bool = false;

/// The EncodingAESKey of the account, of which this build has none.
#[derive(Debug)]
pub enum AesKey {}

impl AesKey {
    /// Nothing is a key here.
    ///
    /// # Errors
    /// [`AesKeyError::Feature`]
    pub const fn parse(_: &str) -> Result<Self, AesKeyError> {
        Err(AesKeyError::Feature)
    }
}

/// What encrypts between WeChat and the account, which takes a key.
#[derive(Debug)]
pub enum Cipher {}

impl Cipher {
    /// Under this key and the one of before, for the account with this appid.
    pub fn new(
        key: AesKey,
        _: Option<AesKey>,
        _: AppId,
        _: impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        match key {}
    }

    /// Whether there is a key of before.
    pub const fn has_previous(&self) -> bool {
        match *self {}
    }

    /// Opens what was sealed with this key, for this account.
    ///
    /// # Errors
    /// [`OpenError`]
    pub const fn open(&self, _: &Sealed<'_>) -> Result<Opened<'_>, OpenError> {
        match *self {}
    }

    /// Encrypts a message, and returns the base64 of it.
    ///
    /// # Errors
    /// Those of the source of random bytes.
    pub const fn seal(&self, _: &[u8]) -> io::Result<String> {
        match *self {}
    }
}

/// A message that was opened.
#[derive(Debug)]
pub struct Opened<'c>(&'c Cipher);

impl Opened<'_> {
    /// The message, as it would have come in plain mode.
    pub const fn message(&self) -> &[u8] {
        match *self.0 {}
    }

    /// Appends the envelope of the reply to it.
    ///
    /// # Errors
    /// Those of the source of random bytes.
    pub const fn write_reply(
        &self,
        _: &[u8],
        _: &Token,
        _: u64,
        _: &Credentials<'_>,
        _: &mut Vec<u8>,
    ) -> io::Result<()> {
        match *self.0 {}
    }
}
