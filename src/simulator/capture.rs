//! A captured request, checked and signed anew.

use std::ops::Range;

use crate::http::{Chunked, Framing, Head, RequestError, Target};
use crate::wechat::{Envelope, Token};
use crate::xml::Document;

/// The bytes of one captured request.
pub(crate) struct Capture(pub(crate) Vec<u8>);

/// Why a capture cannot be sent or signed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaptureError {
    /// Bytes follow the request.
    Surplus {
        /// Their number.
        count: usize,
    },
    /// The content is shorter than Content-Length says.
    Short {
        /// The number of missing bytes.
        missing: usize,
    },
    /// The first line is not a request line.
    RequestLine,
    /// The query has no such parameter.
    ParameterMissing {
        /// Its name.
        name: &'static str,
    },
    /// The query has a `msg_signature`, but the content has no `Encrypt` to sign.
    EncryptMissing,
}

impl Capture {
    /// Takes the bytes of a file with one request. A request that HTTP would refuse is accepted: the
    /// backend's answer to it is the point.
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

    /// Replaces the timestamp by `now`, in seconds since 1970, and `signature` and `msg_signature` by the
    /// right ones for this token. Every other byte stays.
    ///
    /// # Errors
    /// `RequestLine`, `ParameterMissing` or `EncryptMissing`
    pub(crate) fn sign_anew(&self, token: &Token, now: u64) -> Result<Self, CaptureError> {
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

    /// The `msg_signature` of the `Encrypt` in the content.
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

    /// The content; empty if the head is not valid, and incomplete if the chunks are not.
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

/// The position of the query in a request; empty, at the end of the target, if there is none. `None` if
/// there is no request line. One empty line may precede it (RFC 9112 2.2).
fn query_range(bytes: &[u8]) -> Option<Range<usize>> {
    let start = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let line = bytes[start..].split(|octet| *octet == b'\n').next()?;
    let is_space = |octet: &u8| *octet == b' ';
    let first = line.iter().position(is_space)? + 1;
    let last = line.iter().rposition(is_space)?;
    let target = line.get(first..last)?;
    let path = target.iter().position(|octet| *octet == b'?');
    let path = path.map_or(target.len(), |mark| mark + 1);
    Some(start + first + path..start + last)
}
