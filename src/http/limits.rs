//! Limits of a request. Each limit is checked before the bytes are stored. Each has its error in `error.rs`.

/// Maximum bytes of a head: request line, field lines and the empty line. A head from WeChat has about 300 bytes, and a
/// proxy adds a few hundred bytes. Node and haproxy also allow 16 KiB, nginx 33 KiB, Go 1 MiB.
pub const HEAD: usize = 16 * 1024;

/// Maximum bytes of a request target. RFC 9112 3 recommends at least 8,000 for the request line; nginx allows 8 KiB.
pub const TARGET: usize = 8 * 1024;

/// Maximum field lines of a head. WeChat sends five; hyper and haproxy also allow 100.
pub const FIELD_LINES: usize = 100;

/// Maximum bytes of content. A text message has about 300 bytes, and the longest event a few thousand. Parsing 64 KiB
/// of XML takes about a millisecond.
pub const CONTENT: usize = 64 * 1024;

/// Maximum hexadecimal digits of a chunk-size. 16 digits are a number of 64 bits, the limit of most parsers.
pub const CHUNK_SIZE_DIGITS: usize = 16;

/// Maximum bytes of all chunk extensions of one request. The server ignores extensions, but without a limit a client
/// could send any number of bytes that are not counted as content. nginx has no such limit, Go has 16 KiB.
pub const CHUNK_EXTENSIONS: usize = 8 * 1024;

/// Maximum bytes of a trailer section, which is checked and dropped. Go also allows 4 KiB.
pub const TRAILERS: usize = 4 * 1024;
