//! Recognizes content that is not XML, so that the log can name it and the setting that causes it.

/// Content of another format than XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherContent {
    /// The event `debug_demo` in JSON, which the push debugger of the WeChat console sends (消息推送, 调试).
    DebugDemo,
    /// JSON, which the console offers as a data format of messages (数据格式).
    Json,
    /// A form: `application/x-www-form-urlencoded` or `multipart/form-data`.
    Form,
    /// An HTML page.
    Html,
}

impl OtherContent {
    /// Recognizes content by its first bytes. White space and a byte order mark at the start are skipped.
    pub(super) fn recognize(content: &[u8]) -> Option<Self> {
        let start = content.trim_ascii_start();
        let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
        let begins = |tag: &[u8]| {
            start.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
        };
        let has = |word: &[u8]| start.windows(word.len()).any(|window| window == word);
        match start {
            [b'{', ..] if has(b"\"debug_demo\"") || has(b"\"debug_str\"") => Some(Self::DebugDemo),
            [b'{' | b'[', rest @ ..] if begins_value(rest.trim_ascii_start()) => Some(Self::Json),
            [b'-', b'-', ..] if has(b"Content-Disposition") => Some(Self::Form),
            _ if begins(b"<!doctype html") || begins(b"<html") => Some(Self::Html),
            _ if begins(b"%3C") || is_pair(start) => Some(Self::Form),
            _ => None,
        }
    }
}

/// Whether bytes begin a name of an object, or an item of an array that may be a message.
const fn begins_value(bytes: &[u8]) -> bool {
    matches!(bytes, [b'"' | b'{' | b'[', ..])
}

/// Whether bytes begin with `name=`.
fn is_pair(bytes: &[u8]) -> bool {
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.');
    let name = bytes.iter().take_while(|octet| is_name(octet)).count();
    name > 0 && bytes.get(name) == Some(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_other_formats_by_the_first_bytes() {
        for (content, expected) in [
            (
                "{\"ToUserName\":\"gh_1\",\"MsgType\":\"event\",\"Event\":\"debug_demo\",\"debug_str\":\"hi\"}",
                Some(OtherContent::DebugDemo),
            ),
            ("\u{FEFF} {\"a\":1}", Some(OtherContent::Json)),
            ("{\n  \"a\": 1}", Some(OtherContent::Json)),
            ("[{\"a\":1}]", Some(OtherContent::Json)),
            ("{}", None),
            ("{a}", None),
            ("[微笑]", None),
            ("text=hello&a=b", Some(OtherContent::Form)),
            ("%3Cxml%3E", Some(OtherContent::Form)),
            (
                "------x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb",
                Some(OtherContent::Form),
            ),
            ("<!DOCTYPE html><p>", Some(OtherContent::Html)),
            ("<xml>{</xml>", None),
            ("hello", None),
            ("a b=c", None),
            ("", None),
        ] {
            assert_eq!(OtherContent::recognize(content.as_bytes()), expected, "{content}");
        }
    }
}
