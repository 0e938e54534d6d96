//! The sentences of this room; for a refused request also its status and cause word. A sentence says what is wrong, then
//! what is allowed.

use std::borrow::Cow;
use std::fmt;

use super::error::RequestError;
use super::limits;
use super::response_head::ResponseError;
use super::status::Status;
use super::url::UrlError;

impl RequestError {
    /// The status of the response.
    pub fn status(&self) -> Status {
        self.row().0
    }

    /// The stable word for the log.
    pub fn cause(&self) -> &'static str {
        self.row().1
    }

    /// Status, cause word and sentence.
    fn row(&self) -> (Status, &'static str, Cow<'static, str>) {
        use Status::{
            BadRequest, ContentTooLarge, ExpectationFailed, HttpVersionNotSupported,
            LengthRequired, NotImplemented, RequestHeaderFieldsTooLarge, RequestTimeout,
            UriTooLong,
        };
        let bad = |cause, reason: &'static str| (BadRequest, cause, reason.into());
        match self {
            Self::Method { octet } => (
                BadRequest,
                "bad-method",
                format!("method: invalid {}; expected a token and one space", Octet(*octet)).into(),
            ),
            Self::Target => bad("bad-target", "request target: expected /path or http://host/path"),
            Self::TargetOctet { octet } => (
                BadRequest,
                "bad-target",
                format!("request target: {} must be percent-encoded", Octet(*octet)).into(),
            ),
            Self::TargetEscape => bad("bad-target", "request target: expected two hexadecimal digits after %"),
            Self::TargetTooLong => (
                UriTooLong,
                "target-too-long",
                format!("request target: too long, at most {} bytes allowed", limits::TARGET).into(),
            ),
            Self::Version => bad("bad-version", "HTTP version: expected HTTP/1.0 or HTTP/1.1"),
            Self::VersionNotSupported { major, minor } => (
                HttpVersionNotSupported,
                "version-not-supported",
                format!("HTTP version: HTTP/{major}.{minor} is not supported; expected HTTP/1.0 or HTTP/1.1").into(),
            ),
            Self::LineEnd { octet } => (
                BadRequest,
                "bad-line-end",
                format!("line end: bare {}; expected CRLF", Octet(*octet)).into(),
            ),
            Self::FieldName { octet } => (
                BadRequest,
                "bad-field-name",
                format!("field name: invalid {}; expected a token and a colon", Octet(*octet)).into(),
            ),
            Self::FieldValue { octet } => (
                BadRequest,
                "bad-field-value",
                format!("field value: invalid {}; control characters are not allowed", Octet(*octet)).into(),
            ),
            Self::TooManyFieldLines => (
                RequestHeaderFieldsTooLarge,
                "too-many-field-lines",
                format!("head: too many field lines, at most {} allowed", limits::FIELD_LINES).into(),
            ),
            Self::HeadTooLong => (
                RequestHeaderFieldsTooLarge,
                "head-too-long",
                format!("head: too long, at most {} bytes allowed", limits::HEAD).into(),
            ),
            Self::HostMissing => bad("bad-host", "Host: missing"),
            Self::HostRepeated => bad("bad-host", "Host: more than one, exactly one allowed"),
            Self::Host => bad("bad-host", "Host: expected a name or address, with an optional port"),
            Self::ContentLength => bad("bad-content-length", "Content-Length: expected a decimal number"),
            Self::ContentLengthTooLarge => (
                ContentTooLarge,
                "content-too-long",
                format!("Content-Length: more than 64 bits, at most {} bytes allowed", limits::CONTENT).into(),
            ),
            Self::ContentLengthRepeated => bad("bad-content-length", "Content-Length: more than one, at most one allowed"),
            Self::ContentTooLong { length } => (
                ContentTooLarge,
                "content-too-long",
                format!("content: {length} bytes, at most {} allowed", limits::CONTENT).into(),
            ),
            Self::LengthRequired => (LengthRequired, "length-required", "Content-Length: missing".into()),
            Self::TransferEncoding => bad("bad-transfer-encoding", "Transfer-Encoding: expected chunked"),
            Self::TransferCoding => (
                NotImplemented,
                "bad-transfer-encoding",
                "Transfer-Encoding: only chunked is supported".into(),
            ),
            Self::TransferEncodingWithLength => bad(
                "bad-transfer-encoding",
                "Transfer-Encoding: not allowed together with Content-Length",
            ),
            Self::TransferEncodingInHttp10 => bad("bad-transfer-encoding", "Transfer-Encoding: not allowed in HTTP/1.0"),
            Self::Expectation => (ExpectationFailed, "bad-expectation", "Expect: only 100-continue is supported".into()),
            Self::ChunkSize => (
                BadRequest,
                "bad-chunk",
                format!("chunk size: expected 1 to {} hexadecimal digits", limits::CHUNK_SIZE_DIGITS).into(),
            ),
            Self::ChunkExtension => bad("bad-chunk", "chunk extension: expected ;name or ;name=value"),
            Self::ChunkExtensionsTooLong => (
                BadRequest,
                "bad-chunk",
                format!("chunk extensions: too long, at most {} bytes allowed", limits::CHUNK_EXTENSIONS).into(),
            ),
            Self::ChunkEnd => bad("bad-chunk", "chunk data: expected CRLF at its end"),
            Self::TrailersTooLong => (
                RequestHeaderFieldsTooLarge,
                "trailers-too-long",
                format!("trailer section: too long, at most {} bytes allowed", limits::TRAILERS).into(),
            ),
            Self::Incomplete => bad("incomplete", "connection closed in the middle of a request"),
            Self::HeadTimeout => (RequestTimeout, "head-timeout", "head: not received in time".into()),
            Self::ContentTimeout => (RequestTimeout, "content-timeout", "content: not received in time".into()),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.row().2)
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("status line: expected HTTP/ at its start"),
            Self::StatusLine => {
                f.write_str("status line: expected a version, three digits and a reason phrase")
            }
            Self::Shared(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https => "https is not supported; pass the http:// address that the proxy (nginx) forwards requests to",
            Self::Scheme => "expected http://host/path",
            Self::Host => "expected a host name or address after http://, and :port if it is not 80",
            Self::Target => {
                "path and query: expected ASCII letters, digits and -._~!$&'()*+,;=:@/?; percent-encode everything else"
            }
        })
    }
}

impl std::error::Error for RequestError {}
impl std::error::Error for ResponseError {}
impl std::error::Error for UrlError {}

/// One octet of the input, printable.
struct Octet(u8);

impl fmt::Display for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b' ' => f.write_str("space"),
            octet => write!(f, "'{}'", octet.escape_ascii()),
        }
    }
}
