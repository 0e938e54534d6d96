//! The request target (RFC 9112 3.2) and its query (RFC 3986 3.4).

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::error::RequestError;
use super::grammar::{self, HOST, TARGET, take_while};
use crate::text::{digits, search};

/// What a request asks for: the path and the query of an origin-form or absolute-form target. The
/// authority of the latter is checked and dropped; this server has one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    path: &'a [u8],
    query: Query<'a>,
}

impl<'a> Target<'a> {
    /// `request-target = origin-form / absolute-form / asterisk-form`, the last one for OPTIONS
    /// alone. authority-form belongs to CONNECT, and this server is no proxy.
    ///
    /// # Errors
    /// `Target`, `TargetOctet`, `TargetEscape`, or `Host` for the authority of an absolute-form.
    pub(super) fn parse(bytes: &'a [u8], method: &[u8]) -> Result<Self, RequestError> {
        if bytes == b"*" && method == b"OPTIONS" {
            return Ok(Self {
                path: bytes,
                query: Query(b""),
            });
        }
        match bytes {
            [b'/', ..] => Self::origin(bytes),
            _ => Self::origin(path_of_absolute_form(bytes)?),
        }
    }

    /// `origin-form = absolute-path [ "?" query ]` (RFC 9112 3.2.1), where the path may be missing, as
    /// it may in an absolute-form.
    ///
    /// # Errors
    /// `Target`, `TargetOctet` or `TargetEscape`.
    pub fn origin(bytes: &'a [u8]) -> Result<Self, RequestError> {
        match TARGET.take_encoded(bytes) {
            (_, []) => {}
            (_, [b'%', ..]) => return Err(RequestError::TargetEscape),
            (_, [octet, ..]) => return Err(RequestError::TargetOctet { octet: *octet }),
        }
        let (path, query) = take_while(bytes, |octet| octet != b'?');
        let path = match path {
            [] => b"/",
            [b'/', ..] => path,
            _ => return Err(RequestError::Target),
        };
        Ok(Self {
            path,
            query: Query(query.strip_prefix(b"?").unwrap_or(b"")),
        })
    }

    /// The path as it was sent, percent-encoded; `/` where an absolute-form has none, `*` for the
    /// asterisk-form.
    pub const fn path(&self) -> &'a [u8] {
        self.path
    }

    /// The path with its percent-encoding undone.
    pub fn decoded_path(&self) -> Cow<'a, [u8]> {
        grammar::percent_decode(self.path)
    }

    /// The query, empty where there is none.
    pub const fn query(&self) -> Query<'a> {
        self.query
    }
}

/// `absolute-form = absolute-URI` (RFC 9112 3.2.2), of which only http and https reach an HTTP
/// server.
fn path_of_absolute_form(bytes: &[u8]) -> Result<&[u8], RequestError> {
    let (scheme, rest) = take_while(bytes, |octet| octet != b':');
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return Err(RequestError::Target);
    }
    let behind = rest.strip_prefix(b"://").ok_or(RequestError::Target)?;
    let (authority, path_and_query) = take_while(behind, |octet| !matches!(octet, b'/' | b'?'));
    parse_authority(authority)?;
    Ok(path_and_query)
}

/// `uri-host [ ":" port ]` (RFC 9110 7.2), without userinfo: the host, an address of IPv6 without
/// its brackets, and the port where there is one. It must not be empty: the URI of every request to
/// this server has an authority.
pub(super) fn parse_authority(bytes: &[u8]) -> Result<(&str, Option<u16>), RequestError> {
    let (host, port) = match bytes {
        [b'[', rest @ ..] => {
            let (address, behind) = take_while(rest, |octet| octet != b']');
            let address = str::from_utf8(address).ok();
            (
                address.filter(|text| text.parse::<Ipv6Addr>().is_ok()),
                behind.strip_prefix(b"]").ok_or(RequestError::Host)?,
            )
        }
        _ => {
            let (name, behind) = HOST.take_encoded(bytes);
            let name = str::from_utf8(name).ok();
            (name.filter(|name| !name.is_empty()), behind)
        }
    };
    let port = match port {
        [] | [b':'] => None,
        [b':', number @ ..] => {
            let port = digits::parse_decimal(number)
                .ok()
                .and_then(|port| u16::try_from(port).ok());
            Some(port.ok_or(RequestError::Host)?)
        }
        _ => return Err(RequestError::Host),
    };
    Ok((host.ok_or(RequestError::Host)?, port))
}

/// The query of a request target: parameters separated by `&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a>(&'a [u8]);

impl<'a> Query<'a> {
    /// Its parameters in order, name and value percent-decoded. Only `&` separates them: a `;` is
    /// data, as is an encoded `&`. Of a name that occurs twice, readers take the first.
    pub fn parameters(self) -> impl Iterator<Item = (Cow<'a, [u8]>, Cow<'a, [u8]>)> {
        let is_plain = search::find(self.0, [b'%', b'+']).is_none();
        let mut rest = self.0;
        let parts = std::iter::from_fn(move || {
            let (part, behind) = split_at(rest, b'&')?;
            rest = behind;
            Some(part)
        });
        parts.filter(|part| !part.is_empty()).map(move |part| {
            let (name, value) = split_at(part, b'=').unwrap_or((part, b""));
            match is_plain {
                true => (name.into(), value.into()),
                false => (grammar::form_decode(name), grammar::form_decode(value)),
            }
        })
    }
}

/// What stands in front of and behind the first of this octet, or all and nothing where there is none;
/// `None` of nothing.
fn split_at(bytes: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    match search::find(bytes, [octet]).and_then(|front| bytes.split_at_checked(front)) {
        Some((front, [_, behind @ ..])) => Some((front, behind)),
        _ if bytes.is_empty() => None,
        _ => Some((bytes, b"")),
    }
}
