//! A second implementation of the layout of encrypted messages decrypts and refuses the same messages. Decrypting an
//! encrypted text gives the same text. Any content of an encrypted request gets a reply or is refused.

#![no_main]

use std::io;
use std::sync::LazyLock;

use aes::Aes256;
use aes::cipher::{Array, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fuzz::{NOW, TOKEN, signature};
use libfuzzer_sys::fuzz_target;
use wechat::callback::{Callback, EncryptionPolicy};
use wechat::http::{Head, Request, Status};
use wechat::session::{Outcome, WaitingClient};
use wechat::wechat::{
    AesKey, Age, AppId, Cipher, Credentials, DecryptError, Message, Reply, Token, VerifiedEncrypt,
};

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const APP_ID: &str = "wx5823bf96d3bd56c7";

static CIPHER: LazyLock<Cipher> = LazyLock::new(cipher);

static CALLBACK: LazyLock<Callback> = LazyLock::new(|| {
    let mut callback = Callback::new(Token::parse(TOKEN).unwrap());
    callback.max_age = Age::Any;
    callback.encryption = EncryptionPolicy::Required(cipher());
    callback
});

fn cipher() -> Cipher {
    let (key, app_id) = (AesKey::parse(KEY).unwrap(), AppId::parse(APP_ID).unwrap());
    // The "random" bytes are constant, so that a failure can be reproduced.
    let random = |bytes: &mut [u8]| -> io::Result<()> {
        bytes.fill(b'r');
        Ok(())
    };
    Cipher::new(key, None, app_id, random)
}

fn verified(encrypt: &str) -> VerifiedEncrypt<'_> {
    let token = &CALLBACK.token;
    let signature = token.sign_message(b"1", b"2", encrypt).to_string();
    let credentials = Credentials { signature: signature.as_bytes(), timestamp: b"1", nonce: b"2" };
    token.verify_message(&credentials, encrypt).unwrap()
}

fn decrypt(encrypt: &str) -> Result<Vec<u8>, DecryptError> {
    let decrypted = CIPHER.decrypt(&verified(encrypt));
    decrypted.map(|decrypted| decrypted.message().to_vec())
}

/// Encrypts a text that already has the layout of a message. Returns base64.
fn encrypt_text(text: &[u8]) -> String {
    let mut text = text.to_vec();
    text.truncate(text.len() / 16 * 16);
    let (blocks, _) = Array::slice_as_chunks_mut(&mut text);
    let key: [u8; 32] = STANDARD.decode(KEY.replace('G', "E=")).unwrap().try_into().unwrap();
    let iv: [u8; 16] = key[..16].try_into().unwrap();
    cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into()).encrypt_blocks(blocks);
    STANDARD.encode(text)
}

/// Finds the message in a decrypted text, by the second implementation.
fn message_in(text: &[u8]) -> Result<&[u8], DecryptError> {
    let padding = usize::from(*text.last().ok_or(DecryptError::Padding)?);
    if padding == 0 || padding > 32 || padding > text.len() {
        return Err(DecryptError::Padding);
    }
    let (text, padded) = text.split_at(text.len() - padding);
    if padded.iter().any(|octet| usize::from(*octet) != padding) {
        return Err(DecryptError::Padding);
    }
    if text.len() < 20 {
        return Err(DecryptError::TooShort { length: text.len() });
    }
    let octets = text[16..20].iter();
    let length = octets.fold(0, |value, octet| value * 256 + usize::from(*octet));
    let rest = text.len() - 20;
    if length > rest {
        return Err(DecryptError::Length { length, rest });
    }
    let (message, app_id) = text[20..].split_at(length);
    match (app_id == APP_ID.as_bytes(), message) {
        (false, _) => Err(DecryptError::AppId),
        (true, []) => Err(DecryptError::Empty),
        (true, message) => Ok(message),
    }
}

/// Adds padding to the text.
fn padded(text: &[u8]) -> Vec<u8> {
    let count = 32 - text.len() % 32;
    [text, vec![u8::try_from(count).unwrap(); count].as_slice()].concat()
}

fn echo<'m>(message: &'m Message<'m>) -> Outcome<'m> {
    Outcome::Reply(Reply::text(message.field("Content").unwrap_or("")))
}

/// Posts the content with a `msg_signature` over `encrypt`, and checks the response.
fn post(content: &[u8], encrypt: &str) {
    let token = &CALLBACK.token;
    let now = NOW.to_string();
    let (plain, signed) = (signature(token), token.sign_message(now.as_bytes(), b"1", encrypt));
    let target = format!(
        "/?signature={plain}&timestamp={NOW}&nonce=1&encrypt_type=aes&msg_signature={signed}"
    );
    let head = format!("POST {target} HTTP/1.0\r\nContent-Length: 1\r\n\r\n");
    let (head, _) = Head::parse(head.as_bytes()).unwrap().unwrap();
    let request = Request { head, content };
    let (now, is_connected) = (&|| NOW, &|| true);
    let client = WaitingClient { now, uptime: now, is_connected };
    let mut scratch = Vec::new();
    let response = CALLBACK.handle(&request, &client, &mut scratch, echo).unwrap();
    let mut bytes = Vec::new();
    response.write_to(&request.head, NOW, &mut bytes);
    match response.status() {
        Status::BadRequest if content.is_empty() => {}
        Status::Ok => {
            let is_success = bytes.ends_with(b"\r\n\r\nsuccess");
            assert!(is_success || bytes.windows(9).any(|window| window == b"<Encrypt>"));
        }
        other => {
            assert_eq!(other, Status::Forbidden);
            assert!(bytes.ends_with(b"\r\n\r\nrefused\n"));
        }
    }
}

fuzz_target!(|input: &[u8]| {
    // Use the input as the decrypted text, without and with padding.
    for text in [input.get(..input.len() / 16 * 16).unwrap(), &padded(input)] {
        assert_eq!(decrypt(&encrypt_text(text)), message_in(text).map(<[u8]>::to_vec));
    }
    // Use the input as the message to encrypt.
    let encrypt = CIPHER.encrypt(input).unwrap();
    let expected = if input.is_empty() { Err(DecryptError::Empty) } else { Ok(input.to_vec()) };
    assert_eq!(decrypt(&encrypt), expected);
    post(format!("<xml><Encrypt>{encrypt}</Encrypt></xml>").as_bytes(), &encrypt);
    // Use the input as the base64 text, and as the whole content.
    let text = String::from_utf8_lossy(input);
    let _ = decrypt(&text);
    post(format!("<xml><Encrypt><![CDATA[{text}]]></Encrypt></xml>").as_bytes(), &text);
    post(input, &text);
    let compatible = text.replace("</xml>", &format!("<Encrypt>{encrypt}</Encrypt></xml>"));
    post(compatible.as_bytes(), &encrypt);
});
