//! The protocol as values: [`Token`] and signature in, [`Message`] in, [`Reply`] out.

#[cfg(feature = "secure")]
mod cipher;
#[cfg(not(feature = "secure"))]
#[path = "no_cipher.rs"]
mod cipher;
mod envelope;
mod kind;
mod message;
mod reply;
mod signature;
mod token;
mod used_signatures;
mod verified;

pub use cipher::{AesKey, Cipher, Opened, SECURE};
pub use envelope::{AesKeyError, AppId, Envelope, Mode, OpenError};
pub use kind::{Event, Kind};
pub use message::{Field, Identity, Message, MessageError};
pub use reply::{
    ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, Article, ArticleOf, Reply, ReplyOf, TEXT_MAX,
};
pub use signature::{Age, Credentials, Signature, SignatureError};
pub use token::{Token, TokenError};
pub use used_signatures::UsedSignatures;
pub use verified::{Sealed, Verified};
