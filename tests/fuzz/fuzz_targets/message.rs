//! Content with a valid signature is a message or is refused. The message reader, the file reader and roxmltree find the
//! same fields in a message. Parsing a written reply gives the same texts, with the names of the message swapped.

#![no_main]

use std::sync::LazyLock;

use fuzz::{NOW, TOKEN, signature, with_file_as_message, with_message};
use libfuzzer_sys::fuzz_target;
use wechat::callback::Callback;
use wechat::http::{Head, Request, Status};
use wechat::session::{Outcome, WaitingClient};
use wechat::wechat::{Age, Article, Message, MessageError, Reply, TEXT_MAX, Token};
use wechat::xml::{Document, XmlError};

/// Receives all inputs. It accepts any timestamp, and so the same signature for all inputs.
static CALLBACK: LazyLock<Callback> = LazyLock::new(|| {
    let mut callback = Callback::new(Token::parse(TOKEN).unwrap());
    callback.max_age = Age::Any;
    callback
});

static HEAD: LazyLock<String> = LazyLock::new(|| {
    let signature = signature(&CALLBACK.token);
    let target = format!("/?signature={signature}&timestamp={NOW}&nonce=1");
    format!("POST {target} HTTP/1.0\r\nContent-Length: 1\r\n\r\n")
});

fn is_char(character: &char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        other => *other >= ' ',
    }
}

/// The text as it is after writing it as XML and parsing it (XML 1.0 2.2, 2.11).
fn round_trip(text: &str) -> String {
    let text: String = text.chars().filter(is_char).collect();
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A reply of each kind, with its `MsgType` and its number of fields. The value of each field is `text`.
fn replies(text: &str, articles: usize) -> [(&'static str, Reply<'_>, usize); 7] {
    let text = || text.into();
    let video = Reply::Video { media_id: text(), title: text(), description: text() };
    let music = Reply::Music {
        title: text(),
        description: text(),
        music_url: text(),
        hq_music_url: text(),
        thumb_media_id: text(),
    };
    let article = Article { title: text(), description: text(), pic_url: text(), url: text() };
    let (image, voice, kf_account) = (text(), text(), Some(text()));
    let service = Reply::TransferCustomerService { kf_account };
    [
        ("text", Reply::text(text()), 1),
        ("image", Reply::Image { media_id: image }, 1),
        ("voice", Reply::Voice { media_id: voice }, 1),
        ("video", video, 3),
        ("music", music, 5),
        ("news", Reply::News(vec![article; 9]), 4 * articles),
        ("transfer_customer_service", service, 1),
    ]
}

/// Asserts that parsing each written reply gives the text.
fn assert_replies_arrive(message: &Message<'_>, text: &str) {
    let expected = round_trip(text);
    let to_user_name = round_trip(message.from_user_name());
    let from_user_name = round_trip(message.to_user_name());
    let articles = if message.is_event() { 8 } else { 1 };
    for (msg_type, reply, times) in replies(text, articles) {
        let mut out = Vec::new();
        reply.write_to(message, NOW, &mut out);
        if expected.is_empty() && msg_type != "transfer_customer_service" {
            assert_eq!(out, b"", "{msg_type}");
            continue;
        }
        assert!(!out.contains(&b'\r'), "{msg_type}");
        let assert_read = |read: &Message<'_>| {
            assert_eq!(read.to_user_name(), to_user_name);
            assert_eq!(read.from_user_name(), from_user_name);
            assert_eq!((read.create_time(), read.msg_type()), (NOW, msg_type));
            let common = "ToUserName FromUserName CreateTime MsgType ArticleCount";
            let own = read.fields().map(|leaf| (leaf.name(), leaf.text()));
            let own: Vec<_> = own.filter(|(name, _)| !common.contains(name)).collect();
            assert_eq!(own.len(), times, "{msg_type}");
            for (name, found) in own {
                match found.strip_suffix('…') {
                    Some(front) if name == "Content" && expected.len() > TEXT_MAX => {
                        assert!(found.len() <= TEXT_MAX && expected.starts_with(front));
                    }
                    _ => assert_eq!(found, expected, "{name}"),
                }
            }
        };
        with_message(&out, assert_read).unwrap();
    }
}

/// The path and text of each field.
fn leaves(message: &Message<'_>) -> Vec<(String, String)> {
    let fields = message.fields();
    fields.map(|field| (field.path(), field.text().to_owned())).collect()
}

/// Asserts that `Message::field` returns the first field with a name, and that the XML that programs get is the same
/// message.
fn assert_fields(message: &Message<'_>) {
    for field in message.fields() {
        let mut same_name = message.fields().filter(|other| other.name() == field.name());
        assert_eq!(message.field(field.name()), same_name.next().map(|first| first.text()));
    }
    let assert_same = |again: &Message<'_>| {
        assert_eq!(again.kind(), message.kind());
        assert_eq!(again.identity(), message.identity());
        assert_eq!(leaves(again), leaves(message));
    };
    with_message(message.xml().as_bytes(), assert_same).unwrap();
}

/// Asserts that the message reader accepts only XML that roxmltree accepts, and refuses as not well-formed only XML that
/// roxmltree refuses; and that the message reader, the file reader and roxmltree find the same fields.
fn assert_read_alike(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let text = text.trim_start_matches(['\0', ' ', '\t', '\r', '\n']);
    let text: String = text.chars().filter(is_char).collect();
    // roxmltree reads CR CR and references after CR differently, ignores a colon before a name, and skips a second byte
    // order mark after a control character. It also parses the XML declaration, so the declaration is removed.
    let has = |odd: &str| text.contains(odd);
    let differs = has("\r\r") || has("\r") && has("&#") || has("<:") || has("</:");
    let declared = text.strip_prefix("<?xml ").map(|rest| rest.split_once("?>"));
    let (_, text) = match declared {
        Some(Some(split)) => split,
        Some(None) => {
            assert!(Document::parse_message(bytes).is_err());
            return;
        }
        None => ("", text.as_str()),
    };
    if differs || text.starts_with('\u{FEFF}') || text.starts_with("<?xml ") {
        return;
    }
    let theirs = roxmltree::Document::parse(text);
    match Document::parse_message(bytes) {
        Ok(_) => assert!(theirs.is_ok(), "{theirs:?}"),
        // roxmltree reads a reference to a number that is not a character as U+FFFD.
        Err(XmlError::Syntax { .. }) if text.contains("&#") => {}
        Err(XmlError::Syntax { .. } | XmlError::NoName { .. } | XmlError::Open) => {
            assert!(theirs.is_err());
        }
        Err(_) => {}
    }
    let Ok(theirs) = theirs else {
        return;
    };
    let Ok(leaves) = with_message(bytes, leaves) else {
        return;
    };
    assert_eq!(with_file_as_message(text, self::leaves), Ok(leaves.clone()));
    let elements = theirs.root_element().descendants().skip(1);
    let their_leaves = elements
        .filter(|node| node.is_element() && !node.children().any(|child| child.is_element()));
    let their_leaves = their_leaves.map(|leaf| {
        let names = leaf.ancestors().filter(|node| node.is_element());
        let mut path: Vec<&str> = names.map(|node| node.tag_name().name()).collect();
        path.pop();
        path.reverse();
        (path.join("/"), leaf.text().unwrap_or("").to_owned())
    });
    assert_eq!(leaves, their_leaves.collect::<Vec<_>>());
}

fn success<'m>(_: &'m Message<'m>) -> Outcome<'m> {
    Outcome::Reply(Reply::Success)
}

fuzz_target!(|content: &[u8]| {
    assert_read_alike(content);
    let read = with_message(content, |message| {
        assert_fields(message);
        assert_replies_arrive(message, &String::from_utf8_lossy(content));
        assert_replies_arrive(message, message.field("Content").unwrap_or(""));
    });
    let (head, _) = Head::parse(HEAD.as_bytes()).unwrap().unwrap();
    let request = Request { head, content };
    let (now, is_connected) = (&|| NOW, &|| true);
    let client = WaitingClient { now, uptime: now, is_connected };
    let mut scratch = Vec::new();
    let response = CALLBACK.handle(&request, &client, &mut scratch, success);
    let response = response.unwrap();
    let Some(note) = response.note() else {
        assert_eq!((response.status(), read), (Status::Ok, Ok(())));
        return;
    };
    if response.status() == Status::Ok {
        let read = read.map_err(|error| (error, note.cause));
        let unread = Err((MessageError::Encrypted, "encrypted"));
        assert!(read == unread || note.cause == "mode" && read == Ok(()));
        return;
    }
    assert_eq!(response.status(), Status::BadRequest);
    let error = read.unwrap_err().to_string();
    // JSON, a form or an HTML page.
    let is_other_format =
        note.reason.starts_with("content is ") && note.reason.ends_with(", expected XML");
    assert!(content.is_empty() || is_other_format || note.reason == error);
    assert!(error.bytes().all(|octet| matches!(octet, b' '..=b'~')));
});
