//! What a right signature proves, as types that nothing else makes.

use super::signature::Signature;

/// Proof that whoever sent a request knew the token, or has seen such a request within the allowed
/// age.
///
/// Only [`Token::verify`](super::Token::verify) makes one, and opening a message uses it up. It does
/// **not** prove what the message says: the signature covers token, timestamp and nonce, but neither
/// method, target nor content.
///
/// ```
/// use wechat::wechat::{Age, Credentials, Message, Token};
/// use wechat::xml::Document;
/// let token = Token::parse("hello2021").unwrap();
/// let signature = token.sign(b"1626513248", b"1982032182").to_string();
/// let credentials =
///     Credentials { signature: signature.as_bytes(), timestamp: b"1626513248", nonce: b"1982032182" };
/// let verified = token.verify(&credentials, 1626513250, Age::AtMost(600)).unwrap();
/// let xml = Document::parse_message(
///     b"<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>oUser1</FromUserName>\
///     <CreateTime>1626513248</CreateTime><MsgType>text</MsgType><Content>hi</Content></xml>",
/// )
/// .unwrap();
/// assert_eq!(Message::parse(verified, &xml).unwrap().field("Content"), Some("hi"));
/// ```
/// Without that proof the same does not compile:
/// ```compile_fail,E0451
/// use wechat::wechat::{Message, Verified};
/// use wechat::xml::Document;
/// let signature = wechat::wechat::Signature::parse(&[b'0'; 40]).unwrap();
/// let verified = Verified { at: 0, signature };
/// let xml = Document::parse_message(
///     b"<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>oUser1</FromUserName>\
///     <CreateTime>1626513248</CreateTime><MsgType>text</MsgType><Content>hi</Content></xml>",
/// )
/// .unwrap();
/// assert_eq!(Message::parse(verified, &xml).unwrap().field("Content"), Some("hi"));
/// ```
#[derive(Debug)]
pub struct Verified {
    /// When, in seconds since 1970.
    pub(super) at: u64,
    pub(super) signature: Signature,
}

/// An `Encrypt` whose `msg_signature` was right: whoever encrypted it knew the token. Nothing else is
/// decrypted.
///
/// Only [`Token::verify_message`](super::Token::verify_message) makes one.
#[derive(Debug)]
pub struct Sealed<'a> {
    pub(super) encrypt: &'a str,
}

impl<'a> Sealed<'a> {
    /// The base64 of it.
    pub const fn encrypt(&self) -> &'a str {
        self.encrypt
    }
}
