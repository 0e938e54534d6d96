//! A second implementation of the RFC accepts and refuses the same request targets, and decodes their queries to the same
//! parameters. Cutting a query at a separator does not change its parameters.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wechat::http::{Head, Target, Url, limits};

type Parameters = Vec<(Vec<u8>, Vec<u8>)>;

/// Whether the bytes are a valid target by RFC 3986 3.3 and 3.4, checked octet by octet.
fn is_origin_form(bytes: &[u8]) -> bool {
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_allowed = |(at, octet): (usize, &u8)| match octet {
        b'%' => is_hex(at + 1) && is_hex(at + 2),
        _ => octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(octet),
    };
    matches!(bytes, [] | [b'/' | b'?', ..]) && bytes.iter().enumerate().all(is_allowed)
}

fn decode(text: &[u8], plus: u8) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = || str::from_utf8(&text[at + 1..at + 3]).unwrap();
        let (octet, taken) = match text[at] {
            b'%' => (u8::from_str_radix(digits(), 16).unwrap(), 3),
            b'+' => (plus, 1),
            octet => (octet, 1),
        };
        decoded.push(octet);
        at += taken;
    }
    decoded
}

/// The parameters of a query, by the second implementation.
fn decode_query(query: &[u8]) -> Parameters {
    let mut parameters = Vec::new();
    for part in query.split(|octet| *octet == b'&') {
        let mut sides = part.splitn(2, |octet| *octet == b'=');
        let (name, value) = (sides.next().unwrap(), sides.next().unwrap_or(b""));
        if !part.is_empty() {
            parameters.push((decode(name, b' '), decode(value, b' ')));
        }
    }
    parameters
}

/// The parameters of a target, by the tested implementation.
fn parameters(target: &Target<'_>) -> Parameters {
    let parameters = target.query().parameters();
    parameters.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(target) = Target::parse_origin(bytes) else {
        assert!(!is_origin_form(bytes));
        return;
    };
    assert!(is_origin_form(bytes));
    let mut parts = bytes.splitn(2, |octet| *octet == b'?');
    let (path, query) = (parts.next().unwrap(), parts.next().unwrap_or(b""));
    let path = if path.is_empty() { b"/" } else { path };
    assert_eq!(target.path(), path);
    assert_eq!(*target.decoded_path(), *decode(path, b'+'));
    let found = parameters(&target);
    assert_eq!(found, decode_query(query));

    // If a query is cut at a separator, the parameters of its two parts together are the parameters of the query.
    let parse = |part: &[u8]| parameters(&Target::parse_origin(&[b"/?", part].concat()).unwrap());
    let separators = (0..query.len()).filter(|at| query[*at] == b'&');
    for at in separators.take(8) {
        assert_eq!([parse(&query[..at]), parse(&query[at..])].concat(), found);
    }
    // Parsing the target in a request line gives the same target.
    let request = [b"GET ", bytes, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    match Head::parse(&request) {
        Ok(Some((head, _))) => assert_eq!(head.target, target),
        refused => assert!(bytes.len() > limits::TARGET || !bytes.starts_with(b"/"), "{refused:?}"),
    }
    // Adding a parameter to a URL keeps the other parameters, and the added parameter is the last.
    let url = Url::parse(&format!("http://a{}", str::from_utf8(bytes).unwrap())).unwrap();
    let signed = url.target_with("x=%26");
    let signed = parameters(&Target::parse_origin(signed.as_bytes()).unwrap());
    assert_eq!(signed.split_last(), Some((&(b"x".to_vec(), b"&".to_vec()), &found[..])));
});
