//! What a request may cost before anybody has looked at it. Each cap is checked before the bytes
//! are kept.

/// Bytes of a head: request line, field lines and the empty line. Node and haproxy allow the same
/// 16 KiB, nginx 33 KiB, Go 1 MiB; WeChat's heads have about 300 bytes, and proxies add a few
/// hundred.
pub const HEAD: usize = 16 * 1024;

/// Bytes of a request target. RFC 9112 3 recommends at least 8,000 for the request line; nginx
/// allows 8 KiB.
pub const TARGET: usize = 8 * 1024;

/// Field lines of a head. hyper and haproxy allow 100; WeChat sends five.
pub const FIELD_LINES: usize = 100;

/// Bytes of content. A text message has 300 bytes, the longest event a few thousand; a message in
/// 64 KiB costs the XML parser about a millisecond.
pub const CONTENT: usize = 64 * 1024;

/// Hexadecimal digits of a chunk-size: what fits 64 bits, which is where most parsers stop.
pub const CHUNK_SIZE_DIGITS: usize = 16;

/// Bytes of all chunk extensions of one request. They mean nothing here, so they are only a way to
/// make a server read more than the content it counts: nginx has no such cap, Go 16 KiB.
pub const CHUNK_EXTENSIONS: usize = 8 * 1024;

/// Bytes of a trailer section, which is read by its grammar and dropped. Go allows the same 4 KiB.
pub const TRAILERS: usize = 4 * 1024;
