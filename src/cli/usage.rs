//! What is wrong with a command line or its environment, by name.

use std::ffi::OsString;
use std::fmt;

use crate::http::UrlError;
use crate::simulator::TestMessageError;
use crate::wechat::{AesKeyError, TokenError};

/// Arguments or environment that cannot be meant.
#[derive(Debug)]
pub enum UsageError {
    /// No command of this name.
    Command(OsString),
    /// No flag of this name.
    Flag(OsString),
    /// An argument that belongs to no flag.
    Argument(OsString),
    /// A flag without its value.
    NoValue(&'static str),
    /// A flag with a value that takes none.
    TakesNoValue(&'static str),
    /// Two switches of which one excludes the other.
    Both(&'static str, &'static str),
    /// A flag that occurs twice.
    Repeated(&'static str),
    /// A value that the flag or variable cannot have.
    Value {
        /// The flag or variable.
        name: &'static str,
        /// What it was given.
        value: OsString,
        /// What it allows.
        allowed: &'static str,
    },
    /// A URL that no backend can be called at.
    Url {
        /// The flag or variable.
        name: &'static str,
        /// What it was given.
        value: OsString,
        /// Why.
        error: UrlError,
    },
    /// Fields that make no message.
    TestMessage(TestMessageError),
    /// A text that is not UTF-8.
    NotText(OsString),
    /// No file to replay.
    NoFile,
    /// No token to sign with.
    NoToken,
    /// A token that cannot be one.
    Token {
        /// The variable or file.
        from: String,
        /// Why.
        error: TokenError,
    },
    /// An EncodingAESKey that cannot be one.
    AesKey {
        /// The variable or file.
        from: String,
        /// Why.
        error: AesKeyError,
    },
    /// A secret's file or variable whose bytes are not text.
    SecretText {
        /// The variable or file.
        from: String,
    },
    /// No EncodingAESKey, which this takes.
    NoAesKey(&'static str),
    /// An EncodingAESKey, and no appid.
    NoAppId,
    /// A flag or variable that takes the feature `secure`.
    Feature(&'static str),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(name) => write!(f, "unknown command {name:?}, see wechat --help"),
            Self::Flag(name) => write!(f, "unknown flag {name:?}, see wechat --help"),
            Self::Argument(text) => write!(f, "unexpected argument {text:?}, see wechat --help"),
            Self::NoValue(flag) => write!(f, "{flag} without a value"),
            Self::TakesNoValue(flag) => write!(f, "{flag} takes no value"),
            Self::Both(one, other) => write!(f, "{one} and {other}, one of them allowed"),
            Self::Repeated(flag) => write!(f, "{flag} given twice"),
            Self::Value {
                name,
                value,
                allowed,
            } => write!(f, "{name} is {value:?}, {allowed} allowed"),
            Self::Url { name, value, error } => write!(f, "{name} is {value:?}, {error}"),
            Self::TestMessage(error) => error.fmt(f),
            Self::NotText(text) => write!(f, "{text:?} is not UTF-8"),
            Self::NoFile => f.write_str("nothing to replay, a .request file or a folder expected"),
            Self::NoToken => f.write_str("no token, WECHAT_TOKEN or --token-file FILE expected"),
            Self::Token { from, error } => write!(f, "{from}: {error}"),
            Self::AesKey { from, error } => write!(f, "{from}: {error}"),
            Self::SecretText { from } => write!(f, "{from}: not text, letters and digits expected"),
            Self::NoAesKey(what) => write!(
                f,
                "{what} without an EncodingAESKey, WECHAT_AES_KEY or the credential aes-key expected"
            ),
            Self::NoAppId => {
                f.write_str("EncodingAESKey without an appid, --app-id or WECHAT_APP_ID expected")
            }
            Self::Feature(flag) => {
                write!(f, "{flag}: {}", AesKeyError::FeatureMissing)
            }
        }
    }
}

impl std::error::Error for UsageError {}
