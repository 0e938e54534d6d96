//! What the account answers (被动回复用户消息): one reply a message, as XML with the two names swapped.

use std::borrow::Cow;
use std::io::{self, Write};

use super::message::Message;
use super::xml;

/// Bytes of UTF-8 in a text reply. Longer ones end in the fault prompt or vanish, by public
/// reports.
pub const TEXT_MAX: usize = 2048;

/// What stands where a text was cut.
const CUT: &str = "…";

/// A reply to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// `text`
    Text(Cow<'a, str>),
    /// No reply: the literal `success`, which makes WeChat neither ask again nor show anything.
    Success,
}

impl<'a> Reply<'a> {
    /// A text. What WeChat would punish is mended when it is sent: an empty text becomes
    /// [`Reply::Success`], because it would show the fault prompt; one over [`TEXT_MAX`] bytes is
    /// cut at a character and marked; characters that XML cannot carry go; `\r\n` becomes `\n`.
    pub fn text(content: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(content.into())
    }

    /// Appends the reply to this message as XML, sent at `create_time` in seconds since 1970;
    /// nothing where the reply is, or comes to, [`Reply::Success`].
    ///
    /// ```text
    /// <xml><ToUserName>…</ToUserName><FromUserName>…</FromUserName><CreateTime>…</CreateTime><MsgType>…</MsgType>…</xml>
    /// ```
    pub fn write_to(&self, message: &Message<'_>, create_time: u64, out: &mut Vec<u8>) {
        let Self::Text(content) = self else { return };
        let content = carried(content);
        if content.is_empty() {
            return;
        }
        out.extend_from_slice(b"<xml>");
        write_element("ToUserName", message.from_user_name(), out);
        write_element("FromUserName", message.to_user_name(), out);
        out.extend_from_slice(b"<CreateTime>");
        // Writing to a vector cannot fail.
        let _: io::Result<()> = write!(out, "{create_time}");
        out.extend_from_slice(b"</CreateTime>");
        write_element("MsgType", "text", out);
        write_element("Content", &cut(&content), out);
        out.extend_from_slice(b"</xml>");
    }
}

/// The text as XML can carry it and phones show it.
fn carried(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&b'\r') {
        Cow::Owned(xml::without_non_characters(&text.replace("\r\n", "\n")).into_owned())
    } else {
        xml::without_non_characters(text)
    }
}

/// The text in at most [`TEXT_MAX`] bytes.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_MAX {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(TEXT_MAX.saturating_sub(CUT.len()));
    let (kept, _) = text.split_at_checked(end).unwrap_or((text, ""));
    Cow::Owned(format!("{kept}{CUT}"))
}

/// `<Name><![CDATA[…]]></Name>`. CDATA ends at the first `]]>`, so that mark is split over two
/// sections; whoever leaves that out lets a user write elements of the reply.
fn write_element(name: &str, text: &str, out: &mut Vec<u8>) {
    for part in ["<", name, "><![CDATA["] {
        out.extend_from_slice(part.as_bytes());
    }
    let mut rest = text.as_bytes();
    while let Some((before, after)) = xml::split_at_mark(rest, b"]]>") {
        out.extend_from_slice(before);
        out.extend_from_slice(b"]]]]><![CDATA[>");
        rest = after;
    }
    out.extend_from_slice(rest);
    for part in ["]]></", name, ">"] {
        out.extend_from_slice(part.as_bytes());
    }
}
