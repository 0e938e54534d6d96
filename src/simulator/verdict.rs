//! What WeChat would make of the answer to a message (被动回复用户消息).

use super::faults;
use super::token_check::is_page;
use super::{Check, Encryption, Severity, TestMessage};
use crate::client::Answer;
use crate::text::digits;
use crate::text::display::{escape_for_terminal, excerpt};
use crate::wechat::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, Mode, TEXT_MAX};
use crate::xml::{Document, Element, Position, XmlError, is_char, trim};

/// The replies there are, and what each cannot do without.
const KINDS: [(&str, &str); 7] = [
    ("text", "Content"),
    ("image", "Image/MediaId"),
    ("voice", "Voice/MediaId"),
    ("video", "Video/MediaId"),
    ("music", "Music/ThumbMediaId"),
    ("news", ""),
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
    /// What is wrong with it.
    pub(crate) checks: Vec<Check>,
    /// The XML that was encrypted in it.
    pub(crate) inside: Option<Vec<u8>>,
}

impl Verdict {
    /// Whether WeChat would deliver it, or leave the user alone where that is what it asks for.
    pub(crate) fn is_fine(&self) -> bool {
        let is_fault = |check: &Check| check.severity == Severity::Error;
        !self.checks.iter().any(is_fault)
    }

    /// Judges the answer to this message, which was sent under a encryption, or plain where there is none.
    // Not `Option<&Encryption>`: in a build without `Encryption` the compiler does not see that this is always `None`, and
    // keeps what takes one.
    pub(crate) fn on(
        answer: &Answer<'_>,
        message: &TestMessage,
        encryption: &Option<Encryption>,
    ) -> Self {
        if let Some(fault) = faults::of_answer(answer) {
            return Self::unusable(format!("status {}", answer.head.status), fault);
        }
        Self::on_content(answer.content, message, encryption)
    }

    fn on_content(content: &[u8], message: &TestMessage, encryption: &Option<Encryption>) -> Self {
        match content {
            [] => Self::no_reply("no reply (empty)"),
            b"success" => Self::no_reply("no reply (success)"),
            content => match fault_of_shape(content) {
                Some(fault) => Self::unusable("no reply of WeChat's".to_owned(), fault),
                None => Self::on_xml(content, message, encryption),
            },
        }
    }

    /// What is in an encrypted answer, as if it had come plain, and what is wrong around it.
    fn on_sealed(
        root: Element<'_>,
        content: &[u8],
        message: &TestMessage,
        encryption: &Encryption,
    ) -> Self {
        let mut checks = Checks(Vec::new());
        checks.look_at_characters(content);
        checks.look_at_root(root);
        let inside = encryption.open(root, &mut checks);
        let mut verdict = match &inside {
            Some(inside) => Self::on_content(inside, message, &None),
            None => Self::no_reply("a reply"),
        };
        verdict.kind.push_str(", encrypted");
        verdict.checks.append(&mut checks.0);
        Self { inside, ..verdict }
    }

    fn no_reply(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            is_silent: true,
            fields: Vec::new(),
            checks: Vec::new(),
            inside: None,
        }
    }

    fn unusable(kind: String, fault: String) -> Self {
        Self {
            kind,
            is_silent: false,
            fields: Vec::new(),
            checks: vec![Check::error(fault)],
            inside: None,
        }
    }

    fn on_xml(content: &[u8], message: &TestMessage, encryption: &Option<Encryption>) -> Self {
        match Document::parse_message(content) {
            Ok(document) => Self::on_document(&document, content, message, encryption),
            Err(error) => Self::on_odd_xml(content, error, message, encryption),
        }
    }

    /// XML with more markup than WeChat's own has. Its parser may take that; ours takes time that
    /// grows with the cube of it, so that only a short one is read.
    fn on_odd_xml(
        content: &[u8],
        error: XmlError,
        message: &TestMessage,
        encryption: &Option<Encryption>,
    ) -> Self {
        let unusable = |fault| Self::unusable("broken XML".to_owned(), fault);
        let odd = match error {
            XmlError::Attribute => "a tag with an attribute",
            XmlError::Markup => "a comment or an instruction",
            XmlError::Utf8(_)
            | XmlError::Open
            | XmlError::TooManyNodes
            | XmlError::Syntax { .. } => return unusable(fault_of_xml(error)),
        };
        let text = str::from_utf8(content).ok();
        let Some(text) = text.filter(|text| text.len() <= ODD_MAX) else {
            return unusable(fault_of_xml(error));
        };
        match Document::parse_file(text) {
            Ok(document) => {
                let mut verdict = Self::on_document(&document, content, message, encryption);
                let doubt = format!("{odd}, of which WeChat's own XML has none");
                verdict.checks.push(Check::warning(doubt));
                verdict
            }
            Err(error) => {
                let Position { line, column } = error.position;
                unusable(format!(
                    "not well-formed XML at line {line} column {column}: {error}; {ESCAPE}"
                ))
            }
        }
    }

    fn on_document(
        document: &Document<'_>,
        content: &[u8],
        message: &TestMessage,
        encryption: &Option<Encryption>,
    ) -> Self {
        let root = document.root();
        if let Some(encryption) = encryption {
            if root.text_at("Encrypt").is_some() {
                return Self::on_sealed(root, content, message, encryption);
            }
            if encryption.mode == Mode::Safe {
                let fault = "it is plain, and safe mode (安全模式) takes none but encrypted ones; \
                    give the program the EncodingAESKey, or choose 兼容模式 in the console";
                return Self::unusable("a plain reply".to_owned(), fault.to_owned());
            }
        }
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
        let mut checks = Checks(Vec::new());
        checks.look_at_characters(content);
        checks.look_at(root, msg_type, message);
        Self {
            kind: match msg_type {
                "" => "a reply without MsgType".to_owned(),
                _ => escape_for_terminal(msg_type.as_bytes(), 100),
            },
            is_silent: false,
            fields: leaves.filter(|(path, _)| !is_of_head(path)).collect(),
            checks: checks.0,
            inside: None,
        }
    }
}

/// Bytes of XML that is read although it holds attributes or comments.
const ODD_MAX: usize = 8 * 1024;

/// What is mostly wrong with XML that programs write.
const ESCAPE: &str =
    "in a text write &amp; and &lt; for & and <, or CDATA without ]]> in it, and end each tag";

/// What breaks XML, and how it mostly comes about.
fn fault_of_xml(error: XmlError) -> String {
    match error {
        XmlError::Utf8(_) => format!("{error}; write and send it as UTF-8"),
        XmlError::Open => format!("{error}; is Content-Length counted in bytes?"),
        XmlError::TooManyNodes => error.to_string(),
        XmlError::Attribute | XmlError::Markup | XmlError::Syntax { .. } => {
            format!("{error}; {ESCAPE}")
        }
    }
}

/// Why content that is neither nothing nor `success` is not XML either.
fn fault_of_shape(content: &[u8]) -> Option<String> {
    let text = excerpt(content);
    let bare = content.trim_ascii();
    let bare = bare.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bare);
    let fault = if bare.trim_ascii().is_empty() {
        "only white space; no reply is the seven bytes success, or none at all".to_owned()
    } else if bare.eq_ignore_ascii_case(b"success") || bare == b"\"success\"" {
        format!("{text} instead of the seven bytes success, and nothing with them")
    } else if content.starts_with(b"\xEF\xBB\xBF") {
        "a byte order mark (EF BB BF) in front of the XML; save the program's files as UTF-8 without BOM"
            .to_owned()
    } else if let Some(fault) = faults::of_encoding(content) {
        fault.to_owned()
    } else if is_page(content) {
        format!("an HTML page, {text}; a framework's error page, or another program's")
    } else if matches!(bare, [b'{', ..] | [b'[', b'{' | b'[' | b'"', ..]) {
        format!("JSON, {text}; a reply is XML")
    } else if !matches!(bare, [b'<', ..]) {
        format!("{text}, which is no XML; a reply is XML, and no reply the bytes success")
    } else if bare.starts_with(b"<?xml") && bare.len() < content.trim_ascii_end().len() {
        "white space in front of the XML declaration, where XML allows none; \
         look for a blank line at the start of the program's files"
            .to_owned()
    } else if let Some(rest) = behind_root(bare) {
        format!("{} behind </xml>; a reply ends there", excerpt(rest))
    } else {
        return None;
    };
    Some(fault)
}

/// What stands behind the end of the root, such as a warning that a program prints at its own end.
fn behind_root(content: &[u8]) -> Option<&[u8]> {
    const END: &[u8] = b"</xml>";
    let at = content
        .windows(END.len())
        .rposition(|window| window == END)?;
    let rest = content.get(at.saturating_add(END.len())..)?.trim_ascii();
    (!rest.is_empty()).then_some(rest)
}

pub(super) struct Checks(Vec<Check>);

impl Checks {
    pub(super) fn fault(&mut self, text: impl Into<String>) {
        self.0.push(Check::error(text));
    }

    fn look_at_characters(&mut self, content: &[u8]) {
        let characters = String::from_utf8_lossy(content);
        if let Some(character) = characters.chars().find(|character| !is_char(*character)) {
            self.fault(format!(
                "it holds U+{:04X}, which XML cannot carry; drop control characters",
                u32::from(character)
            ));
        }
    }

    /// Whether the root is the one of a reply.
    fn look_at_root(&mut self, root: Element<'_>) -> bool {
        let is_reply = root.name() == "xml";
        if !is_reply {
            self.fault(format!(
                "the root element is <{}>, only <xml> is one of a reply",
                escape_for_terminal(root.name().as_bytes(), 100)
            ));
        }
        is_reply
    }

    fn look_at(&mut self, root: Element<'_>, msg_type: &str, message: &TestMessage) {
        if !self.look_at_root(root) {
            return;
        }
        if root.text_at("Encrypt").is_some() {
            self.fault(
                "it is encrypted, or once more than the message was; \
                 give the program the EncodingAESKey in the encrypted modes alone, and let it encrypt once",
            );
            return;
        }
        if message
            .field("Event")
            .is_some_and(|event| event.eq_ignore_ascii_case("unsubscribe"))
        {
            let doubt = "the user has left, so no reply can reach them; answer success";
            self.0.push(Check::warning(doubt));
        }
        self.look_at_names(root, message);
        look_at_seconds(root, "CreateTime", self);
        self.look_at_kind(root, msg_type, message);
    }

    fn look_at_names(&mut self, root: Element<'_>, message: &TestMessage) {
        let user = message.field("FromUserName").unwrap_or("");
        let account = message.field("ToUserName").unwrap_or("");
        let found = |name| root.text_at(name).map(trim);
        if (found("ToUserName"), found("FromUserName")) == (Some(account), Some(user))
            && user != account
        {
            self.fault("the two names are not swapped; ToUserName is the user's openid in a reply, FromUserName the account");
            return;
        }
        for (name, expected) in [("ToUserName", user), ("FromUserName", account)] {
            match found(name) {
                None | Some("") => self.fault(format!("{name} is missing, {expected:?} expected")),
                Some(found) if found == expected => {}
                Some(found) => self.fault(format!(
                    "{name} is {}, {expected:?} expected",
                    excerpt(found.as_bytes())
                )),
            }
        }
    }

    fn look_at_kind(&mut self, root: Element<'_>, msg_type: &str, message: &TestMessage) {
        let Some((_, needed)) = KINDS.iter().find(|(kind, _)| *kind == msg_type) else {
            let known = KINDS.map(|(kind, _)| kind).join(" ");
            self.fault(match msg_type {
                "" => format!("MsgType is missing; there are {known}"),
                _ => format!(
                    "MsgType is {}; there are {known}",
                    excerpt(msg_type.as_bytes())
                ),
            });
            return;
        };
        if msg_type == "news" {
            self.look_at_news(root, message);
            return;
        }
        if needed.is_empty() {
            return;
        }
        let text = root.text_at(needed).map(|text| match msg_type {
            "text" => text,
            _ => trim(text),
        });
        match (msg_type, text) {
            // The manual requires it, but there are programs that get by without.
            ("music", None | Some("")) => self.0.push(Check::warning(format!(
                "{needed} is missing, which the manual requires"
            ))),
            ("text", Some("")) => self.fault(
                "Content is empty, which shows the fault prompt; answer success to say nothing",
            ),
            ("text", Some(text)) if text.len() > TEXT_MAX => self.fault(format!(
                "Content has {} bytes of UTF-8, at most {TEXT_MAX} allowed",
                text.len()
            )),
            (_, None | Some("")) => self.fault(format!(
                "{needed} is missing or empty, and {msg_type} cannot do without"
            )),
            (_, Some(_)) => {}
        }
    }

    fn look_at_news<'a>(&mut self, root: Element<'a>, message: &TestMessage) {
        let below = |element: Element<'a>, name: &'static str| {
            let children = element.children();
            children.filter(move |child| child.name() == name)
        };
        let articles = below(root, "Articles").next();
        let items = articles.map_or_else(Vec::new, |articles| below(articles, "item").collect());
        let (most, trigger) = match message.is_event() {
            true => (ARTICLES_MAX, "an event"),
            false => (ARTICLES_MAX_TO_MESSAGE, "a message"),
        };
        let count = root.text_at("ArticleCount").map(trim).unwrap_or("");
        if items.is_empty() {
            self.fault("news without articles; Articles/item is missing");
        } else if items.len() > most {
            self.fault(format!(
                "{} articles, at most {most} allowed in answer to {trigger}; WeChat leaves out the rest",
                items.len()
            ));
        }
        match count {
            "" => self.fault("ArticleCount is missing"),
            _ if count == items.len().to_string() => {}
            _ => self.fault(format!(
                "ArticleCount is {}, and Articles has {} of item",
                excerpt(count.as_bytes()),
                items.len()
            )),
        }
        let is_untitled =
            |item: &&Element<'a>| trim(item.text_at("Title").unwrap_or("")).is_empty();
        let untitled = items.iter().filter(is_untitled).count();
        if untitled > 0 {
            self.fault(format!("{untitled} of the articles without a Title"));
        }
    }
}

/// Looks at a time, which is in seconds since 1970 wherever WeChat has one.
pub(super) fn look_at_seconds(root: Element<'_>, name: &str, checks: &mut Checks) {
    let text = root.text_at(name).map(trim);
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        checks.fault(format!("{name} is missing, seconds since 1970 expected"));
        return;
    };
    match digits::parse_decimal(text) {
        Ok(time) if time < MILLISECONDS => {}
        Ok(time) => checks.fault(format!(
            "{name} is {time}, which is in milliseconds; seconds since 1970 expected"
        )),
        Err(_) => checks.fault(format!(
            "{name} is {}, whole seconds since 1970 expected",
            excerpt(text.as_bytes())
        )),
    }
}
