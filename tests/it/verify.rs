//! `wechat verify` against our server, and against backends that are wrong in every way that people
//! report.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::tools::*;
use crate::support::*;

/// A backend that makes this of the echostr where the signature is right.
fn echoing(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    backend(move |request| match is_signed(request) {
        true => answer(echostr(request)),
        false => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec(),
    })
}

#[track_caller]
fn assert_diagnosis(address: SocketAddr, diagnosis: &str) {
    let said = run(address, &["verify"]);
    assert!(said.out.contains(diagnosis), "{}", said.out);
    assert_eq!(said.code, 1, "{}", said.out);
    assert_eq!(
        said.err,
        format!("wechat: http://{address}/wx is not ready for WeChat\n")
    );
}

#[test]
fn a_right_backend_is_verified() {
    let program = Program::start(&[]);
    let said = run(program.address, &["verify"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(
        lines[0].starts_with("ok: status 200 after "),
        "{}",
        said.out
    );
    assert_eq!(lines[1], "ok: the content is the echostr and nothing else");
    assert_eq!(lines[2], "ok: a wrong signature is refused with status 403");
    let address = program.address;
    assert_eq!(
        lines[3],
        format!("WeChat would take http://{address}/wx with this token")
    );
    assert_eq!((lines.len(), said.code, said.err.as_str()), (4, 0, ""));
}

#[test]
fn an_echostr_with_something_around_it_is_named_for_what_that_is() {
    assert_diagnosis(
        echoing(|echostr| ok(&format!("\"{echostr}\""))),
        "failed: the echostr is in quotes, as frameworks write a string in JSON; send it as plain text (text/plain)\n",
    );
    assert_diagnosis(
        echoing(|echostr| ok(&format!("\u{FEFF}{echostr}"))),
        "failed: the content begins with a byte order mark (EF BB BF); save the program's files as UTF-8 without BOM\n",
    );
    assert_diagnosis(
        echoing(|echostr| ok(&format!("\r\n{echostr}"))),
        "failed: white space precedes the echostr; remove blank lines at the start of the program's files\n",
    );
    assert_diagnosis(
        echoing(|echostr| ok(&format!("{echostr}\n"))),
        "failed: white space follows the echostr; print it without a line end, and remove blank lines at the end of the program's files\n",
    );
    assert_diagnosis(
        echoing(|echostr| ok(&format!("<html><body>{echostr}</body></html>"))),
        "failed: the echostr is in an HTML page, after \"<html><body>\"; send it alone, as plain text\n",
    );
    assert_diagnosis(
        echoing(|echostr| ok(&format!("echostr={echostr};"))),
        "failed: the echostr is not alone: \"echostr=\" before it, \";\" after it; send nothing else\n",
    );
}

#[test]
fn another_content_is_named_for_what_it_is() {
    assert_diagnosis(
        echoing(|_| ok("hello\x1b[2J")),
        "failed: the content is \"hello\\u{1b}[2J\" instead of the echostr; check that both sides have the same token, and that the query (?signature=…) reaches the program\n",
    );
    assert_diagnosis(
        echoing(|_| ok("<!DOCTYPE html><title>nginx</title>")),
        "failed: the content is an HTML page: \"<!DOCTYPE html><title>nginx</title>\"; check for an error page, and that this is the URL of the program\n",
    );
    assert_diagnosis(
        echoing(|_| ok("")),
        "failed: the content is empty; it must be the value of the query parameter echostr\n",
    );
    assert_diagnosis(
        echoing(|echostr| ok(&echostr[..8])),
        "failed: only the first 8 of 19 bytes of the echostr came back; check Content-Length\n",
    );
    assert_diagnosis(
        echoing(|echostr| ok(&echostr[..7])),
        " instead of the echostr; ",
    );
    for digit in 1..=9 {
        assert_diagnosis(
            echoing(move |_| ok(&digit.to_string())),
            " instead of the echostr; ",
        );
    }
    assert_diagnosis(
        echoing(|echostr| ok(&echostr[..10])),
        "failed: only the first 10 of 19 bytes of the echostr came back; check Content-Length\n",
    );
    assert_diagnosis(
        echoing(|echostr| {
            format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{echostr}").into_bytes()
        }),
        "failed: Content-Length is 10, but 9 more bytes follow; it must count bytes, not characters\n",
    );
    let bytes =
        |content: &'static [u8]| echoing(move |_| [b"HTTP/1.1 200 OK\r\n\r\n", content].concat());
    assert_diagnosis(
        bytes(b"\x1f\x8b\x08"),
        "failed: the content is compressed with gzip, which WeChat does not ask for; switch compression off for this URL\n",
    );
    assert_diagnosis(
        bytes(b"\xff\xfe1\0"),
        "failed: the content is UTF-16; send UTF-8 without a byte order mark\n",
    );
    assert_diagnosis(
        echoing(|_| ok(&"x".repeat(100_000))),
        "failed: the content is longer than 64 KiB, and no answer to WeChat is; check that this is the URL of the program\n",
    );
}

#[test]
fn a_status_is_named_with_what_it_mostly_means() {
    let status = |line: &'static str, fields: &'static str, content: &'static str| {
        backend(move |_| {
            let length = content.len();
            format!("HTTP/1.1 {line}\r\n{fields}Content-Length: {length}\r\n\r\n{content}")
                .into_bytes()
        })
    };
    assert_diagnosis(
        status("404 Not Found", "", "<html><title>Not here</title></html>"),
        "failed: status 404 with the message \"Not here\"; check that the program serves this path\n",
    );
    assert_diagnosis(
        status("301 Moved", "Location: https://example.com/wx\r\n", ""),
        "failed: status 301, a redirect to \"https://example.com/wx\", and WeChat follows none; answer at this URL, or enter the other URL in the console\n",
    );
    assert_diagnosis(
        status("502 Bad Gateway", "", ""),
        "failed: status 502; the proxy does not reach the program; ",
    );
    assert_diagnosis(
        status("504 Gateway Timeout", "", ""),
        "failed: status 504; the proxy does not reach the program; ",
    );
    assert_diagnosis(
        status(
            "400 Bad Request",
            "",
            "<title>400 The plain HTTP request was sent to HTTPS port</title>",
        ),
        "sent to HTTPS port\"; this port is for HTTPS, give the port for plain HTTP\n",
    );
    assert_diagnosis(
        status("304 Not Modified", "", ""),
        "failed: status 304; WeChat accepts only 200\n",
    );
    assert_diagnosis(
        backend(|_| b"HTTP/1.1 103 x\r\n\r\nHTTP/1.1 101 x\r\n\r\n?".to_vec()),
        "failed: status 101; WeChat accepts only 200\n",
    );
    let program = Program::start(&["--path", "/other"]);
    assert_diagnosis(
        program.address,
        "failed: status 404 with the message \"nothing is served at this path\"; ",
    );
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", "another")
            .args(["--listen", "127.0.0.1:0"]),
    );
    assert_diagnosis(
        program.address,
        "failed: status 403 with the message \"signature does not match\"; check that both sides have the same token ",
    );
}

#[test]
fn a_backend_that_checks_nothing_is_found_out() {
    let passes =
        "failed: a wrong signature is accepted too: the program does not check signatures, ";
    assert_diagnosis(backend(|request| ok(echostr(request))), passes);
    let quoting = backend(|request| ok(&format!("\"{}\"", echostr(request))));
    assert_diagnosis(quoting, passes);
    assert_diagnosis(quoting, "failed: the echostr is in quotes, ");
    // A page that shows the URL that it refuses passes nothing.
    let showing = backend(|request| match is_signed(request) {
        true => ok(echostr(request)),
        false => ok(request.lines().next().unwrap()),
    });
    let said = run(showing, &["verify"]);
    assert_eq!(said.code, 0, "{}", said.out);
}

#[test]
fn interim_responses_are_skipped() {
    let address = echoing(|echostr| {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n";
        [interim.as_bytes(), &ok(echostr)].concat()
    });
    let said = run(address, &["verify"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
}

#[test]
fn a_chunked_echostr_passes_with_a_warning() {
    let address = echoing(|echostr| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{echostr}\r\n0\r\n\r\n")
            .into_bytes()
    });
    let said = run(address, &["verify"]);
    assert!(
        said.out.contains("warning: the content is chunked, and some report that the token check then fails; send Content-Length\n"),
        "{}",
        said.out
    );
    assert_eq!(said.code, 0);
}

#[test]
fn what_breaks_http_is_named_for_the_rule_it_breaks() {
    let bytes = |bytes: &'static str| backend(move |_| bytes.as_bytes().to_vec());
    assert_diagnosis(
        bytes("SSH-2.0-OpenSSH_9.2\r\n"),
        "failed: the answer is not HTTP, it begins with \"SSH-2.0-OpenSSH_9.2\\r\\n\"; check which program listens at this port\n",
    );
    assert_diagnosis(
        bytes("\x15\x03\x01\0\x02\x02F"),
        "failed: the answer is TLS, not HTTP; this port is for HTTPS, give the port for plain HTTP\n",
    );
    assert_diagnosis(
        bytes("\x16\x03\x03\0"),
        "failed: the answer is TLS, not HTTP; this port is for HTTPS, give the port for plain HTTP\n",
    );
    assert_diagnosis(
        bytes(""),
        "failed: the connection was closed without an answer; read the log of the program, and check that this port is not for HTTPS\n",
    );
    // Closed with the request unread, which resets the connection.
    let resetting = |answer: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.peek(&mut [0]).unwrap();
            stream.write_all(answer).unwrap();
        });
        address
    };
    assert_diagnosis(
        resetting(b""),
        "failed: the connection was closed without an answer; read the log of the program, and check that this port is not for HTTPS\n",
    );
    assert_diagnosis(
        resetting(b"HTTP/1.1 200 OK\r\n\r\n5927"),
        "failed: the connection was reset in the middle of the content; read the log of the program\n",
    );
    assert_diagnosis(
        bytes("HTTP/1.1 200 OK\r\nContent-Le"),
        "failed: the connection was closed in the middle of the head of the answer; end the head with an empty line\n",
    );
    assert_diagnosis(
        bytes("HTTP/1.1 200 OK\nContent-Length: 1\n\n1"),
        "failed: the head of the answer is not valid HTTP: line ends with a bare '\\n', only CRLF allowed; ",
    );
    assert_diagnosis(
        bytes("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1"),
        "is not valid HTTP: content-length occurs twice; correct the program that writes it\n",
    );
    assert_diagnosis(
        bytes("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n5927782489442352469"),
        "failed: Content-Length is 30, but the connection was closed after 19 bytes; send the whole content\n",
    );
    assert_diagnosis(
        bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\n"),
        "failed: the chunks of the content are not valid HTTP: line ends with a bare '\\n'",
    );
    assert_diagnosis(
        bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        "failed: the connection was closed in the middle of chunked content; end it with a chunk of size 0\n",
    );
}

#[test]
fn a_backend_that_is_not_there_is_named_for_where_it_is_missed() {
    let gone = nowhere();
    assert_diagnosis(
        gone,
        &format!(
            "failed: nothing listens at {gone}; check that the program runs, and that {} is its port\n",
            gone.port()
        ),
    );
    let verify = |url: &str| {
        finish(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .args(["verify", "--url", url]),
        )
    };
    let said = verify("http://nowhere.invalid/wx");
    assert!(
        said.out
            .starts_with("failed: cannot resolve the host name nowhere.invalid: "),
        "{}",
        said.out
    );
    assert_eq!(said.code, 1);
}

#[test]
fn a_backend_that_is_too_slow_is_given_up_after_five_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // Accepted by the kernel alone.
    let address = listener.local_addr().unwrap();
    let sent = thread::spawn(move || run(address, &["send", "你好"]));
    assert_diagnosis(
        address,
        "failed: connected, but no answer within the 5 s that WeChat waits; check whether the program is busy or waits for something\n",
    );
    let said = sent.join().unwrap();
    assert!(
        said.out
            .starts_with("failed: connected, but no answer within the 5 s that WeChat waits; "),
        "{}",
        said.out
    );
    assert_eq!(
        said.err,
        "wechat: no answer in time; WeChat would ask twice more, and --tries does
"
    );
    // A head that is never whole, a content without an end, and a length that is never reached are
    // noticed by the time alone.
    let held = |answer: &'static str| {
        let address = holding(answer.as_bytes());
        thread::spawn(move || run(address, &["verify"]).out)
    };
    let head = held("HTTP/1.1 200 OK\r\n");
    let dripping = TcpListener::bind("127.0.0.1:0").unwrap();
    let dripped = dripping.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = dripping.accept().unwrap();
        // A byte a second, so that no single read takes long, until the client has gone.
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde" {
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_secs(1));
        }
    });
    let drip = thread::spawn(move || run(dripped, &["verify"]).out);
    let close = held("HTTP/1.1 200 OK\r\n\r\nabc");
    let chunked = held("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let kept = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 57\r\n\r\n5927782489442352469")
            .unwrap();
        rest(&mut stream)
    });
    assert_diagnosis(
        address,
        "failed: Content-Length is 57, but only 19 bytes arrived within 5 s; send the whole content\n",
    );
    let starts = |out: String, with: &str| assert!(out.starts_with(with), "{out}");
    for late in [head, drip] {
        starts(
            late.join().unwrap(),
            "failed: the head of the answer is incomplete after 5 s; send it faster, and end it with an empty line\n",
        );
    }
    starts(
        close.join().unwrap(),
        "failed: the content has no end after 5 s: there is no Content-Length, and the connection stays open; send Content-Length, or close the connection\n",
    );
    starts(
        chunked.join().unwrap(),
        "failed: the chunked content is incomplete after 5 s; end it with a chunk of size 0\n",
    );
    assert_eq!(kept.join().unwrap(), b"");
}

#[test]
fn urls_are_refused_by_what_is_wrong_with_them() {
    let cases = [
        (
            "https://example.com/wx",
            "https is spoken by the proxy in front (nginx), not here; give the http:// address that it passes requests on to",
        ),
        ("example.com/wx", "http://host/path allowed"),
        (
            "http://example.com:x/",
            "http:// and a host name or address, with :port if it is not 80, allowed",
        ),
    ];
    for (url, allowed) in cases {
        for name in ["verify", "send", "replay"] {
            let mut command = command();
            command
                .env("WECHAT_TOKEN", TOKEN)
                .args([name, "--url", url]);
            let said = finish(&mut command);
            let expected = format!("wechat: --url is {url:?}, {allowed}\n");
            assert_eq!((said.code, said.err), (2, expected));
        }
    }
    let said = finish(command().args(["verify"]));
    assert_eq!(
        (said.code, said.err.as_str()),
        (
            2,
            "wechat: no token, WECHAT_TOKEN or --token-file FILE expected\n"
        )
    );
}

#[test]
fn colour_is_for_terminals_alone_and_not_for_who_refuses_it() {
    let program = Program::start(&[]);
    let url = format!("http://{}", program.address);
    let shown = |refusal| {
        on_terminal(
            "verify",
            &[("WECHAT_URL", url.as_str()), ("NO_COLOR", refusal)],
        )
    };
    let (coloured, plain) = (shown(""), shown("1"));
    assert!(coloured.contains("\x1b[32mok\x1b[0m: "), "{coloured}");
    assert!(plain.contains("ok: status 200"), "{plain}");
    assert!(!plain.contains('\x1b'), "{plain}");
    assert!(!run(program.address, &["verify"]).out.contains('\x1b'));
}

#[test]
fn ipv6_and_names_are_called_where_there_are_any() {
    let echo = |request: &str| match is_signed(request) {
        true => ok(echostr(request)),
        false => b"HTTP/1.0 403 no\r\n\r\n".to_vec(),
    };
    let named = backend(echo);
    let verify = |url: &str| {
        let mut command = command();
        let command = command.env("WECHAT_TOKEN", TOKEN);
        finish(command.args(["verify", "--url", url]))
    };
    let url = format!("http://localhost:{}/wx?a=b", named.port());
    assert_eq!(verify(&url).code, 0);
    let Some(address) = backend_on("[::1]:0", echo) else {
        println!("this machine has no IPv6, so it was not tested");
        return;
    };
    assert_eq!(verify(&format!("http://{address}")).code, 0);
}

/// As a firewall does that lets nothing in and says nothing.
#[test]
fn a_connection_that_is_never_made_is_given_up_after_five_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Behind a full queue the kernel drops who comes.
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
    let mut queue = Vec::new();
    loop {
        match connect() {
            Ok(stream) => queue.push(stream),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
                break;
            }
        }
    }
    assert_diagnosis(
        address,
        &format!(
            "failed: the connection to {address} timed out; check that the firewall and the cloud's \
             security group let port {} in\n",
            address.port()
        ),
    );
}
