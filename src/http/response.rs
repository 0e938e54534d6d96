//! The response: status line, the few fields that are sent, content and its framing (RFC 9110 15,
//! 9112 4 and 7).

use std::borrow::Cow;

use super::date;
use super::head::{Head, Method, Persistence, Version};
use crate::text::digits;
use crate::text::log_note::LogNote;

/// The statuses that this server answers with (RFC 9110 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 200
    Ok,
    /// 400
    BadRequest,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 408
    RequestTimeout,
    /// 411
    LengthRequired,
    /// 413
    ContentTooLarge,
    /// 414
    UriTooLong,
    /// 417
    ExpectationFailed,
    /// 431 (RFC 6585)
    RequestHeaderFieldsTooLarge,
    /// 501
    NotImplemented,
    /// 505
    HttpVersionNotSupported,
}

impl Status {
    /// The three digits and the reason phrase, as they stand in the status line.
    pub const fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::Forbidden => "403 Forbidden",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::RequestTimeout => "408 Request Timeout",
            Self::LengthRequired => "411 Length Required",
            Self::ContentTooLarge => "413 Content Too Large",
            Self::UriTooLong => "414 URI Too Long",
            Self::ExpectationFailed => "417 Expectation Failed",
            Self::RequestHeaderFieldsTooLarge => "431 Request Header Fields Too Large",
            Self::NotImplemented => "501 Not Implemented",
            Self::HttpVersionNotSupported => "505 HTTP Version Not Supported",
        }
    }

    /// The three digits.
    pub fn code(self) -> &'static str {
        self.line().split_once(' ').map_or("", |(code, _)| code)
    }
}

/// A final response, before its framing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    status: Status,
    media: Media,
    content: Content<'a>,
    note: Option<LogNote>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content<'a> {
    Bytes(Cow<'a, [u8]>),
    /// The note's reason, as a line.
    Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Text,
    Document,
}

/// The interim response that makes a waiting peer send its content (RFC 9110 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl<'a> Response<'a> {
    /// 200 with plain text, sent with its length.
    pub fn text(content: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            status: Status::Ok,
            media: Media::Text,
            content: Content::Bytes(content.into()),
            note: None,
        }
    }

    /// 200 with XML, sent in one chunk to HTTP/1.1 and with its length to HTTP/1.0, which knows no
    /// chunks.
    pub fn xml(content: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            status: Status::Ok,
            media: Media::Document,
            content: Content::Bytes(content.into()),
            note: None,
        }
    }

    /// A refusal: the reason as one line of plain text, and the whole note for the log.
    pub fn refusal(status: Status, note: LogNote) -> Self {
        Self {
            status,
            media: Media::Text,
            content: Content::Reason,
            note: Some(note),
        }
    }

    /// A refusal that does not say why; the note is for the log alone.
    pub fn silent_refusal(status: Status, note: LogNote) -> Self {
        Self {
            content: Content::Bytes(b"refused\n".into()),
            ..Self::refusal(status, note)
        }
    }

    /// The same with something to say in the log.
    #[must_use]
    pub fn with_note(self, note: LogNote) -> Self {
        Self {
            note: Some(note),
            ..self
        }
    }

    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// What the log should say.
    pub const fn note(&self) -> Option<&LogNote> {
        self.note.as_ref()
    }

    /// Appends the response as bytes, as the answer to the request with this head at the time
    /// `now`, in seconds since 1970. A response to HEAD has the fields of the one to GET and no
    /// content (RFC 9110 9.3.2).
    pub fn write_to(&self, head: &Head<'_>, now: u64, out: &mut Vec<u8>) {
        let chunked = match (self.media, head.version) {
            (Media::Document, Version::Http11) => true,
            (Media::Document, Version::Http10) | (Media::Text, _) => false,
        };
        let connection: &[u8] = match (head.persistence, head.version) {
            (Persistence::Close, _) => b"Connection: close\r\n",
            (Persistence::Keep, Version::Http10) => b"Connection: keep-alive\r\n",
            (Persistence::Keep, Version::Http11) => b"",
        };
        self.write_head(chunked, connection, now, out);
        match (head.method, chunked) {
            (Method::Head, _) => {}
            (_, false) => self.write_content(out),
            (_, true) => self.write_chunked(out),
        }
    }

    /// Appends the response as bytes where there is no head to answer, because it was refused: with
    /// its length, and with the end of the connection.
    ///
    /// `is_head` says that it answers HEAD, and has no content (RFC 9110 9.3.2).
    pub fn write_last_to(&self, is_head: bool, now: u64, out: &mut Vec<u8>) {
        self.write_head(false, b"Connection: close\r\n", now, out);
        if !is_head {
            self.write_content(out);
        }
    }

    fn write_head(&self, chunked: bool, connection: &[u8], now: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(self.status.line().as_bytes());
        out.extend_from_slice(b"\r\nDate: ");
        out.extend_from_slice(&date::imf_fixdate(now));
        out.extend_from_slice(match self.media {
            Media::Text => b"\r\nContent-Type: text/plain; charset=utf-8\r\n\
                X-Content-Type-Options: nosniff\r\n"
                .as_slice(),
            Media::Document => {
                b"\r\nContent-Type: application/xml; charset=utf-8\r\n\
                X-Content-Type-Options: nosniff\r\n"
            }
        });
        if self.status == Status::MethodNotAllowed {
            out.extend_from_slice(b"Allow: GET, HEAD, POST\r\n");
        }
        out.extend_from_slice(connection);
        if chunked {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        } else {
            out.extend_from_slice(b"Content-Length: ");
            digits::write_decimal(self.content_length(), out);
            out.extend_from_slice(b"\r\n\r\n");
        }
    }

    /// `chunk last-chunk CRLF`, the way the captured exchange has it: one chunk, its size in
    /// hexadecimal. Empty content is the last chunk alone, since an empty chunk would be one.
    fn write_chunked(&self, out: &mut Vec<u8>) {
        if self.content_length() > 0 {
            digits::write_hex(self.content_length(), out);
            out.extend_from_slice(b"\r\n");
            self.write_content(out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"0\r\n\r\n");
    }

    fn content_length(&self) -> u64 {
        let length = match &self.content {
            Content::Bytes(bytes) => bytes.len(),
            Content::Reason => self.reason().len().saturating_add(1),
        };
        u64::try_from(length).unwrap_or(u64::MAX)
    }

    fn write_content(&self, out: &mut Vec<u8>) {
        match &self.content {
            Content::Bytes(bytes) => out.extend_from_slice(bytes),
            Content::Reason => {
                out.extend_from_slice(self.reason().as_bytes());
                out.push(b'\n');
            }
        }
    }

    fn reason(&self) -> &str {
        self.note.as_ref().map_or("", |note| &note.reason)
    }
}
