//! Writes XML: elements, and text in CDATA sections (XML 1.0 2.7).

use std::borrow::Cow;

use super::characters::{is_suspect, with_line_feeds, without_non_characters};
use crate::text::digits;

/// Removes the characters that XML does not allow, and replaces each line end by LF.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(is_suspect) {
        return Cow::Borrowed(text);
    }
    let text = without_non_characters(text);
    if text.contains('\r') { Cow::Owned(with_line_feeds(&text)) } else { text }
}

/// Writes `<Name>…</Name>`. `write` writes the content between the tags.
pub(crate) fn write_parent(name: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    write_all(&["<", name, ">"], out);
    write(out);
    write_all(&["</", name, ">"], out);
}

/// Writes `<Name>…</Name>` with a number, without CDATA, as WeChat does.
pub(crate) fn write_number(name: &str, number: u64, out: &mut Vec<u8>) {
    write_parent(name, out, |out| digits::write_decimal(number, out));
}

/// Writes `<Name><![CDATA[…]]></Name>` with a sanitized text.
pub(crate) fn write_leaf(name: &str, text: &str, out: &mut Vec<u8>) {
    write_all(&["<", name, "><![CDATA["], out);
    write_text(text, out);
    write_all(&["]]></", name, ">"], out);
}

/// Writes `<Name><![CDATA[…]]></Name>` with an unchanged text.
pub(crate) fn write_leaf_as_is(name: &str, text: &str, out: &mut Vec<u8>) {
    write_all(&["<", name, "><![CDATA["], out);
    write_cdata(text, out);
    write_all(&["]]></", name, ">"], out);
}

/// Writes a sanitized text as the content of a CDATA section.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    // Nearly all texts need no change.
    if text.bytes().any(|octet| octet == b']' || is_suspect(octet)) {
        write_cdata(&sanitize(text), out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Writes an unchanged text as the content of a CDATA section. A section ends at the first `]]>`, so each `]]>` in the
/// text is split over two sections. Otherwise a user's text could add elements to a reply.
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
