//! The texts of the errors in `http`, and the status and cause word of each refused request. A text says what is wrong,
//! then what is allowed.

use std::fmt;

use super::error::RequestError;
use super::limits::{
    CHUNK_EXTENSIONS, CHUNK_SIZE_DIGITS, CONTENT, FIELD_LINES, HEAD, TARGET, TRAILERS,
};
use super::response_head::ResponseError;
use super::status::Status;
use super::url::UrlError;
use crate::text::wording::wording;

/// Each row of the table is a pattern, a status, a cause word, and the arguments of `write!` for the text.
macro_rules! refusals {
    ($($case:pat => $status:ident, $cause:literal, $($text:expr),+;)+) => {
        #[allow(unused_variables, reason = "only the text uses the fields of a variant")]
        impl RequestError {
            /// The status of the response.
            pub const fn status(&self) -> Status {
                match self { $($case => Status::$status,)+ }
            }

            /// The stable word for the log.
            pub const fn cause(&self) -> &'static str {
                match self { $($case => $cause,)+ }
            }
        }

        wording! { RequestError { $($case => $($text),+;)+ } }
    };
}

refusals! {
    Self::Method { octet } => BadRequest, "bad-method",
        "method: invalid {}; expected a token and one space", Octet(*octet);
    Self::Target => BadRequest, "bad-target", "request target: expected /path or http://host/path";
    Self::TargetOctet { octet } => BadRequest, "bad-target",
        "request target: {} must be percent-encoded", Octet(*octet);
    Self::TargetEscape => BadRequest, "bad-target", "request target: expected two hexadecimal digits after %";
    Self::TargetTooLong => UriTooLong, "target-too-long", "request target: too long, at most {TARGET} bytes allowed";
    Self::Version => BadRequest, "bad-version", "HTTP version: expected HTTP/1.0 or HTTP/1.1";
    Self::VersionNotSupported { major, minor } => HttpVersionNotSupported, "version-not-supported",
        "HTTP version: HTTP/{major}.{minor} is not supported; expected HTTP/1.0 or HTTP/1.1";
    Self::LineEnd { octet } => BadRequest, "bad-line-end", "line end: bare {}; expected CRLF", Octet(*octet);
    Self::FieldName { octet } => BadRequest, "bad-field-name",
        "field name: invalid {}; expected a token and a colon", Octet(*octet);
    Self::FieldValue { octet } => BadRequest, "bad-field-value",
        "field value: invalid {}; control characters are not allowed", Octet(*octet);
    Self::TooManyFieldLines => RequestHeaderFieldsTooLarge, "too-many-field-lines",
        "head: too many field lines, at most {FIELD_LINES} allowed";
    Self::HeadTooLong => RequestHeaderFieldsTooLarge, "head-too-long",
        "head: too long, at most {HEAD} bytes allowed";
    Self::HostMissing => BadRequest, "bad-host", "Host: missing";
    Self::HostRepeated => BadRequest, "bad-host", "Host: more than one, exactly one allowed";
    Self::Host => BadRequest, "bad-host", "Host: expected a name or address, with an optional port";
    Self::ContentLength => BadRequest, "bad-content-length", "Content-Length: expected a decimal number";
    Self::ContentLengthTooLarge => ContentTooLarge, "content-too-long",
        "Content-Length: more than 64 bits, at most {CONTENT} bytes allowed";
    Self::ContentLengthRepeated => BadRequest, "bad-content-length",
        "Content-Length: more than one, at most one allowed";
    Self::ContentTooLong { length } => ContentTooLarge, "content-too-long",
        "content: {length} bytes, at most {CONTENT} allowed";
    Self::LengthRequired => LengthRequired, "length-required", "Content-Length: missing";
    Self::TransferEncoding => BadRequest, "bad-transfer-encoding", "Transfer-Encoding: expected chunked";
    Self::TransferCoding => NotImplemented, "bad-transfer-encoding",
        "Transfer-Encoding: only chunked is supported";
    Self::TransferEncodingWithLength => BadRequest, "bad-transfer-encoding",
        "Transfer-Encoding: not allowed together with Content-Length";
    Self::TransferEncodingInHttp10 => BadRequest, "bad-transfer-encoding",
        "Transfer-Encoding: not allowed in HTTP/1.0";
    Self::Expectation => ExpectationFailed, "bad-expectation", "Expect: only 100-continue is supported";
    Self::ChunkSize => BadRequest, "bad-chunk",
        "chunk size: expected 1 to {CHUNK_SIZE_DIGITS} hexadecimal digits";
    Self::ChunkExtension => BadRequest, "bad-chunk", "chunk extension: expected ;name or ;name=value";
    Self::ChunkExtensionsTooLong => BadRequest, "bad-chunk",
        "chunk extensions: too long, at most {CHUNK_EXTENSIONS} bytes allowed";
    Self::ChunkEnd => BadRequest, "bad-chunk", "chunk data: expected CRLF at its end";
    Self::TrailersTooLong => RequestHeaderFieldsTooLarge, "trailers-too-long",
        "trailer section: too long, at most {TRAILERS} bytes allowed";
    Self::Incomplete => BadRequest, "incomplete", "connection closed in the middle of a request";
    Self::HeadTimeout => RequestTimeout, "head-timeout", "head: not received in time";
    Self::ContentTimeout => RequestTimeout, "content-timeout", "content: not received in time";
}

wording! { ResponseError {
    Self::NotHttp => "status line: expected HTTP/ at its start";
    Self::StatusLine => "status line: expected a version, three digits and a reason phrase";
    Self::Shared(error) => "{error}";
} }

wording! { UrlError {
    Self::Https =>
        "https is not supported; pass the http:// address that the proxy (nginx) forwards requests to";
    Self::Scheme => "expected http://host/path";
    Self::Host => "expected a host name or address after http://, and :port if the port is not 80";
    Self::Target => "path and query: expected ASCII letters, digits and -._~!$&'()*+,;=:@/?; \
        percent-encode everything else";
} }

impl std::error::Error for RequestError {}
impl std::error::Error for ResponseError {}
impl std::error::Error for UrlError {}

/// An octet of the input, in printable form.
struct Octet(u8);

impl fmt::Display for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b' ' => f.write_str("space"),
            octet => write!(f, "'{}'", octet.escape_ascii()),
        }
    }
}
