//! Captured requests. They can be signed again with the current time.

use std::ops::Range;

use crate::http::{Chunked, Framing, Head, RequestError, Target};
use crate::wechat::{Envelope, Token};
use crate::xml::Document;

/// The bytes of one captured request.
pub(crate) struct Capture(pub(crate) Vec<u8>);

/// The reason why a capture cannot be sent or signed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaptureError {
    /// Bytes follow the request.
    Surplus {
        /// The number of these bytes.
        count: usize,
    },
    /// The content is shorter than Content-Length says.
    Short {
        /// The number of missing bytes.
        missing: usize,
    },
    /// The first line is not a request line.
    RequestLine,
    /// The query has no parameter with this name.
    ParameterMissing {
        /// The name of the parameter.
        name: &'static str,
    },
    /// The query has a `msg_signature`, but the content has no `Encrypt` to sign.
    EncryptMissing,
}

impl Capture {
    /// Takes the bytes of a file with one request. Invalid HTTP is accepted, because a replay can show how the backend
    /// answers an invalid request.
    ///
    /// # Errors
    /// `Surplus` or `Short`
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self, CaptureError> {
        let length = match Head::parse(&bytes) {
            Ok(Some((head, length))) => match head.framing {
                Framing::None => Some(length),
                Framing::Length(content) => Some(length + content),
                Framing::Chunked => {
                    let taken = Chunked::default().take(&bytes[length..], &mut Vec::new());
                    taken.ok().map(|taken| length + taken)
                }
            },
            Ok(None) | Err(_) => None,
        };
        let length = length.unwrap_or(bytes.len());
        match bytes.len().checked_sub(length) {
            Some(0) => Ok(Self(bytes)),
            Some(count) => Err(CaptureError::Surplus { count }),
            None => {
                let missing = length - bytes.len();
                Err(CaptureError::Short { missing })
            }
        }
    }

    /// Replaces the timestamp by `now`, in seconds since 1970, and replaces `signature` and `msg_signature` by the
    /// valid signatures for this token. No other byte is changed.
    ///
    /// # Errors
    /// `RequestLine`, `ParameterMissing` or `EncryptMissing`
    pub(crate) fn sign_again(&self, token: &Token, now: u64) -> Result<Self, CaptureError> {
        let range = query_range(&self.0).ok_or(CaptureError::RequestLine)?;
        let (before, rest) = self.0.split_at(range.start);
        let (query, after) = rest.split_at(range.len());
        let target = [b"/?", query].concat();
        let target = Target::parse_origin(&target).map_err(|_| CaptureError::RequestLine)?;
        let value = |name: &'static str| {
            let mut parameters = target.query().parameters();
            let parameter = parameters.find(|(found, _)| **found == *name.as_bytes());
            let value = parameter.map(|(_, value)| value);
            value.ok_or(CaptureError::ParameterMissing { name })
        };
        let nonce = value("nonce")?;
        value("signature")?;
        value("timestamp")?;
        let timestamp = now.to_string();
        let signature = token.sign(timestamp.as_bytes(), &nonce).to_string();
        let msg_signature = match value("msg_signature") {
            Ok(captured) if !captured.is_empty() => {
                self.sign_message(token, timestamp.as_bytes(), &nonce)?
            }
            Ok(_) | Err(_) => String::new(),
        };
        let replace = |parameter: &[u8]| match parameter.split(|octet| *octet == b'=').next() {
            Some(b"msg_signature") => format!("msg_signature={msg_signature}").into_bytes(),
            Some(b"signature") => format!("signature={signature}").into_bytes(),
            Some(b"timestamp") => format!("timestamp={timestamp}").into_bytes(),
            _ => parameter.to_vec(),
        };
        let parameters: Vec<Vec<u8>> = query.split(|octet| *octet == b'&').map(replace).collect();
        Ok(Self([before, &parameters.join(&b'&'), after].concat()))
    }

    /// Signs the element `Encrypt` in the content, and returns the `msg_signature`.
    fn sign_message(
        &self,
        token: &Token,
        timestamp: &[u8],
        nonce: &[u8],
    ) -> Result<String, CaptureError> {
        let content = self.content();
        let xml = Document::parse_message(&content).map_err(|_| CaptureError::EncryptMissing)?;
        let envelope = Envelope::parse(&xml).map_err(|_| CaptureError::EncryptMissing)?;
        let signature = token.sign_message(timestamp, nonce, envelope.encrypt());
        Ok(signature.to_string())
    }

    /// The content. It is empty if the head is invalid, and incomplete if a chunk is invalid.
    fn content(&self) -> Vec<u8> {
        let Ok(Some((head, length))) = Head::parse(&self.0) else {
            return Vec::new();
        };
        let body = &self.0[length..];
        if head.framing != Framing::Chunked {
            return body.to_vec();
        }
        let mut content = Vec::new();
        let _: Result<usize, RequestError> = Chunked::default().take(body, &mut content);
        content
    }
}

/// The range of the query in a request; `None` if there is no request line. If there is no query, the range is empty and
/// at the end of the request target. One empty line may precede the request line (RFC 9112 2.2).
fn query_range(bytes: &[u8]) -> Option<Range<usize>> {
    let start = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let line = bytes[start..].split(|octet| *octet == b'\n').next()?;
    let is_space = |octet: &u8| *octet == b' ';
    let first = line.iter().position(is_space)? + 1;
    let last = line.iter().rposition(is_space)?;
    let target = line.get(first..last)?;
    let mark = target.iter().position(|octet| *octet == b'?');
    let query = mark.map_or(target.len(), |mark| mark + 1);
    Some(start + first + query..start + last)
}
