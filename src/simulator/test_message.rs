//! A message before it is sent: the fields that a person gave, and the ones that WeChat adds.

use std::fmt;

use super::SignedQuery;
use super::encryption::RequestBody;
use super::signed_query::request_head;
use crate::http::Url;
use crate::wechat::Mode;
use crate::xml::writer::write_leaf_as_is;

/// The account, where no other is given.
const ACCOUNT: &str = "gh_0123456789ab";

/// The user, where no other is given.
const USER: &str = "oUser1";

/// The elements that WeChat writes without CDATA in the messages and events that most accounts get.
const NUMBERS: [&str; 16] = [
    "Count",
    "CreateTime",
    "ErrorCount",
    "FilterCount",
    "Idx",
    "Latitude",
    "Location_X",
    "Location_Y",
    "Longitude",
    "MsgDataId",
    "MsgID",
    "MsgId",
    "Precision",
    "Scale",
    "SentCount",
    "TotalCount",
];

/// A message or event: the fields of its XML, each a path of names and a text.
pub(crate) struct TestMessage {
    fields: Vec<(String, String)>,
}

/// Why fields make no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestMessageError {
    /// There are none.
    Empty,
    /// This field twice.
    Repeated(String),
    /// No MsgType, and neither a text nor `Event`, of which it would follow; the first field there
    /// is.
    MsgType(String),
}

impl fmt::Display for TestMessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing to send, a text or Field=Value expected"),
            Self::Repeated(name) => write!(f, "{name} given twice"),
            Self::MsgType(field) => write!(
                f,
                "{field:?} without MsgType, such as MsgType=image or Event=CLICK; \
                 a text with = in it is written Content=…"
            ),
        }
    }
}

/// The path in front of the first `=`, where there is one: names of XML elements separated by `/`.
pub(crate) fn field_name(argument: &str) -> Option<(&str, &str)> {
    let (path, value) = argument.split_once('=')?;
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.'))
    };
    path.split('/').all(is_name).then_some((path, value))
}

impl TestMessage {
    /// Fills in what WeChat would: the two names, CreateTime in seconds since 1970, MsgType (`event`
    /// where there is an `Event`, `text` where there is a `Content`), and of messages MsgId.
    ///
    /// # Errors
    /// [`TestMessageError`]
    pub(crate) fn compose(
        given: Vec<(String, String)>,
        now: u64,
        msg_id: u64,
    ) -> Result<Self, TestMessageError> {
        for (at, (path, _)) in given.iter().enumerate() {
            let is_leaf_again =
                |(other, _): &(String, String)| !path.contains('/') && other == path;
            if given.iter().skip(at.saturating_add(1)).any(is_leaf_again) {
                return Err(TestMessageError::Repeated(path.clone()));
            }
        }
        let Some((first, value)) = given.first() else {
            return Err(TestMessageError::Empty);
        };
        let has = |name| given.iter().any(|(path, _)| path == name);
        let msg_type = match (has("Event"), has("Content")) {
            (true, _) => "event",
            (false, true) => "text",
            (false, false) if has("MsgType") => "",
            (false, false) => return Err(TestMessageError::MsgType(format!("{first}={value}"))),
        };
        let defaults = [
            ("ToUserName", ACCOUNT.to_owned()),
            ("FromUserName", USER.to_owned()),
            ("CreateTime", now.to_string()),
            ("MsgType", msg_type.to_owned()),
        ];
        let mut given = given;
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, default) in defaults {
            let at = given.iter().position(|(path, _)| path == name);
            fields.push(match at {
                Some(at) => given.remove(at),
                None => (name.to_owned(), default),
            });
        }
        fields.append(&mut given);
        let mut draft = Self { fields };
        if !draft.is_event() && draft.field("MsgId").is_none() {
            draft.fields.push(("MsgId".to_owned(), msg_id.to_string()));
        }
        Ok(draft)
    }

    /// The text of a field, by its path.
    pub(crate) fn field(&self, path: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(name, _)| name == path)
            .map(|(_, text)| text.as_str())
    }

    pub(super) fn is_event(&self) -> bool {
        self.field("MsgType") == Some("event")
    }

    /// The message as XML, a line for each field as WeChat writes them: texts in CDATA, numbers without.
    /// Fields of one path one after the other share its elements; one that is there already opens the
    /// innermost anew, as the items of a list need it.
    pub(crate) fn xml(&self) -> String {
        let mut xml = b"<xml>".to_vec();
        let mut open: Vec<Open<'_>> = Vec::new();
        for (path, text) in &self.fields {
            let mut parents: Vec<&str> = path.split('/').collect();
            let name = parents.pop().unwrap_or(path);
            let is_same = |(one, other): &(&Open<'_>, &&str)| one.name == **other;
            let mut shared = open.iter().zip(&parents).take_while(is_same).count();
            let innermost = shared.checked_sub(1).and_then(|at| open.get(at));
            let is_there = innermost.is_some_and(|element| element.leaves.contains(&name));
            if shared == parents.len() && is_there {
                shared = shared.saturating_sub(1);
            }
            close_to(&mut open, shared, &mut xml);
            for name in parents.into_iter().skip(shared) {
                xml.extend_from_slice(format!("<{name}>").as_bytes());
                let leaves = Vec::new();
                open.push(Open { name, leaves });
            }
            if NUMBERS.contains(&name) && is_number(text) {
                xml.extend_from_slice(format!("<{name}>{text}</{name}>").as_bytes());
            } else {
                write_leaf_as_is(name, text, &mut xml);
            }
            match open.last_mut() {
                Some(element) => element.leaves.push(name),
                None => xml.push(b'\n'),
            }
        }
        close_to(&mut open, 0, &mut xml);
        xml.extend_from_slice(b"</xml>");
        // Made of text alone.
        String::from_utf8(xml).unwrap_or_default()
    }

    /// The root of it encrypted, with what stands beside that in this mode.
    pub(super) fn envelope(&self, encrypt: String, mode: Mode) -> Self {
        let stays =
            |(path, _): &&(String, String)| mode == Mode::Compatible || path == "ToUserName";
        let mut fields: Vec<(String, String)> = self.fields.iter().filter(stays).cloned().collect();
        fields.push(("Encrypt".to_owned(), encrypt));
        Self { fields }
    }

    /// The POST by which WeChat brings it to this URL, as captured.
    pub(crate) fn request(
        &self,
        url: &Url,
        signed_query: &SignedQuery,
        posted: &RequestBody,
    ) -> Vec<u8> {
        let openid: String = self
            .field("FromUserName")
            .unwrap_or(USER)
            .bytes()
            .map(percent_encoded)
            .collect();
        let RequestBody {
            content,
            parameters,
        } = posted;
        let target = url.target_with(&format!(
            "{}&openid={openid}{parameters}",
            signed_query.parameters()
        ));
        let length = content.len();
        let head = request_head("POST", &target, url);
        format!("{head}Content-Length: {length}\r\nContent-Type: text/xml\r\n\r\n{content}")
            .into_bytes()
    }
}

/// Whether it is digits, with a point and a minus where a number may have them.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

/// An element that has begun, and the leaves in it so far.
struct Open<'d> {
    name: &'d str,
    leaves: Vec<&'d str>,
}

/// Ends elements until so many are open.
fn close_to(open: &mut Vec<Open<'_>>, count: usize, xml: &mut Vec<u8>) {
    while open.len() > count
        && let Some(Open { name, .. }) = open.pop()
    {
        xml.extend_from_slice(format!("</{name}>").as_bytes());
        if open.is_empty() {
            xml.push(b'\n');
        }
    }
}

fn percent_encoded(octet: u8) -> String {
    if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
        char::from(octet).to_string()
    } else {
        format!("%{octet:02X}")
    }
}
