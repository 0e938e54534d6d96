//! Writing XML: elements, text in CDATA sections, and text without what XML cannot carry.

use std::borrow::Cow;

use super::characters::{split_at_mark, without_non_characters};
use crate::text::{digits, search};

/// The text as XML can carry it and phones show it.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    if search::find_control_or(text.as_bytes(), [0xEF]).is_none() {
        return Cow::Borrowed(text);
    }
    let text = without_non_characters(text);
    if search::find(text.as_bytes(), [b'\r']).is_some() {
        // Who reads the XML takes a CR for a line end too, alone or in front of what was one (2.11).
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

/// `<Name>…</Name>` around elements.
pub(crate) fn write_parent(name: &str, out: &mut Vec<u8>, children: impl FnOnce(&mut Vec<u8>)) {
    write_all(&["<", name, ">"], out);
    children(out);
    write_all(&["</", name, ">"], out);
}

/// `<Name>…</Name>` around a number, without CDATA, as WeChat writes numbers itself.
pub(crate) fn write_number(name: &str, number: u64, out: &mut Vec<u8>) {
    write_all(&["<", name, ">"], out);
    digits::write_decimal(number, out);
    write_all(&["</", name, ">"], out);
}

/// `<Name><![CDATA[…]]></Name>` around a text as XML can carry it.
pub(crate) fn write_leaf(name: &str, text: &str, out: &mut Vec<u8>) {
    write_all(&["<", name, "><![CDATA["], out);
    write_text(text, out);
    write_all(&["]]></", name, ">"], out);
}

/// What stands in a CDATA section, of a text as XML can carry it.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    if search::find_control_or(text.as_bytes(), [b']', 0xEF]).is_none() {
        // As nearly all are.
        out.extend_from_slice(text.as_bytes());
    } else {
        write_cdata(&sanitize(text), out);
    }
}

/// `<Name><![CDATA[…]]></Name>`
pub(crate) fn write_leaf_as_is(name: &str, text: &str, out: &mut Vec<u8>) {
    write_all(&["<", name, "><![CDATA["], out);
    write_cdata(text, out);
    write_all(&["]]></", name, ">"], out);
}

/// What stands in a CDATA section. It ends at the first `]]>`, so that mark is split over two sections;
/// whoever leaves that out lets a user write elements of the reply.
pub(crate) fn write_cdata(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some((before, after)) = split_at_mark(rest, b"]]>") {
        out.extend_from_slice(before);
        out.extend_from_slice(b"]]]]><![CDATA[>");
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn write_all(parts: &[&str], out: &mut Vec<u8>) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
