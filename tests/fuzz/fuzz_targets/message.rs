//! Whatever is posted under a right signature is a message or refused, and every reply to a message
//! is read back as it was meant, with the names swapped.

#![no_main]

use std::sync::LazyLock;

use fuzz::{NOW, TOKEN, signature, with_message};
use libfuzzer_sys::fuzz_target;
use wechat::callback::Callback;
use wechat::http::{Head, Request, Status};
use wechat::session::{Caller, Outcome};
use wechat::wechat::{Age, Article, Message, MessageError, Reply, TEXT_MAX, Token};
use wechat::xml::{Document, XmlError};

/// CommandSpec all inputs, under one signature.
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

/// The text as XML can carry it and is read from it (XML 1.0 2.2, 2.11).
fn carried(text: &str) -> String {
    let text: String = text.chars().filter(is_char).collect();
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A reply of each kind that says nothing but the text, and how often.
fn replies(text: &str, articles: usize) -> [(&'static str, Reply<'_>, usize); 7] {
    let text = || text.into();
    let video = Reply::Video {
        media_id: text(),
        title: text(),
        description: text(),
    };
    let music = Reply::Music {
        title: text(),
        description: text(),
        music_url: text(),
        hq_music_url: text(),
        thumb_media_id: text(),
    };
    let article = Article {
        title: text(),
        description: text(),
        pic_url: text(),
        url: text(),
    };
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

fn assert_replies_arrive(message: &Message<'_>, text: &str) {
    let said = carried(text);
    let to_user_name = carried(message.from_user_name());
    let from_user_name = carried(message.to_user_name());
    let articles = if message.is_event() { 8 } else { 1 };
    for (msg_type, reply, times) in replies(text, articles) {
        let mut out = Vec::new();
        reply.write_to(message, NOW, &mut out);
        if said.is_empty() && msg_type != "transfer_customer_service" {
            assert_eq!(out, b"", "{msg_type}");
            continue;
        }
        assert!(!out.contains(&b'\r'), "{msg_type}");
        let assert_read = |read: &Message<'_>| {
            assert_eq!(read.to_user_name(), to_user_name);
            assert_eq!(read.from_user_name(), from_user_name);
            assert_eq!((read.create_time(), read.msg_type()), (NOW, msg_type));
            let of_all = "ToUserName FromUserName CreateTime MsgType ArticleCount";
            let own = read.fields().map(|leaf| (leaf.name(), leaf.text()));
            let own: Vec<_> = own.filter(|(name, _)| !of_all.contains(name)).collect();
            assert_eq!(own.len(), times, "{msg_type}");
            for (name, found) in own {
                match found.strip_suffix('…') {
                    Some(front) if name == "Content" && said.len() > TEXT_MAX => {
                        assert!(found.len() <= TEXT_MAX && said.starts_with(front));
                    }
                    _ => assert_eq!(found, said, "{name}"),
                }
            }
        };
        with_message(&out, assert_read).unwrap();
    }
}

/// Each field is the first leaf of its name, and programs are given the same message.
fn assert_readable(message: &Message<'_>) {
    let leaves = |message: &Message<'_>| -> Vec<(String, String)> {
        let leaves = message.fields();
        let both = leaves.map(|leaf| (leaf.path(), leaf.text().to_owned()));
        both.collect()
    };
    for leaf in message.fields() {
        let mut same = message.fields().filter(|other| other.name() == leaf.name());
        assert_eq!(
            message.field(leaf.name()),
            same.next().map(|leaf| leaf.text())
        );
    }
    let assert_same = |again: &Message<'_>| {
        assert_eq!(again.kind(), message.kind());
        assert_eq!(again.identity(), message.identity());
        assert_eq!(leaves(again), leaves(message));
    };
    with_message(message.xml().as_bytes(), assert_same).unwrap();
}

/// What is read as XML here is so elsewhere, with the same texts, and what is not well-formed here is not
/// elsewhere.
fn assert_read_alike(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let text = text.trim_start_matches(['\0', ' ', '\t', '\r', '\n']);
    let text: String = text.chars().filter(is_char).collect();
    // roxmltree has its own mind of CRs in front of others, takes a colon in front of a name for nothing,
    // skips another byte order mark behind a control character, and reads the declaration, which therefore goes.
    let has = |odd: &str| text.contains(odd);
    let is_its_own = has("\r\r") || has("\r") && has("&#") || has("<:") || has("</:");
    let declared = text
        .strip_prefix("<?xml ")
        .map(|rest| rest.split_once("?>"));
    let (_, text) = match declared {
        Some(Some(split)) => split,
        Some(None) => {
            assert!(Document::parse_message(bytes).is_err());
            return;
        }
        None => ("", text.as_str()),
    };
    if is_its_own || text.starts_with('\u{FEFF}') || text.starts_with("<?xml ") {
        return;
    }
    let theirs = roxmltree::Document::parse(text);
    match Document::parse_message(bytes) {
        Ok(_) => assert!(theirs.is_ok(), "{theirs:?}"),
        // It takes numbers that are no characters for U+FFFD.
        Err(XmlError::Syntax { .. }) if text.contains("&#") => {}
        Err(XmlError::Syntax { .. } | XmlError::Open) => assert!(theirs.is_err()),
        Err(_) => {}
    }
    let Ok(theirs) = theirs else {
        return;
    };
    let texts = |message: &Message<'_>| -> Vec<(String, String)> {
        let leaves = message.fields();
        let both = leaves.map(|leaf| (leaf.name().to_owned(), leaf.text().to_owned()));
        both.collect()
    };
    if let Ok(own) = with_message(bytes, texts) {
        let elements = theirs.root_element().descendants().skip(1);
        let leaves = elements
            .filter(|node| node.is_element() && !node.children().any(|child| child.is_element()));
        let both = leaves.map(|leaf| {
            let text = leaf.text().unwrap_or("");
            (leaf.tag_name().name().to_owned(), text.to_owned())
        });
        assert_eq!(own, both.collect::<Vec<_>>());
    }
}

fn success<'m>(_: &'m Message<'m>) -> Outcome<'m> {
    Outcome::Reply(Reply::Success)
}

fuzz_target!(|content: &[u8]| {
    assert_read_alike(content);
    let read = with_message(content, |message| {
        assert_readable(message);
        assert_replies_arrive(message, &String::from_utf8_lossy(content));
        assert_replies_arrive(message, message.field("Content").unwrap_or(""));
    });
    let (head, _) = Head::parse(HEAD.as_bytes()).unwrap().unwrap();
    let request = Request { head, content };
    let (now, is_connected) = (&|| NOW, &|| true);
    let caller = Caller { now, is_connected };
    let mut scratch = Vec::new();
    let response = CALLBACK.answer(&request, &caller, &mut scratch, success);
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
    assert!(content.is_empty() || note.reason == error);
    assert!(error.bytes().all(|octet| matches!(octet, b' '..=b'~')));
});
