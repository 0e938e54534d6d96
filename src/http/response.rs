//! The response: status line, fields, content and its framing (RFC 9112 4, 6 and 7).

use std::borrow::Cow;

use super::date;
use super::head::Head;
use super::method::Method;
use super::status::Status;
use super::version::{Persistence, Version};
use crate::text::digits;
use crate::text::language::Text;
use crate::text::log_note::{LogNote, Reason};

/// A final response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    status: Status,
    media: Media,
    content: Content<'a>,
    note: Option<LogNote>,
}

/// What a server does with content that has not arrived together with its head. The head decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentDecision<'a> {
    /// Receive the content and keep it for the response.
    Keep,
    /// Receive the content but do not store it. The response does not depend on it.
    Discard,
    /// Send this response, which refuses the request, and do not read the content.
    Refuse(Response<'a>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content<'a> {
    Bytes(Cow<'a, [u8]>),
    /// The content is the `reason` of `note`, followed by a line feed.
    Reason,
    /// The content is this text, followed by a line feed.
    Line(Cow<'a, str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    Text,
    Xml,
}

/// The interim response that tells a waiting client to send the content (RFC 9110 15.2.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl<'a> Response<'a> {
    /// 200 with plain text, sent with Content-Length.
    pub fn text(content: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            status: Status::Ok,
            media: Media::Text,
            content: Content::Bytes(content.into()),
            note: None,
        }
    }

    /// 200 with XML, sent as one chunk. HTTP/1.0 has no chunked coding, so there it is sent with Content-Length.
    pub fn xml(content: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { media: Media::Xml, ..Self::text(content) }
    }

    /// A rejection whose content is the reason of the note, as one line of plain text. The note is also logged.
    pub fn rejection(status: Status, note: LogNote) -> Self {
        Self { status, media: Media::Text, content: Content::Reason, note: Some(note) }
    }

    /// A rejection whose content is the reason in English, as one line of plain text. The note for the log has the
    /// language of this process.
    pub(crate) fn refusal(status: Status, cause: &'static str, reason: Reason, hint: Text) -> Self {
        let content = reason.english.map_or(Content::Reason, Content::Line);
        let note = LogNote { cause, reason: reason.log, hint: hint.get() };
        Self { content, ..Self::rejection(status, note) }
    }

    /// Hides the reason of a rejection from the client, which gets only `status` and the word `refused`. The note is
    /// still logged.
    #[must_use]
    pub fn with_hidden_reason(self, status: Status) -> Self {
        Self { status, content: Content::Bytes(b"refused\n".into()), ..self }
    }

    /// Adds a note for the log.
    #[must_use]
    pub fn with_note(self, note: LogNote) -> Self {
        Self { note: Some(note), ..self }
    }

    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The note for the log.
    pub const fn note(&self) -> Option<&LogNote> {
        self.note.as_ref()
    }

    /// Writes the response to `out`. `head` is the head of the request, and `now` is in seconds since 1970. A response
    /// to HEAD has the fields of a response to GET, and no content (RFC 9110 9.3.2).
    pub fn write_to(&self, head: &Head<'_>, now: u64, out: &mut Vec<u8>) {
        let is_chunked = self.media == Media::Xml && head.version == Version::Http11;
        let connection: &[u8] = match (head.persistence, head.version) {
            (Persistence::Close, _) => b"Connection: close\r\n",
            (Persistence::Keep, Version::Http10) => b"Connection: keep-alive\r\n",
            (Persistence::Keep, Version::Http11) => b"",
        };
        self.write_head(is_chunked, connection, now, out);
        if head.method == Method::Head {
            return;
        }
        if is_chunked {
            self.write_chunked(out);
        } else {
            self.write_content(out);
        }
    }

    /// Writes the response to a refused request, whose head is unknown. The response has Content-Length and
    /// `Connection: close`.
    ///
    /// If `is_to_head`, the request is HEAD, so the response has no content (RFC 9110 9.3.2).
    pub fn write_last_to(&self, is_to_head: bool, now: u64, out: &mut Vec<u8>) {
        self.write_head(false, b"Connection: close\r\n", now, out);
        if !is_to_head {
            self.write_content(out);
        }
    }

    fn write_head(&self, is_chunked: bool, connection: &[u8], now: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"HTTP/1.1 ");
        out.extend_from_slice(self.status.line().as_bytes());
        out.extend_from_slice(b"\r\nDate: ");
        out.extend_from_slice(&date::imf_fixdate(now));
        out.extend_from_slice(match self.media {
            Media::Text => b"\r\nContent-Type: text/plain; charset=utf-8\r\n\
                X-Content-Type-Options: nosniff\r\n"
                .as_slice(),
            Media::Xml => {
                b"\r\nContent-Type: application/xml; charset=utf-8\r\n\
                X-Content-Type-Options: nosniff\r\n"
            }
        });
        if self.status == Status::MethodNotAllowed {
            out.extend_from_slice(b"Allow: GET, HEAD, POST\r\n");
        }
        out.extend_from_slice(connection);
        if is_chunked {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        } else {
            out.extend_from_slice(b"Content-Length: ");
            digits::write_decimal(self.content_length() as u64, out);
            out.extend_from_slice(b"\r\n\r\n");
        }
    }

    /// `chunk last-chunk CRLF`, as in the captured exchange. For empty content, only `last-chunk CRLF`.
    fn write_chunked(&self, out: &mut Vec<u8>) {
        if self.content_length() > 0 {
            digits::write_hex(self.content_length() as u64, out);
            out.extend_from_slice(b"\r\n");
            self.write_content(out);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"0\r\n\r\n");
    }

    fn content_length(&self) -> usize {
        let (content, line_end) = self.content();
        content.len() + line_end.len()
    }

    fn write_content(&self, out: &mut Vec<u8>) {
        let (content, line_end) = self.content();
        out.extend_from_slice(content);
        out.extend_from_slice(line_end);
    }

    /// The content in two parts: the second is the line end of a text that is stored without it.
    fn content(&self) -> (&[u8], &'static [u8]) {
        match &self.content {
            Content::Bytes(bytes) => (bytes, b""),
            Content::Reason => {
                (self.note.as_ref().map_or("", |note| &note.reason).as_bytes(), b"\n")
            }
            Content::Line(line) => (line.as_bytes(), b"\n"),
        }
    }
}
