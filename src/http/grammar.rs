//! The octets and small productions of RFC 9110, 9112 and 3986, each written once.
//!
//! This is the file to read when auditing how lenient the parser is: nothing else in `http` decides
//! what an octet may be. The conveniences of std are avoided on purpose where their grammar is
//! another one: `parse::<u64>` takes a leading `+`, `from_str_radix` too, `str::trim` eats U+00A0,
//! `trim_ascii` eats form feed, `lines` takes a bare LF.

use std::borrow::Cow;

use crate::text::{digits, search};

/// A set of octets.
#[derive(Clone, Copy)]
pub(super) struct Class {
    /// The bit of it in what [`classes`] says of an octet.
    bit: u8,
    /// From which octet on it holds all that is printable, if it does.
    printable_from: Option<u8>,
}

/// `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~"
/// / DIGIT / ALPHA` (RFC 9110 5.6.2)
pub(super) const TCHAR: Class = Class::new(1);

/// `field-vchar / SP / HTAB`, where `field-vchar = VCHAR / obs-text` (RFC 9110 5.5)
pub(super) const FIELD: Class = Class::printable(1 << 1, b' ');

/// `VCHAR` (RFC 5234), which ends before the next space of a request line
pub(super) const VCHAR: Class = Class::printable(1 << 2, b'!');

/// The octets of `absolute-path [ "?" query ]`: `pchar / "/" / "?"`, but for what is encoded (RFC 3986
/// 3.3, 3.4)
pub(super) const TARGET: Class = Class::new(1 << 3);

/// The octets of `reg-name`, but for what is encoded, and without the comma: a list of hosts is not a
/// host (RFC 3986 3.2.2)
pub(super) const HOST: Class = Class::new(1 << 4);

/// `qdtext` (RFC 9110 5.6.4)
pub(super) const QDTEXT: Class = Class::new(1 << 5);

/// `HEXDIG` (RFC 5234), in either case
pub(super) const HEXDIG: Class = Class::new(1 << 6);

/// The classes of an octet. [`CLASSES`] holds them for all octets.
const fn classes(octet: u8) -> u8 {
    let unreserved = octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~');
    let sub_delim = matches!(
        octet,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'='
    );
    let tchar = octet.is_ascii_alphanumeric()
        || matches!(
            octet,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.'
        )
        || matches!(octet, b'^' | b'_' | b'`' | b'|' | b'~');
    let field = matches!(octet, b' '..=b'~' | b'\t' | 0x80..=0xFF);
    let target = unreserved || sub_delim || matches!(octet, b':' | b'@' | b'/' | b'?');
    let host = unreserved || (sub_delim && octet != b',');
    let qdtext = field && !matches!(octet, b'"' | b'\\');
    TCHAR.bit(tchar)
        | FIELD.bit(field)
        | VCHAR.bit(octet.is_ascii_graphic())
        | TARGET.bit(target)
        | HOST.bit(host)
        | QDTEXT.bit(qdtext)
        | HEXDIG.bit(octet.is_ascii_hexdigit())
}

#[expect(
    clippy::indexing_slicing,
    reason = "made at compile time, where a panic is an error"
)]
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut octet = u8::MIN;
    loop {
        table[octet as usize] = classes(octet);
        match octet.checked_add(1) {
            Some(next) => octet = next,
            None => break table,
        }
    }
};

impl Class {
    const fn new(bit: u8) -> Self {
        Self {
            bit,
            printable_from: None,
        }
    }

    const fn printable(bit: u8, from: u8) -> Self {
        Self {
            bit,
            printable_from: Some(from),
        }
    }

    const fn bit(self, is_in: bool) -> u8 {
        if is_in { self.bit } else { 0 }
    }

    /// Whether the octet is in the class.
    pub(super) fn holds(self, octet: u8) -> bool {
        CLASSES
            .get(usize::from(octet))
            .is_some_and(|classes| classes & self.bit != 0)
    }

    /// Splits off the longest front whose octets are all in the class; the rest is empty where that
    /// never ends.
    // As a function it would be called for each name and each value: a seventh of what a head costs.
    #[inline(always)]
    pub(super) fn take(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        // Most of what is printable is looked through eight octets at once.
        let front = match self.printable_from {
            None => 0,
            Some(lowest) => search::printable(bytes, lowest),
        };
        let behind = bytes.get(front..).unwrap_or(b"").iter();
        let more = behind.take_while(|octet| self.holds(**octet)).count();
        bytes
            .split_at_checked(front.saturating_add(more))
            .unwrap_or((bytes, b""))
    }

    /// The same for a class whose other octets stand in it as `pct-encoded = "%" HEXDIG HEXDIG` (RFC 3986
    /// 2.1). A `%` that is not followed by two is left.
    pub(super) fn take_encoded(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        let mut rest = bytes;
        loop {
            (_, rest) = self.take(rest);
            match rest {
                [b'%', high, low, behind @ ..] if digits::hex_octet(*high, *low).is_some() => {
                    rest = behind
                }
                _ => break,
            }
        }
        bytes
            .split_at_checked(bytes.len().saturating_sub(rest.len()))
            .unwrap_or((bytes, b""))
    }
}

/// Splits off the longest front whose octets are all of one class; the rest is empty where the
/// class never ends.
#[inline]
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
    /// A CR without LF or an LF without CR. Taking either as a line end is how two readers come to
    /// see two requests.
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

/// Undoes the coding of a name or value in a query, where `+` stands for a space and `%2B` for a
/// plus (`application/x-www-form-urlencoded`).
pub(super) fn form_decode(text: &[u8]) -> Cow<'_, [u8]> {
    decode(text, b'+')
}

/// Undoes `pct-encoded`, once. The result is bytes, since nothing says that it is UTF-8. An
/// incomplete escape stays as it is; a request target never holds one ([`Class::take_encoded`]).
pub(super) fn percent_decode(text: &[u8]) -> Cow<'_, [u8]> {
    decode(text, b' ')
}

fn decode(text: &[u8], space: u8) -> Cow<'_, [u8]> {
    let Some((plain, mut rest)) =
        search::find(text, [b'%', space]).and_then(|front| text.split_at_checked(front))
    else {
        return Cow::Borrowed(text);
    };
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(plain);
    while let [octet, behind @ ..] = rest {
        let escaped = match behind {
            [high, low, after @ ..] if *octet == b'%' => {
                digits::hex_octet(*high, *low).map(|value| (value, after))
            }
            _ => None,
        };
        let as_is = if *octet == space { b' ' } else { *octet };
        let (value, after) = escaped.unwrap_or((as_is, behind));
        decoded.push(value);
        rest = after;
    }
    Cow::Owned(decoded)
}
