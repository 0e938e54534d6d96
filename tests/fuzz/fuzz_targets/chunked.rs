//! Chunked content is decoded alike however its bytes are cut into pieces, and encoding it again gives the same content.

#![no_main]

use fuzz::pieces;
use libfuzzer_sys::fuzz_target;
use wechat::http::{Chunked, RequestError, limits};

#[derive(Debug, PartialEq)]
struct Taken {
    content: Vec<u8>,
    length: usize,
    is_done: bool,
}

/// Decodes content that arrives in these pieces, as a connection does.
fn take<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Result<Taken, RequestError> {
    let mut chunked = Chunked::default();
    let (mut bytes, mut content, mut length) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        bytes.extend_from_slice(piece);
        length += chunked.take(&bytes[length..], &mut content)?;
        assert!(content.len() <= limits::CONTENT);
    }
    Ok(Taken { content, length, is_done: chunked.is_done() })
}

fuzz_target!(|bytes: &[u8]| {
    let whole = take([bytes]);
    assert_eq!(take(pieces(bytes)), whole);
    if bytes.len() < 256 {
        assert_eq!(take(bytes.chunks(1)), whole);
    }
    let Ok(taken) = &whole else {
        return;
    };
    assert!(taken.content.len() <= taken.length && taken.length <= bytes.len());
    if !taken.is_done {
        return;
    }
    let alone = &bytes[..taken.length];
    assert_eq!(take([alone]), whole);
    assert_eq!(take([alone, b"\r\n1\r\n".as_slice()]), whole);
    assert!(!take([&alone[..alone.len() - 1]]).unwrap().is_done);

    let content = &taken.content;
    let mut again = Vec::new();
    if !content.is_empty() {
        again.extend_from_slice(format!("{:X}\r\n", content.len()).as_bytes());
        again.extend_from_slice(content);
        again.extend_from_slice(b"\r\n");
    }
    again.extend_from_slice(b"0\r\n\r\n");
    let again = take([again.as_slice()]).unwrap();
    assert!(again.is_done && again.content == *content);
});
