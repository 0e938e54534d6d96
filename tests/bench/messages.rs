//! Requests as WeChat sends them: the captured text message with new signatures.

use wechat::http::Head;
use wechat::server;
use wechat::wechat::{Age, Credentials, Message, Token, Verified};
use wechat::xml::Document;

/// The token of all requests.
pub(crate) const TOKEN: &str = "hello2021";

const CAPTURED: &str = include_str!("../../fixtures/captures/text-message.request");

/// The nonce and MsgId of the captured request. Adding small numbers does not change their number of digits.
const NONCE: u64 = 1_982_032_182;
const MSG_ID: u64 = 23_286_067_514_628_707;

pub(crate) fn token() -> Token {
    Token::parse(TOKEN).unwrap()
}

/// A signature and the signed parameters.
pub(crate) struct Signed {
    pub(crate) signature: String,
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
}

impl Signed {
    /// Signs the current time and a nonce that is different for each number.
    pub(crate) fn now(number: u64) -> Self {
        let timestamp = server::now().to_string();
        let nonce = (NONCE + number).to_string();
        let signature = token().sign(timestamp.as_bytes(), nonce.as_bytes());
        Self { signature: signature.to_string(), timestamp, nonce }
    }

    pub(crate) fn credentials(&self) -> Credentials<'_> {
        Credentials {
            signature: self.signature.as_bytes(),
            timestamp: self.timestamp.as_bytes(),
            nonce: self.nonce.as_bytes(),
        }
    }

    pub(crate) fn verify(&self) -> Verified {
        let verified = token().verify(&self.credentials(), server::now(), Age::AtMost(600));
        verified.unwrap()
    }
}

/// A request with the captured message, signed now. The nonce and MsgId are different for each number.
pub(crate) fn captured(number: u64) -> Vec<u8> {
    let signed = Signed::now(number);
    CAPTURED
        .replace("617e2e2ab63873599760881a9b55b292a26465f5", &signed.signature)
        .replace("1626513248", &signed.timestamp)
        .replace(&NONCE.to_string(), &signed.nonce)
        .replace(&MSG_ID.to_string(), &(MSG_ID + number).to_string())
        .into_bytes()
}

/// Like [`captured`], but with `Connection: close`.
pub(crate) fn captured_last(number: u64) -> Vec<u8> {
    let text = String::from_utf8(captured(number)).unwrap();
    text.replacen("\r\nAccept:", "\r\nConnection: close\r\nAccept:", 1).into_bytes()
}

/// The XML of a text message with this content from the user with this number.
pub(crate) fn text_of(user: u64, content: &str) -> Vec<u8> {
    format!(
        "<xml><ToUserName><![CDATA[gh_7f083739789a]]></ToUserName>\n\
         <FromUserName><![CDATA[oia2TjuEGTNoeX76QEjQN{user:07}]]></FromUserName>\n\
         <CreateTime>1626513248</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n\
         <Content><![CDATA[{content}]]></Content>\n<MsgId>{MSG_ID}</MsgId>\n</xml>"
    )
    .into_bytes()
}

/// A POST request with this content.
pub(crate) fn post(signed: &Signed, content: &[u8]) -> Vec<u8> {
    let Signed { signature, timestamp, nonce } = signed;
    let mut request = format!(
        "POST /wx?signature={signature}&timestamp={timestamp}&nonce={nonce} HTTP/1.1\r\n\
         User-Agent: Mozilla/4.0\r\nAccept: */*\r\nHost: 127.0.0.1\r\nPragma: no-cache\r\n\
         Content-Length: {}\r\nContent-Type: text/xml\r\n\r\n",
        content.len()
    )
    .into_bytes();
    request.extend_from_slice(content);
    request
}

/// The cipher of all encrypted messages.
#[cfg(feature = "secure")]
pub(crate) fn cipher() -> wechat::wechat::Cipher {
    use wechat::wechat::{AesKey, AppId, Cipher};
    let key = AesKey::parse("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").unwrap();
    let app_id = AppId::parse("wx2c2769f8efd9abc2").unwrap();
    Cipher::new(key, None, app_id, wechat::service::random().unwrap())
}

/// A POST request with this message in safe mode, and the parameters that sign its Encrypt element. The field `signature`
/// of these parameters is `msg_signature`.
#[cfg(feature = "secure")]
pub(crate) fn encrypted_post(message: &[u8]) -> (Vec<u8>, Signed) {
    let signed = Signed::now(0);
    let encrypt = cipher().encrypt(message).unwrap();
    let (timestamp, nonce) = (signed.timestamp.as_bytes(), signed.nonce.as_bytes());
    let msg_signature = token().sign_message(timestamp, nonce, &encrypt).to_string();
    let content = format!(
        "<xml>\n    <ToUserName><![CDATA[gh_7f083739789a]]></ToUserName>\n    \
         <Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>\n"
    );
    let request = String::from_utf8(post(&signed, content.as_bytes())).unwrap();
    let query = format!("&encrypt_type=aes&msg_signature={msg_signature} HTTP/1.1");
    let request = request.replacen(" HTTP/1.1", &query, 1).into_bytes();
    let signature = msg_signature;
    (request, Signed { signature, ..signed })
}

/// Parses a complete request.
pub(crate) fn parse(request: &[u8]) -> (Head<'_>, &[u8]) {
    let (head, length) = Head::parse(request).unwrap().unwrap();
    (head, &request[length..])
}

/// Parses a message with a new verified signature, which `Message::parse` needs.
pub(crate) fn message<'a>(xml: &'a Document<'_>) -> Message<'a> {
    Message::parse(Signed::now(0).verify(), xml).unwrap()
}
