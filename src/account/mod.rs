//! A WeChat Official Account as values: [`Token`] and signature in, [`Message`] in, [`Reply`] out
//! (the manual's 接入指南, 接收普通消息, 接收事件推送 and 被动回复用户消息).
//!
//! No HTTP and no sockets. The types carry the order of things: only a token makes a [`Verified`],
//! and only that opens a message, so no handler ever sees a request whose signature was not
//! checked.

mod characters;
mod element;
mod envelope;
mod event;
mod message;
mod proof;
mod reader;
mod reply;
#[cfg(feature = "secure")]
mod secure;
#[cfg(not(feature = "secure"))]
#[path = "no_secure.rs"]
mod secure;
mod signature;
mod token;
mod tree;
mod used;
mod written;
mod xml;

pub(crate) use characters::{is_char, trim};
pub use envelope::{AesKeyError, AppId, Envelope, Mode, OpenError};
pub use event::{Event, SubscribeMsgChoice, SubscribeMsgDelivery};
pub use message::{Identity, Kind, Leaf, Message, MessageError};
pub use proof::{Sealed, Verified};
pub(crate) use reply::write_leaf_as_is;
pub use reply::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, Article, Reply, TEXT_MAX};
pub use secure::{AesKey, Cipher, Opened, SECURE};
pub use signature::{Age, Credentials, Signature, SignatureError};
pub use token::{Token, TokenError};
pub use used::UsedSignatures;
pub(crate) use written::{Document, Element, Place};
pub use xml::{Xml, XmlError};
