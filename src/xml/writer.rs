//! Writes XML: elements, and text in CDATA sections (XML 1.0 2.7).

use std::borrow::Cow;

use super::characters::{is_suspect, with_line_feeds, without_non_characters};
use crate::text::digits;

/// The text without the characters that XML does not allow, and with LF for each line end.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(is_suspect) {
        return Cow::Borrowed(text);
    }
    let text = without_non_characters(text);
    if text.contains('\r') { Cow::Owned(with_line_feeds(&text)) } else { text }
}

/// `<Name>…</Name>`, with the content that `content` writes.
pub(crate) fn write_parent(name: &str, out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    write_all(&["<", name, ">"], out);
    content(out);
    write_all(&["</", name, ">"], out);
}

/// `<Name>…</Name>` with a number, without CDATA, as WeChat writes numbers.
pub(crate) fn write_number(name: &str, number: u64, out: &mut Vec<u8>) {
    write_parent(name, out, |out| digits::write_decimal(number, out));
}

/// `<Name><![CDATA[…]]></Name>` with a text, sanitized.
pub(crate) fn write_leaf(name: &str, text: &str, out: &mut Vec<u8>) {
    write_all(&["<", name, "><![CDATA["], out);
    write_text(text, out);
    write_all(&["]]></", name, ">"], out);
}

/// `<Name><![CDATA[…]]></Name>` with a text as it is.
pub(crate) fn write_leaf_as_is(name: &str, text: &str, out: &mut Vec<u8>) {
    write_all(&["<", name, "><![CDATA["], out);
    write_cdata(text, out);
    write_all(&["]]></", name, ">"], out);
}

/// The content of a CDATA section: a text, sanitized.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    // Nearly all texts need no change.
    if text.bytes().any(|octet| octet == b']' || is_suspect(octet)) {
        write_cdata(&sanitize(text), out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// The content of a CDATA section: a text as it is. Since a section ends at the first `]]>`, that text is split over two
/// sections; otherwise a user's text could add elements to a reply.
pub(crate) fn write_cdata(text: &str, out: &mut Vec<u8>) {
    if text.contains("]]>") {
        out.extend_from_slice(text.replace("]]>", "]]]]><![CDATA[>").as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

fn write_all(parts: &[&str], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
