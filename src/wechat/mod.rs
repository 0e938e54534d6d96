//! WeChat's callback protocol, without I/O. A [`Token`] checks the signature of a request. Only then can a
//! [`Message`] be read. A [`Reply`] is written as XML. A [`Cipher`] decrypts messages and encrypts replies.
//!
//! Source: the manual of Official Accounts (developers.weixin.qq.com/doc/offiaccount). Each file names its pages
//! of the manual in Chinese.

#[cfg(feature = "secure")]
mod aes_key;
#[cfg(not(feature = "secure"))]
#[path = "no_aes_key.rs"]
mod aes_key;
mod app_id;
mod cipher;
mod cipher_error;
mod cut;
mod envelope;
mod kind;
mod message;
mod message_copy;
mod reply;
mod signature;
mod token;
mod used_signatures;
mod verified;
mod wording;

pub use aes_key::{AesKey, SECURE};
pub use app_id::AppId;
pub use cipher::{Cipher, DecryptedMessage};
pub use cipher_error::{AesKeyError, DecryptError};
pub use envelope::{Envelope, Mode};
pub use kind::{Event, Kind};
pub(crate) use kind::{KnownKind, find_kind};
pub(crate) use message::UNSUPPORTED;
pub use message::{Field, Identity, Message, MessageError};
pub(crate) use message_copy::MessageCopy;
pub use reply::{
    ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, Article, ArticleOf, Reply, ReplyOf, TEXT_MAX,
};
pub(crate) use reply::{FIELD_MAX, MSG_TYPES};
pub use signature::Signature;
pub use token::{Token, TokenError};
pub use used_signatures::UsedSignatures;
pub use verified::{Age, Credentials, SignatureError, Verified, VerifiedEncrypt};
pub(crate) use wording::{PLAIN_REFUSED, SIGNATURE_MISMATCH, is_stale_timestamp};
