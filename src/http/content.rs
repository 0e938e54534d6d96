//! The message body: its framing (RFC 9112 6) and the decoder of the chunked coding (RFC 9112 7.1).

use super::error::RequestError;
use super::fields::take_field_line;
use super::grammar::{
    Stop, TCHAR, Taken, take_field_content, take_line_end, take_quoted_text, take_while,
};
use super::limits;
use crate::text::digits;

/// How the message body of a request ends (RFC 9112 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body, because the request has neither Content-Length nor Transfer-Encoding.
    None,
    /// The body ends after this number of bytes, at most [`limits::CONTENT`].
    Length(usize),
    /// The body ends after the last chunk and the trailer section.
    Chunked,
}

/// Decodes a chunked message body as its bytes arrive (RFC 9112 7.1).
///
/// ```text
/// chunked-body = *chunk last-chunk trailer-section CRLF
/// ```
/// The limits of content, extensions and trailers are checked while the bytes arrive. No memory is allocated for a
/// declared size.
#[derive(Debug, Default)]
pub struct Chunked {
    expected: Expected,
    /// Sum of all chunk sizes so far.
    length: usize,
    /// Bytes of all extensions so far.
    extensions: usize,
    /// Bytes of the trailer section so far.
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

    /// Takes as much of the body as possible from the start of `bytes`, appends the decoded content to `content`, and
    /// returns the number of bytes taken. Pass the remaining bytes again when more bytes have arrived. After the end of
    /// the body, the remaining bytes belong to the next message.
    ///
    /// # Errors
    /// The first broken rule, even in an incomplete element.
    pub fn take(&mut self, bytes: &[u8], content: &mut Vec<u8>) -> Result<usize, RequestError> {
        let mut rest = bytes;
        loop {
            match self.step(rest, content) {
                Ok(after) => rest = after,
                Err(Stop::Incomplete) => return Ok(bytes.len() - rest.len()),
                Err(Stop::Error(error)) => return Err(error),
            }
        }
    }

    /// Takes one element, or the available part of the chunk data, and returns the bytes after it. `Stop::Incomplete`
    /// means that the bytes contain no complete element, or that the body has ended.
    fn step<'a>(&mut self, bytes: &'a [u8], content: &mut Vec<u8>) -> Result<&'a [u8], Stop> {
        match self.expected {
            Expected::ChunkSize => {
                let (size, after) = self.take_size_line(bytes)?;
                let left = usize::try_from(size).ok();
                let Some(left) = left.filter(|left| *left <= limits::CONTENT - self.length) else {
                    // The size is input and may be close to 2^64.
                    let length = size.saturating_add(self.length as u64);
                    return Err(RequestError::ContentTooLong { length }.into());
                };
                self.length += left;
                self.expected = match left {
                    0 => Expected::Trailers,
                    left => Expected::ChunkData { left },
                };
                Ok(after)
            }
            Expected::ChunkData { .. } if bytes.is_empty() => Err(Stop::Incomplete),
            Expected::ChunkData { left } => {
                let (data, after) = bytes.split_at(left.min(bytes.len()));
                content.extend_from_slice(data);
                self.expected = match left - data.len() {
                    0 => Expected::ChunkEnd,
                    left => Expected::ChunkData { left },
                };
                Ok(after)
            }
            Expected::ChunkEnd => match bytes {
                [] | [b'\r'] => Err(Stop::Incomplete),
                [b'\r', b'\n', after @ ..] => {
                    self.expected = Expected::ChunkSize;
                    Ok(after)
                }
                _ => Err(RequestError::ChunkEnd.into()),
            },
            Expected::Trailers => self.take_trailer(bytes),
            Expected::Nothing => Err(Stop::Incomplete),
        }
    }

    /// `chunk-size [ chunk-ext ] CRLF`, where `chunk-size = 1*HEXDIG`
    fn take_size_line<'a>(&mut self, bytes: &'a [u8]) -> Taken<'a, u64> {
        let (size, rest) = take_while(bytes, |octet| octet.is_ascii_hexdigit());
        if size.len() > limits::CHUNK_SIZE_DIGITS || (size.is_empty() && !rest.is_empty()) {
            return Err(RequestError::ChunkSize.into());
        }
        let (extensions, rest) = take_field_content(rest);
        if self.extensions + extensions.len() > limits::CHUNK_EXTENSIONS {
            return Err(RequestError::ChunkExtensionsTooLong.into());
        }
        let after = take_line_end(rest)?.ok_or(RequestError::ChunkExtension)?;
        let size = digits::parse_hex(size).map_err(|_| RequestError::ChunkSize)?;
        check_extensions(extensions).ok_or(RequestError::ChunkExtension)?;
        self.extensions += extensions.len();
        Ok((size, after))
    }

    /// Takes one line of `trailer-section CRLF`, where `trailer-section = *( field-line CRLF )`. Trailers are checked
    /// against the grammar and dropped. If they were added to the fields, they could change the framing after it was
    /// decided.
    fn take_trailer<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Stop> {
        let max = limits::TRAILERS - self.trailers;
        let window = bytes.get(..max).unwrap_or(bytes);
        let taken = take_line_end(window).and_then(|end| match end {
            Some(rest) => Ok((Expected::Nothing, rest)),
            None => take_field_line(window).map(|(_, rest)| (Expected::Trailers, rest)),
        });
        match taken {
            Ok((expected, rest)) => {
                let length = window.len() - rest.len();
                self.expected = expected;
                self.trailers += length;
                Ok(&bytes[length..])
            }
            Err(Stop::Incomplete) if window.len() == max => {
                Err(RequestError::TrailersTooLong.into())
            }
            Err(stop) => Err(stop),
        }
    }
}

/// Checks `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 7.1.1). Extensions are
/// ignored, but must be valid, because servers read an invalid line differently. For example, one server reads the
/// chunk-size `5 5` as 5, another server as 0x55.
fn check_extensions(mut bytes: &[u8]) -> Option<()> {
    while !bytes.is_empty() {
        let after_semicolon = skip_whitespace(bytes).strip_prefix(b";")?;
        let (name, rest) = TCHAR.take(skip_whitespace(after_semicolon));
        if name.is_empty() {
            return None;
        }
        bytes = match skip_whitespace(rest).strip_prefix(b"=") {
            Some(value) => skip_extension_value(skip_whitespace(value))?,
            None => rest,
        };
    }
    Some(())
}

/// `chunk-ext-val = token / quoted-string`
fn skip_extension_value(bytes: &[u8]) -> Option<&[u8]> {
    let Some(mut rest) = bytes.strip_prefix(b"\"") else {
        let (token, rest) = TCHAR.take(bytes);
        return (!token.is_empty()).then_some(rest);
    };
    loop {
        rest = match take_quoted_text(rest).1 {
            [b'"', after @ ..] => return Some(after),
            [b'\\', _, after @ ..] => after,
            _ => return None,
        };
    }
}

/// `BWS = *( SP / HTAB )`
fn skip_whitespace(bytes: &[u8]) -> &[u8] {
    take_while(bytes, |octet| matches!(octet, b' ' | b'\t')).1
}
