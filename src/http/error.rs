//! The errors of requests, responses and URLs, each with its text. A text says what is wrong, then what is allowed.

use std::fmt;

use super::limits::{
    CHUNK_EXTENSIONS, CHUNK_SIZE_DIGITS, CONTENT, FIELD_LINES, HEAD, TARGET, TRAILERS,
};
use super::other_protocol::OtherProtocol;
use super::status::Status;
use crate::text::log_note::LogNote;
use crate::text::wording::wording;

/// Defines an enum from a table of errors. Each row is a variant, a status, a cause word, and the arguments of `write!`
/// for the text.
macro_rules! request_errors {
    (
        $(#[$enum_doc:meta])*
        enum $enum:ident;
        $(
            $(#[$doc:meta])*
            $variant:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })?
                => $status:ident, $cause:literal, $($text:expr),+;
        )+
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum {
            $($(#[$doc])* $variant $({ $($(#[$field_doc])* $field: $type,)+ })?,)+
        }

        impl $enum {
            /// The status of the response.
            pub const fn status(&self) -> Status {
                match self { $(Self::$variant { .. } => Status::$status,)+ }
            }

            /// The cause word, which names the error in the log.
            pub const fn cause(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $cause,)+ }
            }
        }

        wording! { $enum { $(Self::$variant $({ $($field),+ })? => $($text),+;)+ } }
    };
}

request_errors! {
    /// A request breaks a rule of HTTP. The end of such a request is uncertain, so the connection is closed after the
    /// response.
    enum RequestError;

    /// The method is not a `token`, or is not followed by one space.
    Method {
        /// The invalid octet.
        octet: u8,
    } => BadRequest, "bad-method",
        "method: invalid {}; expected a token and one space", Octet(*octet);
    /// The request target does not have a form of RFC 9112 3.2 that its method allows.
    Target => BadRequest, "bad-target", "request target: expected /path or http://host/path";
    /// The request target contains an octet that RFC 3986 does not allow.
    TargetOctet {
        /// The invalid octet.
        octet: u8,
    } => BadRequest, "bad-target", "request target: {} must be percent-encoded", Octet(*octet);
    /// A `%` in the request target that is not followed by two hexadecimal digits.
    TargetEscape => BadRequest, "bad-target",
        "request target: expected two hexadecimal digits after %";
    /// The request target is longer than [`TARGET`].
    TargetTooLong => UriTooLong, "target-too-long",
        "request target: too long, at most {TARGET} bytes allowed";
    /// The version is not `HTTP/` DIGIT `.` DIGIT.
    Version => BadRequest, "bad-version", "HTTP version: expected HTTP/1.0 or HTTP/1.1";
    /// A version of HTTP that this server does not support.
    VersionNotSupported {
        /// The digit before the dot.
        major: u8,
        /// The digit after the dot.
        minor: u8,
    } => HttpVersionNotSupported, "version-not-supported",
        "HTTP version: HTTP/{major}.{minor} is not supported; expected HTTP/1.0 or HTTP/1.1";
    /// A CR without LF, or an LF without CR, where a line must end.
    LineEnd {
        /// The CR or LF.
        octet: u8,
    } => BadRequest, "bad-line-end", "line end: bare {}; expected CRLF", Octet(*octet);
    /// A field line that does not begin with a `token` and a colon. White space before the token or before the colon is
    /// not allowed.
    FieldName {
        /// The invalid octet.
        octet: u8,
    } => BadRequest, "bad-field-name",
        "field name: invalid {}; expected a token and a colon", Octet(*octet);
    /// A control character in a field value.
    FieldValue {
        /// The control character.
        octet: u8,
    } => BadRequest, "bad-field-value",
        "field value: invalid {}; control characters are not allowed", Octet(*octet);
    /// More field lines than [`FIELD_LINES`].
    TooManyFieldLines => RequestHeaderFieldsTooLarge, "too-many-field-lines",
        "head: too many field lines, at most {FIELD_LINES} allowed";
    /// The head is longer than [`HEAD`].
    HeadTooLong => RequestHeaderFieldsTooLarge, "head-too-long",
        "head: too long, at most {HEAD} bytes allowed";
    /// No Host in an HTTP/1.1 request.
    HostMissing => BadRequest, "bad-host", "Host: missing";
    /// More than one Host.
    HostRepeated => BadRequest, "bad-host", "Host: more than one, exactly one allowed";
    /// A Host, or the authority of a target in absolute-form, that is not `uri-host [ ":" port ]`.
    Host => BadRequest, "bad-host", "Host: expected a name or address, with an optional port";
    /// A Content-Length that is not only digits.
    ContentLength => BadRequest, "bad-content-length", "Content-Length: expected a decimal number";
    /// A Content-Length that does not fit 64 bits.
    ContentLengthTooLarge => ContentTooLarge, "content-too-long",
        "Content-Length: more than 64 bits, at most {CONTENT} bytes allowed";
    /// More than one Content-Length, equal or not.
    ContentLengthRepeated => BadRequest, "bad-content-length",
        "Content-Length: more than one, at most one allowed";
    /// Content longer than [`CONTENT`].
    ContentTooLong {
        /// The Content-Length, or the sum of the chunk sizes so far.
        length: u64,
    } => ContentTooLarge, "content-too-long", "content: {length} bytes, at most {CONTENT} allowed";
    /// A POST with neither Content-Length nor Transfer-Encoding.
    LengthRequired => LengthRequired, "length-required", "Content-Length: missing";
    /// A Transfer-Encoding whose last coding is not chunked, or that occurs twice.
    TransferEncoding => BadRequest, "bad-transfer-encoding", "Transfer-Encoding: expected chunked";
    /// A Transfer-Encoding with a coding before chunked.
    TransferCoding => NotImplemented, "bad-transfer-encoding",
        "Transfer-Encoding: only chunked is supported";
    /// Transfer-Encoding together with Content-Length, which is typical of request smuggling.
    TransferEncodingWithLength => BadRequest, "bad-transfer-encoding",
        "Transfer-Encoding: not allowed together with Content-Length";
    /// Transfer-Encoding in HTTP/1.0, which does not define it.
    TransferEncodingInHttp10 => BadRequest, "bad-transfer-encoding",
        "Transfer-Encoding: not allowed in HTTP/1.0";
    /// An expectation other than 100-continue.
    Expectation => ExpectationFailed, "bad-expectation", "Expect: only 100-continue is supported";
    /// A chunk-size that is not 1 to [`CHUNK_SIZE_DIGITS`] hexadecimal digits.
    ChunkSize => BadRequest, "bad-chunk",
        "chunk size: expected 1 to {CHUNK_SIZE_DIGITS} hexadecimal digits";
    /// A chunk extension outside its grammar.
    ChunkExtension => BadRequest, "bad-chunk", "chunk extension: expected ;name or ;name=value";
    /// Chunk extensions longer than [`CHUNK_EXTENSIONS`].
    ChunkExtensionsTooLong => BadRequest, "bad-chunk",
        "chunk extensions: too long, at most {CHUNK_EXTENSIONS} bytes allowed";
    /// Chunk data that is not followed by CRLF.
    ChunkEnd => BadRequest, "bad-chunk", "chunk data: expected CRLF at its end";
    /// A trailer section longer than [`TRAILERS`].
    TrailersTooLong => RequestHeaderFieldsTooLarge, "trailers-too-long",
        "trailer section: too long, at most {TRAILERS} bytes allowed";
    /// The client closed the connection in the middle of a request.
    Incomplete => BadRequest, "incomplete", "connection closed in the middle of a request";
    /// The head was not received in time.
    HeadTimeout => RequestTimeout, "head-timeout", "head: not received in time";
    /// The content was not received in time.
    ContentTimeout => RequestTimeout, "content-timeout", "content: not received in time";
}

/// The bytes are not the head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// The bytes do not begin with `HTTP/`, so the server uses another protocol.
    NotHttp,
    /// The first line is not `HTTP/d.d SP 3DIGIT [ SP reason-phrase ]`.
    StatusLine,
    /// The bytes break a rule that also applies to requests.
    Shared(RequestError),
}

impl From<RequestError> for ResponseError {
    fn from(error: RequestError) -> Self {
        Self::Shared(error)
    }
}

wording! { OtherProtocol {
    Self::Tls => "TLS handshake, expected plain HTTP";
    Self::Http2 => "HTTP/2, expected HTTP/1.0 or HTTP/1.1";
    Self::Proxy => "header of the PROXY protocol, expected an HTTP request";
    Self::Gateway(name) => "{name}, expected HTTP";
    Self::Ssh => "SSH, expected HTTP";
    Self::BareContent(kind) => "{kind} without a request line and fields, expected an HTTP request";
} }

impl OtherProtocol {
    /// What to do, for the operator.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Tls => {
                "this port is for http:// only; let nginx do https and forward with proxy_pass http://, not https://"
            }
            Self::Http2 => "let the client or proxy use HTTP/1.1 (nginx: proxy_http_version 1.1)",
            Self::Proxy => {
                "switch the PROXY protocol off for this server (nginx: proxy_protocol, HAProxy: send-proxy, \
                 cloud: setting of the load balancer)"
            }
            Self::Gateway(_) => "in nginx write proxy_pass http://ADDRESS:PORT",
            Self::Ssh => "this port is for http:// only",
            Self::BareContent(_) => "to send a message by hand, use wechat send",
        }
    }
}

wording! { ResponseError {
    Self::NotHttp => "status line: expected HTTP/ at its start";
    Self::StatusLine => "status line: expected a version, three digits and a reason phrase";
    Self::Shared(error) => "{error}";
} }

/// A text is not a URL that [`Url::parse`](super::Url::parse) accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// The text begins with `https://`.
    Https,
    /// The text does not begin with `http://`.
    Scheme,
    /// `http://` is not followed by `host` or `host:port`.
    Host,
    /// Path or query contains an octet that must be percent-encoded, or there is a fragment.
    Target,
}

wording! { UrlError {
    Self::Https =>
        "https is not supported; pass the http:// address that the proxy (nginx) forwards requests to";
    Self::Scheme => "expected http://host/path";
    Self::Host => "expected a host name or address after http://, and :port if the port is not 80";
    Self::Target => "path and query: expected ASCII letters, digits and -._~!$&'()*+,;=:@/?; \
        percent-encode everything else";
} }

impl RequestError {
    /// The log note of the error. `received` is what the connection has received since the last request. If it belongs to
    /// another protocol, the note names that protocol.
    pub fn note(&self, received: &[u8]) -> LogNote {
        let cause = self.cause();
        match OtherProtocol::recognize(received) {
            None => LogNote { cause, reason: self.to_string().into(), hint: "" },
            Some(other) => LogNote { cause, reason: other.to_string().into(), hint: other.hint() },
        }
    }
}

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
