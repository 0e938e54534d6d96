//! HTTP versions (RFC 9112 2.3) and persistent connections (RFC 9112 9.3).

use super::error::RequestError;

/// The versions of HTTP that this server supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0. nginx before 1.29.7 uses it for requests to a backend.
    Http10,
    /// HTTP/1.1, and any later minor version (RFC 9110 2.5).
    Http11,
}

impl Version {
    /// `HTTP-version = HTTP-name "/" DIGIT "." DIGIT`
    ///
    /// # Errors
    /// `Version` or `VersionNotSupported`
    pub(super) fn parse(text: &[u8]) -> Result<Self, RequestError> {
        match text.strip_prefix(b"HTTP/") {
            Some(b"1.0") => Ok(Self::Http10),
            Some([b'1', b'.', b'0'..=b'9']) => Ok(Self::Http11),
            Some([major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9']) => {
                Err(RequestError::VersionNotSupported { major: major - b'0', minor: minor - b'0' })
            }
            _ => Err(RequestError::Version),
        }
    }
}

/// Whether the connection may carry another request after this message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// The connection may carry another request.
    Keep,
    /// The connection ends, because of `Connection: close`, or because of HTTP/1.0 without `Connection: keep-alive`.
    Close,
}
