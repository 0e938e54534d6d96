//! The request target (RFC 9112 3.2) and its query (RFC 3986 3.4).

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::error::RequestError;
use super::grammar::{self, HOST, Stop, TARGET, Taken, take_visible, take_while};
use super::limits;
use crate::text::digits;

/// Path and query of a request target. The authority of an absolute-form target is checked and dropped, because this
/// server has only one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    path: &'a [u8],
    query: Query<'a>,
}

impl<'a> Target<'a> {
    /// `request-target SP`, where `request-target = origin-form / absolute-form / asterisk-form`. The asterisk-form is
    /// for OPTIONS only. The authority-form is for CONNECT, which only a proxy supports. A target that is too long is
    /// refused even if it is incomplete.
    pub(super) fn take(bytes: &'a [u8], method: &[u8]) -> Taken<'a, Self> {
        let (target, rest) = match bytes {
            [b'/', ..] => TARGET.take_encoded(bytes),
            _ => take_visible(bytes),
        };
        let after = match rest {
            _ if target.len() > limits::TARGET => return Err(RequestError::TargetTooLong.into()),
            [] | [b'%'] | [b'%', _] => return Err(Stop::Incomplete),
            [b' ', after @ ..] => after,
            _ => return Err(refuse(bytes, invalid(rest))),
        };
        let target = match target {
            [] => return Err(RequestError::TargetOctet { octet: b' ' }.into()),
            b"*" if method == b"OPTIONS" => Self { path: target, query: Query(b"") },
            [b'/', ..] => Self::from_valid(target)?,
            _ => Self::parse_origin(path_of_absolute_form(target)?)?,
        };
        Ok((target, after))
    }

    /// `origin-form = absolute-path [ "?" query ]` (RFC 9112 3.2.1). The path may be missing, as in an absolute-form.
    ///
    /// # Errors
    /// `Target`, `TargetOctet` or `TargetEscape`
    pub fn parse_origin(bytes: &'a [u8]) -> Result<Self, RequestError> {
        match TARGET.take_encoded(bytes) {
            (_, []) => Self::from_valid(bytes),
            (_, rest) => Err(invalid(rest)),
        }
    }

    fn from_valid(bytes: &'a [u8]) -> Result<Self, RequestError> {
        let (path, query) = split_once(bytes, b'?');
        let path = match path {
            [] => b"/",
            [b'/', ..] => path,
            _ => return Err(RequestError::Target),
        };
        Ok(Self { path, query: Query(query) })
    }

    /// The path as received, percent-encoded: `/` for an absolute-form without a path, `*` for the asterisk-form.
    pub const fn path(&self) -> &'a [u8] {
        self.path
    }

    /// The decoded path.
    pub fn decoded_path(&self) -> Cow<'a, [u8]> {
        grammar::decode_percent(self.path)
    }

    /// The query; may be empty.
    pub const fn query(&self) -> Query<'a> {
        self.query
    }
}

/// Refuses a target with an invalid octet. If the target is also too long, the status must be 414 however its bytes
/// arrive, so this waits for the whole target.
fn refuse(bytes: &[u8], error: RequestError) -> Stop {
    match take_while(bytes, |octet| !matches!(octet, b' ' | b'\r' | b'\n')) {
        (target, _) if target.len() > limits::TARGET => RequestError::TargetTooLong.into(),
        (_, []) => Stop::Incomplete,
        _ => error.into(),
    }
}

/// The error for the first octet of `rest`, which is not allowed in a target.
fn invalid(rest: &[u8]) -> RequestError {
    match rest {
        [b'%', ..] => RequestError::TargetEscape,
        _ => RequestError::TargetOctet { octet: rest[0] },
    }
}

/// The path and query of `absolute-form = absolute-URI` (RFC 9112 3.2.2) with the scheme http or https.
fn path_of_absolute_form(bytes: &[u8]) -> Result<&[u8], RequestError> {
    let (scheme, rest) = take_while(bytes, |octet| octet != b':');
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err(RequestError::Target);
    }
    let rest = rest.strip_prefix(b"://").ok_or(RequestError::Target)?;
    let (authority, path_and_query) = take_while(rest, |octet| !matches!(octet, b'/' | b'?'));
    parse_authority(authority)?;
    Ok(path_and_query)
}

/// Parses `uri-host [ ":" port ]` (RFC 9110 7.2), without userinfo. Returns the host and the port. An IPv6 address is
/// returned without its brackets. The host must not be empty, because an `http` URI always has a host.
///
/// # Errors
/// `Host`
pub(super) fn parse_authority(bytes: &[u8]) -> Result<(&str, Option<u16>), RequestError> {
    let (host, port) = match bytes {
        [b'[', rest @ ..] => {
            let (address, rest) = take_while(rest, |octet| octet != b']');
            let port = rest.strip_prefix(b"]").ok_or(RequestError::Host)?;
            (address, port)
        }
        _ => HOST.take_encoded(bytes),
    };
    let host = str::from_utf8(host).map_err(|_| RequestError::Host)?;
    let is_valid = match bytes {
        [b'[', ..] => host.parse::<Ipv6Addr>().is_ok(),
        _ => !host.is_empty(),
    };
    let port = match port {
        [] | [b':'] => None,
        [b':', number @ ..] => {
            let number = digits::parse_decimal(number).map_err(|_| RequestError::Host)?;
            Some(u16::try_from(number).map_err(|_| RequestError::Host)?)
        }
        _ => return Err(RequestError::Host),
    };
    if is_valid { Ok((host, port)) } else { Err(RequestError::Host) }
}

/// The query of a request target: parameters separated by `&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a>(&'a [u8]);

impl<'a> Query<'a> {
    /// The decoded names and values of the parameters, in order. Only `&` separates parameters. A `;` or an encoded `&`
    /// is part of a name or value. If a name occurs more than once, callers use its first value.
    pub fn parameters(self) -> impl Iterator<Item = (Cow<'a, [u8]>, Cow<'a, [u8]>)> {
        // Usually there is nothing to decode, so the whole query is checked once.
        let is_plain = !self.0.contains(&b'%') && !self.0.contains(&b'+');
        self.0.split(|octet| *octet == b'&').filter(|parameter| !parameter.is_empty()).map(
            move |parameter| match split_once(parameter, b'=') {
                (name, value) if is_plain => (name.into(), value.into()),
                (name, value) => (grammar::decode_form(name), grammar::decode_form(value)),
            },
        )
    }
}

/// Splits at the first separator. Without a separator, the second part is empty.
#[inline]
fn split_once(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|octet| *octet == separator) {
        Some(index) => (&bytes[..index], &bytes[index + 1..]),
        None => (bytes, b""),
    }
}
