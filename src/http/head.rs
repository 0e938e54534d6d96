//! The head of a request: request line, field lines, framing and persistence (RFC 9112 2 to 6, RFC 9110 10.1.1).
//!
//! Fields that the server does not use are checked against the grammar and dropped.

use super::content::Framing;
use super::error::RequestError;
use super::fields::{BodyLength, FieldLine, Fields, parse_head, take_field_section};
use super::grammar::{Stop, TCHAR, Taken, take_line_end, take_visible};
use super::limits;
use super::method::Method;
use super::target::{self, Target};
use super::version::{Persistence, Version};

/// The head of a request.
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
    /// Whether the connection may carry another request.
    pub persistence: Persistence,
    /// Whether the client may wait for `100 Continue` before it sends the content.
    pub expects_continue: bool,
}

/// A complete request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The head.
    pub head: Head<'a>,
    /// The content, without the chunked coding; may be empty.
    pub content: &'a [u8],
}

impl<'a> Head<'a> {
    /// Parses the head at the start of the bytes, and returns the head and its length in bytes; `None` for an
    /// incomplete head.
    ///
    /// ```text
    /// [ CRLF ] request-line *( field-line CRLF ) CRLF
    /// ```
    /// An empty line before the request line is skipped (RFC 9112 2.2), because some old clients send an extra line end
    /// after a POST.
    ///
    /// # Errors
    /// The first broken rule, even in an incomplete head.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(Self, usize)>, RequestError> {
        parse_head(bytes, take_head)
    }

    /// Whether the bytes begin with a HEAD request. The rest of the request may be invalid.
    pub fn is_head_request(bytes: &[u8]) -> bool {
        let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
        bytes.starts_with(b"HEAD ")
    }

    /// Whether the bytes contain the beginning of a request. An empty line alone does not count.
    pub const fn has_begun(bytes: &[u8]) -> bool {
        !matches!(bytes, [] | [b'\r'] | [b'\r', b'\n'])
    }
}

fn take_head(bytes: &[u8]) -> Taken<'_, Head<'_>> {
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    if bytes == b"\r" {
        return Err(Stop::Incomplete);
    }
    let (method, rest) = take_method(bytes)?;
    let (target, rest) = Target::take(rest, method)?;
    let (version, rest) = take_version(rest)?;
    let mut fields = RequestFields::default();
    let ((), rest) = take_field_section(rest, |line| fields.read(line))?;
    let head = fields.into_head(Method::parse(method), target, version)?;
    Ok((head, rest))
}

/// `method SP`, where `method = token` (RFC 9112 3.1)
fn take_method(bytes: &[u8]) -> Taken<'_, &[u8]> {
    match TCHAR.take(bytes) {
        (_, []) => Err(Stop::Incomplete),
        (method @ [_, ..], [b' ', rest @ ..]) => Ok((method, rest)),
        (_, [octet, ..]) => Err(RequestError::Method { octet: *octet }.into()),
    }
}

/// `HTTP-version CRLF` (RFC 9112 2.3)
fn take_version(bytes: &[u8]) -> Taken<'_, Version> {
    let (text, rest) = take_visible(bytes);
    if text.len() > b"HTTP/1.1".len() {
        return Err(RequestError::Version.into());
    }
    let rest = take_line_end(rest)?.ok_or(RequestError::Version)?;
    Ok((Version::parse(text)?, rest))
}

/// The values of a request's fields.
#[derive(Default)]
struct RequestFields {
    shared: Fields,
    has_host: bool,
    expects_continue: bool,
    has_other_expectation: bool,
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
            self.expects_continue |= is_continue;
            self.has_other_expectation |= !is_continue;
        }
        self.shared.read(line)
    }

    fn into_head<'a>(
        self,
        method: Method,
        target: Target<'a>,
        version: Version,
    ) -> Result<Head<'a>, RequestError> {
        if version == Version::Http11 && !self.has_host {
            return Err(RequestError::HostMissing);
        }
        let framing = self.framing(method, version)?;
        // In HTTP/1.0 an expectation is ignored (RFC 9110 10.1.1).
        if version == Version::Http11 && self.has_other_expectation {
            return Err(RequestError::Expectation);
        }
        Ok(Head {
            method,
            target,
            version,
            framing,
            persistence: self.shared.persistence(version),
            expects_continue: self.expects_continue
                && version == Version::Http11
                && framing != Framing::None,
        })
    }

    fn framing(&self, method: Method, version: Version) -> Result<Framing, RequestError> {
        match self.shared.body_length(version)? {
            Some(BodyLength::Chunked) => Ok(Framing::Chunked),
            Some(BodyLength::Bytes(length)) => match usize::try_from(length) {
                Ok(length) if length <= limits::CONTENT => Ok(Framing::Length(length)),
                _ => Err(RequestError::ContentTooLong { length }),
            },
            None if method == Method::Post => Err(RequestError::LengthRequired),
            None => Ok(Framing::None),
        }
    }
}
