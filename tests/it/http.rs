//! Tests the HTTP parsers with fixtures. An accepted request has a file with its description. The file name of a
//! rejected request begins with its status. The results must not depend on how the bytes are split into reads.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use wechat::http::{
    Chunked, Framing, Head, Method, Persistence, RequestError, ResponseError, ResponseFraming,
    ResponseHead, Version, limits,
};

/// The description of a request, and its length in bytes.
type Outcome = Result<Option<(String, usize)>, RequestError>;

/// Reads one request from bytes that arrive in pieces, as a connection does.
fn read<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Outcome {
    let mut bytes = Vec::new();
    let mut chunked = Chunked::default();
    let (mut content, mut taken) = (Vec::new(), 0);
    for piece in pieces {
        bytes.extend_from_slice(piece);
        let Some((head, length)) = Head::parse(&bytes)? else {
            continue;
        };
        let received = &bytes[length..];
        match head.framing {
            Framing::None => return Ok(Some((describe(&head, b""), length))),
            Framing::Length(count) if received.len() >= count => {
                return Ok(Some((describe(&head, &received[..count]), length + count)));
            }
            Framing::Length(_) => {}
            Framing::Chunked => {
                taken += chunked.take(&received[taken..], &mut content)?;
                if chunked.is_done() {
                    return Ok(Some((describe(&head, &content), length + taken)));
                }
            }
        }
    }
    Ok(None)
}

fn describe(head: &Head<'_>, content: &[u8]) -> String {
    let mut text = String::new();
    let method = match head.method {
        Method::Get => "Get",
        Method::Head => "Head",
        Method::Post => "Post",
        Method::Other => "Other",
    };
    writeln!(text, "method {method}").unwrap();
    writeln!(text, "path {}", head.target.path().escape_ascii()).unwrap();
    for (name, value) in head.target.query().parameters() {
        writeln!(text, "parameter {} = {}", name.escape_ascii(), value.escape_ascii()).unwrap();
    }
    let version = if head.version == Version::Http10 { "1.0" } else { "1.1" };
    writeln!(text, "version {version}").unwrap();
    match head.framing {
        Framing::None => writeln!(text, "framing None").unwrap(),
        Framing::Length(length) => writeln!(text, "framing Length({length})").unwrap(),
        Framing::Chunked => writeln!(text, "framing Chunked").unwrap(),
    }
    let connection = match head.persistence {
        Persistence::Keep => "Keep",
        Persistence::Close => "Close",
    };
    writeln!(text, "connection {connection}").unwrap();
    if head.expects_continue {
        writeln!(text, "expects 100 Continue").unwrap();
    }
    writeln!(text, "content {}", content.escape_ascii()).unwrap();
    text
}

fn fixtures(folder: &str) -> Vec<(String, Vec<u8>, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/http").join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "http"))
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap(), path)
        })
        .collect();
    fixtures.sort();
    assert!(!fixtures.is_empty());
    fixtures
}

#[test]
fn parses_accepted_requests_as_described() {
    for (name, bytes, path) in fixtures("accept") {
        let (description, length) =
            read([&bytes[..]]).unwrap().unwrap_or_else(|| panic!("{name}: incomplete"));
        let expected = fs::read_to_string(path.with_extension("txt"));
        let expected = expected.unwrap_or_else(|error| panic!("description of {name}: {error}"));
        assert_eq!(description, expected, "{name}");
        assert_eq!(length, bytes.len(), "{name}");
    }
}

#[test]
fn every_prefix_of_an_accepted_request_is_incomplete() {
    for (name, bytes, _) in fixtures("accept") {
        for end in 0..bytes.len() {
            assert_eq!(read([&bytes[..end]]), Ok(None), "{name}, its first {end} bytes");
        }
    }
}

#[test]
fn parses_accepted_requests_alike_at_every_cut() {
    for (name, bytes, _) in fixtures("accept") {
        let whole = read([&bytes[..]]);
        for cut in 1..bytes.len() {
            let (first, rest) = bytes.split_at(cut);
            assert_eq!(read([first, rest]), whole, "{name}, cut at {cut}");
        }
        if bytes.len() < 1024 {
            assert_eq!(read(bytes.chunks(1)), whole, "{name}, byte by byte");
        }
    }
}

#[test]
fn takes_no_bytes_after_an_accepted_request() {
    for (name, bytes, _) in fixtures("accept") {
        for tail in ["G", "GET /next HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n", "0\r\n\r\n", "\0"] {
            let longer = [&bytes, tail.as_bytes()].concat();
            assert_eq!(read([&longer[..]]), read([&bytes[..]]), "{name}, then {tail:?}");
        }
    }
}

#[test]
fn rejected_requests_get_the_status_in_their_file_name() {
    for (name, bytes, _) in fixtures("reject") {
        let error = read([&bytes[..]]).expect_err(&name);
        assert_eq!(error.status().code(), &name[..3], "{name}: {error}");
        for character in error.to_string().chars() {
            assert!(
                character == ' ' || character.is_ascii_graphic(),
                "{name}: {error:?} holds foreign bytes"
            );
        }
    }
}

/// The cause words are stable. The texts say what is wrong, then what is allowed.
#[test]
fn rejected_requests_have_a_cause_and_a_sentence() {
    let post = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
    let cases = [
        (
            "G\0T / HTTP/1.1\r\n".to_owned(),
            "bad-method",
            "method: invalid '\\x00'; expected a token and one space",
        ),
        (
            "GET x HTTP/1.1\r\n".to_owned(),
            "bad-target",
            "request target: expected /path or http://host/path",
        ),
        (
            "GET / HTTP/2.0\r\n".to_owned(),
            "version-not-supported",
            "HTTP version: HTTP/2.0 is not supported; expected HTTP/1.0 or HTTP/1.1",
        ),
        (
            "GET / HTTP/1.1\r\nA : b".to_owned(),
            "bad-field-name",
            "field name: invalid space; expected a token and a colon",
        ),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "bad-host", "Host: missing"),
        (
            post("Content-Length: +5"),
            "bad-content-length",
            "Content-Length: expected a decimal number",
        ),
        (
            post("Content-Length: 65537"),
            "content-too-long",
            "content: 65537 bytes, at most 65536 allowed",
        ),
        (
            post("Content-Length: 18446744073709551621"),
            "content-too-long",
            "Content-Length: more than 64 bits, at most 65536 bytes allowed",
        ),
        (post("A: b"), "length-required", "Content-Length: missing"),
        (
            post("Transfer-Encoding: gzip, chunked"),
            "bad-transfer-encoding",
            "Transfer-Encoding: only chunked is supported",
        ),
    ];
    for (bytes, cause, sentence) in cases {
        let error = read([bytes.as_bytes()]).unwrap_err();
        assert_eq!((error.cause(), &*error.to_string()), (cause, sentence));
    }
}

#[test]
fn rejects_requests_alike_at_every_cut() {
    for (name, bytes, _) in fixtures("reject") {
        let whole = read([&bytes[..]]);
        // A long request may exceed another limit first when it is cut.
        let step = if bytes.len() < 1024 { 1 } else { 997 };
        for cut in (1..bytes.len()).step_by(step) {
            let (first, rest) = bytes.split_at(cut);
            assert_eq!(read([first, rest]), whole, "{name}, cut at {cut}");
            let prefix = read([first]);
            assert!(
                prefix == Ok(None) || prefix == whole,
                "{name}, its first {cut} bytes: {prefix:?}"
            );
        }
        if bytes.len() < 1024 {
            assert_eq!(read(bytes.chunks(1)), whole, "{name}, byte by byte");
        }
    }
}

/// Parses the opening followed by each sequence of up to `longest` words. Asserts that the result is the same when all
/// bytes arrive at once and when they arrive byte by byte. Returns how many requests were accepted and how many were
/// rejected.
fn walk(opening: &[u8], words: &[&[u8]], longest: usize) -> (usize, usize) {
    let (mut accepted, mut rejected) = (0, 0);
    for length in 0..=longest {
        for number in 0..words.len().pow(u32::try_from(length).unwrap()) {
            let mut bytes = opening.to_vec();
            let mut rest = number;
            for _ in 0..length {
                bytes.extend_from_slice(words[rest % words.len()]);
                rest /= words.len();
            }
            let whole = read([&bytes[..]]);
            assert_eq!(read(bytes.chunks(1)), whole, "{}", bytes.escape_ascii());
            match whole {
                Ok(Some(_)) => accepted += 1,
                Ok(None) => {}
                Err(_) => rejected += 1,
            }
        }
    }
    (accepted, rejected)
}

#[test]
fn short_sequences_of_head_elements_have_one_meaning() {
    let words: [&[u8]; 11] = [
        b"\r\n",
        b"\n",
        b" ",
        b":",
        b"GET / HTTP/1.1",
        b"Host: a",
        b"Content-Length: 1",
        b"Transfer-Encoding: chunked",
        b"\t",
        b"\0",
        b"X",
    ];
    let (accepted, rejected) = walk(b"GET / HTTP/1.1\r\nHost: a\r\n", &words, 4);
    assert!(accepted > 100 && rejected > 1000, "{accepted} accepted, {rejected} rejected");
    walk(b"", &words, 4);
}

#[test]
fn short_sequences_of_chunk_elements_have_one_meaning() {
    let opening = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let words: [&[u8]; 10] = [
        b"\r\n",
        b"\n",
        b"\r",
        b"0",
        b"1",
        b";a=\"b\"",
        b" ",
        b"x",
        b"ffffffffffffffff",
        b"X: y\r\n",
    ];
    let (accepted, rejected) = walk(opening, &words, 5);
    assert!(accepted > 10 && rejected > 1000, "{accepted} accepted, {rejected} rejected");
}

#[test]
fn mutated_fixtures_have_one_meaning_at_every_cut() {
    // xorshift64: the same mutations in every run.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    const NASTY: [u8; 12] =
        [0, b'\r', b'\n', b' ', b'\t', b':', b';', b'0', b'f', b'%', 0x80, 0xFF];
    for (name, bytes, _) in fixtures("accept").into_iter().chain(fixtures("reject")) {
        if bytes.len() > 1024 {
            continue;
        }
        for _ in 0..200 {
            let mut mutant = bytes.clone();
            for _ in 0..=random(3) {
                let at = random(mutant.len());
                match random(3) {
                    0 => mutant[at] = NASTY[random(NASTY.len())],
                    1 => mutant.insert(at, NASTY[random(NASTY.len())]),
                    _ => drop(mutant.remove(at)),
                }
            }
            let cut = random(mutant.len());
            let (first, rest) = mutant.split_at(cut);
            assert_eq!(
                read([first, rest]),
                read([&mutant[..]]),
                "{name}: {}",
                mutant.escape_ascii()
            );
        }
    }
}

#[track_caller]
fn assert_status(bytes: &[u8], status: &str) {
    assert_eq!(read([bytes]).unwrap_err().status().code(), status);
}

#[test]
fn refuses_endless_elements_at_their_limit() {
    let two_mebibytes = vec![b'a'; 2 * 1024 * 1024];
    assert_status(&[b"GET /", &two_mebibytes[..]].concat(), "414");
    assert_status(&[b"GET / HTTP/1.1\r\nX: ", &two_mebibytes[..]].concat(), "431");
    assert_status(&[b"GET / HTTP/1.1\r\n", &b"a: b\r\n".repeat(250_000)[..]].concat(), "431");
    let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_status(&[&chunked[..], &b"1\r\na\r\n".repeat(limits::CONTENT + 1)[..]].concat(), "413");
}

#[test]
fn a_target_that_is_too_long_gets_414_even_if_it_is_invalid() {
    let fill = |length: usize| "a".repeat(length);
    for invalid in ["\0", "é", "%", "%g1", "\"", "\t"] {
        for (before, after) in
            [(0, limits::TARGET), (limits::TARGET - 10, 20), (9, 3 * limits::TARGET)]
        {
            for end in ["", " HTTP/1.1\r\n", "\r\n", "\n"] {
                let text = format!("GET /{}{invalid}{}{end}", fill(before), fill(after));
                assert_status(text.as_bytes(), "414");
                let pieces = text.as_bytes().chunks(1000);
                assert_eq!(read(pieces), Err(RequestError::TargetTooLong), "{invalid:?}");
            }
        }
        for end in [" ", "\r", "\n"] {
            let length = limits::TARGET - 1 - invalid.len();
            assert_status(format!("GET /{}{invalid}{end}aa", fill(length)).as_bytes(), "400");
        }
        let longer = format!("GET /{}{invalid} HTTP", fill(limits::TARGET - invalid.len()));
        assert_status(longer.as_bytes(), "414");
        assert_eq!(read([format!("GET /{invalid}a").as_bytes()]), Ok(None), "the end is unknown");
    }
}

#[test]
fn accepts_content_of_the_maximum_length() {
    let content = vec![b'a'; limits::CONTENT];
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", limits::CONTENT);
    assert!(read([head.as_bytes(), &content[..]]).unwrap().is_some());
    let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let one_by_one = [&b"1\r\na\r\n".repeat(limits::CONTENT)[..], b"0\r\n\r\n"].concat();
    assert!(read([&chunked[..], &one_by_one[..]]).unwrap().is_some());
}

#[test]
fn parameters_keep_their_order_and_only_an_ampersand_separates_them() {
    let bytes = b"GET /?a=1&a=2&b=3;c=4&&=5&d HTTP/1.1\r\nHost: a\r\n\r\n";
    let (head, _) = Head::parse(bytes).unwrap().unwrap();
    let parameters: Vec<_> = head
        .target
        .query()
        .parameters()
        .map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()))
        .collect();
    assert_eq!(parameters, ["a=1", "a=2", "b=3;c=4", "=5", "d="]);
    // A plus alone and an escape alone are decoded.
    for (query, expected) in
        [("a=b+c&d=e", "b c,e"), ("a=b%2Bc&d=e", "b+c,e"), ("a=b&d=e%20+", "b,e  ")]
    {
        let bytes = format!("GET /?{query} HTTP/1.1\r\nHost: a\r\n\r\n");
        let (head, _) = Head::parse(bytes.as_bytes()).unwrap().unwrap();
        let parameters = head.target.query().parameters();
        let values: Vec<_> = parameters.map(|(_, value)| value.into_owned()).collect();
        assert_eq!(values.join(&b','), expected.as_bytes(), "{query}");
    }
}

#[track_caller]
fn assert_response(text: &str, status: u16, framing: ResponseFraming, persistence: Persistence) {
    let bytes = format!("{text}\r\n\r\n").into_bytes();
    for end in 0..bytes.len() {
        assert_eq!(ResponseHead::parse(&bytes[..end], false), Ok(None), "{end}");
    }
    let (head, length) = ResponseHead::parse(&bytes, false).unwrap().unwrap();
    assert_eq!(
        (head.status, head.framing, head.persistence, length),
        (status, framing, persistence, bytes.len())
    );
    let more = [&bytes, b"HTTP/1.1 200 OK\r\n\r\n".as_slice()].concat();
    assert_eq!(ResponseHead::parse(&more, false), Ok(Some((head, length))));
}

/// See RFC 9112 4 and 6.3.
#[test]
fn parses_how_the_content_of_a_response_ends() {
    use Persistence::{Close, Keep};
    let length = ResponseFraming::Length;
    assert_response("HTTP/1.1 200 OK\r\ncontent-length: 5", 200, length(5), Keep);
    assert_response("HTTP/1.0 404 Not Found\r\nContent-Length:0", 404, length(0), Close);
    assert_response("HTTP/1.0 200 \r\nConnection: Keep-Alive", 200, ResponseFraming::Close, Keep);
    assert_response("HTTP/1.1 599 ä\r\nConnection: x, close", 599, ResponseFraming::Close, Close);
    assert_response(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked",
        200,
        ResponseFraming::Chunked,
        Keep,
    );
    // The reason phrase may be missing, and, in practice, the space before it.
    assert_response("HTTP/1.1 200\r\nContent-Length: 1", 200, length(1), Keep);
    // Some responses have no content, whatever their fields declare.
    for status in [100, 199, 204, 304] {
        let text = format!("HTTP/1.1 {status} x\r\nContent-Length: 5");
        assert_response(&text, status, ResponseFraming::None, Keep);
    }
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLocation:  /a \r\n\r\n";
    let (head, _) = ResponseHead::parse(answer, true).unwrap().unwrap();
    assert_eq!((head.framing, head.location), (ResponseFraming::None, &b"/a"[..]));
}

#[test]
fn refuses_a_response_with_the_broken_rule() {
    let error = |text: &str| ResponseHead::parse(text.as_bytes(), false).unwrap_err();
    for text in ["\r\nHTTP/1.1 200 OK\r\n", "http/1.1 200", "<html>", "I", "HTTX"] {
        assert_eq!(error(text), ResponseError::NotHttp, "{text}");
    }
    for text in [
        "HTTP/1.1\r\n",
        "HTTP/1.1 20 OK\r\n",
        "HTTP/1.1 2000 OK\r\n",
        "HTTP/1.1 600 x\r\n",
        "HTTP/1.1 200x\r\n",
        "HTTP/1.1  200 OK\r\n",
        "HTTP/1.1 200 O\0\r\n",
        "HTTP/1.1\t200 OK\r\n",
    ] {
        assert_eq!(error(text), ResponseError::StatusLine, "{text}");
    }
    let shared = |text: &str| {
        let ResponseError::Shared(error) = error(text) else {
            panic!("{text}");
        };
        error
    };
    assert_eq!(shared("HTTP/1 200 OK\r\n"), RequestError::Version);
    assert_eq!(
        shared("HTTP/2.0 200 OK\r\n"),
        RequestError::VersionNotSupported { major: 2, minor: 0 }
    );
    assert_eq!(shared("HTTP/1.1 200 OK\n"), RequestError::LineEnd { octet: b'\n' });
    let field = |lines: &str| shared(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n"));
    assert_eq!(field("Content-Length: +1"), RequestError::ContentLength);
    assert_eq!(
        field("Content-Length: 1\r\nContent-Length: 1"),
        RequestError::ContentLengthRepeated
    );
    assert_eq!(
        field("Content-Length: 1\r\nTransfer-Encoding: chunked"),
        RequestError::TransferEncodingWithLength
    );
    assert_eq!(field("Transfer-Encoding: gzip, chunked"), RequestError::TransferCoding);
    assert_eq!(field("Transfer-Encoding: gzip"), RequestError::TransferEncoding);
    assert_eq!(field("A : b"), RequestError::FieldName { octet: b' ' });
    assert_eq!(field("A: b\0"), RequestError::FieldValue { octet: 0 });
    assert_eq!(field(&"a: b\r\n".repeat(101)), RequestError::TooManyFieldLines);
    assert_eq!(
        shared("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        RequestError::TransferEncodingInHttp10
    );
    let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(limits::HEAD));
    assert_eq!(shared(&long), RequestError::HeadTooLong);
}
