//! The errors of a request, one variant for each broken rule of HTTP. `wording.rs` has the status, the cause word and
//! the text of each error.

/// A request breaks a rule of HTTP. The end of such a request is uncertain, so the connection is closed after the
/// response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// The method is not a `token`, or is not followed by one space.
    Method {
        /// The invalid octet.
        octet: u8,
    },
    /// The request target does not have a form of RFC 9112 3.2 that its method allows.
    Target,
    /// The request target contains an octet that RFC 3986 does not allow.
    TargetOctet {
        /// The invalid octet.
        octet: u8,
    },
    /// A `%` in the request target that is not followed by two hexadecimal digits.
    TargetEscape,
    /// The request target is longer than [`super::limits::TARGET`].
    TargetTooLong,
    /// The version is not `HTTP/` DIGIT `.` DIGIT.
    Version,
    /// A version of HTTP that this server does not support.
    VersionNotSupported {
        /// The digit before the dot.
        major: u8,
        /// The digit after the dot.
        minor: u8,
    },
    /// A CR without LF, or an LF without CR, where a line must end.
    LineEnd {
        /// The CR or LF.
        octet: u8,
    },
    /// A field line that does not begin with a `token` and a colon. White space before the token or before the colon is
    /// not allowed.
    FieldName {
        /// The invalid octet.
        octet: u8,
    },
    /// A control character in a field value.
    FieldValue {
        /// The control character.
        octet: u8,
    },
    /// More field lines than [`super::limits::FIELD_LINES`].
    TooManyFieldLines,
    /// The head is longer than [`super::limits::HEAD`].
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
    /// Content longer than [`super::limits::CONTENT`].
    ContentTooLong {
        /// The Content-Length, or the sum of the chunk sizes so far.
        length: u64,
    },
    /// A POST with neither Content-Length nor Transfer-Encoding.
    LengthRequired,
    /// A Transfer-Encoding whose last coding is not chunked, or that occurs twice.
    TransferEncoding,
    /// A Transfer-Encoding with a coding before chunked.
    TransferCoding,
    /// Transfer-Encoding together with Content-Length, which is typical of request smuggling.
    TransferEncodingWithLength,
    /// Transfer-Encoding in HTTP/1.0, which does not define it.
    TransferEncodingInHttp10,
    /// An expectation other than 100-continue.
    Expectation,
    /// A chunk-size that is not 1 to [`super::limits::CHUNK_SIZE_DIGITS`] hexadecimal digits.
    ChunkSize,
    /// A chunk extension outside its grammar.
    ChunkExtension,
    /// Chunk extensions longer than [`super::limits::CHUNK_EXTENSIONS`].
    ChunkExtensionsTooLong,
    /// Chunk data that is not followed by CRLF.
    ChunkEnd,
    /// A trailer section longer than [`super::limits::TRAILERS`].
    TrailersTooLong,
    /// The client closed the connection in the middle of a request.
    Incomplete,
    /// The head was not received in time.
    HeadTimeout,
    /// The content was not received in time.
    ContentTimeout,
}
