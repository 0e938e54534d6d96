//! The result of parsing a response head does not depend on the bytes after the head. Parsing a written response gives the
//! same status and content.

#![no_main]

use fuzz::{NOW, cuts};
use libfuzzer_sys::fuzz_target;
use wechat::http::{
    Chunked, Head, LogNote, Response, ResponseError, ResponseFraming, ResponseHead, Status, limits,
};

const REQUESTS: [&[u8]; 6] = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
];

/// Asserts that a part of a head is incomplete or has the same error as the whole head, and that bytes after the head do not
/// matter.
fn assert_one_meaning(bytes: &[u8], is_to_head: bool) {
    let whole = ResponseHead::parse(bytes, is_to_head);
    for cut in cuts(bytes) {
        let part = ResponseHead::parse(&bytes[..cut], is_to_head);
        assert!(part == Ok(None) || part == whole, "{cut}: {part:?}");
    }
    let is_http = b"HTTP/".starts_with(&bytes[..bytes.len().min(5)]);
    assert_eq!(is_http, whole != Err(ResponseError::NotHttp));
    match whole {
        Ok(None) => assert!(bytes.len() < limits::HEAD),
        Ok(Some((head, length))) => {
            assert!((100..=599).contains(&head.status) && !head.location.contains(&b'\r'));
            let alone = &bytes[..length];
            assert_eq!(ResponseHead::parse(alone, is_to_head), whole);
            let shorter = ResponseHead::parse(&alone[..length - 1], is_to_head);
            assert_eq!(shorter, Ok(None));
            let longer = [alone, b"\r\n\0"].concat();
            assert_eq!(ResponseHead::parse(&longer, is_to_head), whole);
        }
        Err(error) => {
            let reason = error.to_string();
            assert!(reason.bytes().all(|octet| matches!(octet, b' '..=b'~')));
        }
    }
}

/// Asserts that parsing the written response gives its status and content.
fn assert_arrives(response: &Response<'_>, content: &[u8], request: &[u8], is_refused: bool) {
    let (request, _) = Head::parse(request).unwrap().unwrap();
    let is_head = request.method.name() == "HEAD";
    let mut bytes = Vec::new();
    if is_refused {
        response.write_last_to(is_head, NOW, &mut bytes);
    } else {
        response.write_to(&request, NOW, &mut bytes);
    }
    assert_one_meaning(&bytes, is_head);
    let (head, length) = ResponseHead::parse(&bytes, is_head).unwrap().unwrap();
    assert_eq!(head.status.to_string(), response.status().code());
    let rest = &bytes[length..];
    match head.framing {
        ResponseFraming::None => assert!(is_head && rest.is_empty()),
        ResponseFraming::Length(length) => {
            assert_eq!(u64::try_from(rest.len()), Ok(length));
            assert_eq!(rest, content);
        }
        ResponseFraming::Chunked => {
            let (mut chunked, mut found) = (Chunked::default(), Vec::new());
            assert_eq!(chunked.take(rest, &mut found), Ok(rest.len()));
            assert!(chunked.is_done() && found == content);
        }
        ResponseFraming::Close => panic!("the response has no length"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    assert_one_meaning(bytes, false);
    assert_one_meaning(bytes, true);

    let reason = String::from_utf8_lossy(bytes).into_owned();
    let line = format!("{reason}\n");
    let note = LogNote { cause: "", reason: reason.into(), hint: "" };
    let rejection = Response::rejection(Status::MethodNotAllowed, note);
    let request = REQUESTS[bytes.len() % REQUESTS.len()];
    assert_arrives(&Response::text(bytes), bytes, request, false);
    assert_arrives(&Response::xml(bytes), bytes, request, false);
    assert_arrives(&rejection, line.as_bytes(), request, true);
});
