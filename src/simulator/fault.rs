//! Faults of the connection and of the HTTP response. WeChat cannot use an answer with such a fault, whatever the request
//! was.

use super::search::find;
use crate::client::{BodyEnd, ExchangeError, ReceivedResponse};
use crate::http::{RequestError, ResponseFraming, Url};
use crate::text::display::excerpt;
use crate::wechat::{PLAIN_REFUSED, is_stale_timestamp};

/// The reason why there is no answer, or why WeChat does not read its content. `location` and `error_text` are in quotes
/// and safe for a terminal.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no answer with a complete head.
    NoAnswer { error: ExchangeError, host: String, port: u16 },
    /// The answer is a redirect, which WeChat does not follow. `location` is a part of its Location.
    Redirect { status: u16, location: String },
    /// The status is not 200. `error_text` is a short text from the content, if there is one.
    Status { status: u16, error_text: Option<String>, hint: StatusHint },
    /// The content is longer than the client reads.
    ContentTooLong,
    /// The connection was closed after fewer bytes than Content-Length says.
    LengthNotReached { length: u64, received: usize },
    /// Fewer bytes than Content-Length says arrived in time.
    LengthNotInTime { length: u64, received: usize },
    /// More bytes arrived than Content-Length says.
    LengthExceeded { length: u64, surplus: usize },
    /// The chunked coding is invalid.
    Chunk { error: RequestError },
    /// The connection was closed before the last chunk.
    LastChunkMissing,
    /// The last chunk did not arrive in time.
    LastChunkNotInTime,
    /// The content ends when the connection is closed, but the connection was reset.
    Reset,
    /// The content ends when the connection is closed, but the connection stayed open.
    NotClosed,
}

/// The most likely reason for a status other than 200.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StatusHint {
    /// The port is for HTTPS.
    Https,
    /// `wechat serve --require-encryption` refused a plain message.
    PlainRefused,
    /// `wechat serve` refused the timestamp.
    Timestamp,
    /// The content is the own page of a web server, which has not passed the request to a program.
    OwnPage { server: &'static str, status: u16 },
    /// The most likely reason for this status, whatever the content is.
    Status { status: u16 },
}

impl Fault {
    /// Converts the error of an exchange with the server of this URL.
    pub(crate) fn from_exchange(error: ExchangeError, url: &Url) -> Self {
        Self::NoAnswer { error, host: url.host().to_owned(), port: url.port() }
    }
}

/// Checks that WeChat would read the content of this answer. The status must be 200, and the content complete.
///
/// # Errors
/// The fault.
pub(crate) fn check_answer(answer: &ReceivedResponse<'_>) -> Result<(), Fault> {
    let status = answer.head.status;
    if status == 200 {
        return check_content(answer);
    }
    if matches!(status, 300..=399) && !answer.head.location.is_empty() {
        let location = excerpt(answer.head.location);
        return Err(Fault::Redirect { status, location });
    }
    Err(Fault::Status {
        status,
        error_text: find_error_text(answer.content),
        hint: StatusHint::new(status, answer.content),
    })
}

/// Checks that the content of this answer is complete, and that nothing follows it.
///
/// # Errors
/// The fault.
pub(super) fn check_content(answer: &ReceivedResponse<'_>) -> Result<(), Fault> {
    let received = answer.content.len();
    Err(match (answer.end, answer.head.framing) {
        (BodyEnd::Whole, ResponseFraming::Length(length)) if answer.surplus > 0 => {
            let surplus = answer.surplus;
            Fault::LengthExceeded { length, surplus }
        }
        (BodyEnd::Whole, _) => return Ok(()),
        (BodyEnd::TooLong, _) => Fault::ContentTooLong,
        (BodyEnd::Chunk(error), _) => Fault::Chunk { error },
        (BodyEnd::Closed, ResponseFraming::Length(length)) => {
            Fault::LengthNotReached { length, received }
        }
        (BodyEnd::Timeout, ResponseFraming::Length(length)) => {
            Fault::LengthNotInTime { length, received }
        }
        (BodyEnd::Closed, ResponseFraming::Chunked) => Fault::LastChunkMissing,
        (BodyEnd::Timeout, ResponseFraming::Chunked) => Fault::LastChunkNotInTime,
        (BodyEnd::Closed, ResponseFraming::Close | ResponseFraming::None) => Fault::Reset,
        (BodyEnd::Timeout, ResponseFraming::Close | ResponseFraming::None) => Fault::NotClosed,
    })
}

/// Whether bytes are the beginning of an alert or handshake record of TLS (RFC 8446 5.1).
pub(super) const fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15 | 0x16, 0x03, ..])
}

impl StatusHint {
    fn new(status: u16, content: &[u8]) -> Self {
        let has = |word: &[u8]| find(content, word).is_some();
        match status {
            // nginx, Go and Apache answer plain HTTP on an HTTPS port with these words.
            400 if has(b"HTTPS") || has(b"SSL-enabled") => Self::Https,
            // `wechat serve` uses these words if it refuses a plain message or a timestamp.
            403 if has(PLAIN_REFUSED.en.as_bytes()) => Self::PlainRefused,
            403 if is_stale_timestamp(&String::from_utf8_lossy(content)) => Self::Timestamp,
            // The page of a proxy that does not reach the program.
            502 | 504 => Self::Status { status },
            _ => match find_own_page(content) {
                Some(server) => Self::OwnPage { server, status },
                None => Self::Status { status },
            },
        }
    }
}

/// The web server whose own error page this is. The pages end in a line with the name.
fn find_own_page(content: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 4] = [
        (b"<center>nginx", "nginx"),
        (b"<center>openresty", "openresty"),
        (b"<center>tengine", "tengine"),
        (b"<address>Apache", "Apache"),
    ];
    let is_own = |(mark, _): &&(&[u8], &str)| find(content, mark).is_some();
    MARKS.iter().find(is_own).map(|(_, server)| *server)
}

/// A short error text from the content of an error response. It is the HTML title, or the first line if there is no title.
fn find_error_text(content: &[u8]) -> Option<String> {
    const TITLE: &[u8] = b"<title>";
    let line = match find(content, TITLE) {
        Some(start) => content[start + TITLE.len()..].split(|octet| *octet == b'<').next(),
        None => content.split(|octet| *octet == b'\n').next(),
    };
    let line = line?.trim_ascii();
    let is_text = !line.is_empty() && !line.starts_with(b"<");
    is_text.then(|| excerpt(line))
}
