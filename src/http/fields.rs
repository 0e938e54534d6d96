//! Field lines (RFC 9112 5), and what those that requests and responses share say of the message
//! body and of the connection.
//!
//! A field is read where its line is read; nobody ever searches a message for a name.

use super::error::RequestError;
use super::grammar::{self, FIELD, LineEnd, TCHAR, line_end};
use super::head::{Persistence, Version};
use super::limits;
use crate::text::digits::{self, NumberError};

/// What was taken from the front of the bytes and what is left of them, if it was whole.
pub(super) type Taken<'a, T> = Result<Option<(T, &'a [u8])>, RequestError>;

/// One field line: its name, and its value without the white space around it.
pub(super) struct FieldLine<'a> {
    name: &'a [u8],
    pub(super) value: &'a [u8],
}

impl FieldLine<'_> {
    /// Whether it is a line of the field of this name, in either case.
    pub(super) fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// `field-line CRLF`, where `field-line = field-name ":" OWS field-value OWS` (RFC 9112 5). A line
/// that begins with white space would be obs-fold, a name with white space behind it somebody's
/// smuggling: both fail as names.
pub(super) fn take_field_line(bytes: &[u8]) -> Taken<'_, FieldLine<'_>> {
    let (name, rest) = match TCHAR.take(bytes) {
        (_, []) => return Ok(None),
        (name @ [_, ..], [b':', rest @ ..]) => (name, rest),
        (_, [octet, ..]) => return Err(RequestError::FieldName { octet: *octet }),
    };
    let (value, rest) = FIELD.take(rest);
    match line_end(rest) {
        LineEnd::Partial => Ok(None),
        LineEnd::Bare(octet) => Err(RequestError::LineEnd { octet }),
        LineEnd::Other(octet) => Err(RequestError::FieldValue { octet }),
        LineEnd::Crlf(rest) => Ok(Some((
            FieldLine {
                name,
                value: grammar::ows(value),
            },
            rest,
        ))),
    }
}

/// `*( field-line CRLF ) CRLF`, the part of a head behind its first line. Each line is shown to
/// `read`; at most [`limits::FIELD_LINES`] are allowed.
pub(super) fn take_field_section<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(&FieldLine<'a>) -> Result<(), RequestError>,
) -> Taken<'a, ()> {
    let mut rest = bytes;
    let mut lines = 0_usize;
    loop {
        match line_end(rest) {
            LineEnd::Partial => return Ok(None),
            LineEnd::Bare(octet) => return Err(RequestError::LineEnd { octet }),
            LineEnd::Crlf(rest) => return Ok(Some(((), rest))),
            LineEnd::Other(_) => {
                let Some((line, after)) = take_field_line(rest)? else {
                    return Ok(None);
                };
                lines = lines.saturating_add(1);
                if lines > limits::FIELD_LINES {
                    return Err(RequestError::TooManyFieldLines);
                }
                read(&line)?;
                rest = after;
            }
        }
    }
}

/// What the fields have said so far that requests and responses share.
#[derive(Default)]
pub(super) struct Fields {
    content_length: Option<u64>,
    transfer_encoding: Option<TransferEncoding>,
    close: bool,
    keep_alive: bool,
}

/// How a message body ends that says so.
pub(super) enum Delimited {
    Length(u64),
    Chunked,
}

#[derive(Clone, Copy)]
enum TransferEncoding {
    Chunked,
    CodingsBeforeChunked,
    Other,
}

impl Fields {
    pub(super) fn read(&mut self, line: &FieldLine<'_>) -> Result<(), RequestError> {
        if line.is(b"Content-Length") {
            let length = digits::parse_decimal(line.value).map_err(|error| match error {
                NumberError::NotDigits => RequestError::ContentLength,
                NumberError::TooLarge => RequestError::ContentLengthTooLarge,
            })?;
            if self.content_length.replace(length).is_some() {
                return Err(RequestError::ContentLengthRepeated);
            }
        } else if line.is(b"Transfer-Encoding") {
            if self
                .transfer_encoding
                .replace(transfer_encoding(line.value))
                .is_some()
            {
                return Err(RequestError::TransferEncoding);
            }
        } else if line.is(b"Connection") {
            for option in line.value.split(|&octet| octet == b',').map(grammar::ows) {
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(())
    }

    /// How the message body ends, decided once and in the order of RFC 9112 6.3; `None` where nothing
    /// is said of it. Where that allows a repair (obey Transfer-Encoding alone, merge equal lengths),
    /// this refuses: the proxy in front may have repaired it otherwise.
    pub(super) fn delimited(&self, version: Version) -> Result<Option<Delimited>, RequestError> {
        match (self.transfer_encoding, self.content_length) {
            (Some(_), Some(_)) => Err(RequestError::TransferEncodingWithLength),
            (Some(_), None) if version == Version::Http10 => {
                Err(RequestError::TransferEncodingInHttp10)
            }
            (Some(TransferEncoding::Chunked), None) => Ok(Some(Delimited::Chunked)),
            (Some(TransferEncoding::CodingsBeforeChunked), None) => {
                Err(RequestError::TransferCoding)
            }
            (Some(TransferEncoding::Other), None) => Err(RequestError::TransferEncoding),
            (None, Some(length)) => Ok(Some(Delimited::Length(length))),
            (None, None) => Ok(None),
        }
    }

    /// Whether another message may follow (RFC 9112 9.3).
    pub(super) const fn persistence(&self, version: Version) -> Persistence {
        match version {
            Version::Http11 if !self.close => Persistence::Keep,
            Version::Http10 if self.keep_alive && !self.close => Persistence::Keep,
            Version::Http10 | Version::Http11 => Persistence::Close,
        }
    }
}

/// `Transfer-Encoding = #transfer-coding` (RFC 9112 6.1), as far as it matters here: exactly
/// `chunked`, or other codings with a single `chunked` at the end, or something else.
fn transfer_encoding(value: &[u8]) -> TransferEncoding {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if is_chunked(value) {
        return TransferEncoding::Chunked;
    }
    let mut codings = value.split(|&octet| octet == b',').map(grammar::ows);
    let ends_chunked = codings.next_back().is_some_and(is_chunked);
    if ends_chunked && codings.all(|coding| !coding.is_empty() && !is_chunked(coding)) {
        TransferEncoding::CodingsBeforeChunked
    } else {
        TransferEncoding::Other
    }
}
