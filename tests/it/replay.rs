//! `wechat replay`: compares answers with captured responses byte by byte, and shows the differences.

use std::fs;

use crate::support::tools::*;
use crate::support::*;

#[test]
fn replays_a_folder_of_captures() {
    let program = captured_account();
    let folder = captures();
    let output = run(program.address, &["replay", &folder]);
    let lines: Vec<&str> = output.out.lines().collect();
    assert_eq!((lines.len(), output.code, output.err.as_str()), (2, 0, ""));
    for (line, name) in lines.iter().zip(["text-message", "token-check"]) {
        let expected = format!("ok: {folder}/{name}.request: as captured, after ");
        assert!(line.starts_with(&expected), "{line}");
    }
}

#[test]
fn shows_a_single_changed_byte() {
    let program = captured_account();
    let original = format!("{}/text-message", captures());
    let folder = folder("flipped");
    let request = fs::read(format!("{original}.request")).unwrap();
    let response = fs::read(format!("{original}.response")).unwrap();
    fs::write(folder.join("a.request"), request).unwrap();
    let path = folder.join("a.request").to_str().unwrap().to_owned();
    let text = String::from_utf8(response.clone()).unwrap();
    // The value of Date and the digits of CreateTime may differ.
    let dated = |name: &str, length: usize| {
        let at = text.find(name).unwrap() + name.len();
        at..at + length
    };
    let (date, create_time) = (dated("Date: ", 29), dated("<CreateTime>", 10));
    for at in 0..response.len() {
        let mut flipped = response.clone();
        flipped[at] ^= 1;
        if date.contains(&at) || create_time.contains(&at) {
            // If the lowest bit of a digit is flipped, the result is a digit.
            fs::write(folder.join("a.response"), &flipped).unwrap();
            assert_eq!(run(program.address, &["replay", &path]).code, 0, "{at}");
        } else if at % 7 == 0 {
            fs::write(folder.join("a.response"), &flipped).unwrap();
            let output = run(program.address, &["replay", &path]);
            assert_eq!(output.code, 1, "{at}");
            let shown = |octet: u8| format!("'{}' (0x{octet:02x})", octet.escape_ascii());
            let line = format!(
                "  byte {}: captured {}, received {}\n",
                at + 1,
                shown(flipped[at]),
                shown(response[at])
            );
            assert!(output.out.ends_with(&line), "{at} {}", output.out);
        }
    }
    let flipped = text.replace("nosniff", "nosnifg");
    fs::write(folder.join("a.response"), flipped).unwrap();
    let output = run(program.address, &["replay", &path]);
    assert_eq!(
        output.out,
        format!(
            "failed: {path}: not as captured\n  \
             - X-Content-Type-Options: nosnifg\\r\\n\n  \
             + X-Content-Type-Options: nosniff\\r\\n\n  \
             byte 131: captured 'g' (0x67), received 'f' (0x66)\n"
        )
    );
    assert_eq!(output.err, "wechat: 1 of 1 failed\n");
    // The captured response has one byte more, or one byte less.
    for (changed, line) in [
        (format!("{text}x"), "captured 'x' (0x78), but the answer ends here\n"),
        (
            text[..text.len() - 1].to_owned(),
            "received '\\n' (0x0a), but the captured response ends here\n",
        ),
    ] {
        fs::write(folder.join("a.response"), changed).unwrap();
        let output = run(program.address, &["replay", &path]);
        assert!(output.out.ends_with(line), "{}", output.out);
    }
}

#[test]
fn resign_changes_nothing_but_time_and_signatures() {
    let address = backend(ok);
    let folder = folder("resign");
    let path = folder.join("a.request").to_str().unwrap().to_owned();
    let capture = |target: &str| {
        fs::write(&path, format!("POST {target} HTTP/1.0\r\nX: a\nb\r\n\r\nsignature=x")).unwrap();
        fs::write(folder.join("a.response"), "").unwrap();
    };
    capture("/wx?a=%20&signature=0&echostr=1&timestamp=2&nonce=%33&msg_signature=&b");
    let output = run(address, &["replay", "--resign", &path]);
    let (_, request) = output.out.split_once("  + POST ").unwrap();
    let target = request.lines().next().unwrap();
    assert!(target.starts_with("/wx?a=%20&signature="), "{target}");
    let (_, rest) = target.split_once("&echostr=1&timestamp=").unwrap();
    let timestamp: u64 = rest.split('&').next().unwrap().parse().unwrap();
    assert!(now() - timestamp < 60, "{target}");
    assert!(target.contains("&nonce=%33&msg_signature=&b HTTP/1.0"), "{target}");
    // The signature covers the decoded nonce.
    assert!(is_signed(&target.replace("%33", "3")), "{target}");
    assert!(
        output.out.contains("  + X: a\\n\n  + b\\r\\n\n  + \\r\\n\n  + signature=x\n"),
        "{}",
        output.out
    );
    // Other query parameters, and other forms of the request target.
    let assert_kept = |target: &str, before: &str, after: &str| {
        capture(target);
        let output = run(address, &["replay", "--resign", &path]);
        let (_, request) = output.out.split_once("POST ").unwrap();
        let (_, target) = request.split_once(before).unwrap();
        assert!(target.contains(after), "{}", output.out);
    };
    // An empty line may precede the request line.
    let empty_line = "\r\nGET /?nonce=1&timestamp=2&signature=3 HTTP/1.0\r\n\r\n";
    fs::write(&path, empty_line).unwrap();
    let output = run(address, &["replay", "--resign", &path]);
    assert!(output.out.contains("  + GET /?nonce=1&timestamp=1"), "{}", output.out);
    assert_kept("/?timestamp=1&nonce=2&signature=0", "/?timestamp=", " HTTP/1.0");
    assert_kept(
        "/?x=1?timestamp=3&timestamp=1&nonce=2&signature=0?b=1",
        "/?x=1?timestamp=3&timestamp=",
        "&nonce=2&signature=",
    );
    assert_kept(
        "http://a/?nonce=2&timestamp=1&signature=0",
        "http://a/?nonce=2&timestamp=",
        "&signature=",
    );
    for (target, reason) in [
        (
            "/?signature=0&timestamp=1&nonce=2&msg_signature=3",
            "msg_signature in the query, but no element Encrypt in the content, which --resign needs",
        ),
        ("/wx?signature=0&timestamp=1", "no query parameter nonce, which --resign needs"),
        ("/wx", "no query parameter nonce, which --resign needs"),
        ("wx", "no query parameter nonce, which --resign needs"),
    ] {
        capture(target);
        let output = run(address, &["replay", "--resign", &path]);
        assert_eq!((output.code, output.err), (1, format!("wechat: {path:?}: {reason}\n")));
    }
}

#[test]
fn old_captures_pass_after_resign() {
    let rules = format!("{}/rules.xml", captures());
    let program = Program::start(&["--rules", &rules]);
    assert_eq!(run(program.address, &["replay", &captures()]).code, 1);
    let alone = folder("resign-alone").join("a.request");
    fs::copy(format!("{}/text-message.request", captures()), &alone).unwrap();
    let output = run(program.address, &["replay", alone.to_str().unwrap()]);
    assert_eq!(output.code, 1);
    let hint =
        "; check both clocks; to sign a captured request again, use wechat replay --resign\n";
    assert!(output.out.contains(hint), "{}", output.out);
    let output = run(program.address, &["replay", "--resign", &captures()]);
    assert_eq!(output.code, 0, "{}", output.out);
}

#[test]
fn resign_signs_encrypted_captures_without_the_key() {
    let address = backend(ok);
    let folder = folder("resign-encrypted");
    let path = folder.join("a.request").to_str().unwrap().to_owned();
    fs::write(folder.join("a.response"), "").unwrap();
    let content = "<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[+a/b==]]></Encrypt></xml>";
    let target = "/wx?signature=0&timestamp=2&nonce=%33&encrypt_type=aes&msg_signature=1";
    let length = content.len();
    let whole = format!("Content-Length: {length}\r\n\r\n{content}");
    let (one, other) = content.split_at(40);
    let chunked = format!(
        "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n",
        one.len(),
        other.len()
    );
    for framed in [whole, chunked] {
        fs::write(&path, format!("POST {target} HTTP/1.1\r\nHost: a\r\n{framed}")).unwrap();
        let output = run(address, &["replay", "--resign", &path]);
        let (_, sent) = output.out.split_once("  + POST ").unwrap();
        let sent = sent.lines().next().unwrap();
        let value = |name: &str| {
            let (_, rest) = sent.split_once(&format!("{name}=")).unwrap();
            rest.split(['&', ' ']).next().unwrap().to_owned()
        };
        let token = wechat::wechat::Token::parse(TOKEN).unwrap();
        let timestamp = value("timestamp");
        let expected = token.sign_message(timestamp.as_bytes(), b"3", "+a/b==");
        assert_eq!(value("msg_signature"), expected.to_string(), "{sent}");
        let expected = token.sign(timestamp.as_bytes(), b"3");
        assert_eq!(value("?signature"), expected.to_string(), "{sent}");
    }
}

#[test]
fn a_capture_without_response_needs_a_usable_answer() {
    let program = Program::start(&[]);
    let path = folder("alone").join("any.name").to_str().unwrap().to_owned();
    fs::write(&path, get("/")).unwrap();
    let output = run(program.address, &["replay", &path]);
    output.assert_line(&format!(
        "ok: {path}: status 200 after *; no captured response to compare with"
    ));
    fs::write(&path, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(run(program.address, &["replay", &path]).code, 0);
    fs::write(&path, get("/?signature=0&timestamp=0&nonce=0&echostr=0")).unwrap();
    let output = run(program.address, &["replay", &path]);
    output.assert_line(&format!("failed: {path}: status 403 with the message *"));
    assert_eq!((output.code, output.err.as_str()), (1, "wechat: 1 of 1 failed\n"));
}

#[test]
fn refuses_files_that_cannot_be_replayed() {
    let empty = folder("empty").to_str().unwrap().to_owned();
    let refused = folder("refused");
    let write = |name: &str, bytes: &[u8]| {
        let path = refused.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let long = write("long", &vec![b'x'; 1024 * 1024 + 1]);
    let surplus = write("surplus", &[get("/"), b"\n".to_vec()].concat());
    let unreadable = write("folder.request", &get("/"));
    fs::create_dir(refused.join("folder.response")).unwrap();
    let nothing = write("nothing", b"");
    let piped = write("piped.request", &get("/"));
    let pipe = refused.join("piped.response").to_str().unwrap().to_owned();
    make_pipe(pipe.as_ref());
    let short = write("short", b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nab");
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n..";
    let chunked = write("chunked", chunked.as_bytes());
    let cases: [(&[&str], i32, String); 12] = [
        (
            &[&short],
            1,
            format!("{short:?}: the content is 1 bytes shorter than Content-Length says"),
        ),
        (&[&chunked], 1, format!("{chunked:?}: 2 bytes after the request, none allowed")),
        (&[&long], 1, format!("cannot read {long:?}: 1048577 bytes, at most 1048576 allowed")),
        (&[&surplus], 1, format!("{surplus:?}: 1 bytes after the request, none allowed")),
        (
            &[&unreadable],
            1,
            format!("cannot read {:?}: not a regular file", refused.join("folder.response")),
        ),
        (&[&nothing], 1, format!("{nothing:?} is empty; expected an HTTP request")),
        // Opening a pipe waits for a writer, and this device has no end.
        (&[&pipe], 1, format!("cannot read {pipe:?}: not a regular file")),
        (
            &[&piped],
            1,
            format!("cannot read {:?}: not a regular file", refused.join("piped.response")),
        ),
        (&["/dev/zero"], 1, "cannot read \"/dev/zero\": not a regular file".to_owned()),
        (&[], 2, "nothing to replay; expected a .request file or a folder of them".to_owned()),
        (&["/none"], 1, "cannot read \"/none\": No such file or directory (os error 2)".to_owned()),
        (&[&empty], 1, format!("no .request file in {empty:?}")),
    ];
    for (arguments, code, message) in cases {
        let output = run(nowhere(), &[&["replay"], arguments].concat());
        assert_eq!((output.code, output.err), (code, format!("wechat: {message}\n")));
    }
}

#[test]
fn an_answer_that_is_cut_short_is_not_as_captured() {
    let address = backend(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsuccess".to_vec());
    let path = &format!("{}/token-check.request", captures());
    let output = run(address, &["replay", path]);
    output.assert_line(&format!(
        "failed: {path}: Content-Length is 8, but the connection was closed after 7 bytes; send the whole content"
    ));
}

/// Replays a capture to a backend. `captured` is the content of the captured response, and `received` is the content
/// of the backend's answer.
fn replay(name: &str, captured: &str, received: &str) -> Output {
    let folder = folder(name);
    fs::write(folder.join("a.request"), get("/")).unwrap();
    fs::write(folder.join("a.response"), ok(captured)).unwrap();
    let answer = ok(received);
    let address = backend(move |_| answer.clone());
    run(address, &["replay", folder.to_str().unwrap()])
}

#[test]
fn date_and_create_time_may_differ() {
    let time = |time: &str| format!("<a><CreateTime>{time}</CreateTime></a>");
    assert_eq!(replay("time", &time("1626513248"), &time("1700000000")).code, 0);
    let output = replay("time", &time("1626513248"), &time("1626513248000"));
    assert!(
        output.out.contains("  + <a><CreateTime>1626513248000</CreateTime></a>\n"),
        "{}",
        output.out
    );
    assert!(output.out.contains("  - Content-Length: 42\\r\\n\n"), "{}", output.out);
    let in_cdata = |digits: &str| time(&format!("<![CDATA[{digits}]]>"));
    assert_eq!(replay("cdata", &in_cdata("1626513248"), &in_cdata("1700000000")).code, 0);
    // A line `Date: …` in the content is compared like any other line. CreateTime may differ only if it is a number.
    assert_eq!(replay("date", "\nDate: 1", "\nDate: 2").code, 1);
    assert_eq!(replay("text", &time("1x"), &time("1y")).code, 1);
}

#[test]
fn long_differences_are_shortened() {
    let long = |middle: char| format!("{}{middle}{}", "好".repeat(1000), "z".repeat(1000));
    let output = replay("long", &long('a'), &long('b'));
    let shown =
        |sign, middle| format!("  {sign} …{}{middle}{}…\n", "好".repeat(33), "z".repeat(366));
    assert!(output.out.contains(&shown('-', 'a')), "{}", output.out);
    assert!(output.out.contains(&shown('+', 'b')), "{}", output.out);
    let many = |letter: &str| format!("{letter}\n").repeat(10_000);
    let output = replay("many", &many("a"), &many("b"));
    assert_eq!(output.out.matches("  - a\\n\n").count(), 20);
    assert!(output.out.contains("  - … 9980 more lines\n"), "{}", output.out);
    // Equal lines after the difference are not shown.
    let output = replay("equal-end", "a\nb\nc\n", "a\nB\nc\n");
    assert!(output.out.contains("  - b\\n\n  + B\\n\n  byte "), "{}", output.out);
}

/// Whether a server sends an interim response depends on timing.
#[test]
fn interim_responses_are_not_compared() {
    let folder = folder("interim");
    let path = folder.join("a.request").to_str().unwrap().to_owned();
    fs::write(&path, get("/")).unwrap();
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n".to_vec();
    fs::write(folder.join("a.response"), [interim, ok("a")].concat()).unwrap();
    let address = backend(|_| ok("a"));
    assert_eq!(run(address, &["replay", &path]).code, 0);
}
