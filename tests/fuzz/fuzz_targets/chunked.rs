//! Chunked content is decoded to the same content, however its bytes are cut into pieces. Encoding the content again and
//! decoding it gives the same content.

#![no_main]

use fuzz::pieces;
use libfuzzer_sys::fuzz_target;
use wechat::http::{Chunked, RequestError, limits};

/// The result of decoding: the content, the number of bytes that were used, and whether the content is complete.
#[derive(Debug, PartialEq)]
struct Decoded {
    content: Vec<u8>,
    length: usize,
    is_done: bool,
}

/// Decodes content that arrives in these pieces, as a connection does.
fn decode<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Result<Decoded, RequestError> {
    let mut chunked = Chunked::default();
    let (mut bytes, mut content, mut length) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        bytes.extend_from_slice(piece);
        length += chunked.take(&bytes[length..], &mut content)?;
        assert!(content.len() <= limits::CONTENT);
    }
    Ok(Decoded { content, length, is_done: chunked.is_done() })
}

fuzz_target!(|bytes: &[u8]| {
    let whole = decode([bytes]);
    assert_eq!(decode(pieces(bytes)), whole);
    if bytes.len() < 256 {
        assert_eq!(decode(bytes.chunks(1)), whole);
    }
    let Ok(decoded) = &whole else {
        return;
    };
    assert!(decoded.content.len() <= decoded.length && decoded.length <= bytes.len());
    if !decoded.is_done {
        return;
    }
    let used = &bytes[..decoded.length];
    assert_eq!(decode([used]), whole);
    assert_eq!(decode([used, b"\r\n1\r\n".as_slice()]), whole);
    assert!(!decode([&used[..used.len() - 1]]).unwrap().is_done);

    let content = &decoded.content;
    let mut encoded = Vec::new();
    if !content.is_empty() {
        encoded.extend_from_slice(format!("{:X}\r\n", content.len()).as_bytes());
        encoded.extend_from_slice(content);
        encoded.extend_from_slice(b"\r\n");
    }
    encoded.extend_from_slice(b"0\r\n\r\n");
    let again = decode([encoded.as_slice()]).unwrap();
    assert!(again.is_done && again.content == *content);
});
