//! The server over real sockets: captured requests, persistent connections, timeouts, and clients that misbehave.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::support::*;
use wechat::Server;
use wechat::server::Limits;
use wechat::session::Outcome;
use wechat::wechat::{Age, Message, Reply, Token};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// Starts a server in this process with these limits and this closure. The server runs until the process ends.
fn serve(
    limits: Limits,
    max_age: Age,
    reply: impl for<'m> Fn(&'m Message<'m>) -> Reply<'m> + Send + Sync + 'static,
) -> SocketAddr {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut backend = server.token(Token::parse(TOKEN).unwrap());
    backend.limits = limits;
    backend.callback.max_age = max_age;
    // The test runner captures the output of `println!`.
    backend.report = |line| eprintln!("{line}");
    let address = backend.address().unwrap();
    std::thread::spawn(move || backend.run(reply));
    address
}

fn echo<'m>(message: &'m Message<'m>) -> Reply<'m> {
    Reply::text(message.field("Content").unwrap_or_default())
}

const LONG: Duration = Duration::from_secs(3600);

/// Limits that never expire. Each test sets the limit that it tests.
fn no_timeouts() -> Limits {
    Limits {
        connections: 64,
        head: LONG,
        content: LONG,
        response: LONG,
        idle: LONG,
        linger: LONG,
        drain: LONG,
    }
}

/// The text with the values of Date and CreateTime replaced.
fn without_times(bytes: &[u8]) -> String {
    let mut text = String::from_utf8(bytes.to_vec()).unwrap();
    for (before, after) in [("Date: ", "\r\n"), ("<CreateTime>", "</CreateTime>")] {
        if let Some(start) = text.find(before).map(|at| at + before.len()) {
            let end = start + text[start..].find(after).unwrap();
            text.replace_range(start..end, "…");
        }
    }
    text
}

#[test]
fn captured_exchanges_are_answered_byte_for_byte() {
    // The reply of the program in the captures.
    let address = serve(no_timeouts(), Age::Any, |message| {
        Reply::text(format!("2021-07-17:  {}  0.0", message.field("Content").unwrap_or_default()))
    });
    for name in ["token-check", "text-message"] {
        let request = fs::read(fixture("captures").join(name).with_extension("request")).unwrap();
        let expected = fs::read(fixture("captures").join(name).with_extension("response")).unwrap();
        let whole = exchange(address, &request);
        assert_eq!(without_times(&whole), without_times(&expected), "{name}");
        let mut stream = connect(address);
        for byte in &request {
            stream.write_all(&[*byte]).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(
            without_times(&rest(&mut stream)),
            without_times(&expected),
            "{name}, byte by byte"
        );
    }
}

#[test]
fn a_message_is_echoed_over_both_versions_and_both_framings() {
    let program = Program::start(&[]);
    let target = format!("/wx?{}&openid=oUser1", signed_now());
    let message = text_message("你好");
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let bytes = exchange(program.address, &post_to(&target, version, "", &message));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert_eq!(element(&text, "Content"), "你好");
        assert_eq!(element(&text, "ToUserName"), "oia2TjuEGTNoeX76QEjQNrcURxG8");
        assert_eq!(element(&text, "FromUserName"), "gh_7f083739789a");
        assert_eq!(text.contains("\r\nTransfer-Encoding: chunked\r\n"), version == "HTTP/1.1");
        assert_eq!(text.contains("\r\nContent-Length: "), version == "HTTP/1.0");
        assert_eq!(text.contains("\r\nConnection: close\r\n"), version == "HTTP/1.0");
    }
    let (front, back) = message.split_at(100);
    let chunked = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{front}\r\n{:x};x=y\r\n{back}\r\n0\r\nX: y\r\n\r\n",
        front.len(),
        back.len()
    );
    let mut stream = connect(program.address);
    for round in 0..3 {
        for piece in chunked.as_bytes().chunks(if round == 0 { 1 } else { 1000 }) {
            stream.write_all(piece).unwrap();
        }
        let answer = read_answer(&mut stream, false);
        assert_eq!(element(&answer.content, "Content"), "你好");
    }
    program.stop_silent();
}

#[test]
fn embedded_rules_reply_to_each_kind_of_message() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    for (name, expected) in [
        ("text-plain", Some("你好")),
        ("image-plain", Some("抱歉，暂未支持此消息。")),
        ("unknown-kind", Some("抱歉，暂未支持此消息。")),
        ("event-subscribe", Some("欢迎关注！")),
        ("event-click", None),
        ("event-unsubscribe", None),
        ("event-card-sku-remind", None),
    ] {
        let message =
            fs::read_to_string(fixture("message").join(name).with_extension("xml")).unwrap();
        let answer = ask(&mut stream, &post(&message));
        match expected {
            Some(content) => {
                assert_eq!(element(&answer.content, "Content"), content, "{name}");
                assert_eq!(answer.field("Content-Type"), Some("application/xml; charset=utf-8"));
            }
            None => {
                assert_eq!(answer.content, "success", "{name}");
                assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
            }
        }
    }
    program.stop_silent();
}

#[test]
fn token_check_gets_the_echostr_as_plain_text() {
    let program = Program::start(&[]);
    let query = signed_now();
    let mut stream = connect(program.address);
    let answer = ask(&mut stream, &get(&format!("/wx?{query}&echostr=5927782489442352469")));
    assert_eq!((answer.status, answer.content.as_str()), (200, "5927782489442352469"));
    assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.field("X-Content-Type-Options"), Some("nosniff"));
    let odd =
        ask(&mut stream, &get(&format!("/?echostr=%3Cb%3E%00+%2B%E4%BD%A0&{query}&echostr=2")));
    assert_eq!(odd.content, "<b>\0 +你");
    let head = ask(
        &mut stream,
        format!("HEAD /?{query}&echostr=123 HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes(),
    );
    assert_eq!((head.status, head.field("Content-Length")), (200, Some("3")));
    let after = ask(&mut stream, &get("/"));
    assert_eq!(after.content, "This is the server of a WeChat Official Account. It is running.\n");
    drop(stream);
    let peer = |line: &str| line.split("peer=").next().unwrap().to_owned();
    let lines = program.stop();
    assert_eq!(
        lines.iter().map(|line| peer(line)).collect::<Vec<_>>(),
        ["200 GET /wx ", "200 GET / ", "200 HEAD / "]
    );
    assert!(
        lines.iter().all(|line| line.ends_with(" cause=token-check reason=\"token check passed\"")),
        "{lines:?}"
    );
}

#[test]
fn rejections_have_a_status_and_a_logged_reason() {
    let program = Program::start(&["--path", "/wx/"]);
    let right = signed_now();
    let wrong =
        right.replacen("signature=", "signature=0", 1).replacen("&timestamp", "0&timestamp", 1);
    let other = signed_now().replacen("nonce=", "nonce=2", 1);
    let stale = signed(&(now() - 3600).to_string(), "1");
    let odd = signed("soon", "1");
    let empty = signed("", "1");
    let message = text_message("secret words");
    let to = |query: &str, content: &str| post_to(&format!("/wx?{query}"), "HTTP/1.1", "", content);
    let expectations: Vec<(Vec<u8>, u16, &str, &str)> = vec![
        (
            get(&format!("/other?{right}&echostr=1")),
            404,
            "other-path",
            "nothing is served at this path",
        ),
        (
            get(&format!("/wx?{right}")),
            400,
            "missing-parameter",
            "parameter echostr is missing or empty",
        ),
        (get("/wx?echostr=1"), 400, "missing-parameter", "parameter signature is missing or empty"),
        (
            get(&format!("/wx?{right}&echostr=")),
            400,
            "missing-parameter",
            "parameter echostr is missing or empty",
        ),
        (
            get(&format!("/wx?{empty}&echostr=1")),
            400,
            "missing-parameter",
            "parameter timestamp is missing or empty",
        ),
        (
            get(&format!("/wx?{wrong}&echostr=1")),
            403,
            "bad-signature",
            "signature is malformed, expected 40 hexadecimal digits",
        ),
        (get(&format!("/wx?{other}&echostr=1")), 403, "bad-signature", "signature does not match"),
        (to(&other, &message), 403, "bad-signature", "signature does not match"),
        (to(&stale, &message), 403, "stale-timestamp", "timestamp is 360"),
        (
            to(&odd, &message),
            403,
            "stale-timestamp",
            "timestamp is malformed, expected 10 digits (seconds since 1970)",
        ),
        (
            to(&signed(&format!("{}123", now()), "1"), &message),
            403,
            "stale-timestamp",
            "timestamp has 13 digits, apparently milliseconds, expected 10 digits",
        ),
        (
            to(&right.replace("nonce", "once"), &message),
            400,
            "missing-parameter",
            "parameter nonce is missing or empty",
        ),
        (to(&right, ""), 400, "no-content", "content is empty, expected a message"),
        (to(&signed_now(), "{}"), 400, "bad-message", "not well-formed XML at line 1 column 1"),
        (
            to(&signed_now(), "<xml><!DOCTYPE a></xml>"),
            400,
            "bad-message",
            "XML with a comment, a document type",
        ),
        (
            b"PUT /wx HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi".to_vec(),
            405,
            "other-method",
            "method is not supported",
        ),
        (
            b"TRACE /wx HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
            405,
            "other-method",
            "method is not supported",
        ),
    ];
    // These rejections leave the framing intact, so all requests use one connection.
    let mut stream = connect(program.address);
    for (request, status, _, reason) in &expectations {
        let answer = ask(&mut stream, request);
        assert_eq!(answer.status, *status, "{}", request.escape_ascii());
        assert!(
            answer.content.starts_with(reason) && answer.content.ends_with('\n'),
            "{}",
            answer.content
        );
        assert_eq!(answer.content.lines().count(), 1);
        assert_eq!(answer.field("Allow"), (*status == 405).then_some("GET, HEAD, POST"));
        assert_eq!(answer.field("Connection"), None);
    }
    assert_eq!(ask(&mut stream, &to(&right, &message)).status, 200);
    drop(stream);
    let lines = program.stop();
    assert_eq!(lines.len(), expectations.len(), "{lines:#?}");
    for (line, (_, status, cause, reason)) in lines.iter().zip(&expectations) {
        assert!(line.starts_with(&status.to_string()), "{line}");
        assert!(line.contains(&format!(" cause={cause} reason=\"{reason}")), "{line}");
        let quotes: Vec<&str> = line.split('"').collect();
        let of_hint = matches!(quotes.as_slice(), [_, _, " hint=", _, ""]);
        assert!(of_hint || matches!(quotes.as_slice(), [_, _, ""]), "{line}");
        for secret in [TOKEN, "secret words", "oia2TjuEGTNoeX76", "signature=", &right[10..50]] {
            assert!(!line.contains(secret), "{line}");
        }
    }
    assert!(
        lines[6].ends_with("hint=\"compare the token with the one in the WeChat console\""),
        "{}",
        lines[6]
    );
}

/// The log is for people. Programs read the responses, so those stay in English.
#[test]
fn chinese_log_has_english_responses() {
    let program = Program::spawn(
        command().env("WECHAT_TOKEN", TOKEN).env("WECHAT_LANG", "zh_CN.UTF-8").args([
            "--listen",
            "127.0.0.1:0",
            "--path",
            "/wx",
        ]),
    );
    let wrong = signed_now().replacen("nonce=", "nonce=2", 1);
    let cases = [
        (
            get("/wx?echostr=1"),
            "parameter signature is missing or empty\n",
            "cause=missing-parameter reason=\"参数 signature 缺失或为空\" hint=\"手动测试请用",
        ),
        (
            get(&format!("/wx?{wrong}&echostr=1")),
            "signature does not match\n",
            "cause=bad-signature reason=\"signature 不匹配\" hint=\"请核对令牌(Token)",
        ),
        (
            post_to(&format!("/wx?{}", signed_now()), "HTTP/1.1", "", "<xml a='1'/>"),
            "XML tag with an attribute, none allowed\n",
            "cause=bad-message reason=\"XML 标签带有属性，不允许属性\"",
        ),
        (
            get("/MP_verify_1.txt"),
            "nothing is served at this path\n",
            "cause=other-path reason=\"此路径不提供服务\" hint=\"请",
        ),
        (
            b"G T / HTTP/1.1\r\n\r\n".to_vec(),
            "request target: expected /path or http://host/path\n",
            "cause=bad-target reason=\"请求目标：应为 /path 或 http://host/path\"",
        ),
        (
            b"GET / HTTP/1.1\r\nA b: c\r\n\r\n".to_vec(),
            "field name: invalid space; expected a token and a colon\n",
            "cause=bad-field-name reason=\"字段名中有无效字符：空格；应为字段名，后接冒号\"",
        ),
        (
            b"SSH-2.0-a\r\n".to_vec(),
            "SSH, expected HTTP\n",
            "reason=\"收到 SSH，应为 HTTP\" hint=\"此端口只支持 http://\"",
        ),
    ];
    for (request, content, _) in &cases {
        assert_eq!(ask(&mut connect(program.address), request).content, *content);
    }
    let lines = program.stop();
    assert_eq!(lines.len(), cases.len(), "{lines:#?}");
    for (_, _, note) in &cases {
        assert!(lines.iter().any(|line| line.contains(note)), "no {note}\n{lines:#?}");
    }
}

#[test]
fn served_path_ignores_a_trailing_slash_and_percent_encoding() {
    let program = Program::start(&["--path", "/wx"]);
    let mut stream = connect(program.address);
    for path in ["/wx", "/wx/", "/%77x", "http://a/wx"] {
        assert_eq!(ask(&mut stream, &get(path)).status, 200, "{path}");
    }
    for path in ["/", "/wxx", "/wx/a", "/WX", "http://wx"] {
        assert_eq!(ask(&mut stream, &get(path)).status, 404, "{path}");
    }
    assert_eq!(program.stop().len(), 5);
}

#[test]
fn bytes_of_a_client_are_escaped_in_the_log() {
    let program = Program::start(&["--path", "/wx"]);
    let mut stream = connect(program.address);
    ask(&mut stream, &get("/%0a<3>x".replace(['<', '>'], "_").as_str()));
    ask(&mut stream, &get(&format!("/{}", "a".repeat(2000))));
    assert_eq!(exchange(program.address, b"GET /\x1b[2J HTTP/1.1\r\n\r\n")[9..12], *b"400");
    let lines = program.stop();
    assert!(lines[0].starts_with("404 GET /%0a_3_x peer="), "{}", lines[0]);
    assert!(lines[1].len() < 300, "{}", lines[1]);
    assert!(lines[2].contains(r"cause=bad-target reason="), "{}", lines[2]);
    assert!(lines[2].contains(r"request target: '\x1b' must be percent-encoded"), "{}", lines[2]);
}

#[test]
fn pipelined_requests_are_answered_in_order_and_none_after_close() {
    let program = Program::start(&[]);
    let target = || format!("/?{}", signed_now());
    let mut requests = Vec::new();
    for number in 0..50 {
        requests.extend(post_to(&target(), "HTTP/1.1", "", &text_message(&number.to_string())));
        // Some old clients send an extra line end after the content.
        requests.extend(b"\r\n");
    }
    requests.extend(post_to(&target(), "HTTP/1.1", "Connection: close\r\n", &text_message("last")));
    requests.extend(post_to(&target(), "HTTP/1.1", "", &text_message("too late")));
    let mut stream = connect(program.address);
    let mut writer = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || writer.write_all(&requests).unwrap());
    for number in 0..50 {
        assert_eq!(
            element(&read_answer(&mut stream, false).content, "Content"),
            number.to_string()
        );
    }
    let last = read_answer(&mut stream, false);
    assert_eq!(
        (element(&last.content, "Content"), last.field("Connection")),
        ("last", Some("close"))
    );
    assert_eq!(rest(&mut stream), b"");
    sender.join().unwrap();
    program.stop_silent();
}

/// A server whose handler of the text `gone` ends when the client has left, and then sends on the channel. Its handler of
/// the text `here` begins when the test sends on the other channel, and replies whether the client is connected.
fn serve_observer() -> (SocketAddr, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let backend = server.token(Token::parse(TOKEN).unwrap());
    let address = backend.address().unwrap();
    let (has_left, left) = mpsc::channel();
    let (look, looks) = mpsc::channel();
    let channels = Mutex::new((has_left, looks));
    std::thread::spawn(move || {
        backend.serve(|message, client| match message.field("Content") {
            Some("gone") => {
                until("the client has left", || !(client.is_connected)());
                channels.lock().unwrap().0.send(()).unwrap();
                Outcome::Disconnected
            }
            Some("here") => {
                channels.lock().unwrap().1.recv_timeout(TIMEOUT).unwrap();
                Outcome::Reply(Reply::text((client.is_connected)().to_string()))
            }
            _ => Outcome::Reply(echo(message)),
        })
    });
    (address, look, left)
}

#[test]
fn notices_that_a_client_left_after_it_sent_more_than_its_request() {
    let (address, _, left) = serve_observer();
    let next = post(&text_message("next"));
    let tails: [&[u8]; 6] = [b"", b"\r\n", &next, &next[..50], &next.repeat(50), &[0; 200_000]];
    for (number, tail) in (0..).zip(tails) {
        let mut stream = connect(address);
        stream.write_all(&post(&text_of("oUser1", number, "gone"))).unwrap();
        // A server that has read enough does not take the whole of a long tail.
        stream.set_nonblocking(true).unwrap();
        let _ = stream.write(tail);
        drop(stream);
        let noticed = left.recv_timeout(TIMEOUT);
        assert!(noticed.is_ok(), "{} bytes", tail.len());
    }
}

#[test]
fn answers_requests_that_arrived_while_the_connection_was_checked() {
    let (address, look, _) = serve_observer();
    let mut stream = connect(address);
    stream.write_all(&post(&text_message("here"))).unwrap();
    let next: Vec<u8> = (0..60).flat_map(|n| post(&text_message(&n.to_string()))).collect();
    let (first, second) = next.split_at(next.len() - 50);
    stream.write_all(first).unwrap();
    look.send(()).unwrap();
    let reply = |stream: &mut TcpStream| {
        let answer = read_answer(stream, false);
        element(&answer.content, "Content").to_owned()
    };
    assert_eq!(reply(&mut stream), "true");
    stream.write_all(second).unwrap();
    for number in 0..60 {
        assert_eq!(reply(&mut stream), number.to_string());
    }
}

/// The head of a POST whose content has not been sent.
fn head_of_post(query: &str, fields: &str) -> String {
    format!("POST /wx?{query} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

#[test]
fn wrong_signature_is_refused_before_its_content_is_read() {
    let program = Program::start(&[]);
    let wrong = signed_now().replace("nonce=", "nonce=1");
    let stale = signed(&(now() - 3600).to_string(), "1");
    let fields = [
        "Content-Length: 60000\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nExpect: 100-continue\r\n",
    ];
    for (query, cause) in [(wrong, "bad-signature"), (stale, "stale-timestamp")] {
        for fields in fields {
            let mut stream = connect(program.address);
            stream.write_all(head_of_post(&query, fields).as_bytes()).unwrap();
            let answer = read_answer(&mut stream, false);
            assert_eq!(
                (answer.status, answer.field("Connection")),
                (403, Some("close")),
                "{cause}"
            );
            assert_eq!(rest(&mut stream), b"");
        }
    }
    let lines = program.stop();
    let causes: Vec<_> = lines.iter().map(|line| line.contains(" cause=bad-signature ")).collect();
    assert_eq!(causes, [true, true, true, false, false, false], "{lines:#?}");
}

#[test]
fn connection_is_kept_after_content_without_a_signature() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    let chunk = [b"ea60\r\n", [b'x'; 60_000].as_slice(), b"\r\n0\r\nA: b\r\n\r\n"].concat();
    let length = "Content-Length: 60000\r\n";
    for (fields, content) in
        [(length, [b'x'; 60_000].as_slice()), ("Transfer-Encoding: chunked\r\n", &chunk)]
    {
        stream.write_all(head_of_post("echostr=1", fields).as_bytes()).unwrap();
        stream.write_all(&[content, &get("/")].concat()).unwrap();
        let answer = read_answer(&mut stream, false);
        assert_eq!((answer.status, answer.field("Connection")), (400, None));
        assert_eq!(answer.content, "parameter signature is missing or empty\n");
        assert_eq!(read_answer(&mut stream, false).status, 200);
    }
    // The limit of the content holds, although no content is kept.
    stream.write_all(head_of_post("", "Transfer-Encoding: chunked\r\n").as_bytes()).unwrap();
    stream.write_all(&chunk[..60_008]).unwrap();
    stream.write_all(&chunk[..6]).unwrap();
    let answer = read_answer(&mut stream, false);
    assert_eq!(answer.content, "content: 120000 bytes, at most 65536 allowed\n");
}

/// The bytes that clients of this port have sent and that no program has read.
fn unread_bytes(address: SocketAddr) -> u64 {
    let port = format!(":{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rows: Vec<_> = rows.filter(|columns| columns[1].ends_with(&port)).collect();
    assert!(!rows.is_empty());
    let queues = rows.iter().map(|columns| columns[4].split_once(':').unwrap().1);
    queues.map(|bytes| u64::from_str_radix(bytes, 16).unwrap()).sum()
}

/// How many KiB of memory 100 connections need that send all but the last byte of their content.
fn memory_of_content(query: &str, fields: &str, content: &[u8]) -> u64 {
    let program = Program::start(&["--max-age", "0"]);
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let mut streams: Vec<_> = (0..100).map(|_| connect(program.address)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, &get("/")).status, 200);
    }
    let before = memory();
    for stream in &mut streams {
        stream.write_all(head_of_post(query, fields).as_bytes()).unwrap();
        stream.write_all(&content[..content.len() - 1]).unwrap();
    }
    until("the content is read", || unread_bytes(program.address) == 0);
    memory().saturating_sub(before)
}

#[test]
fn content_without_a_right_signature_is_not_kept() {
    let length = ("Content-Length: 65536\r\n", vec![b'x'; 65536]);
    let chunked =
        ("Transfer-Encoding: chunked\r\n", [b"ffff\r\n", [b'x'; 65535].as_slice()].concat());
    for (fields, content) in [length, chunked] {
        let kept = memory_of_content(&signed_now(), fields, &content);
        let discarded = memory_of_content("", fields, &content);
        assert!(kept > 6000 && discarded < 2000, "{fields} {kept} KiB kept, {discarded} discarded");
    }
}

#[test]
fn http10_connection_is_kept_if_the_client_asks() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    let request = post_to(
        &format!("/?{}", signed_now()),
        "HTTP/1.0",
        "Connection: keep-alive\r\n",
        &text_message("a"),
    );
    for _ in 0..3 {
        let answer = ask(&mut stream, &request);
        assert_eq!(answer.field("Connection"), Some("keep-alive"));
        assert!(answer.field("Content-Length").is_some());
    }
    program.stop_silent();
}

#[test]
fn sends_100_continue_to_a_client_that_waits_for_it() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    let message = text_message("a");
    let target = format!("/?{}", signed_now());
    let request = post_to(&target, "HTTP/1.1", "Expect: 100-continue\r\n", &message);
    let (head, content) = request.split_at(request.len() - message.len());
    stream.write_all(head).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(element(&ask(&mut stream, content).content, "Content"), "a");
    // A client that does not wait gets no interim response.
    assert_eq!(ask(&mut stream, &request).status, 200);
    // A client that declares too much content gets no interim response either.
    let refused = ask(&mut stream, format!("POST {target} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n").as_bytes());
    assert_eq!(
        (refused.status, refused.content.as_str()),
        (413, "content: 70000 bytes, at most 65536 allowed\n")
    );
    assert_eq!(program.stop().len(), 1);
}

#[test]
fn each_rejected_fixture_gets_one_response_and_closes_the_connection() {
    let program = Program::start(&[]);
    let mut count = 0;
    for entry in fs::read_dir(fixture("http/reject")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let bytes = fs::read(&path).unwrap();
        let mut stream = connect(program.address);
        // A valid request after the invalid one must not be answered.
        let sent = [&bytes[..], &get("/")[..]].concat();
        stream.write_all(&sent).unwrap();
        let answer = read_answer(&mut stream, false);
        assert_eq!(answer.status.to_string(), name[..3], "{name}");
        assert_eq!(answer.field("Connection"), Some("close"), "{name}");
        assert_eq!(rest(&mut stream), b"", "{name}");
        count += 1;
    }
    assert!(count > 30, "{count} fixtures");
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
    assert_eq!(program.stop().len(), count);
}

#[test]
fn accepted_fixtures_get_the_same_answer_however_they_are_split() {
    let program = Program::start(&[]);
    let mut count = 0;
    for entry in fs::read_dir(fixture("http/accept")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "http") {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let whole = without_times(&without_interim(exchange(program.address, &bytes)));
        // HTTP accepts the request. The callback may refuse it, because there is no signature or the method is not
        // allowed.
        let status = &whole[9..12];
        assert!(["200", "400", "405"].contains(&status), "{}: {whole}", path.display());
        assert!(!whole.contains("\r\n\r\nconnection ended"), "{}: {whole}", path.display());
        let step = (bytes.len() / 40).max(1);
        for cut in (1..bytes.len()).step_by(step) {
            let mut stream = connect(program.address);
            stream.write_all(&bytes[..cut]).unwrap();
            // The server may read the two pieces together or one after the other. The response must be the same.
            std::thread::yield_now();
            stream.write_all(&bytes[cut..]).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let answer = without_times(&without_interim(rest(&mut stream)));
            assert_eq!(answer, whole, "{}, split at {cut}", path.display());
        }
        count += 1;
    }
    assert!(count > 30, "{count} fixtures");
}

/// The response without a `100 Continue`, which is sent only if the content arrives after the head.
fn without_interim(bytes: Vec<u8>) -> Vec<u8> {
    bytes.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n").map(<[u8]>::to_vec).unwrap_or(bytes)
}

#[test]
fn invalid_bytes_after_a_request_are_refused_after_its_answer() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    stream.write_all(&[&get("/")[..], b"\0\0\0", &get("/")[..]].concat()).unwrap();
    assert_eq!(read_answer(&mut stream, false).status, 200);
    assert_eq!(read_answer(&mut stream, false).status, 400);
    assert_eq!(rest(&mut stream), b"");
    assert_eq!(program.stop().len(), 1);
}

#[test]
fn oversized_heads_are_refused_before_they_end() {
    let program = Program::start(&[]);
    let endless = vec![b'a'; 2 * 1024 * 1024];
    for (start, status) in
        [("GET /", 414), ("GET / HTTP/1.1\r\nX: ", 431), ("GET / HTTP/1.1\r\n", 431)]
    {
        let mut stream = connect(program.address);
        let mut writer = stream.try_clone().unwrap();
        let lines = if status == 431 { b"a: b\r\n".repeat(250_000) } else { endless.clone() };
        let bytes =
            [start.as_bytes(), if start.ends_with(": ") { &endless } else { &lines }].concat();
        // This fails when the server closes the connection.
        let sender = std::thread::spawn(move || writer.write_all(&bytes).is_ok());
        assert_eq!(read_answer(&mut stream, false).status, status);
        drop(stream);
        sender.join().unwrap();
    }
    assert_eq!(program.stop().len(), 3);
}

#[test]
fn rejection_of_a_head_request_has_no_content() {
    let program = Program::start(&[]);
    let answer = exchange(program.address, b"HEAD / HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with(b"HTTP/1.1 400 ") && answer.ends_with(b"\r\n\r\n"));
    assert_eq!(program.stop().len(), 1);
}

/// By default, nginx before 1.29.7 sends HTTP/1.0 to an upstream, and later versions send HTTP/1.1.
#[test]
fn serves_nginx_upstream_requests_of_both_versions() {
    let program = Program::start(&[]);
    let target = format!("/wx?{}", signed_now());
    let old = post_to(
        &target,
        "HTTP/1.0",
        "Connection: close\r\nUser-Agent: Mozilla/4.0\r\n",
        &text_message("a"),
    );
    for _ in 0..3 {
        let mut stream = connect(program.address);
        let answer = ask(&mut stream, &old);
        assert_eq!((answer.status, answer.field("Connection")), (200, Some("close")));
        assert_eq!(answer.field("Transfer-Encoding"), None);
        assert_eq!(rest(&mut stream), b"");
    }
    let new = post_to(&target, "HTTP/1.1", "User-Agent: Mozilla/4.0\r\n", &text_message("a"));
    let mut stream = connect(program.address);
    for _ in 0..3 {
        assert_eq!(ask(&mut stream, &new).status, 200);
    }
    program.stop_silent();
}

#[test]
fn rejection_arrives_while_the_client_still_sends() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![b'a'; 500_000]).unwrap();
    assert_eq!(read_answer(&mut stream, false).status, 413);
    assert_eq!(rest(&mut stream), b"");
    assert_eq!(program.stop().len(), 1);
}

#[test]
fn truncated_requests_are_refused() {
    let program = Program::start(&[]);
    for bytes in [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        "G",
        "GET / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
    ] {
        let answer = exchange(program.address, bytes.as_bytes());
        assert_eq!(answer[9..12], *b"400", "{bytes:?}");
    }
    for bytes in ["", "\r\n"] {
        assert_eq!(exchange(program.address, bytes.as_bytes()), b"");
    }
    let lines = program.stop();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.contains(" cause=incomplete ")), "{lines:#?}");
}

#[test]
fn head_timeout_fires_while_bytes_still_arrive() {
    let address =
        serve(Limits { head: Duration::from_millis(300), ..no_timeouts() }, Age::Any, echo);
    let mut stream = connect(address);
    let mut writer = stream.try_clone().unwrap();
    let (done, is_done) = mpsc::channel::<()>();
    let drip = std::thread::spawn(move || {
        // The client sends a byte every 20 ms, so no single read waits for long.
        let pause = Duration::from_millis(20);
        while is_done.recv_timeout(pause) == Err(RecvTimeoutError::Timeout)
            && writer.write_all(b"a").is_ok()
        {}
    });
    assert_eq!(read_answer(&mut stream, false).status, 408);
    drop(done);
    drip.join().unwrap();
}

#[test]
fn content_timeout_is_answered_with_408() {
    let address =
        serve(Limits { content: Duration::from_millis(300), ..no_timeouts() }, Age::Any, echo);
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let mut stream = connect(address);
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n5");
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(read_answer(&mut stream, false).status, 408);
    }
}

#[test]
fn idle_connection_is_closed_without_a_response() {
    let address = serve(
        Limits {
            idle: Duration::from_millis(500),
            linger: Duration::from_millis(500),
            ..no_timeouts()
        },
        Age::Any,
        echo,
    );
    assert_eq!(rest(&mut connect(address)), b"");
    // On a busy machine the request may arrive after the timeout.
    until("a request arrives before the timeout", || {
        let mut used = connect(address);
        let mut received = Vec::new();
        let _ = used.write_all(&[&get("/")[..], b"\r\n"].concat());
        let _ = used.read_to_end(&mut received);
        let text = String::from_utf8(received).unwrap();
        assert!(text.matches("HTTP/1.1 ").count() <= 1, "{text}");
        text.starts_with("HTTP/1.1 200 ")
    });
}

/// Sends requests without reading the responses, until the server closes the connection.
fn fill_without_reading(stream: &TcpStream) -> std::thread::JoinHandle<()> {
    let mut writer = stream.try_clone().unwrap();
    std::thread::spawn(move || while writer.write_all(&get("/").repeat(1000)).is_ok() {})
}

#[test]
fn closes_a_connection_whose_client_does_not_read() {
    let limits = Limits { response: Duration::from_millis(300), ..no_timeouts() };
    let stream = connect(serve(limits, Age::Any, echo));
    // The thread ends when the server closes the connection. Only `response` is limited, so that limit closed it.
    fill_without_reading(&stream).join().unwrap();
}

#[test]
fn clients_that_do_not_read_cannot_block_other_clients() {
    let address = serve(Limits { connections: 4, ..no_timeouts() }, Age::AtMost(600), echo);
    let unread: Vec<TcpStream> = (0..4).map(|_| connect(address)).collect();
    let senders: Vec<_> = unread.iter().map(fill_without_reading).collect();
    // There are no timeouts, so the server closes a connection only to evict it.
    until("one of them is evicted", || {
        assert_eq!(ask(&mut connect(address), &post(&text_message("a"))).status, 200);
        senders.iter().any(std::thread::JoinHandle::is_finished)
    });
}

#[test]
fn panic_closes_one_connection_only() {
    static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut backend = server.token(Token::parse(TOKEN).unwrap());
    backend.report = |line| LOG.lock().unwrap().push(line.to_owned());
    let address = backend.address().unwrap();
    std::thread::spawn(move || {
        backend.run(|message| {
            assert_ne!(message.field("Content"), Some("panic"));
            echo(message)
        })
    });
    let mut bystander = connect(address);
    assert_eq!(ask(&mut bystander, &post(&text_message("a"))).status, 200);
    for msg_id in 0..100 {
        let xml = text_of("oUser1", msg_id, "panic");
        assert_eq!(exchange(address, &post(&xml)), b"");
    }
    let line = "cause=panic reason=\"handler panicked; its connection was closed\"";
    assert_eq!(*LOG.lock().unwrap(), [line; 100]);
    assert_eq!(ask(&mut bystander, &post(&text_message("a"))).status, 200);
    assert_eq!(ask(&mut connect(address), &post(&text_message("a"))).status, 200);
}

#[test]
fn silent_connections_cannot_block_other_clients() {
    let program = Program::start(&["--max-connections", "20"]);
    let mut held: Vec<TcpStream> = Vec::new();
    for round in 0..200 {
        let mut stream = connect(program.address);
        // Half of them send nothing, half send a part of a request.
        if round % 2 == 0 {
            stream.write_all(b"POST / HTTP/1.1\r\nContent-Le").unwrap();
        }
        held.push(stream);
        if round % 10 == 0 {
            assert_eq!(
                ask(&mut connect(program.address), &post(&text_message("a"))).status,
                200,
                "{round}"
            );
        }
    }
    // The first connections were evicted long ago.
    assert!(matches!(held[1].read(&mut [0; 1]), Ok(0) | Err(_)));
    let lines = program.stop();
    // The log has at most one line per second.
    let line = "cause=crowded reason=\"connection limit 20 reached; closing a connection that waits for its client\"";
    assert!(!lines.is_empty() && lines.iter().all(|found| found == line), "{lines:#?}");
}

#[test]
fn survives_early_closes_and_resets() {
    let program = Program::start(&[]);
    let request = post(&text_message("a"));
    for cut in (0..request.len()).step_by(7) {
        let mut stream = connect(program.address);
        stream.write_all(&request[..cut]).unwrap();
    }
    for _ in 0..50 {
        // Closing a socket with an unread response resets the connection.
        connect(program.address).write_all(&request).unwrap();
    }
    assert_eq!(ask(&mut connect(program.address), &request).status, 200);
    let lines = program.stop();
    assert!(lines.iter().all(|line| line.contains(" cause=incomplete ")), "{lines:#?}");
}

#[test]
fn hundred_concurrent_clients_get_their_own_answers() {
    let program = Program::start(&[]);
    std::thread::scope(|scope| {
        for client in 0..100 {
            let address = program.address;
            scope.spawn(move || {
                let mut stream = connect(address);
                for round in 0..20 {
                    let content = format!("{client} {round}");
                    let answer = ask(&mut stream, &post(&text_message(&content)));
                    assert_eq!(element(&answer.content, "Content"), content);
                }
            });
        }
    });
    program.stop_silent();
}
