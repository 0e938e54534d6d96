//! Field lines (RFC 9112 5), and the fields that requests and responses share. These fields determine how the message
//! body ends and whether the connection persists.
//!
//! A field is evaluated where its line is parsed. No code searches a message for a field name.

use super::error::RequestError;
use super::grammar::{Stop, TCHAR, Taken, take_field_content, take_line_end, trim_whitespace};
use super::limits;
use super::version::{Persistence, Version};
use crate::text::digits::{self, NumberError};

/// One field line.
pub(super) struct FieldLine<'a> {
    name: &'a [u8],
    /// The value without the white space around it.
    pub(super) value: &'a [u8],
}

impl FieldLine<'_> {
    /// Whether the line belongs to the field of this name. Field names are not case-sensitive.
    #[inline]
    pub(super) fn is(&self, name: &[u8]) -> bool {
        // Nearly all clients write a name in the usual case, and that comparison is faster.
        self.name == name || self.name.eq_ignore_ascii_case(name)
    }
}

/// Parses a head with `take`, within [`limits::HEAD`], and returns the head and its length in bytes; `None` for an
/// incomplete head.
pub(super) fn parse_head<'a, T, E: From<RequestError>>(
    bytes: &'a [u8],
    take: impl FnOnce(&'a [u8]) -> Taken<'a, T, E>,
) -> Result<Option<(T, usize)>, E> {
    let window = bytes.get(..limits::HEAD).unwrap_or(bytes);
    match take(window) {
        Ok((head, rest)) => Ok(Some((head, window.len() - rest.len()))),
        Err(Stop::Incomplete) if window.len() < limits::HEAD => Ok(None),
        Err(Stop::Incomplete) => Err(RequestError::HeadTooLong.into()),
        Err(Stop::Error(error)) => Err(error),
    }
}

/// `field-line CRLF`, where `field-line = field-name ":" OWS field-value OWS` (RFC 9112 5). White space before the name
/// (obs-fold) or before the colon makes the name invalid.
pub(super) fn take_field_line(bytes: &[u8]) -> Taken<'_, FieldLine<'_>> {
    let (name, rest) = match TCHAR.take(bytes) {
        (_, []) => return Err(Stop::Incomplete),
        (name @ [_, ..], [b':', rest @ ..]) => (name, rest),
        (_, [octet, ..]) => return Err(RequestError::FieldName { octet: *octet }.into()),
    };
    let (value, rest) = take_field_content(rest);
    let Some(after) = take_line_end(rest)? else {
        return Err(RequestError::FieldValue { octet: rest[0] }.into());
    };
    let value = trim_whitespace(value);
    Ok((FieldLine { name, value }, after))
}

/// `*( field-line CRLF ) CRLF`, the part of a head after its first line. Calls `read` for each field line. At most
/// [`limits::FIELD_LINES`] lines are allowed.
pub(super) fn take_field_section<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(&FieldLine<'a>) -> Result<(), RequestError>,
) -> Taken<'a, ()> {
    let mut rest = bytes;
    let mut lines = 0;
    loop {
        if let Some(rest) = take_line_end(rest)? {
            return Ok(((), rest));
        }
        let (line, after) = take_field_line(rest)?;
        lines += 1;
        if lines > limits::FIELD_LINES {
            return Err(RequestError::TooManyFieldLines.into());
        }
        read(&line)?;
        rest = after;
    }
}

/// The values of the fields that requests and responses share.
#[derive(Default)]
pub(super) struct Fields {
    content_length: Option<u64>,
    /// An invalid value is stored here and reported later by [`Fields::body_length`], so that other field errors are
    /// reported first.
    transfer_encoding: Option<Result<(), RequestError>>,
    close: bool,
    keep_alive: bool,
}

/// How the message body ends, as declared by the fields.
pub(super) enum BodyLength {
    /// The body ends after this number of bytes.
    Bytes(u64),
    /// The body ends after the last chunk.
    Chunked,
}

impl Fields {
    /// Evaluates one field line.
    ///
    /// # Errors
    /// `ContentLength…` or `TransferEncoding`
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
            let encoding = parse_transfer_encoding(line.value);
            if self.transfer_encoding.replace(encoding).is_some() {
                return Err(RequestError::TransferEncoding);
            }
        } else if line.is(b"Connection") {
            for option in line.value.split(|octet| *octet == b',').map(trim_whitespace) {
                self.close |= option.eq_ignore_ascii_case(b"close");
                self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(())
    }

    /// How the message body ends (RFC 9112 6.3); `None` if no field declares the end. The RFC allows a server to ignore
    /// Content-Length if there is also Transfer-Encoding. This server refuses such a request.
    ///
    /// # Errors
    /// `TransferEncoding…` or `TransferCoding`
    pub(super) fn body_length(&self, version: Version) -> Result<Option<BodyLength>, RequestError> {
        match (self.transfer_encoding, self.content_length) {
            (Some(_), Some(_)) => Err(RequestError::TransferEncodingWithLength),
            (Some(_), None) if version == Version::Http10 => {
                Err(RequestError::TransferEncodingInHttp10)
            }
            (Some(encoding), None) => encoding.map(|()| Some(BodyLength::Chunked)),
            (None, length) => Ok(length.map(BodyLength::Bytes)),
        }
    }

    /// Whether another message may follow on the connection (RFC 9112 9.3).
    pub(super) const fn persistence(&self, version: Version) -> Persistence {
        match version {
            Version::Http11 if !self.close => Persistence::Keep,
            Version::Http10 if self.keep_alive && !self.close => Persistence::Keep,
            Version::Http10 | Version::Http11 => Persistence::Close,
        }
    }
}

/// `Transfer-Encoding = #transfer-coding` (RFC 9112 6.1). Only `chunked` alone is supported.
///
/// # Errors
/// `TransferCoding` if the value is valid but not supported: other codings, and then `chunked` once (`gzip, chunked`).
/// `TransferEncoding` for any other value.
fn parse_transfer_encoding(value: &[u8]) -> Result<(), RequestError> {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if is_chunked(value) {
        return Ok(());
    }
    let mut codings = value.split(|octet| *octet == b',').map(trim_whitespace);
    let ends_chunked = codings.next_back().is_some_and(is_chunked);
    if ends_chunked && codings.all(|coding| !coding.is_empty() && !is_chunked(coding)) {
        Err(RequestError::TransferCoding)
    } else {
        Err(RequestError::TransferEncoding)
    }
}
