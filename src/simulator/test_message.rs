//! The messages and events that the simulator sends. They have the fields that the caller gives, and the fields that
//! WeChat always adds (接收普通消息).

use super::signed_query::{SignedQuery, request_head};
use crate::http::Url;
use crate::wechat::{KnownKind, Mode, find_kind};
use crate::xml::writer::{write_leaf_as_is, write_parent};

/// The account that messages are sent to by default.
const DEFAULT_ACCOUNT: &str = "gh_0123456789ab";

/// The user that messages come from by default.
const DEFAULT_USER: &str = "oUser1";

/// The elements that WeChat writes without CDATA in the messages and events that most accounts receive.
const NUMBERS: &str = "Count CreateTime ErrorCount FilterCount Idx Latitude Location_X Location_Y \
    Longitude MsgDataId MsgID MsgId Precision Scale SentCount TotalCount";

/// A message or event. Each field has a path of element names, and a text.
pub(crate) struct TestMessage {
    fields: Vec<(String, String)>,
}

/// The content of the request that contains a message.
pub(crate) struct RequestBody {
    /// The XML.
    pub(crate) xml: String,
    /// The additional query parameters for this content; empty, or beginning with `&`.
    pub(super) parameters: String,
}

/// The reason why the given fields are not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TestMessageError {
    /// There are no fields.
    Empty,
    /// A field is given twice.
    Repeated {
        /// The path of the field.
        path: String,
    },
    /// There is no MsgType, and neither `Content` nor `Event` to derive it from.
    NoMsgType {
        /// The first field that is given, as `path=value`.
        field: String,
    },
}

/// A difference between a test message and every message of WeChat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TestMessageWarning {
    /// There is an Event, but the MsgType is not `event`.
    EventWithMsgType { msg_type: String },
    /// MsgType is missing in the documented kinds. `similar` is a similar one.
    UnknownMsgType { msg_type: String, similar: Option<&'static str> },
    /// Event is similar to a documented event. Other unknown events are not reported, because WeChat has many more.
    MisspeltEvent { event: String, similar: &'static str },
    /// Fields are missing that every message or event of this kind has.
    FieldsMissing { is_event: bool, kind: &'static str, names: Vec<&'static str> },
}

/// Splits `path=value` at the first `=`; `None` unless the path consists of ASCII names separated by `/`.
pub(crate) fn parse_field(argument: &str) -> Option<(&str, &str)> {
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
    /// Makes a message from the given fields. Missing fields that WeChat always sends are added: ToUserName, FromUserName,
    /// CreateTime (`now`, in seconds since 1970), MsgType (`event` if there is an `Event`, `text` if there is a
    /// `Content`), and MsgId unless the message is an event.
    ///
    /// # Errors
    /// [`TestMessageError`]
    pub(crate) fn new(
        given: Vec<(String, String)>,
        now: u64,
        msg_id: u64,
    ) -> Result<Self, TestMessageError> {
        for (index, (path, _)) in given.iter().enumerate() {
            // A path of several names may be repeated, because it may be in a list.
            if !path.contains('/') && given[..index].iter().any(|(other, _)| other == path) {
                return Err(TestMessageError::Repeated { path: path.clone() });
            }
        }
        let Some((path, value)) = given.first() else {
            return Err(TestMessageError::Empty);
        };
        let has = |name| given.iter().any(|(path, _)| path == name);
        let msg_type = match (has("Event"), has("Content"), has("MsgType")) {
            (true, _, _) => "event",
            (false, true, _) => "text",
            (false, false, true) => "",
            (false, false, false) => {
                let field = format!("{path}={value}");
                return Err(TestMessageError::NoMsgType { field });
            }
        };
        let defaults = [
            ("ToUserName", DEFAULT_ACCOUNT),
            ("FromUserName", DEFAULT_USER),
            ("CreateTime", &now.to_string()),
            ("MsgType", msg_type),
        ];
        let mut fields = Vec::from(defaults.map(|(name, text)| (name.to_owned(), text.to_owned())));
        for (path, text) in given {
            match fields[..defaults.len()].iter_mut().find(|(name, _)| *name == path) {
                Some((_, default)) => *default = text,
                None => fields.push((path, text)),
            }
        }
        let mut message = Self { fields };
        if !message.is_event() && message.field("MsgId").is_none() {
            let field = ("MsgId".to_owned(), msg_id.to_string());
            message.fields.push(field);
        }
        Ok(message)
    }

    /// What WeChat would never send; `None` if WeChat may send this message.
    pub(crate) fn warning(&self) -> Option<TestMessageWarning> {
        let text = |name| self.field(name).unwrap_or_default();
        let (msg_type, event) = (text("MsgType"), text("Event"));
        let is_event = self.is_event();
        if self.field("Event").is_some() && !is_event {
            let msg_type = msg_type.to_owned();
            return Some(TestMessageWarning::EventWithMsgType { msg_type });
        }
        if is_event && self.field("Event").is_none() {
            let (is_event, kind, names) = (false, "event", vec!["Event"]);
            return Some(TestMessageWarning::FieldsMissing { is_event, kind, names });
        }
        match find_kind(msg_type, event) {
            Ok(KnownKind { name: kind, required: mut names }) => {
                names.retain(|path| self.field(path).is_none());
                let is_missing = !names.is_empty();
                is_missing.then_some(TestMessageWarning::FieldsMissing { is_event, kind, names })
            }
            Err(Some(similar)) if is_event => {
                Some(TestMessageWarning::MisspeltEvent { event: event.to_owned(), similar })
            }
            Err(_) if is_event => None,
            Err(similar) => {
                let msg_type = msg_type.to_owned();
                Some(TestMessageWarning::UnknownMsgType { msg_type, similar })
            }
        }
    }

    /// The text of the field with this path.
    pub(super) fn field(&self, path: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(name, _)| name == path);
        field.map(|(_, text)| text.as_str())
    }

    /// The account that the message is sent to.
    pub(super) fn account(&self) -> &str {
        self.field("ToUserName").expect("`new` adds it")
    }

    /// The user that the message comes from.
    pub(super) fn user(&self) -> &str {
        self.field("FromUserName").expect("`new` adds it")
    }

    pub(super) fn is_event(&self) -> bool {
        self.field("MsgType") == Some("event")
    }

    /// The XML of the message as WeChat writes it, with a line for each child of the root.
    pub(crate) fn xml(&self) -> String {
        let mut xml = b"<xml>".to_vec();
        write_fields(&self.fields, 0, &mut xml);
        xml.extend_from_slice(b"</xml>");
        String::from_utf8(xml).expect("it is made of texts")
    }

    /// The envelope of this message in an encrypted mode. It has `Encrypt` and, in compatible mode, all fields of the
    /// message, but in safe mode only ToUserName.
    pub(super) fn envelope(&self, encrypt: String, mode: Mode) -> Self {
        let is_kept =
            |(path, _): &&(String, String)| mode == Mode::Compatible || path == "ToUserName";
        let mut fields: Vec<_> = self.fields.iter().filter(is_kept).cloned().collect();
        fields.push(("Encrypt".to_owned(), encrypt));
        Self { fields }
    }

    /// The content in plain mode.
    pub(crate) fn plain_body(&self) -> RequestBody {
        RequestBody { xml: self.xml(), parameters: String::new() }
    }

    /// The POST request that sends the message to this URL, as in captures of real requests.
    pub(crate) fn request(&self, url: &Url, query: &SignedQuery, body: &RequestBody) -> Vec<u8> {
        let user = self.user().bytes();
        let openid: String = user.map(percent_encode).collect();
        let RequestBody { xml, parameters } = body;
        let parameters = format!("{}&openid={openid}{parameters}", query.parameters());
        let head = request_head("POST", &url.target_with(&parameters), url);
        let length = xml.len();
        format!("{head}Content-Length: {length}\r\nContent-Type: text/xml\r\n\r\n{xml}")
            .into_bytes()
    }
}

/// Whether a text is a decimal number: an optional minus, digits, and an optional fraction.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

/// Writes fields as elements. Texts are in CDATA, but numbers are not. Consecutive fields with the same parents are in the
/// same parent elements. If a parent already has a leaf with this name, a new parent begins, as in a list of items. The
/// first `skip` bytes of each path are the parents that have already been opened.
fn write_fields(mut fields: &[(String, String)], skip: usize, xml: &mut Vec<u8>) {
    while let Some((path, text)) = fields.first() {
        let count = match path[skip..].find('/') {
            None => {
                let name = &path[skip..];
                if NUMBERS.split(' ').any(|number| number == name) && is_number(text) {
                    write_parent(name, xml, |xml| xml.extend_from_slice(text.as_bytes()));
                } else {
                    write_leaf_as_is(name, text, xml);
                }
                1
            }
            Some(length) => {
                let end = skip + length;
                let is_inside = |(index, (other, _)): &(usize, &(String, String))| {
                    let leaf = other.strip_prefix(&path[..=end]);
                    let is_first = || fields[..*index].iter().all(|(earlier, _)| earlier != other);
                    leaf.is_some_and(|leaf| leaf.contains('/') || is_first())
                };
                let count = fields.iter().enumerate().take_while(is_inside).count();
                write_parent(&path[skip..end], xml, |xml| {
                    write_fields(&fields[..count], end + 1, xml);
                });
                count
            }
        };
        if skip == 0 {
            xml.push(b'\n');
        }
        fields = &fields[count..];
    }
}

/// Escapes an octet of a query value unless it is unreserved (RFC 3986 2.3).
fn percent_encode(octet: u8) -> String {
    if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
        char::from(octet).to_string()
    } else {
        format!("%{octet:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::check_field;

    #[test]
    fn numbers_are_documented_fields() {
        for name in NUMBERS.split(' ') {
            check_field(name).expect(name);
        }
    }
}
