//! The head of a request: request line, field lines, and what they decide together (RFC 9112 2 to
//! 6, 9110 10.1.1).
//!
//! Fields that decide nothing are held to their grammar and dropped.

use super::content::Framing;
use super::error::RequestError;
use super::fields::{Delimited, FieldLine, Fields, Taken, take_field_section};
use super::grammar::{LineEnd, TCHAR, VCHAR, line_end};
use super::limits;
use super::target::{self, Target};

/// The methods that this server tells apart (RFC 9110 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: GET whose answer has no content.
    Head,
    /// POST
    Post,
    /// Any other token. Method names are case-sensitive, so `get` is one of these.
    Other,
}

impl Method {
    fn parse(token: &[u8]) -> Self {
        match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            _ => Self::Other,
        }
    }

    /// The method's name; `-` for the others, since a log does not repeat what a stranger made up.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Other => "-",
        }
    }
}

/// The versions of HTTP that this server speaks (RFC 9112 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0, which is also how nginx before 1.29.7 calls its upstreams.
    Http10,
    /// HTTP/1.1, and any later minor version, which RFC 9110 2.5 asks to be read like it.
    Http11,
}

impl Version {
    /// `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`
    pub(super) fn parse(text: &[u8]) -> Result<Self, RequestError> {
        let digits = match text.strip_prefix(b"HTTP/") {
            Some([major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9']) => (*major, *minor),
            _ => return Err(RequestError::Version),
        };
        match digits {
            (b'1', b'0') => Ok(Self::Http10),
            (b'1', _) => Ok(Self::Http11),
            (major, minor) => Err(RequestError::VersionNotSupported {
                major: major.saturating_sub(b'0'),
                minor: minor.saturating_sub(b'0'),
            }),
        }
    }
}

/// Whether another request may follow on the connection (RFC 9112 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// It may.
    Keep,
    /// The peer asked for the end, or is HTTP/1.0 and did not ask for more.
    Close,
}

/// A request's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head<'a> {
    /// The method.
    pub method: Method,
    /// The request target.
    pub target: Target<'a>,
    /// The version of HTTP.
    pub version: Version,
    /// How the message body ends.
    pub framing: Framing,
    /// What the request says about the connection.
    pub persistence: Persistence,
    /// Whether the peer may be holding the content back until it reads `100 Continue`.
    pub expects_continue: bool,
}

impl<'a> Head<'a> {
    /// Reads the head at the front of the bytes, and its length in bytes; `None` where it is not
    /// whole yet.
    ///
    /// ```text
    /// [ CRLF ] request-line *( field-line CRLF ) CRLF
    /// ```
    /// One empty line before the request line is skipped, as RFC 9112 2.2 asks: old clients send
    /// one after a POST.
    ///
    /// # Errors
    /// The first rule that the bytes break, also where the head is not whole yet.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, RequestError> {
        let window = bytes.get(..limits::HEAD).unwrap_or(bytes);
        match take_head(window)? {
            Some((head, rest)) => Ok(Some((head, window.len().saturating_sub(rest.len())))),
            None if window.len() < limits::HEAD => Ok(None),
            None => Err(RequestError::HeadTooLong),
        }
    }

    /// Whether the bytes begin a HEAD request, also where the rest of it is broken.
    pub fn is_of_head(bytes: &[u8]) -> bool {
        bytes
            .strip_prefix(b"\r\n")
            .unwrap_or(bytes)
            .starts_with(b"HEAD ")
    }

    /// Whether a request has begun: an empty line alone is not the beginning of one.
    pub const fn has_begun(bytes: &[u8]) -> bool {
        !matches!(bytes, [] | [b'\r'] | [b'\r', b'\n'])
    }
}

fn take_head(bytes: &[u8]) -> Taken<'_, Head<'_>> {
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    if bytes == b"\r" {
        return Ok(None);
    }
    let Some((method, rest)) = take_method(bytes)? else {
        return Ok(None);
    };
    let Some((target, rest)) = take_target(rest)? else {
        return Ok(None);
    };
    let target = Target::parse(target, method)?;
    let Some((version, rest)) = take_version(rest)? else {
        return Ok(None);
    };
    let mut fields = RequestFields::default();
    let Some(((), rest)) = take_field_section(rest, |line| fields.read(line))? else {
        return Ok(None);
    };
    let head = fields.decide(Method::parse(method), target, version)?;
    Ok(Some((head, rest)))
}

/// `method SP`, where `method = token` (RFC 9112 3.1)
fn take_method(bytes: &[u8]) -> Taken<'_, &[u8]> {
    match TCHAR.take(bytes) {
        (_, []) => Ok(None),
        (method @ [_, ..], [b' ', rest @ ..]) => Ok(Some((method, rest))),
        (_, [octet, ..]) => Err(RequestError::Method { octet: *octet }),
    }
}

/// `request-target SP` (RFC 9112 3.2). A target that is too long is refused before it is whole.
fn take_target(bytes: &[u8]) -> Taken<'_, &[u8]> {
    match VCHAR.take(bytes) {
        (target, _) if target.len() > limits::TARGET => Err(RequestError::TargetTooLong),
        (_, []) => Ok(None),
        (target @ [_, ..], [b' ', rest @ ..]) => Ok(Some((target, rest))),
        (_, [octet, ..]) => Err(RequestError::TargetOctet { octet: *octet }),
    }
}

/// `HTTP-version CRLF`, where `HTTP-version = HTTP-name "/" DIGIT "." DIGIT` (RFC 9112 2.3)
fn take_version(bytes: &[u8]) -> Taken<'_, Version> {
    let (text, rest) = VCHAR.take(bytes);
    if text.len() > b"HTTP/1.1".len() {
        return Err(RequestError::Version);
    }
    let rest = match line_end(rest) {
        LineEnd::Partial => return Ok(None),
        LineEnd::Bare(octet) => return Err(RequestError::LineEnd { octet }),
        LineEnd::Other(_) => return Err(RequestError::Version),
        LineEnd::Crlf(rest) => rest,
    };
    Ok(Some((Version::parse(text)?, rest)))
}

/// What the field lines of a request have said so far.
#[derive(Default)]
struct RequestFields {
    shared: Fields,
    has_host: bool,
    expectation: Option<Expectation>,
}

#[derive(Clone, Copy)]
enum Expectation {
    Continue,
    Other,
}

impl RequestFields {
    fn read(&mut self, line: &FieldLine<'_>) -> Result<(), RequestError> {
        if line.is(b"Host") {
            if self.has_host {
                return Err(RequestError::HostRepeated);
            }
            self.has_host = true;
            target::parse_authority(line.value)?;
        } else if line.is(b"Expect") {
            let is_continue = line.value.eq_ignore_ascii_case(b"100-continue");
            self.expectation = match self.expectation {
                None | Some(Expectation::Continue) if is_continue => Some(Expectation::Continue),
                _ => Some(Expectation::Other),
            };
        }
        self.shared.read(line)
    }

    fn decide<'a>(
        &self,
        method: Method,
        target: Target<'a>,
        version: Version,
    ) -> Result<Head<'a>, RequestError> {
        if version == Version::Http11 && !self.has_host {
            return Err(RequestError::HostMissing);
        }
        let framing = self.framing(method, version)?;
        let expects_continue = match (version, self.expectation) {
            // RFC 9110 10.1.1: in HTTP/1.0 an expectation is ignored.
            (Version::Http10, _) | (_, None) => false,
            (Version::Http11, Some(Expectation::Continue)) => framing != Framing::None,
            (Version::Http11, Some(Expectation::Other)) => return Err(RequestError::Expectation),
        };
        Ok(Head {
            method,
            target,
            version,
            framing,
            persistence: self.shared.persistence(version),
            expects_continue,
        })
    }

    fn framing(&self, method: Method, version: Version) -> Result<Framing, RequestError> {
        match self.shared.delimited(version)? {
            Some(Delimited::Chunked) => Ok(Framing::Chunked),
            Some(Delimited::Length(length)) => match usize::try_from(length) {
                Ok(length) if length <= limits::CONTENT => Ok(Framing::Length(length)),
                _ => Err(RequestError::ContentTooLong { length }),
            },
            None if method == Method::Post => Err(RequestError::LengthRequired),
            None => Ok(Framing::None),
        }
    }
}
