//! What WeChat would make of the answer to a message (被动回复用户消息).

use std::borrow::Cow;

use super::token_check::is_page;
use super::trouble::{self, QUOTED};
use super::{Draft, Finding, shown};
use crate::account::{
    ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, Document, Element, TEXT_MAX, Xml, trim,
    without_non_characters,
};
use crate::net::Answer;

/// The replies there are, and what each cannot do without.
const KINDS: [(&str, &str); 7] = [
    ("text", "Content"),
    ("image", "Image/MediaId"),
    ("voice", "Voice/MediaId"),
    ("video", "Video/MediaId"),
    ("music", "Music/ThumbMediaId"),
    ("news", "Articles/item/Title"),
    ("transfer_customer_service", ""),
];

/// CreateTime in seconds has ten digits until the year 2286; from here on it is one in milliseconds.
const MILLISECONDS: u64 = 100_000_000_000;

/// An answer, read as WeChat would read it.
pub(crate) struct Verdict {
    /// What kind of answer it is.
    pub(crate) kind: String,
    /// Whether it asks to tell the user nothing.
    pub(crate) is_silent: bool,
    /// The leaves of its XML below the head that all replies have: path and text.
    pub(crate) fields: Vec<(String, String)>,
    /// What is wrong with it. With nothing here WeChat would deliver it, or leave the user alone
    /// where that is what it asks for.
    pub(crate) faults: Vec<Finding>,
}

impl Verdict {
    /// Judges the answer to this message.
    pub(crate) fn on(answer: &Answer<'_>, message: &Draft) -> Self {
        if let Some(fault) = trouble::of_answer(answer) {
            return Self::unusable(format!("status {}", answer.head.status), fault);
        }
        match answer.content {
            [] => Self::no_reply("no reply (empty)"),
            b"success" => Self::no_reply("no reply (success)"),
            content => match fault_of_shape(content) {
                Some(fault) => Self::unusable("no reply of WeChat's".to_owned(), fault),
                None => Self::on_xml(content, message),
            },
        }
    }

    fn no_reply(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            is_silent: true,
            fields: Vec::new(),
            faults: Vec::new(),
        }
    }

    fn unusable(kind: String, fault: String) -> Self {
        Self {
            kind,
            is_silent: false,
            fields: Vec::new(),
            faults: vec![Finding::fault(fault)],
        }
    }

    fn on_xml(content: &[u8], message: &Draft) -> Self {
        let xml = Xml::scan(content);
        let document = xml
            .as_ref()
            .map_err(|error| *error)
            .and_then(Document::parse);
        let document = match &document {
            Ok(document) => document,
            Err(error) => {
                return Self::unusable(
                    "broken XML".to_owned(),
                    format!("{error}, which no XML of WeChat's is; look at --raw"),
                );
            }
        };
        let root = document.root();
        let msg_type = trim(root.text_at("MsgType").unwrap_or(""));
        let is_of_head = |path: &str| {
            matches!(
                path,
                "ToUserName" | "FromUserName" | "CreateTime" | "MsgType"
            )
        };
        let leaves = root
            .leaves()
            .map(|leaf| (leaf.path(), leaf.text().to_owned()));
        let mut faults = Faults(Vec::new());
        if without_non_characters(&String::from_utf8_lossy(content))
            != String::from_utf8_lossy(content)
        {
            faults.add(
                "it holds a character that XML cannot carry, such as U+0000 to U+001F; drop those",
            );
        }
        faults.look_at(root, msg_type, message);
        Self {
            kind: match msg_type {
                "" => "a reply without MsgType".to_owned(),
                _ => shown(msg_type.as_bytes(), QUOTED),
            },
            is_silent: false,
            fields: leaves.filter(|(path, _)| !is_of_head(path)).collect(),
            faults: faults.0.into_iter().map(Finding::fault).collect(),
        }
    }
}

/// Why content that is neither nothing nor `success` is not XML either.
fn fault_of_shape(content: &[u8]) -> Option<String> {
    let text = shown(content, QUOTED);
    let bare = content.trim_ascii();
    let bare = bare.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bare);
    let fault = if bare.trim_ascii().is_empty() {
        "only white space; no reply is the seven bytes success, or none at all".to_owned()
    } else if bare.eq_ignore_ascii_case(b"success") || bare == b"\"success\"" {
        format!("\"{text}\" instead of the seven bytes success, and nothing with them")
    } else if content.starts_with(b"\xEF\xBB\xBF") {
        "a byte order mark (EF BB BF) in front of the XML; save the program's files as UTF-8 without BOM"
            .to_owned()
    } else if is_page(content) {
        format!("an HTML page, \"{text}\"; a framework's error page, or another program's")
    } else if matches!(bare, [b'{' | b'[', ..]) {
        format!("JSON, \"{text}\"; a reply is XML")
    } else if !matches!(bare, [b'<', ..]) {
        format!("\"{text}\", which is no XML; a reply is XML, and no reply the bytes success")
    } else if bare.starts_with(b"<?xml") && bare.len() < content.trim_ascii_end().len() {
        "white space in front of the XML declaration, where XML allows none; \
         look for a blank line at the start of the program's files"
            .to_owned()
    } else {
        return None;
    };
    Some(fault)
}

struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, text: impl Into<String>) {
        self.0.push(text.into());
    }

    fn look_at(&mut self, root: Element<'_>, msg_type: &str, message: &Draft) {
        if root.name() != "xml" {
            self.add(format!(
                "the root element is <{}>, only <xml> is one of a reply",
                shown(root.name().as_bytes(), QUOTED)
            ));
            return;
        }
        if root.text_at("Encrypt").is_some() {
            self.add(
                "it is encrypted, but the message was sent in plain mode (明文模式); \
                 give the program no EncodingAESKey, or look at its mode",
            );
            return;
        }
        self.look_at_names(root, message);
        self.look_at_time(root);
        self.look_at_kind(root, msg_type, message);
    }

    fn look_at_names(&mut self, root: Element<'_>, message: &Draft) {
        let user = message.field("FromUserName").unwrap_or("");
        let account = message.field("ToUserName").unwrap_or("");
        let found = |name| root.text_at(name).map(trim);
        if (found("ToUserName"), found("FromUserName")) == (Some(account), Some(user))
            && user != account
        {
            self.add("the two names are not swapped; ToUserName is the user's openid in a reply, FromUserName the account");
            return;
        }
        for (name, expected) in [("ToUserName", user), ("FromUserName", account)] {
            match found(name) {
                None | Some("") => self.add(format!("{name} is missing, {expected:?} expected")),
                Some(found) if found == trim(expected) => {}
                Some(found) => self.add(format!(
                    "{name} is \"{}\", {expected:?} expected",
                    shown(found.as_bytes(), QUOTED)
                )),
            }
        }
    }

    fn look_at_time(&mut self, root: Element<'_>) {
        let Some(text) = root
            .text_at("CreateTime")
            .map(trim)
            .filter(|text| !text.is_empty())
        else {
            self.add("CreateTime is missing, seconds since 1970 expected");
            return;
        };
        let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
        match text.parse::<u64>() {
            Ok(time) if is_number && time < MILLISECONDS => {}
            Ok(time) if is_number => self.add(format!(
                "CreateTime is {time}, which is in milliseconds; seconds since 1970 expected"
            )),
            _ => self.add(format!(
                "CreateTime is \"{}\", whole seconds since 1970 expected",
                shown(text.as_bytes(), QUOTED)
            )),
        }
    }

    fn look_at_kind(&mut self, root: Element<'_>, msg_type: &str, message: &Draft) {
        let Some((_, needed)) = KINDS.iter().find(|(kind, _)| *kind == msg_type) else {
            let known = KINDS.map(|(kind, _)| kind).join(" ");
            self.add(match msg_type {
                "" => format!("MsgType is missing; there are {known}"),
                _ => format!(
                    "MsgType is \"{}\"; there are {known}",
                    shown(msg_type.as_bytes(), QUOTED)
                ),
            });
            return;
        };
        if msg_type == "news" {
            self.look_at_news(root, message);
            return;
        }
        let text = root.text_at(needed).map(|text| match msg_type {
            "text" => Cow::Borrowed(text),
            _ => Cow::Borrowed(trim(text)),
        });
        match text.as_deref() {
            _ if needed.is_empty() => {}
            None => self.add(format!(
                "{needed} is missing, and {msg_type} cannot do without"
            )),
            Some("") => self.add(match msg_type {
                "text" => {
                    "Content is empty, which shows the fault prompt; answer success to say nothing"
                        .to_owned()
                }
                _ => format!("{needed} is empty, and {msg_type} cannot do without"),
            }),
            Some(text) if msg_type == "text" && text.len() > TEXT_MAX => self.add(format!(
                "Content has {} bytes of UTF-8, at most {TEXT_MAX} allowed",
                text.len()
            )),
            Some(_) => {}
        }
    }

    fn look_at_news(&mut self, root: Element<'_>, message: &Draft) {
        let mut articles = root.children().filter(|child| child.name() == "Articles");
        let items: Vec<Element<'_>> = articles
            .next()
            .map(|articles| {
                articles
                    .children()
                    .filter(|child| child.name() == "item")
                    .collect()
            })
            .unwrap_or_default();
        let (most, trigger) = match message.is_event() {
            true => (ARTICLES_MAX, "an event"),
            false => (ARTICLES_MAX_TO_MESSAGE, "a message"),
        };
        let count = root.text_at("ArticleCount").map(trim).unwrap_or("");
        if items.is_empty() {
            self.add("news without articles; Articles/item is missing");
        } else if items.len() > most {
            self.add(format!(
                "{} articles, at most {most} allowed in answer to {trigger}",
                items.len()
            ));
        }
        if count != items.len().to_string() {
            self.add(format!(
                "ArticleCount is \"{}\", and there are {} articles",
                shown(count.as_bytes(), QUOTED),
                items.len()
            ));
        }
        let is_untitled =
            |item: &&Element<'_>| trim(item.text_at("Title").unwrap_or("")).is_empty();
        let untitled = items.iter().filter(is_untitled).count();
        if untitled > 0 {
            self.add(format!("{untitled} of the articles without a Title"));
        }
    }
}
