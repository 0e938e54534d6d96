//! Messages and events (接收普通消息, 接收事件推送) as plain XML, which may be the result of decryption.

use super::kind::Kind;
use super::verified::Verified;
use crate::text::blank::trim_blanks;
use crate::text::digits;
use crate::xml::{Document, Element, XmlError, trim};

/// A message or event from a user, with a verified signature.
///
/// There are two ways to read its fields. [`Message::kind`] has the fields of the known kinds as typed values.
/// [`Message::field`] and [`Message::fields`] have all fields of any message, by WeChat's names.
#[derive(Debug)]
pub struct Message<'a> {
    root: Element<'a>,
    to_user_name: &'a str,
    from_user_name: &'a str,
    create_time: u64,
    msg_type: &'a str,
    text: Option<&'a str>,
    has_encrypt: bool,
    received: u64,
}

/// The `Content` of the text messages by which WeChat says that a user sent what it does not support, in its current and
/// in its older form.
pub(crate) const UNSUPPORTED: [&str; 2] =
    ["【收到不支持的消息类型，暂无法显示】", "[Unsupported Message]"];

/// The reason why the content of a request is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// The content is not well-formed XML, or has markup that a message may not have.
    Xml(XmlError),
    /// The root element is not `<xml>`.
    Root,
    /// The content is the envelope of an encrypted message (safe mode).
    Encrypted,
    /// An element is missing or empty.
    Missing {
        /// The name of the element.
        element: &'static str,
    },
    /// The root has an element twice, so two readers could understand the message differently.
    Repeated {
        /// The name of the element.
        element: &'static str,
    },
    /// The element `CreateTime` is not a number.
    CreateTime,
}

impl From<XmlError> for MessageError {
    fn from(error: XmlError) -> Self {
        Self::Xml(error)
    }
}

/// Reads the texts of the elements that decide what a message means. None of these elements may occur twice. The
/// order of the texts is the order in the `match`.
fn unique_texts<'a>(root: Element<'a>) -> Result<[Option<&'a str>; 9], MessageError> {
    let mut texts = [None; 9];
    for child in root.children() {
        let (index, element) = match child.name() {
            "ToUserName" => (0, "ToUserName"),
            "FromUserName" => (1, "FromUserName"),
            "CreateTime" => (2, "CreateTime"),
            "MsgType" => (3, "MsgType"),
            "MsgId" => (4, "MsgId"),
            "Content" => (5, "Content"),
            "Event" => (6, "Event"),
            "EventKey" => (7, "EventKey"),
            "Encrypt" => (8, "Encrypt"),
            _ => continue,
        };
        let text = if child.is_leaf() { child.text() } else { "" };
        if texts[index].replace(text).is_some() {
            return Err(MessageError::Repeated { element });
        }
    }
    Ok(texts)
}

impl<'a> Message<'a> {
    /// Reads the message of a verified request. It must have the elements ToUserName, FromUserName, CreateTime and
    /// MsgType.
    ///
    /// # Errors
    /// [`MessageError`]
    pub fn parse(verified: Verified, xml: &'a Document<'_>) -> Result<Self, MessageError> {
        Self::read(xml, verified.received())
    }

    pub(super) fn read(xml: &'a Document<'_>, received: u64) -> Result<Self, MessageError> {
        let root = xml.root();
        if root.name() != "xml" {
            return Err(MessageError::Root);
        }
        let [to_user_name, from_user_name, create_time, msg_type, _, content, .., encrypt] =
            unique_texts(root)?;
        if encrypt.is_some() && msg_type.is_none() {
            return Err(MessageError::Encrypted);
        }
        let required = |text: Option<&'a str>, element| {
            text.map(trim).filter(|text| !text.is_empty()).ok_or(MessageError::Missing { element })
        };
        let to_user_name = required(to_user_name, "ToUserName")?;
        let from_user_name = required(from_user_name, "FromUserName")?;
        let create_time = required(create_time, "CreateTime")?;
        let create_time =
            digits::parse_decimal(create_time).map_err(|_| MessageError::CreateTime)?;
        let msg_type = required(msg_type, "MsgType")?;
        let text = match msg_type {
            "text" => content.filter(|content| !UNSUPPORTED.contains(&trim(content))),
            "voice" => {
                let recognition = root.text_of_first("Recognition");
                recognition.filter(|text| !trim_blanks(text).is_empty())
            }
            _ => None,
        };
        Ok(Self {
            root,
            to_user_name,
            from_user_name,
            create_time,
            msg_type,
            text,
            has_encrypt: encrypt.is_some(),
            received,
        })
    }

    /// The original id of the account (`gh_…`).
    pub fn to_user_name(&self) -> &str {
        self.to_user_name
    }

    /// The openid of the user for this account.
    pub fn from_user_name(&self) -> &str {
        self.from_user_name
    }

    /// The time when WeChat sent the message, in seconds since 1970.
    pub const fn create_time(&self) -> u64 {
        self.create_time
    }

    /// Whether the message also has an `Encrypt`, which was not read. Then the message is the plain part of
    /// compatible mode. A decrypted message has no `Encrypt`.
    pub const fn has_encrypt(&self) -> bool {
        self.has_encrypt
    }

    /// The time when the message was received, by this machine's clock, in seconds since 1970.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Whether this is an event.
    pub fn is_event(&self) -> bool {
        self.msg_type == "event"
    }

    /// The MsgType: `text`, `event`, …
    pub fn msg_type(&self) -> &str {
        self.msg_type
    }

    /// The MsgId; `None` for events. All tries of a message have the same MsgId. Messages of different users may
    /// have the same MsgId too.
    pub fn msg_id(&self) -> Option<&str> {
        self.root.text_at("MsgId").map(trim)
    }

    /// The identity of the message. Tries of the same message have equal identities; different messages have
    /// different identities.
    pub fn identity(&self) -> Identity<'_> {
        let msg_id = self.msg_id().filter(|id| !id.is_empty());
        let number = match msg_id.filter(|_| !self.is_event()) {
            Some(msg_id) => Number::Message { msg_id },
            None => Number::Event {
                create_time: self.create_time,
                fields: ["Event", "EventKey", "MsgID", "UserCardCode"].map(|name| self.field(name)),
            },
        };
        Identity {
            from_user_name: self.from_user_name,
            number,
            content: self.root.text_at("Content"),
        }
    }

    /// The XML of the message, without characters that XML does not allow.
    pub fn xml(&self) -> &str {
        self.root.source()
    }

    /// The kind of the message, with the fields of that kind.
    pub fn kind(&self) -> Kind<'_> {
        Kind::parse(self.msg_type, self.root)
    }

    /// The text of a field. `name` is a path below `<xml>` (`ScanCodeInfo/ScanResult`), or a name (`ScanResult`). A
    /// name means the first field with this name at any depth.
    pub fn field(&self, name: &str) -> Option<&str> {
        match name.contains('/') {
            true => self.root.text_at(name),
            false => self.root.text_of_first(name),
        }
    }

    /// What the user wrote or said: the `Content` of a text, or the `Recognition` of a voice. `None` if nothing was
    /// recognized, and for WeChat's notice that it cannot show the message of the user, such as a sticker.
    pub const fn text(&self) -> Option<&str> {
        self.text
    }

    /// All fields, in document order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.root.leaves().map(Field)
    }
}

/// The identity of a message ([`Message::identity`]).
///
/// The user is part of the identity, because messages of different users may have the same MsgId. The text is part
/// of it too. All tries of a message by WeChat have the same text, but people who test a server by hand send
/// different texts with the same MsgId.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity<'a> {
    from_user_name: &'a str,
    number: Number<'a>,
    content: Option<&'a str>,
}

/// The part of an identity that distinguishes the messages of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Number<'a> {
    Message {
        msg_id: &'a str,
    },
    /// Events have no MsgId, and two events of a user can have the same CreateTime.
    Event {
        create_time: u64,
        fields: [Option<&'a str>; 4],
    },
}

/// A field of a message, which is an element without child elements.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a>(Element<'a>);

impl<'a> Field<'a> {
    /// The name, such as `ScanResult`.
    pub fn name(self) -> &'a str {
        self.0.name()
    }

    /// Returns `self.name() == name` in fewer instructions.
    #[inline]
    pub(crate) fn is_named(self, name: &str) -> bool {
        self.0.is_named(name)
    }

    /// The path below `<xml>`, such as `ScanCodeInfo/ScanResult`.
    pub fn path(self) -> String {
        self.0.path()
    }

    /// The text, including its white space.
    pub fn text(self) -> &'a str {
        self.0.text()
    }
}
