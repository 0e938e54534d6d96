//! The octets and small productions of RFC 9110, 9112 and 3986, each written once.
//!
//! This is the file to read when auditing how lenient the parser is: nothing else in `http` decides what an octet
//! may be. The conveniences of std are avoided on purpose where their grammar is another one: `parse::<u64>` takes a
//! leading `+`, `from_str_radix` too, `str::trim` eats U+00A0, `trim_ascii` eats form feed, `lines` takes a bare LF.

use std::borrow::Cow;

/// `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA`
/// (RFC 9110 5.6.2)
pub(super) const fn is_tchar(octet: u8) -> bool {
    matches!(octet, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// `field-vchar / SP / HTAB`, where `field-vchar = VCHAR / obs-text` (RFC 9110 5.5)
pub(super) const fn is_field_octet(octet: u8) -> bool {
    matches!(octet, b' '..=b'~' | b'\t' | 0x80..=0xFF)
}

/// The octets of `absolute-path [ "?" query ]`: `pchar / "/" / "?"`, with the `%` of an escape (RFC 3986 3.3, 3.4)
pub(super) const fn is_target_octet(octet: u8) -> bool {
    is_unreserved(octet) || is_sub_delim(octet) || matches!(octet, b':' | b'@' | b'/' | b'?' | b'%')
}

/// The octets of `reg-name [ ":" port ]`, without the comma: a list of hosts is not a host (RFC 3986 3.2.2)
pub(super) const fn is_host_octet(octet: u8) -> bool {
    is_unreserved(octet) || (is_sub_delim(octet) && octet != b',') || octet == b'%'
}

/// `unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"` (RFC 3986 2.3)
const fn is_unreserved(octet: u8) -> bool {
    matches!(octet, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~')
}

/// `sub-delims = "!" / "$" / "&" / "'" / "(" / ")" / "*" / "+" / "," / ";" / "="` (RFC 3986 2.2)
const fn is_sub_delim(octet: u8) -> bool {
    matches!(
        octet,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
    )
}

/// `qdtext / quoted-pair` content of a quoted string, one octet (RFC 9110 5.6.4)
pub(super) const fn is_quoted_octet(octet: u8) -> bool {
    is_field_octet(octet) && !matches!(octet, b'"' | b'\\')
}

/// Splits off the longest front whose octets are all of one class; the rest is empty where the class never ends.
pub(super) fn take_while(bytes: &[u8], class: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|&octet| !class(octet))
        .unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, b""))
}

/// What stands at the front of the bytes where a line has to end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineEnd<'a> {
    /// CRLF, and what follows it.
    Crlf(&'a [u8]),
    /// Nothing yet, or a CR with nothing behind it.
    Partial,
    /// A CR without LF or an LF without CR. Taking either as a line end is how two readers come to see two requests.
    Bare(u8),
    /// Another octet.
    Other(u8),
}

/// `CRLF` (RFC 9112 2.2), strictly.
pub(super) const fn line_end(bytes: &[u8]) -> LineEnd<'_> {
    match bytes {
        [] | [b'\r'] => LineEnd::Partial,
        [b'\r', b'\n', rest @ ..] => LineEnd::Crlf(rest),
        [octet @ (b'\r' | b'\n'), ..] => LineEnd::Bare(*octet),
        [octet, ..] => LineEnd::Other(*octet),
    }
}

/// `OWS = *( SP / HTAB )` cut off both ends (RFC 9110 5.6.3)
pub(super) fn ows(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// `1*DIGIT` as a number; one too large for 64 bits becomes `u64::MAX`, which every limit here refuses.
pub(super) fn digits(bytes: &[u8]) -> Option<u64> {
    number(bytes, 10)
}

/// `1*HEXDIG` as a number, saturating like [`digits`].
pub(super) fn hex_digits(bytes: &[u8]) -> Option<u64> {
    number(bytes, 16)
}

fn number(bytes: &[u8], radix: u32) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |value, &octet| {
        let digit = char::from(octet).to_digit(radix)?;
        Some(
            value
                .saturating_mul(u64::from(radix))
                .saturating_add(u64::from(digit)),
        )
    })
}

/// Undoes the coding of a name or value in a query, where `+` stands for a space and `%2B` for a plus
/// (`application/x-www-form-urlencoded`).
pub(super) fn form_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text);
    }
    let spaced: Vec<u8> = text
        .iter()
        .map(|&octet| if octet == b'+' { b' ' } else { octet })
        .collect();
    Cow::Owned(percent_decode(&spaced).into_owned())
}

/// Undoes `pct-encoded`, once. The result is bytes, since nothing says that it is UTF-8. An incomplete escape stays as it
/// is; a request target never holds one ([`escapes_are_whole`]).
pub(super) fn percent_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [octet, behind @ ..] = rest {
        let escaped = match (octet, behind) {
            (b'%', [high, low, after @ ..]) => hex_octet(*high, *low).map(|value| (value, after)),
            _ => None,
        };
        let (value, after) = escaped.unwrap_or((*octet, behind));
        decoded.push(value);
        rest = after;
    }
    Cow::Owned(decoded)
}

/// Whether each `%` begins `pct-encoded = "%" HEXDIG HEXDIG` (RFC 3986 2.1).
pub(super) fn escapes_are_whole(text: &[u8]) -> bool {
    text.split(|&octet| octet == b'%')
        .skip(1)
        .all(|behind| matches!(behind, [high, low, ..] if hex_octet(*high, *low).is_some()))
}

fn hex_octet(high: u8, low: u8) -> Option<u8> {
    number(&[high, low], 16).and_then(|value| u8::try_from(value).ok())
}
