//! HTTP by fixture: what is accepted comes out as described, what is rejected has the status in its
//! name, and neither depends on how the bytes were cut on their way.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use wechat::http::{
    Chunked, Framing, Head, Persistence, RequestError, ResponseError, ResponseFraming,
    ResponseHead, Version, limits,
};

/// A request as a person would describe it, and how many bytes it took.
type Outcome = Result<Option<(String, usize)>, RequestError>;

/// Reads one request from bytes that arrive in pieces, the way a connection does.
fn read<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Outcome {
    let mut bytes = Vec::new();
    let mut chunked = Chunked::default();
    let (mut content, mut taken) = (Vec::new(), 0);
    for piece in pieces {
        bytes.extend_from_slice(piece);
        let Some((head, length)) = Head::parse(&bytes)? else {
            continue;
        };
        let behind = &bytes[length..];
        match head.framing {
            Framing::None => return Ok(Some((describe(&head, b""), length))),
            Framing::Length(count) if behind.len() >= count => {
                return Ok(Some((describe(&head, &behind[..count]), length + count)));
            }
            Framing::Length(_) => {}
            Framing::Chunked => {
                taken += chunked.take(&behind[taken..], &mut content)?;
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
    writeln!(text, "method {:?}", head.method).unwrap();
    writeln!(text, "path {}", head.target.path().escape_ascii()).unwrap();
    for (name, value) in head.target.query().parameters() {
        writeln!(
            text,
            "parameter {} = {}",
            name.escape_ascii(),
            value.escape_ascii()
        )
        .unwrap();
    }
    let version = if head.version == Version::Http10 {
        "1.0"
    } else {
        "1.1"
    };
    writeln!(text, "version {version}").unwrap();
    writeln!(text, "framing {:?}", head.framing).unwrap();
    writeln!(text, "connection {:?}", head.persistence).unwrap();
    if head.expects_continue {
        writeln!(text, "expects 100 Continue").unwrap();
    }
    writeln!(text, "content {}", content.escape_ascii()).unwrap();
    text
}

fn fixtures(folder: &str) -> Vec<(String, Vec<u8>, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/http")
        .join(folder);
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "http")
        })
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
                path,
            )
        })
        .collect();
    fixtures.sort();
    assert!(!fixtures.is_empty());
    fixtures
}

#[test]
fn accepted_requests_come_out_as_described() {
    for (name, bytes, path) in fixtures("accept") {
        let (description, length) = read([&bytes[..]])
            .unwrap()
            .unwrap_or_else(|| panic!("{name}: unfinished"));
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        assert_eq!(description, expected, "{name}");
        assert_eq!(length, bytes.len(), "{name}");
    }
}

#[test]
fn every_front_of_an_accepted_request_is_unfinished() {
    for (name, bytes, _) in fixtures("accept") {
        for end in 0..bytes.len() {
            assert_eq!(
                read([&bytes[..end]]),
                Ok(None),
                "{name}, its first {end} bytes"
            );
        }
    }
}

#[test]
fn accepted_requests_come_out_the_same_however_they_are_cut() {
    for (name, bytes, _) in fixtures("accept") {
        let whole = read([&bytes[..]]);
        for cut in 1..bytes.len() {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(read([front, back]), whole, "{name}, cut at {cut}");
        }
        if bytes.len() < 1024 {
            assert_eq!(read(bytes.chunks(1)), whole, "{name}, byte by byte");
        }
    }
}

#[test]
fn bytes_behind_an_accepted_request_stay() {
    for (name, bytes, _) in fixtures("accept") {
        for tail in [
            "G",
            "GET /next HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\n",
            "0\r\n\r\n",
            "\0",
        ] {
            let longer = [&bytes, tail.as_bytes()].concat();
            assert_eq!(
                read([&longer[..]]),
                read([&bytes[..]]),
                "{name}, then {tail:?}"
            );
        }
    }
}

#[test]
fn rejected_requests_get_the_status_in_their_name() {
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

#[test]
fn rejected_requests_are_rejected_alike_however_they_are_cut() {
    for (name, bytes, _) in fixtures("reject") {
        let whole = read([&bytes[..]]);
        // A piece that is too long as a whole may break another limit first when it is not.
        let step = if bytes.len() < 1024 { 1 } else { 997 };
        for cut in (1..bytes.len()).step_by(step) {
            let (front, back) = bytes.split_at(cut);
            assert_eq!(read([front, back]), whole, "{name}, cut at {cut}");
            let front = read([front]);
            assert!(
                front == Ok(None) || front == whole,
                "{name}, its first {cut} bytes: {front:?}"
            );
        }
        if bytes.len() < 1024 {
            assert_eq!(read(bytes.chunks(1)), whole, "{name}, byte by byte");
        }
    }
}

/// Feeds every sequence of up to `longest` words behind the opening, and sees to it that none
/// panics and that each has one meaning, whole or byte by byte.
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
fn every_short_sequence_of_a_nasty_vocabulary_is_one_head_or_none() {
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
    assert!(
        accepted > 100 && rejected > 1000,
        "{accepted} accepted, {rejected} rejected"
    );
    walk(b"", &words, 4);
}

#[test]
fn every_short_sequence_of_a_nasty_vocabulary_is_one_chunked_body_or_none() {
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
    assert!(
        accepted > 10 && rejected > 1000,
        "{accepted} accepted, {rejected} rejected"
    );
}

#[test]
fn mutated_fixtures_have_one_meaning_however_they_are_cut() {
    // xorshift64: the same mutations on every machine.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    const NASTY: [u8; 12] = [
        0, b'\r', b'\n', b' ', b'\t', b':', b';', b'0', b'f', b'%', 0x80, 0xFF,
    ];
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
            let (front, back) = mutant.split_at(cut);
            assert_eq!(
                read([front, back]),
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
fn what_never_ends_is_refused_at_its_limit() {
    let two_mebibytes = vec![b'a'; 2 * 1024 * 1024];
    assert_status(&[b"GET /", &two_mebibytes[..]].concat(), "414");
    assert_status(
        &[b"GET / HTTP/1.1\r\nX: ", &two_mebibytes[..]].concat(),
        "431",
    );
    assert_status(
        &[b"GET / HTTP/1.1\r\n", &b"a: b\r\n".repeat(250_000)[..]].concat(),
        "431",
    );
    let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_status(
        &[&chunked[..], &b"1\r\na\r\n".repeat(limits::CONTENT + 1)[..]].concat(),
        "413",
    );
}

#[test]
fn as_much_content_as_is_allowed_is_accepted() {
    let content = vec![b'a'; limits::CONTENT];
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        limits::CONTENT
    );
    assert!(read([head.as_bytes(), &content[..]]).unwrap().is_some());
    let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let one_by_one = [&b"1\r\na\r\n".repeat(limits::CONTENT)[..], b"0\r\n\r\n"].concat();
    assert!(read([&chunked[..], &one_by_one[..]]).unwrap().is_some());
}

#[test]
fn the_first_of_two_parameters_comes_first_and_a_semicolon_separates_nothing() {
    let bytes = b"GET /?a=1&a=2&b=3;c=4&&=5&d HTTP/1.1\r\nHost: a\r\n\r\n";
    let (head, _) = Head::parse(bytes).unwrap().unwrap();
    let parameters: Vec<_> = head
        .target
        .query()
        .parameters()
        .map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()))
        .collect();
    assert_eq!(parameters, ["a=1", "a=2", "b=3;c=4", "=5", "d="]);
    // A plus alone is undone in any of them, and an escape alone.
    for (query, expected) in [
        ("a=b+c&d=e", "b c,e"),
        ("a=b%2Bc&d=e", "b+c,e"),
        ("a=b&d=e%20+", "b,e  "),
    ] {
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

/// RFC 9112 4 and 6.3.
#[test]
fn a_response_says_how_its_content_ends() {
    use Persistence::{Close, Keep};
    let length = ResponseFraming::Length;
    assert_response("HTTP/1.1 200 OK\r\ncontent-length: 5", 200, length(5), Keep);
    assert_response(
        "HTTP/1.0 404 Not Found\r\nContent-Length:0",
        404,
        length(0),
        Close,
    );
    assert_response(
        "HTTP/1.0 200 \r\nConnection: Keep-Alive",
        200,
        ResponseFraming::Close,
        Keep,
    );
    assert_response(
        "HTTP/1.1 599 ä\r\nConnection: x, close",
        599,
        ResponseFraming::Close,
        Close,
    );
    assert_response(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked",
        200,
        ResponseFraming::Chunked,
        Keep,
    );
    // The reason phrase may be missing, and the space in front of it by custom.
    assert_response("HTTP/1.1 200\r\nContent-Length: 1", 200, length(1), Keep);
    // Some have no content, whatever they say.
    for status in [100, 199, 204, 304] {
        let text = format!("HTTP/1.1 {status} x\r\nContent-Length: 5");
        assert_response(&text, status, ResponseFraming::None, Keep);
    }
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLocation:  /a \r\n\r\n";
    let (head, _) = ResponseHead::parse(answer, true).unwrap().unwrap();
    assert_eq!(
        (head.framing, head.location),
        (ResponseFraming::None, &b"/a"[..])
    );
}

#[test]
fn a_response_that_breaks_a_rule_is_refused_for_it() {
    let error = |text: &str| ResponseHead::parse(text.as_bytes(), false).unwrap_err();
    for text in [
        "\r\nHTTP/1.1 200 OK\r\n",
        "http/1.1 200",
        "<html>",
        "I",
        "HTTX",
    ] {
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
    assert_eq!(
        shared("HTTP/1.1 200 OK\n"),
        RequestError::LineEnd { octet: b'\n' }
    );
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
    assert_eq!(
        field("Transfer-Encoding: gzip, chunked"),
        RequestError::TransferCoding
    );
    assert_eq!(
        field("Transfer-Encoding: gzip"),
        RequestError::TransferEncoding
    );
    assert_eq!(field("A : b"), RequestError::FieldName { octet: b' ' });
    assert_eq!(field("A: b\0"), RequestError::FieldValue { octet: 0 });
    assert_eq!(
        field(&"a: b\r\n".repeat(101)),
        RequestError::TooManyFieldLines
    );
    assert_eq!(
        shared("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        RequestError::TransferEncodingInHttp10
    );
    let long = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(limits::HEAD));
    assert_eq!(shared(&long), RequestError::HeadTooLong);
}
