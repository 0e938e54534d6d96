//! The character sets and small productions of RFC 9110, RFC 9112 and RFC 3986, each written once. To check how lenient
//! the parsers are, read this file.
//!
//! Functions of std are avoided where they accept more than the RFC: `str::trim` removes U+00A0, `trim_ascii` removes
//! form feeds, and `lines` accepts a bare LF.

use std::borrow::Cow;

use super::error::RequestError;
use crate::text::digits;

/// A value that was parsed from the start of the bytes, and the bytes after it.
pub(super) type Taken<'a, T, E = RequestError> = Result<(T, &'a [u8]), Stop<E>>;

/// A parser could not take a value.
#[derive(Debug)]
pub(super) enum Stop<E = RequestError> {
    /// More bytes are needed.
    Incomplete,
    /// The bytes break a rule.
    Error(E),
}

impl<E> From<E> for Stop<E> {
    fn from(error: E) -> Self {
        Self::Error(error)
    }
}

/// A set of octets, as a table. A `match` on the octet would need twice as many instructions for a request target.
pub(super) struct Class([bool; 256]);

/// `tchar` (RFC 9110 5.6.2)
pub(super) static TCHAR: Class = Class::alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// The octets of `absolute-path [ "?" query ]` that need no encoding: `pchar / "/" / "?"` (RFC 3986 3.3, 3.4)
pub(super) static TARGET: Class = Class::alphanumeric_and(b"-._~!$&'()*+,;=:@/?");

/// The octets of `reg-name` that need no encoding (RFC 3986 3.2.2), without the comma, because a list of hosts is not a
/// host.
pub(super) static HOST: Class = Class::alphanumeric_and(b"-._~!$&'()*+;=");

impl Class {
    /// `ALPHA / DIGIT`, and the octets of `others`.
    const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut octet = 0_u8;
        while octet < 128 {
            table[octet as usize] = octet.is_ascii_alphanumeric();
            octet += 1;
        }
        let mut index = 0;
        while index < others.len() {
            table[others[index] as usize] = true;
            index += 1;
        }
        Self(table)
    }

    /// Splits the bytes after the longest prefix of octets in the set.
    pub(super) fn take<'a>(&self, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        take_while(bytes, |octet| self.0[usize::from(octet)])
    }

    /// Like [`Class::take`], but the prefix may also contain `pct-encoded = "%" HEXDIG HEXDIG` (RFC 3986 2.1).
    pub(super) fn take_encoded<'a>(&self, bytes: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let mut rest = bytes;
        loop {
            rest = self.take(rest).1;
            match rest {
                [b'%', high, low, after @ ..] if digits::hex_octet(*high, *low).is_some() => {
                    rest = after;
                }
                _ => return bytes.split_at(bytes.len() - rest.len()),
            }
        }
    }
}

/// Splits the bytes before the first octet that is not in the set.
#[inline]
pub(super) fn take_while(bytes: &[u8], is_in_set: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|octet| !is_in_set(*octet));
    bytes.split_at(end.unwrap_or(bytes.len()))
}

/// `*VCHAR` (RFC 5234)
pub(super) fn take_visible(bytes: &[u8]) -> (&[u8], &[u8]) {
    take_while(bytes, |octet| octet.is_ascii_graphic())
}

/// `*( field-vchar / SP / HTAB )`, where `field-vchar = VCHAR / obs-text` (RFC 9110 5.5)
pub(super) fn take_field_content(bytes: &[u8]) -> (&[u8], &[u8]) {
    take_while(bytes, is_field_content)
}

/// `*qdtext` (RFC 9110 5.6.4)
pub(super) fn take_quoted_text(bytes: &[u8]) -> (&[u8], &[u8]) {
    take_while(bytes, |octet| is_field_content(octet) && !matches!(octet, b'"' | b'\\'))
}

const fn is_field_content(octet: u8) -> bool {
    octet.is_ascii_graphic() || matches!(octet, b' ' | b'\t' | 0x80..=0xFF)
}

/// Takes `CRLF` (RFC 9112 2.2) and returns the bytes after it; `None` if the first octet is neither CR nor LF.
///
/// # Errors
/// `LineEnd` for a CR without LF or an LF without CR. Some servers accept these as line ends, so a proxy and this
/// server could see different requests.
pub(super) fn take_line_end(bytes: &[u8]) -> Result<Option<&[u8]>, Stop> {
    match bytes {
        [] | [b'\r'] => Err(Stop::Incomplete),
        [b'\r', b'\n', rest @ ..] => Ok(Some(rest)),
        [octet @ (b'\r' | b'\n'), ..] => Err(RequestError::LineEnd { octet: *octet }.into()),
        _ => Ok(None),
    }
}

/// Removes `OWS = *( SP / HTAB )` at both ends (RFC 9110 5.6.3).
pub(super) fn trim_whitespace(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Decodes a name or value of a query (`application/x-www-form-urlencoded`): `+` is a space, `%2B` a plus.
pub(super) fn decode_form(text: &[u8]) -> Cow<'_, [u8]> {
    decode(text, b'+')
}

/// Decodes `pct-encoded` once. The result is bytes, because it may not be UTF-8.
pub(super) fn decode_percent(text: &[u8]) -> Cow<'_, [u8]> {
    decode(text, b' ')
}

/// Decodes `pct-encoded`, and replaces the octet `space` with a space. An incomplete escape is kept. A request target
/// never contains an incomplete escape ([`Class::take_encoded`]).
fn decode(text: &[u8], space: u8) -> Cow<'_, [u8]> {
    let (plain, mut rest) = take_while(text, |octet| octet != b'%' && octet != space);
    if rest.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut decoded = plain.to_vec();
    while let [octet, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, after @ ..] => {
                digits::hex_octet(*high, *low).map(|octet| (octet, after))
            }
            _ => None,
        };
        let unescaped = if *octet == space { b' ' } else { *octet };
        let (octet, after) = escaped.unwrap_or((unescaped, after));
        decoded.push(octet);
        rest = after;
    }
    Cow::Owned(decoded)
}
