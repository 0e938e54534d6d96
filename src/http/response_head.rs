//! The head of a response, for a client: status line, field lines, and how the message body ends (RFC 9112 4 and 6.3).

use super::error::ResponseError;
use super::fields::{BodyLength, Fields, parse_head, take_field_section};
use super::grammar::{Stop, Taken, take_field_content, take_line_end, take_visible, take_while};
use super::version::{Persistence, Version};

/// How the message body of a response ends (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFraming {
    /// There is no body, because the request was HEAD, or the status allows none.
    None,
    /// The body ends after this number of bytes.
    Length(u64),
    /// The body ends after the last chunk and the trailer section.
    Chunked,
    /// The body ends when the server closes the connection.
    Close,
}

/// The head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseHead<'a> {
    /// The status code, 100 to 599.
    pub status: u16,
    /// How the message body ends.
    pub framing: ResponseFraming,
    /// Whether the connection may carry another request.
    pub persistence: Persistence,
    /// The value of Location (RFC 9110 10.2.2); may be empty.
    pub location: &'a [u8],
}

impl From<Stop> for Stop<ResponseError> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Incomplete => Self::Incomplete,
            Stop::Error(error) => Self::Error(error.into()),
        }
    }
}

impl<'a> ResponseHead<'a> {
    /// Parses the head at the start of the bytes, and returns the head and its length in bytes; `None` for an
    /// incomplete head. `is_to_head` tells whether the request was HEAD.
    ///
    /// ```text
    /// status-line *( field-line CRLF ) CRLF
    /// ```
    ///
    /// # Errors
    /// The first broken rule, even in an incomplete head.
    pub fn parse(
        bytes: &'a [u8],
        is_to_head: bool,
    ) -> Result<Option<(Self, usize)>, ResponseError> {
        parse_head(bytes, |bytes| take_head(bytes, is_to_head))
    }

    /// Whether another response to the same request follows (RFC 9110 15.2). After 101 the connection uses another
    /// protocol.
    pub const fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }
}

fn take_head(bytes: &[u8], is_to_head: bool) -> Taken<'_, ResponseHead<'_>, ResponseError> {
    let ((version, status), rest) = take_status_line(bytes)?;
    let mut fields = Fields::default();
    let mut location: &[u8] = b"";
    let ((), rest) = take_field_section(rest, |line| {
        if line.is(b"Location") {
            location = line.value;
        }
        fields.read(line)
    })?;
    let framing = if is_to_head || matches!(status, 100..=199 | 204 | 304) {
        ResponseFraming::None
    } else {
        match fields.body_length(version).map_err(ResponseError::from)? {
            Some(BodyLength::Chunked) => ResponseFraming::Chunked,
            Some(BodyLength::Bytes(length)) => ResponseFraming::Length(length),
            None => ResponseFraming::Close,
        }
    };
    let head = ResponseHead { status, framing, persistence: fields.persistence(version), location };
    Ok((head, rest))
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 4). The second space may be missing
/// if there is no reason phrase, because many servers omit it.
fn take_status_line(bytes: &[u8]) -> Taken<'_, (Version, u16), ResponseError> {
    if !bytes.iter().zip(b"HTTP/").all(|(octet, known)| octet == known) {
        return Err(ResponseError::NotHttp.into());
    }
    let (version, rest) = take_visible(bytes);
    let (code, rest) = match rest {
        [] => return Err(Stop::Incomplete),
        [b' ', rest @ ..] => take_while(rest, |octet| octet.is_ascii_digit()),
        _ => return Err(ResponseError::StatusLine.into()),
    };
    let version = Version::parse(version).map_err(ResponseError::from)?;
    let (reason, rest) = take_field_content(rest);
    let after = take_line_end(rest)?.ok_or(ResponseError::StatusLine)?;
    match (code, reason) {
        ([hundreds @ b'1'..=b'5', tens, ones], [] | [b' ', ..]) => {
            let [hundreds, tens, ones] =
                [hundreds, tens, ones].map(|digit| u16::from(digit - b'0'));
            Ok(((version, 100 * hundreds + 10 * tens + ones), after))
        }
        _ => Err(ResponseError::StatusLine.into()),
    }
}
