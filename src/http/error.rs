//! Why a request was refused before anybody looked at what it asks: one variant a rule, with the
//! facts.

use std::fmt;

use super::limits;
use super::response::Status;

/// A request that HTTP itself refuses. After any of these the framing of the connection is in
/// doubt, so the refusal is the last thing written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The method is not a `token`, or is not followed by one space.
    Method {
        /// The octet that no method holds.
        octet: u8,
    },
    /// The request target has none of the four forms of RFC 9112 3.2, or not the one of its method.
    Target,
    /// The request target holds an octet outside RFC 3986.
    TargetOctet {
        /// That octet.
        octet: u8,
    },
    /// A `%` in the request target without two hexadecimal digits behind it.
    TargetEscape,
    /// The request target is longer than [`limits::TARGET`].
    TargetTooLong,
    /// The third part of the request line is not `HTTP/d.d`.
    Version,
    /// A version of HTTP that this server does not speak.
    VersionNotSupported {
        /// The digit before the dot.
        major: u8,
        /// The digit behind it.
        minor: u8,
    },
    /// A CR without LF, or an LF without CR, where a line must end.
    LineEnd {
        /// Which of the two stands alone.
        octet: u8,
    },
    /// A field line that does not begin with a `token` and a colon; white space before either is
    /// refused too.
    FieldName {
        /// The octet that no field name holds.
        octet: u8,
    },
    /// A control character in a field value.
    FieldValue {
        /// That character.
        octet: u8,
    },
    /// More field lines than [`limits::FIELD_LINES`].
    TooManyFieldLines,
    /// The head is longer than [`limits::HEAD`].
    HeadTooLong,
    /// No Host in an HTTP/1.1 request.
    HostMissing,
    /// More than one Host.
    HostRepeated,
    /// A Host, or the authority of a target in absolute-form, that is not `uri-host [ ":" port ]`.
    Host,
    /// A Content-Length that is not only digits.
    ContentLength,
    /// A Content-Length that does not fit 64 bits.
    ContentLengthTooLarge,
    /// More than one Content-Length, equal or not.
    ContentLengthRepeated,
    /// Content longer than [`limits::CONTENT`].
    ContentTooLong {
        /// How long it says, or has turned out, to be at least, in bytes.
        length: u64,
    },
    /// A POST with neither Content-Length nor Transfer-Encoding.
    LengthRequired,
    /// A Transfer-Encoding whose last coding is not chunked, or that occurs twice.
    TransferEncoding,
    /// A Transfer-Encoding with a coding before chunked.
    TransferCoding,
    /// Transfer-Encoding beside Content-Length: the classic of request smuggling.
    TransferEncodingWithLength,
    /// Transfer-Encoding in HTTP/1.0, which has none.
    TransferEncodingInHttp10,
    /// An expectation other than 100-continue.
    Expectation,
    /// A chunk-size that is not 1 to [`limits::CHUNK_SIZE_DIGITS`] hexadecimal digits.
    ChunkSize,
    /// A chunk extension outside its grammar.
    ChunkExtension,
    /// Chunk extensions longer than [`limits::CHUNK_EXTENSIONS`].
    ChunkExtensionsTooLong,
    /// Chunk data that is not followed by CRLF.
    ChunkEnd,
    /// A trailer section longer than [`limits::TRAILERS`].
    TrailersTooLong,
    /// The peer closed its side in the middle of a request.
    Incomplete,
    /// The head was not there in time.
    HeadTimeout,
    /// The content was not there in time.
    ContentTimeout,
}

impl RequestError {
    /// The status of the refusal.
    pub const fn status(&self) -> Status {
        match self {
            Self::Method { .. }
            | Self::Target
            | Self::TargetOctet { .. }
            | Self::TargetEscape
            | Self::Version
            | Self::LineEnd { .. }
            | Self::FieldName { .. }
            | Self::FieldValue { .. }
            | Self::HostMissing
            | Self::HostRepeated
            | Self::Host
            | Self::ContentLength
            | Self::ContentLengthRepeated
            | Self::TransferEncoding
            | Self::TransferEncodingWithLength
            | Self::TransferEncodingInHttp10
            | Self::ChunkSize
            | Self::ChunkExtension
            | Self::ChunkExtensionsTooLong
            | Self::ChunkEnd
            | Self::Incomplete => Status::BadRequest,
            Self::HeadTimeout | Self::ContentTimeout => Status::RequestTimeout,
            Self::LengthRequired => Status::LengthRequired,
            Self::ContentLengthTooLarge | Self::ContentTooLong { .. } => Status::ContentTooLarge,
            Self::TargetTooLong => Status::UriTooLong,
            Self::Expectation => Status::ExpectationFailed,
            Self::TooManyFieldLines | Self::HeadTooLong | Self::TrailersTooLong => {
                Status::RequestHeaderFieldsTooLarge
            }
            Self::TransferCoding => Status::NotImplemented,
            Self::VersionNotSupported { .. } => Status::HttpVersionNotSupported,
        }
    }

    /// The stable word for the log.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Method { .. } => "bad-method",
            Self::Target | Self::TargetOctet { .. } | Self::TargetEscape => "bad-target",
            Self::TargetTooLong => "target-too-long",
            Self::Version => "bad-version",
            Self::VersionNotSupported { .. } => "version-not-supported",
            Self::LineEnd { .. } => "bad-line-end",
            Self::FieldName { .. } => "bad-field-name",
            Self::FieldValue { .. } => "bad-field-value",
            Self::TooManyFieldLines => "too-many-field-lines",
            Self::HeadTooLong => "head-too-long",
            Self::HostMissing | Self::HostRepeated | Self::Host => "bad-host",
            Self::ContentLength | Self::ContentLengthRepeated => "bad-content-length",
            Self::ContentLengthTooLarge | Self::ContentTooLong { .. } => "content-too-long",
            Self::LengthRequired => "length-required",
            Self::TransferEncoding
            | Self::TransferCoding
            | Self::TransferEncodingWithLength
            | Self::TransferEncodingInHttp10 => "bad-transfer-encoding",
            Self::Expectation => "bad-expectation",
            Self::ChunkSize
            | Self::ChunkExtension
            | Self::ChunkExtensionsTooLong
            | Self::ChunkEnd => "bad-chunk",
            Self::TrailersTooLong => "trailers-too-long",
            Self::Incomplete => "incomplete",
            Self::HeadTimeout => "head-timeout",
            Self::ContentTimeout => "content-timeout",
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Method { octet } => write!(
                f,
                "method holds {}, only a token and one space allowed",
                Octet(octet)
            ),
            Self::Target => f.write_str("request target is neither /path nor http://host/path"),
            Self::TargetOctet { octet } => write!(
                f,
                "request target holds {}, to be percent-encoded",
                Octet(octet)
            ),
            Self::TargetEscape => {
                f.write_str("request target holds % without two hexadecimal digits")
            }
            Self::TargetTooLong => write!(f, "request target over {} bytes", limits::TARGET),
            Self::Version => f.write_str("version is not HTTP/1.0 or HTTP/1.1"),
            Self::VersionNotSupported { major, minor } => {
                write!(
                    f,
                    "version HTTP/{major}.{minor}, only HTTP/1.0 and HTTP/1.1 allowed"
                )
            }
            Self::LineEnd { octet } => write!(
                f,
                "line ends with a bare {}, only CRLF allowed",
                Octet(octet)
            ),
            Self::FieldName { octet } => write!(
                f,
                "field name holds {}, only a token and a colon allowed",
                Octet(octet)
            ),
            Self::FieldValue { octet } => write!(f, "field value holds {}", Octet(octet)),
            Self::TooManyFieldLines => write!(f, "over {} field lines", limits::FIELD_LINES),
            Self::HeadTooLong => write!(f, "head over {} bytes", limits::HEAD),
            Self::HostMissing => f.write_str("host is missing"),
            Self::HostRepeated => f.write_str("host occurs twice"),
            Self::Host => f.write_str("host is not a name or address with an optional port"),
            Self::ContentLength => f.write_str("content-length is not a decimal number"),
            Self::ContentLengthTooLarge => write!(
                f,
                "content-length does not fit 64 bits, at most {} bytes allowed",
                limits::CONTENT
            ),
            Self::ContentLengthRepeated => f.write_str("content-length occurs twice"),
            Self::ContentTooLong { length } => {
                write!(
                    f,
                    "content of {length} bytes, at most {} allowed",
                    limits::CONTENT
                )
            }
            Self::LengthRequired => f.write_str("content-length is missing"),
            Self::TransferEncoding => f.write_str("transfer-encoding is not chunked"),
            Self::TransferCoding => f.write_str("transfer-encoding holds a coding besides chunked"),
            Self::TransferEncodingWithLength => {
                f.write_str("transfer-encoding beside content-length")
            }
            Self::TransferEncodingInHttp10 => f.write_str("transfer-encoding in HTTP/1.0"),
            Self::Expectation => f.write_str("expectation is not 100-continue"),
            Self::ChunkSize => {
                write!(
                    f,
                    "chunk size is not 1 to {} hexadecimal digits",
                    limits::CHUNK_SIZE_DIGITS
                )
            }
            Self::ChunkExtension => f.write_str("chunk extension is not ;name or ;name=value"),
            Self::ChunkExtensionsTooLong => write!(
                f,
                "chunk extensions over {} bytes",
                limits::CHUNK_EXTENSIONS
            ),
            Self::ChunkEnd => f.write_str("chunk data is not followed by CRLF"),
            Self::TrailersTooLong => write!(f, "trailer section over {} bytes", limits::TRAILERS),
            Self::Incomplete => f.write_str("connection ended in the middle of a request"),
            Self::HeadTimeout => f.write_str("head took too long"),
            Self::ContentTimeout => f.write_str("content took too long"),
        }
    }
}

impl std::error::Error for RequestError {}

/// One foreign octet, as a person can read it and no terminal can act on it.
struct Octet(u8);

impl fmt::Display for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b' ' => f.write_str("a space"),
            octet => write!(f, "'{}'", octet.escape_ascii()),
        }
    }
}
