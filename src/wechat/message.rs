//! What WeChat sends: the nine kinds of messages, and events (接收普通消息, 接收事件推送).

use std::fmt;

use super::kind::Kind;
use super::verified::Verified;
use crate::text::digits;
use crate::xml::Element;
use crate::xml::trim;
use crate::xml::{Document, XmlError};

/// A message or event of a user, with its signature checked.
///
/// What it holds stays readable in two ways: [`Message::kind`] has the documented fields by type,
/// [`Message::field`] and [`Message::leaves`] have every leaf of the XML by its WeChat name, also
/// of kinds that nobody has documented.
#[derive(Debug)]
pub struct Message<'a> {
    root: Element<'a>,
    to_user_name: &'a str,
    from_user_name: &'a str,
    create_time: u64,
    msg_type: &'a str,
    received: u64,
    is_beside_encrypt: bool,
}

/// Why a request's content is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// It is not the XML of one.
    Document(XmlError),
    /// Its root is not `<xml>`.
    Root,
    /// It is the envelope of an encrypted one: the account is in safe mode.
    Encrypted,
    /// This element is missing or empty.
    Missing(&'static str),
    /// This element occurs twice right below the root, so that two readers could see two messages.
    Repeated(&'static str),
    /// CreateTime is not a whole number of seconds.
    CreateTime,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(error) => error.fmt(f),
            Self::Root => f.write_str("root element is not <xml>"),
            Self::Encrypted => f.write_str("message is encrypted, a plain one expected"),
            Self::Missing(name) => write!(f, "element {name} is missing or empty"),
            Self::Repeated(name) => write!(f, "element {name} occurs twice"),
            Self::CreateTime => f.write_str("element CreateTime is not a number of seconds"),
        }
    }
}

impl std::error::Error for MessageError {}

impl From<XmlError> for MessageError {
    fn from(error: XmlError) -> Self {
        Self::Document(error)
    }
}

/// The common head of all messages, as far as it has been read.
#[derive(Default)]
struct Common<'a> {
    to_user_name: Option<&'a str>,
    from_user_name: Option<&'a str>,
    create_time: Option<&'a str>,
    msg_type: Option<&'a str>,
    // What else decides what a message is about; its text is read later.
    msg_id: Option<&'a str>,
    content: Option<&'a str>,
    event: Option<&'a str>,
    event_key: Option<&'a str>,
    encrypt: Option<&'a str>,
}

impl<'a> Common<'a> {
    fn read(root: Element<'a>) -> Result<Self, MessageError> {
        let mut common = Self::default();
        for element in root.children() {
            let (name, slot) = match element.name_octets() {
                b"ToUserName" => ("ToUserName", &mut common.to_user_name),
                b"FromUserName" => ("FromUserName", &mut common.from_user_name),
                b"CreateTime" => ("CreateTime", &mut common.create_time),
                b"MsgType" => ("MsgType", &mut common.msg_type),
                b"MsgId" => ("MsgId", &mut common.msg_id),
                b"Content" => ("Content", &mut common.content),
                b"Event" => ("Event", &mut common.event),
                b"EventKey" => ("EventKey", &mut common.event_key),
                b"Encrypt" => ("Encrypt", &mut common.encrypt),
                _ => continue,
            };
            let text = if element.is_leaf() {
                element.text()
            } else {
                ""
            };
            if slot.replace(trim(text)).is_some() {
                return Err(MessageError::Repeated(name));
            }
        }
        Ok(common)
    }
}

impl<'a> Message<'a> {
    /// Opens the content of a verified request.
    ///
    /// # Errors
    /// [`MessageError`] where the common head of all messages is not there: ToUserName,
    /// FromUserName, CreateTime and MsgType, each once.
    pub fn parse(verified: Verified, xml: &'a Document<'_>) -> Result<Self, MessageError> {
        let root = xml.root();
        if root.name_octets() != b"xml" {
            return Err(MessageError::Root);
        }
        let common = Common::read(root)?;
        if common.encrypt.is_some() && common.msg_type.is_none() {
            return Err(MessageError::Encrypted);
        }
        let required = |text: Option<&'a str>, name| {
            text.filter(|text| !text.is_empty())
                .ok_or(MessageError::Missing(name))
        };
        let to_user_name = required(common.to_user_name, "ToUserName")?;
        let from_user_name = required(common.from_user_name, "FromUserName")?;
        let create_time = required(common.create_time, "CreateTime")?;
        let create_time =
            digits::parse_decimal(create_time).map_err(|_| MessageError::CreateTime)?;
        let msg_type = required(common.msg_type, "MsgType")?;
        Ok(Self {
            received: verified.at,
            is_beside_encrypt: common.encrypt.is_some(),
            root,
            to_user_name,
            from_user_name,
            create_time,
            msg_type,
        })
    }

    /// The account, by its original id (`gh_…`).
    pub fn to_user_name(&self) -> &str {
        self.to_user_name
    }

    /// The user, by the openid they have with this account.
    pub fn from_user_name(&self) -> &str {
        self.from_user_name
    }

    /// When it was sent, in seconds since 1970.
    pub const fn create_time(&self) -> u64 {
        self.create_time
    }

    /// Whether it is the plain part of an encrypted one, in compatible mode. One that was decrypted is not.
    pub const fn is_beside_encrypt(&self) -> bool {
        self.is_beside_encrypt
    }

    /// When it was received, by this machine's clock, in seconds since 1970.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Whether it is an event rather than something that the user said.
    pub fn is_event(&self) -> bool {
        self.msg_type == "event"
    }

    /// The type as WeChat names it: `text`, `event`, …
    pub fn msg_type(&self) -> &str {
        self.msg_type
    }

    /// The number of a message; events have none. It repeats on every try, and across users.
    pub fn msg_id(&self) -> Option<&str> {
        self.root.text_at("MsgId").map(trim)
    }

    /// What tells it from all others, and is the same each time that WeChat sends it.
    ///
    /// Of a message that is user and MsgId, since users share numbers; and its text, which WeChat
    /// never changes, but a person does who tries things with one number. Events have no MsgId, and
    /// one user's can fall into the same second, so that it takes what they are about.
    pub fn identity(&self) -> Identity<'_> {
        let msg_id = self
            .msg_id()
            .filter(|id| !id.is_empty() && !self.is_event());
        let of_event = match msg_id {
            Some(_) => None,
            None => {
                let names = ["Event", "EventKey", "MsgID", "UserCardCode"];
                Some((self.create_time, names.map(|name| self.field(name))))
            }
        };
        Identity {
            from_user_name: self.from_user_name,
            msg_id,
            content: self.root.text_at("Content"),
            of_event,
        }
    }

    /// The whole message as XML, without the characters that XML cannot carry.
    pub fn xml(&self) -> &str {
        self.root.source()
    }

    /// The documented fields, by type.
    pub fn kind(&self) -> Kind<'_> {
        Kind::parse(self.msg_type, self.root)
    }

    /// The text of a leaf of the XML: by its path below `<xml>` (`ScanCodeInfo/ScanResult`), or the
    /// first of that name at any depth (`ScanResult`).
    pub fn field(&self, name: &str) -> Option<&str> {
        let root = self.root;
        if name.contains('/') {
            root.text_at(name)
        } else {
            root.first_text_of_all(name)
        }
    }

    /// Every leaf of the XML, in its order.
    pub fn leaves(&self) -> impl Iterator<Item = Field<'_>> {
        self.root.leaves().map(Field)
    }
}

/// What tells a message from all others ([`Message::identity`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity<'a> {
    from_user_name: &'a str,
    msg_id: Option<&'a str>,
    content: Option<&'a str>,
    /// Its second and what it is about, where there is no MsgId.
    of_event: Option<(u64, [Option<&'a str>; 4])>,
}

/// A leaf of a message: an element without elements in it.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a>(Element<'a>);

impl<'a> Field<'a> {
    /// Its name, such as `ScanResult`.
    pub fn name(self) -> &'a str {
        self.0.name()
    }

    /// Its path below `<xml>`, such as `ScanCodeInfo/ScanResult`.
    pub fn path(self) -> String {
        self.0.path()
    }

    /// Its text as it stands there, white space included.
    pub fn text(self) -> &'a str {
        self.0.text()
    }
}
