//! Encryption and decryption: published messages, and texts that cannot be decrypted.

#![cfg(feature = "secure")]
use std::io;

use crate::support::sealed::*;
use crate::support::*;
use wechat::callback::{Callback, EncryptionPolicy};
use wechat::http::{Head, Request, Status};
use wechat::session::{Outcome, WaitingClient};
use wechat::wechat::{
    AesKey, AesKeyError, AppId, Cipher, Credentials, DecryptError, Mode, Reply, SignatureError,
    Token,
};

/// Signs the text of an `Encrypt`, then decrypts it.
fn decrypt(cipher: &Cipher, encrypt: &str) -> Result<Vec<u8>, DecryptError> {
    let token = Token::parse(TOKEN).unwrap();
    let signature = token.sign_message(b"1", b"2", encrypt).to_string();
    let credentials = Credentials { signature: signature.as_bytes(), timestamp: b"1", nonce: b"2" };
    let verified = token.verify_message(&credentials, encrypt).unwrap();
    cipher.decrypt(&verified).map(|decrypted| decrypted.message().to_vec())
}

#[test]
fn decrypts_and_encrypts_published_messages() {
    let vectors = Vector::all("open");
    for vector in &vectors {
        let name = &vector.name;
        let random = vector.must("random").to_owned();
        let fill = move |bytes: &mut [u8]| {
            bytes.copy_from_slice(random.as_bytes());
            Ok(())
        };
        let key = AesKey::parse(vector.must("aes-key")).unwrap();
        let app_id = AppId::parse(vector.must("app-id")).unwrap();
        let cipher = Cipher::new(key, None, app_id, fill);
        let encrypt = vector.must("encrypt");
        assert_eq!(decrypt(&cipher, encrypt).as_ref(), Ok(&vector.message()), "{name}");
        assert_eq!(cipher.encrypt(&vector.message()).unwrap(), encrypt, "{name}");
        let padding: usize = vector.must("padding").parse().unwrap();
        let length = 20 + vector.message().len() + vector.must("app-id").len() + padding;
        assert_eq!((length % 32, encrypt.len()), (0, length.div_ceil(3) * 4), "{name}");
    }
    assert_eq!(vectors.len(), 15);
}

#[test]
fn accepts_published_msg_signatures_and_no_other() {
    let mut count = 0;
    for vector in Vector::all("open") {
        let Some(msg_signature) = vector.get("msg_signature") else {
            continue;
        };
        count += 1;
        let token = Token::parse(vector.must("token")).unwrap();
        let (timestamp, nonce) = (vector.must("timestamp"), vector.must("nonce"));
        let encrypt = vector.must("encrypt");
        let verify = |token: &Token, signature: &str, encrypt: &str| {
            let credentials = Credentials {
                signature: signature.as_bytes(),
                timestamp: timestamp.as_bytes(),
                nonce: nonce.as_bytes(),
            };
            token.verify_message(&credentials, encrypt).map(|_| ())
        };
        assert_eq!(verify(&token, msg_signature, encrypt), Ok(()), "{}", vector.name);
        assert_eq!(verify(&token, &msg_signature.to_uppercase(), encrypt), Ok(()));
        let wrong = Err(SignatureError::Mismatch);
        let plain = token.sign(timestamp.as_bytes(), nonce.as_bytes()).to_string();
        assert_eq!(Some(plain.as_str()), vector.get("signature"));
        assert_eq!(verify(&token, &plain, encrypt), wrong);
        assert_eq!(verify(&token, msg_signature, &encrypt[1..]), wrong);
        assert_eq!(verify(&token, msg_signature, &format!("{encrypt} ")), wrong);
        let other = Token::parse("hello2021").unwrap();
        assert_eq!(verify(&other, msg_signature, encrypt), wrong);
        assert_eq!(verify(&token, &msg_signature[1..], encrypt), Err(SignatureError::Malformed));
    }
    assert_eq!(count, 10);
}

#[test]
fn refuses_each_undecryptable_text_with_its_error() {
    let vectors = Vector::all("refuse");
    for vector in &vectors {
        let cipher = cipher_of(vector.must("aes-key"), vector.must("app-id"));
        for encrypt in vector.all_of("encrypt") {
            let error = decrypt(&cipher, encrypt).unwrap_err();
            assert_eq!(error.to_string(), vector.must("error"), "{}: {encrypt}", vector.name);
        }
    }
    assert_eq!(vectors.len(), 11);
    let paddings = vectors.iter().find(|vector| vector.name == "padding").unwrap();
    assert_eq!(paddings.all_of("encrypt").count(), 99);
}

/// The lengths cover each possible number of padding bytes.
#[test]
fn decrypts_its_own_messages_of_any_length() {
    let cipher = cipher_of(AES_KEY, APP_ID);
    for length in 1..=300 {
        let message: Vec<u8> = (0..length).map(|at| u8::try_from(at % 256).unwrap()).collect();
        let encrypt = cipher.encrypt(&message).unwrap();
        assert_eq!(decrypt(&cipher, &encrypt), Ok(message));
        let padded = (20 + length + APP_ID.len() + 1).next_multiple_of(32);
        assert_eq!(encrypt.len(), padded.div_ceil(3) * 4);
    }
    assert_eq!(decrypt(&cipher, &cipher.encrypt(b"").unwrap()), Err(DecryptError::Empty));
}

#[test]
fn no_altered_text_causes_a_panic() {
    let cipher = cipher_of(AES_KEY, APP_ID);
    let encrypt = cipher.encrypt("<xml>你好</xml>".as_bytes()).unwrap();
    for at in 0..encrypt.len() {
        for letter in ['A', '/', '=', ' ', '"', '\0'] {
            let mut flipped: Vec<char> = encrypt.chars().collect();
            flipped[at] = letter;
            // A change of only the random bytes is not an error, so the result does not matter.
            let _ = decrypt(&cipher, &flipped.into_iter().collect::<String>());
        }
    }
    for length in 0..encrypt.len() {
        assert!(decrypt(&cipher, &encrypt[..length]).is_err());
    }
}

#[test]
fn encrypts_equal_messages_differently() {
    let cipher = cipher_of(AES_KEY, APP_ID);
    let mut encrypted: Vec<String> = (0..100).map(|_| cipher.encrypt(b"a").unwrap()).collect();
    encrypted.sort();
    encrypted.dedup();
    assert_eq!(encrypted.len(), 100);
}

#[test]
fn encrypts_nothing_without_random_bytes() {
    let key = AesKey::parse(AES_KEY).unwrap();
    let app_id = AppId::parse(APP_ID).unwrap();
    let none = |_: &mut [u8]| Err(io::Error::other("none left"));
    let cipher = Cipher::new(key, None, app_id, none);
    assert_eq!(cipher.encrypt(b"a").unwrap_err().to_string(), "none left");
}

/// After a new key is saved in the console, WeChat uses the previous key for a while.
#[test]
fn encrypts_a_reply_with_the_key_of_its_message() {
    const OTHER: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";
    let previous = Some(AesKey::parse(OTHER).unwrap());
    let key = AesKey::parse(AES_KEY).unwrap();
    let app_id = AppId::parse(APP_ID).unwrap();
    let both = Cipher::new(key, previous, app_id, wechat::service::random().unwrap());
    let token = Token::parse(TOKEN).unwrap();
    for key in [AES_KEY, OTHER] {
        let wechat = WeChat::with(TOKEN, key, APP_ID);
        let encrypt = wechat.cipher.encrypt(b"question").unwrap();
        let signature = token.sign_message(b"1", b"2", &encrypt).to_string();
        let credentials =
            Credentials { signature: signature.as_bytes(), timestamp: b"1", nonce: b"2" };
        let verified = token.verify_message(&credentials, &encrypt).unwrap();
        let decrypted = both.decrypt(&verified).unwrap();
        assert_eq!(decrypted.message(), b"question");

        let out = decrypted.encrypt_reply(b"answer", &token, now(), &credentials).unwrap();
        let answer =
            Answer { status: 200, head: String::new(), content: String::from_utf8(out).unwrap() };
        assert_eq!(wechat.open(&answer, Mode::Safe), "answer");
    }
    // With two keys, the error is from the key that passed more checks.
    for key in [AES_KEY, OTHER] {
        let other_app = WeChat::with(TOKEN, key, "wx1");
        assert_eq!(
            decrypt(&both, &other_app.cipher.encrypt(b"a").unwrap()),
            Err(DecryptError::AppId)
        );
    }
}

/// The nonce comes from the request, so it may hold bytes that XML does not allow.
#[test]
fn signs_the_nonce_that_is_in_the_xml_of_the_envelope() {
    let wechat = WeChat::usual();
    let encrypt = wechat.cipher.encrypt(b"question").unwrap();
    let signature = wechat.token.sign_message(b"1", b"2", &encrypt).to_string();
    let credentials = Credentials { signature: signature.as_bytes(), timestamp: b"1", nonce: b"2" };
    let verified = wechat.token.verify_message(&credentials, &encrypt).unwrap();
    let decrypted = wechat.cipher.decrypt(&verified).unwrap();
    for nonce in [
        b"1714112445".as_slice(),
        "随机".as_bytes(),
        b"]]><a>",
        b"\0a\x01b\xFFc\r\nd",
        b"",
        &[b'9'; 8000],
    ] {
        let request = Credentials { nonce, ..credentials };
        let out =
            decrypted.encrypt_reply(b"answer", &wechat.token, 1_700_000_001, &request).unwrap();
        let text = String::from_utf8(out).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let text_of = |name: &str| {
            let mut children = document.root_element().children();
            let found = children.find(|child| child.has_tag_name(name)).unwrap();
            let texts = found.children().filter_map(|child| child.text());
            texts.collect::<String>()
        };
        assert_eq!(text_of("TimeStamp"), "1700000001");
        let expected = wechat.token.sign_message(
            b"1700000001",
            text_of("Nonce").as_bytes(),
            &text_of("Encrypt"),
        );
        assert_eq!(text_of("MsgSignature"), expected.to_string());
        assert_eq!(decrypt(&wechat.cipher, &text_of("Encrypt")), Ok(b"answer".to_vec()));
        assert_eq!(document.root_element().children().count(), 4);
    }
}

#[test]
fn accepts_43_characters_of_base64_as_key_and_shows_nothing() {
    let error = |text: &str| AesKey::parse(text).unwrap_err();
    assert_eq!(error(""), AesKeyError::Length { length: 0 });
    assert_eq!(error(&AES_KEY[1..]), AesKeyError::Length { length: 42 });
    assert_eq!(error(&format!("{AES_KEY}=")), AesKeyError::Character { position: 44 });
    assert_eq!(error(&format!("{AES_KEY}A")), AesKeyError::Length { length: 44 });
    assert_eq!(error(&AES_KEY.replace('c', "-")), AesKeyError::Character { position: 3 });
    assert_eq!(error(&AES_KEY.replace('a', "钥")), AesKeyError::Character { position: 1 });
    // The last character has two more bits than the key needs. They are ignored.
    let keys = ["8", "9", "+", "/"].map(|last| format!("{}{last}", &AES_KEY[..42]));
    let encrypt = cipher_of(&keys[0], APP_ID).encrypt(b"a").unwrap();
    for key in &keys {
        assert_eq!(decrypt(&cipher_of(key, APP_ID), &encrypt), Ok(b"a".to_vec()));
    }
    assert_eq!(format!("{:?}", AesKey::parse(AES_KEY).unwrap()), "AesKey");
    assert_eq!(format!("{:?}", cipher_of(AES_KEY, APP_ID)), "Cipher");
}

/// Otherwise an attacker who sees a request and its reply could send the reply as a message.
#[test]
fn a_reply_never_has_the_timestamp_and_nonce_of_its_request() {
    let wechat = WeChat::usual();
    let encrypt = wechat.cipher.encrypt(b"question").unwrap();
    for (request, reply) in [
        ("1700000000", "1700000001"),
        ("1700000001", "1700000002"),
        ("01700000001", "1700000001"),
        ("x", "1700000001"),
    ] {
        let signature = wechat.token.sign_message(request.as_bytes(), b"2", &encrypt).to_string();
        let credentials = Credentials {
            signature: signature.as_bytes(),
            timestamp: request.as_bytes(),
            nonce: b"2",
        };
        let verified = wechat.token.verify_message(&credentials, &encrypt).unwrap();
        let decrypted = wechat.cipher.decrypt(&verified).unwrap();

        let out =
            decrypted.encrypt_reply(b"a", &wechat.token, 1_700_000_001, &credentials).unwrap();
        let out = String::from_utf8(out).unwrap();
        let expected = format!("<TimeStamp>{reply}</TimeStamp><Nonce><![CDATA[2]]></Nonce>");
        assert!(out.contains(&expected), "{out}");
    }
}

/// A reply that cannot be encrypted is not sent in plain text.
#[test]
fn sends_no_reply_without_random_bytes() {
    let key = AesKey::parse(AES_KEY).unwrap();
    let none = |_: &mut [u8]| Err(io::Error::other("none left"));
    let mut callback = Callback::new(Token::parse(TOKEN).unwrap());
    let cipher = Cipher::new(key, None, AppId::parse(APP_ID).unwrap(), none);
    callback.encryption = EncryptionPolicy::Allowed(cipher);
    let request = WeChat::usual().post(&text_message("a"), Mode::Safe);
    let (head, length) = Head::parse(&request).unwrap().unwrap();
    let content = &request[length..];
    let (now, is_connected) = (&now, &|| true);
    let mut scratch = Vec::new();
    let client = WaitingClient { now, uptime: now, is_connected };
    let response = callback
        .handle(&Request { head, content }, &client, &mut scratch, |_| {
            Outcome::Reply(Reply::text("secret words"))
        })
        .unwrap();
    assert_eq!(response.note().unwrap().cause, "no-randomness");
    assert_eq!(response.status(), Status::Ok);
    let mut bytes = Vec::new();
    response.write_to(&head, 1_700_000_000, &mut bytes);
    assert!(bytes.ends_with(b"\r\n\r\nsuccess"));
}
