//! The message body and its framing (RFC 9112 6 and 7): where content ends, and the content of a
//! chunked one.

use super::error::RequestError;
use super::fields::take_field_line;
use super::grammar::{FIELD, HEXDIG, LineEnd, QDTEXT, TCHAR, line_end, take_while};
use super::limits;
use crate::text::digits;

/// How a message body ends (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none: neither Content-Length nor Transfer-Encoding.
    None,
    /// After so many bytes, at most [`limits::CONTENT`].
    Length(usize),
    /// After the last chunk and the trailer section.
    Chunked,
}

/// CommandSpec the content out of a chunked message body, piece by piece as the bytes arrive (RFC 9112
/// 7.1).
///
/// ```text
/// chunked-body = *chunk last-chunk trailer-section CRLF
/// ```
/// What counts is bounded as it comes in: content, extensions and trailers. Nothing is allocated
/// for a declared size.
#[derive(Debug, Default)]
pub struct Chunked {
    expected: Expected,
    extensions: usize,
    trailers: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    #[default]
    ChunkSize,
    ChunkData {
        left: usize,
    },
    ChunkEnd,
    Trailers,
    Nothing,
}

impl Chunked {
    /// Whether the whole message body has been taken.
    pub fn is_done(&self) -> bool {
        self.expected == Expected::Nothing
    }

    /// CommandSpec what can be taken from the front of the bytes, appends the content among it to
    /// `content`, and returns how many bytes it took. The rest must be offered again with more
    /// behind it, or belongs to the next request.
    ///
    /// # Errors
    /// The first rule that the bytes break, also where the piece is not whole yet.
    pub fn take(&mut self, bytes: &[u8], content: &mut Vec<u8>) -> Result<usize, RequestError> {
        let mut rest = bytes;
        while let Some(after) = self.step(rest, content)? {
            rest = after;
        }
        Ok(bytes.len().saturating_sub(rest.len()))
    }

    /// One production, or as much chunk data as there is; `None` where more bytes are needed, or
    /// none any more.
    fn step<'a>(
        &mut self,
        bytes: &'a [u8],
        content: &mut Vec<u8>,
    ) -> Result<Option<&'a [u8]>, RequestError> {
        match self.expected {
            Expected::ChunkSize => {
                let Some((size, after)) = self.take_size_line(bytes)? else {
                    return Ok(None);
                };
                let length = size.saturating_add(u64::try_from(content.len()).unwrap_or(u64::MAX));
                let too_long = RequestError::ContentTooLong { length };
                let left = usize::try_from(size).map_err(|_| too_long)?;
                if content.len().saturating_add(left) > limits::CONTENT {
                    return Err(too_long);
                }
                self.expected = if left == 0 {
                    Expected::Trailers
                } else {
                    Expected::ChunkData { left }
                };
                Ok(Some(after))
            }
            Expected::ChunkData { left } => {
                let (data, after) = bytes.split_at_checked(left).unwrap_or((bytes, b""));
                content.extend_from_slice(data);
                self.expected = match left.saturating_sub(data.len()) {
                    0 => Expected::ChunkEnd,
                    left => Expected::ChunkData { left },
                };
                Ok(if data.is_empty() { None } else { Some(after) })
            }
            Expected::ChunkEnd => match line_end(bytes) {
                LineEnd::Partial => Ok(None),
                LineEnd::Bare(_) | LineEnd::Other(_) => Err(RequestError::ChunkEnd),
                LineEnd::Crlf(after) => {
                    self.expected = Expected::ChunkSize;
                    Ok(Some(after))
                }
            },
            Expected::Trailers => self.take_trailer(bytes),
            Expected::Nothing => Ok(None),
        }
    }

    /// `chunk-size [ chunk-ext ] CRLF`, where `chunk-size = 1*HEXDIG`
    fn take_size_line<'a>(
        &mut self,
        bytes: &'a [u8],
    ) -> Result<Option<(u64, &'a [u8])>, RequestError> {
        let (size, rest) = HEXDIG.take(bytes);
        if size.len() > limits::CHUNK_SIZE_DIGITS || (size.is_empty() && !rest.is_empty()) {
            return Err(RequestError::ChunkSize);
        }
        let (extensions, rest) = FIELD.take(rest);
        let total = self.extensions.saturating_add(extensions.len());
        if total > limits::CHUNK_EXTENSIONS {
            return Err(RequestError::ChunkExtensionsTooLong);
        }
        match line_end(rest) {
            LineEnd::Partial => Ok(None),
            LineEnd::Bare(octet) => Err(RequestError::LineEnd { octet }),
            LineEnd::Other(_) => Err(RequestError::ChunkExtension),
            LineEnd::Crlf(after) => {
                let size = digits::parse_hex(size).map_err(|_| RequestError::ChunkSize)?;
                check_extensions(extensions).ok_or(RequestError::ChunkExtension)?;
                self.extensions = total;
                Ok(Some((size, after)))
            }
        }
    }

    /// `trailer-section CRLF`, one line of it, where `trailer-section = *( field-line CRLF )`. Trailers
    /// are read by their grammar and dropped: merging them into the fields would let them change a
    /// framing already decided.
    fn take_trailer<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, RequestError> {
        let most = limits::TRAILERS.saturating_sub(self.trailers);
        let window = bytes.get(..most).unwrap_or(bytes);
        let after = match line_end(window) {
            LineEnd::Partial => None,
            LineEnd::Bare(octet) => return Err(RequestError::LineEnd { octet }),
            LineEnd::Crlf(after) => {
                self.expected = Expected::Nothing;
                Some(after)
            }
            LineEnd::Other(_) => take_field_line(window)?.map(|(_, after)| after),
        };
        let Some(after) = after else {
            let is_over = window.len() == most;
            return if is_over {
                Err(RequestError::TrailersTooLong)
            } else {
                Ok(None)
            };
        };
        let taken = window.len().saturating_sub(after.len());
        self.trailers = self.trailers.saturating_add(taken);
        Ok(bytes.get(taken..))
    }
}

/// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 7.1.1).
/// Extensions are ignored, but one that ends with white space, or is none, is how `5 5` gets read
/// as 5 by one server and 85 by another.
fn check_extensions(mut bytes: &[u8]) -> Option<()> {
    while !bytes.is_empty() {
        let (name, rest) = TCHAR.take(bws(bws(bytes).strip_prefix(b";")?));
        if name.is_empty() {
            return None;
        }
        bytes = match bws(rest).strip_prefix(b"=") {
            Some(value) => skip_extension_value(bws(value))?,
            None => rest,
        };
    }
    Some(())
}

/// `chunk-ext-val = token / quoted-string`
fn skip_extension_value(bytes: &[u8]) -> Option<&[u8]> {
    let Some(mut rest) = bytes.strip_prefix(b"\"") else {
        let (token, rest) = TCHAR.take(bytes);
        return if token.is_empty() { None } else { Some(rest) };
    };
    loop {
        rest = match QDTEXT.take(rest).1 {
            [b'"', after @ ..] => return Some(after),
            [b'\\', _, after @ ..] => after,
            _ => return None,
        };
    }
}

/// `BWS = OWS`, at the front only.
fn bws(bytes: &[u8]) -> &[u8] {
    take_while(bytes, |octet| matches!(octet, b' ' | b'\t')).1
}
