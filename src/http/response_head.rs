//! The head of a response, as a client reads it: status line, field lines, and how the content ends
//! (RFC 9112 4 and 6.3). It stands on the same field lines as the head of a request.

use std::fmt;

use super::error::RequestError;
use super::fields::{Delimited, Fields, take_field_section};
use super::grammar::{FIELD, LineEnd, VCHAR, line_end, take_while};
use super::head::{Persistence, Version};
use super::limits;

/// How the content of a response ends (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFraming {
    /// There is none: an answer to HEAD, or a status that has no content.
    None,
    /// After so many bytes.
    Length(u64),
    /// After the last chunk and the trailer section.
    Chunked,
    /// With the connection.
    Close,
}

/// A response's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseHead<'a> {
    /// The three digits, 100 to 599.
    pub status: u16,
    /// How the content ends.
    pub framing: ResponseFraming,
    /// What the response says about the connection.
    pub persistence: Persistence,
    /// The value of Location, empty where there is none (RFC 9110 10.2.2).
    pub location: &'a [u8],
}

/// Why bytes are not the head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// They do not begin with `HTTP/`: whoever sent them speaks something else.
    NotHttp,
    /// The first line is not `HTTP/d.d SP 3DIGIT [ SP reason-phrase ]`.
    StatusLine,
    /// They break a rule that requests have too.
    Shared(RequestError),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("first line does not begin with HTTP/"),
            Self::StatusLine => {
                f.write_str("status line is not a version, three digits and a reason phrase")
            }
            Self::Shared(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ResponseError {}

impl From<RequestError> for ResponseError {
    fn from(error: RequestError) -> Self {
        Self::Shared(error)
    }
}

impl<'a> ResponseHead<'a> {
    /// Reads the head at the front of the bytes, and its length in bytes; `None` where it is not
    /// whole yet. `answers_head` says that the request was HEAD.
    ///
    /// ```text
    /// status-line *( field-line CRLF ) CRLF
    /// ```
    ///
    /// # Errors
    /// The first rule that the bytes break, also where the head is not whole yet.
    pub fn parse(
        bytes: &'a [u8],
        answers_head: bool,
    ) -> Result<Option<(Self, usize)>, ResponseError> {
        let window = bytes.get(..limits::HEAD).unwrap_or(bytes);
        match take_head(window, answers_head)? {
            Some((head, rest)) => Ok(Some((head, window.len().saturating_sub(rest.len())))),
            None if window.len() < limits::HEAD => Ok(None),
            None => Err(RequestError::HeadTooLong.into()),
        }
    }

    /// Whether another response follows for the same request (RFC 9110 15.2). 101 is none of these:
    /// what follows it is not HTTP.
    pub const fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }
}

type Taken<'a, T> = Result<Option<(T, &'a [u8])>, ResponseError>;

fn take_head(bytes: &[u8], answers_head: bool) -> Taken<'_, ResponseHead<'_>> {
    let Some(((version, status), rest)) = take_status_line(bytes)? else {
        return Ok(None);
    };
    let mut fields = Fields::default();
    let mut location: &[u8] = b"";
    let section = take_field_section(rest, |line| {
        if line.is(b"Location") {
            location = line.value;
        }
        fields.read(line)
    })?;
    let Some(((), rest)) = section else {
        return Ok(None);
    };
    let head = ResponseHead {
        status,
        framing: framing(&fields, version, status, answers_head)?,
        persistence: fields.persistence(version),
        location,
    };
    Ok(Some((head, rest)))
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 4). The second
/// space may be missing where there is no reason phrase: many servers leave it out.
fn take_status_line(bytes: &[u8]) -> Taken<'_, (Version, u16)> {
    const NAME: &[u8] = b"HTTP/";
    if !bytes.iter().zip(NAME).all(|(octet, known)| octet == known) {
        return Err(ResponseError::NotHttp);
    }
    let (version, rest) = VCHAR.take(bytes);
    let (code, rest) = match rest {
        [] => return Ok(None),
        [b' ', rest @ ..] => take_while(rest, |octet| octet.is_ascii_digit()),
        _ => return Err(ResponseError::StatusLine),
    };
    let version = Version::parse(version)?;
    let (reason, rest) = FIELD.take(rest);
    let after = match line_end(rest) {
        LineEnd::Partial => return Ok(None),
        LineEnd::Bare(octet) => return Err(RequestError::LineEnd { octet }.into()),
        LineEnd::Other(_) => return Err(ResponseError::StatusLine),
        LineEnd::Crlf(after) => after,
    };
    let is_reason = matches!(reason, [] | [b' ', ..]);
    match code {
        [hundreds @ b'1'..=b'5', tens, ones] if is_reason => {
            let [hundreds, tens, ones] =
                [hundreds, tens, ones].map(|digit| u16::from(digit - b'0'));
            let status = 100 * hundreds + 10 * tens + ones;
            Ok(Some(((version, status), after)))
        }
        _ => Err(ResponseError::StatusLine),
    }
}

/// As strictly as for a request; some responses have no content, whatever they say of it.
fn framing(
    fields: &Fields,
    version: Version,
    status: u16,
    answers_head: bool,
) -> Result<ResponseFraming, RequestError> {
    if answers_head || matches!(status, 100..=199 | 204 | 304) {
        return Ok(ResponseFraming::None);
    }
    Ok(match fields.delimited(version)? {
        Some(Delimited::Chunked) => ResponseFraming::Chunked,
        Some(Delimited::Length(length)) => ResponseFraming::Length(length),
        None => ResponseFraming::Close,
    })
}
