//! `wechat verify` with this server, and with backends that have the errors that people report.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use crate::support::tools::*;
use crate::support::*;

/// A backend that checks the signature. It passes the echostr to `answer`, and sends the result.
fn echoing(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    backend(move |request| match is_signed(request) {
        true => answer(echostr(request)),
        false => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec(),
    })
}

/// Asserts that `verify` fails and prints this line, in which `*` matches any text.
#[track_caller]
fn assert_fails(address: SocketAddr, line: &str) {
    let output = run(address, &["verify"]);
    output.assert_line(line);
    assert_eq!(output.code, 1, "{}", output.out);
    assert_eq!(output.err, format!("wechat: http://{address}/wx is not ready for WeChat\n"));
}

#[test]
fn accepts_a_backend_that_returns_the_echostr() {
    let program = Program::start(&[]);
    let output = run(program.address, &["verify"]);
    let lines: Vec<&str> = output.out.lines().collect();
    assert!(lines[0].starts_with("ok: status 200 after "), "{}", output.out);
    assert_eq!(lines[1], "ok: the content is the echostr and nothing else");
    assert_eq!(lines[2], "ok: a wrong signature is refused with status 403");
    let address = program.address;
    assert_eq!(lines[3], format!("WeChat would accept http://{address}/wx with this token"));
    assert_eq!((lines.len(), output.code, output.err.as_str()), (4, 0, ""));
}

#[test]
fn explains_an_answer_in_chinese() {
    for (address, line) in [
        (echoing(|echostr| ok(&format!("{echostr}\n"))), "echostr 后面有空白；"),
        (
            echoing(|_| b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_vec()),
            "状态码 404；请检查程序是否提供此路径",
        ),
        (nowhere(), "没有程序监听；"),
    ] {
        let output = finish(command().env("WECHAT_LANG", "zh").env("WECHAT_TOKEN", TOKEN).args([
            "verify",
            "--url",
            &format!("http://{address}/wx"),
        ]));
        assert!(output.out.contains(line), "{}", output.out);
        assert_eq!(output.code, 1);
    }
}

#[test]
fn names_what_surrounds_the_echostr() {
    assert_fails(
        echoing(|echostr| ok(&format!("\"{echostr}\""))),
        "failed: the echostr is in quotes, as frameworks write a string in JSON; send it as plain text (text/plain)",
    );
    assert_fails(
        echoing(|echostr| ok(&format!("\u{FEFF}{echostr}"))),
        "failed: the content begins with a byte order mark (EF BB BF); save the program's files as UTF-8 without BOM",
    );
    assert_fails(
        echoing(|echostr| ok(&format!("\r\n{echostr}"))),
        "failed: white space precedes the echostr; remove blank lines at the start of the program's files",
    );
    assert_fails(
        echoing(|echostr| ok(&format!("{echostr}\n"))),
        "failed: white space follows the echostr; print it without a line end, and remove blank lines at the end of the program's files",
    );
    assert_fails(
        echoing(|echostr| ok(&format!("<html><body>{echostr}</body></html>"))),
        "failed: the echostr is in an HTML page, after \"<html><body>\"; send it alone, as plain text",
    );
    assert_fails(
        echoing(|echostr| ok(&format!("echostr={echostr};"))),
        "failed: the echostr is not alone: \"echostr=\" before it, \";\" after it; send nothing else",
    );
}

#[test]
fn names_content_other_than_the_echostr() {
    assert_fails(
        echoing(|_| ok("hello\x1b[2J")),
        "failed: the content is \"hello\\u{1b}[2J\" instead of the echostr; check that both sides have the same token, and that the query (?signature=…) reaches the program",
    );
    assert_fails(
        echoing(|_| ok("<!DOCTYPE html><title>nginx</title>")),
        "failed: the content is an HTML page: \"<!DOCTYPE html><title>nginx</title>\"; check for an error page, and that this is the URL of the program",
    );
    assert_fails(
        echoing(|_| ok("")),
        "failed: the content is empty; it must be the value of the query parameter echostr",
    );
    assert_fails(
        echoing(|echostr| ok(&echostr[..8])),
        "failed: only the first 8 of 19 bytes of the echostr came back; check Content-Length",
    );
    assert_fails(
        echoing(|echostr| ok(&echostr[..7])),
        "failed: the content is \"*\" instead of the echostr; check that both sides have the same token, and that the query (?signature=…) reaches the program",
    );
    for digit in 1..=9 {
        assert_fails(
            echoing(move |_| ok(&digit.to_string())),
            &format!("failed: the content is \"{digit}\" instead of the echostr; *"),
        );
    }
    assert_fails(
        echoing(|echostr| ok(&echostr[..10])),
        "failed: only the first 10 of 19 bytes of the echostr came back; check Content-Length",
    );
    assert_fails(
        echoing(|echostr| {
            format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{echostr}").into_bytes()
        }),
        "failed: Content-Length is 10, but 9 more bytes follow; it must count bytes, not characters",
    );
    let bytes =
        |content: &'static [u8]| echoing(move |_| [b"HTTP/1.1 200 OK\r\n\r\n", content].concat());
    assert_fails(
        bytes(b"\x1f\x8b\x08"),
        "failed: the content is compressed with gzip, which WeChat does not ask for; switch compression off for this URL",
    );
    assert_fails(
        bytes(b"\xff\xfe1\0"),
        "failed: the content is UTF-16; send UTF-8 without a byte order mark",
    );
    assert_fails(
        echoing(|_| ok(&"x".repeat(100_000))),
        "failed: the content is longer than 64 KiB, and no answer to WeChat is that long; check that this is the URL of the program",
    );
}

/// A backend that responds with this status line, these fields and this content.
fn status(line: &'static str, fields: &'static str, content: &'static str) -> SocketAddr {
    backend(move |_| {
        let length = content.len();
        format!("HTTP/1.1 {line}\r\n{fields}Content-Length: {length}\r\n\r\n{content}").into_bytes()
    })
}

/// Asserts that `verify` fails for such a backend, and prints this line.
#[track_caller]
fn assert_status_fails(
    line: &'static str,
    fields: &'static str,
    content: &'static str,
    expected: &str,
) {
    assert_fails(status(line, fields, content), expected);
}

#[test]
fn explains_a_status_other_than_200() {
    assert_status_fails(
        "404 Not Found",
        "",
        "<html><title>Not here</title></html>",
        "failed: status 404 with the message \"Not here\"; check that the program serves this path",
    );
    assert_status_fails(
        "301 Moved",
        "Location: https://example.com/wx\r\n",
        "",
        "failed: status 301 redirects to \"https://example.com/wx\", but WeChat follows no redirects; answer at this URL, or enter the other URL in the console",
    );
    assert_status_fails(
        "502 Bad Gateway",
        "",
        "",
        "failed: status 502; the proxy does not reach the program; *",
    );
    assert_status_fails(
        "504 Gateway Timeout",
        "",
        "",
        "failed: status 504; the proxy does not reach the program; *",
    );
    assert_status_fails(
        "400 Bad Request",
        "",
        "<title>400 The plain HTTP request was sent to HTTPS port</title>",
        "failed: status 400 with the message \"*\"; this port is for HTTPS, give the port for plain HTTP",
    );
    let nginx = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n\
        <center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
    let no_location = |server: &str| {
        format!(
            "this is {server}'s own page, so no location in the configuration of {server} passes \
             this URL on; check its server_name and location"
        )
    };
    for (line, content, server) in [
        ("404 Not Found", nginx, "nginx"),
        ("405 Not Allowed", "<hr><center>nginx</center>", "nginx"),
        ("404 Not Found", "<hr><center>openresty/1.21.4.1</center>", "openresty"),
        ("404 Not Found", "<hr><center>tengine</center>", "tengine"),
        (
            "404 Not Found",
            "<address>Apache/2.4.62 (Debian) Server at e Port 80</address>",
            "Apache",
        ),
    ] {
        let output = run(status(line, "", content), &["verify"]);
        assert!(output.out.contains(&no_location(server)), "{}", output.out);
        assert!(!output.out.contains("the program serves this path"), "{}", output.out);
    }
    assert_status_fails(
        "403 Forbidden",
        "",
        "<title>403 Forbidden</title><hr><center>nginx</center>",
        "failed: status 403 with the message \"403 Forbidden\"; this is nginx's own page, so nginx has not passed the request on; read the error log of nginx",
    );
    assert_status_fails(
        "502 Bad Gateway",
        "",
        "<title>502 Bad Gateway</title><hr><center>nginx</center>",
        "failed: status 502 with the message \"502 Bad Gateway\"; the proxy does not reach the program; *",
    );
    assert_status_fails(
        "200 OK",
        "",
        "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>",
        "failed: the content is the welcome page of nginx, so no location in its configuration passes this URL on; check its server_name and location",
    );
    assert_status_fails("304 Not Modified", "", "", "failed: status 304; WeChat accepts only 200");
    assert_fails(
        backend(|_| b"HTTP/1.1 103 x\r\n\r\nHTTP/1.1 101 x\r\n\r\n?".to_vec()),
        "failed: status 101; WeChat accepts only 200",
    );
    let program = Program::start(&["--path", "/other"]);
    assert_fails(
        program.address,
        "failed: status 404 with the message \"*\"; check that the program serves this path",
    );
    let program =
        Program::spawn(command().env("WECHAT_TOKEN", "another").args(["--listen", "127.0.0.1:0"]));
    assert_fails(
        program.address,
        "failed: status 403 with the message \"*\"; check that both sides have the same token (in the encrypted modes also the same EncodingAESKey and appid), and that nothing else refuses requests to this URL",
    );
}

#[test]
fn fails_a_backend_that_accepts_a_wrong_signature() {
    let accepted =
        "failed: a wrong signature is accepted too, so the program does not check signatures, *";
    assert_fails(backend(|request| ok(echostr(request))), accepted);
    let quoting = backend(|request| ok(&format!("\"{}\"", echostr(request))));
    assert_fails(quoting, accepted);
    assert_fails(quoting, "failed: the echostr is in quotes, *");
    // The same page for every request, which shows the URL.
    let page = backend(|request| ok(&format!("<html>{}</html>", request.lines().next().unwrap())));
    let not_judged = "warning: a wrong signature is not judged, because it gets the same kind of answer as \
        the right one; correct the failure above and check again";
    assert_fails(page, not_judged);
    // An error page may show the URL. This does not mean that the wrong signature is accepted.
    let showing = backend(|request| match is_signed(request) {
        true => ok(echostr(request)),
        false => ok(request.lines().next().unwrap()),
    });
    let output = run(showing, &["verify"]);
    assert_eq!(output.code, 0, "{}", output.out);
}

#[test]
fn skips_interim_responses() {
    let address = echoing(|echostr| {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\n";
        [interim.as_bytes(), &ok(echostr)].concat()
    });
    let output = run(address, &["verify"]);
    assert_eq!((output.code, output.err.as_str()), (0, ""), "{}", output.out);
}

#[test]
fn accepts_a_chunked_echostr_with_a_warning() {
    let address = echoing(|echostr| {
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n{echostr}\r\n0\r\n\r\n")
            .into_bytes()
    });
    let output = run(address, &["verify"]);
    output.assert_line(
        "warning: the content is chunked, and some report that the token check then fails; send Content-Length",
    );
    assert_eq!(output.code, 0);
}

#[test]
fn names_the_rule_of_http_that_an_answer_breaks() {
    let bytes = |bytes: &'static str| backend(move |_| bytes.as_bytes().to_vec());
    assert_fails(
        bytes("SSH-2.0-OpenSSH_9.2\r\n"),
        "failed: the answer is not HTTP, it begins with \"SSH-2.0-OpenSSH_9.2\\r\\n\"; check which program listens at this port",
    );
    assert_fails(
        bytes("\x15\x03\x01\0\x02\x02F"),
        "failed: the answer is TLS, not HTTP; this port is for HTTPS, give the port for plain HTTP",
    );
    assert_fails(
        bytes("\x16\x03\x03\0"),
        "failed: the answer is TLS, not HTTP; this port is for HTTPS, give the port for plain HTTP",
    );
    assert_fails(
        bytes(""),
        "failed: the connection was closed without an answer; read the log of the program, and check that this port is not for HTTPS",
    );
    // The backend closes the connection without reading the request, which resets the connection.
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
    assert_fails(
        resetting(b""),
        "failed: the connection was closed without an answer; read the log of the program, and check that this port is not for HTTPS",
    );
    assert_fails(
        resetting(b"HTTP/1.1 200 OK\r\n\r\n5927"),
        "failed: the connection was reset in the middle of the content; read the log of the program",
    );
    assert_fails(
        bytes("HTTP/1.1 200 OK\r\nContent-Le"),
        "failed: the connection was closed in the middle of the head of the answer; end the head with an empty line",
    );
    assert_fails(
        bytes("HTTP/1.1 200 OK\nContent-Length: 1\n\n1"),
        "failed: the head of the answer is not valid HTTP: *; correct the program that writes it",
    );
    assert_fails(
        bytes("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1"),
        "failed: the head of the answer is not valid HTTP: *; correct the program that writes it",
    );
    assert_fails(
        bytes("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n5927782489442352469"),
        "failed: Content-Length is 30, but the connection was closed after 19 bytes; send the whole content",
    );
    assert_fails(
        bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\n"),
        "failed: the chunks of the content are not valid HTTP: *; correct the program that writes them",
    );
    assert_fails(
        bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        "failed: the connection was closed in the middle of chunked content; end it with a chunk of size 0",
    );
}

#[test]
fn reports_an_unknown_host_and_a_closed_port() {
    let gone = nowhere();
    assert_fails(
        gone,
        &format!(
            "failed: nothing listens at {gone}; check that the program runs, and that {} is its port",
            gone.port()
        ),
    );
    let verify =
        |url: &str| finish(command().env("WECHAT_TOKEN", TOKEN).args(["verify", "--url", url]));
    let output = verify("http://nowhere.invalid/wx");
    output.assert_line("failed: cannot resolve the host name nowhere.invalid: *");
    assert_eq!(output.code, 1);
}

#[test]
fn warns_of_ports_and_hosts_that_wechat_does_not_call() {
    let verify =
        |url: &str| finish(command().env("WECHAT_TOKEN", TOKEN).args(["verify", "--url", url]));
    // An address of the documentation, which no host has (RFC 3849).
    let port = "warning: WeChat calls only ports 80 and 443, so it does not reach port 8000; \
        in the console, enter a URL without a port";
    let address = "warning: the host has only an IPv6 address, and WeChat calls only IPv4 addresses; \
        give the domain an IPv4 address (DNS record A)";
    let output = verify("http://[2001:db8::1]:8000/");
    output.assert_line(port);
    output.assert_line(address);
    let output = verify("http://[2001:db8::1]/");
    output.assert_line(address);
    assert!(!output.out.contains("port 80;"), "{}", output.out);
    let program = Program::start(&[]);
    let port = program.address.port();
    let output = verify(&format!("http://localhost:{port}/"));
    assert!(!output.out.contains("warning"), "{}", output.out);
}

#[test]
fn refuses_invalid_urls_with_the_reason() {
    let cases = [
        (
            "https://example.com/wx",
            "https is not supported; pass the http:// address that the proxy (nginx) forwards requests to",
        ),
        ("example.com/wx", "expected http://host/path"),
        (
            "http://example.com:x/",
            "expected a host name or address after http://, and :port if the port is not 80",
        ),
    ];
    for (url, allowed) in cases {
        for name in ["verify", "send", "replay"] {
            let mut command = command();
            command.env("WECHAT_TOKEN", TOKEN).args([name, "--url", url]);
            let output = finish(&mut command);
            let is_left_to_curl = name == "verify" && url.starts_with("https");
            let expected = match is_left_to_curl {
                true => (1, format!("wechat: {url:?} is not checked yet; run the command above\n")),
                false => (2, format!("wechat: --url is {url:?}: {allowed}\n")),
            };
            assert_eq!((output.code, output.err), expected);
        }
    }
    let output = finish(command().args(["verify"]));
    assert_eq!(
        (output.code, output.err.as_str()),
        (2, "wechat: no token; set WECHAT_TOKEN or pass --token-file FILE\n")
    );
}

/// The printed command, with curl replaced by a client for plain HTTP.
#[test]
fn an_https_url_is_left_to_curl_with_a_signed_url() {
    let program = Program::start(&[]);
    let verify =
        |url: &str| finish(command().env("WECHAT_TOKEN", TOKEN).args(["verify", "--url", url]));
    let url = format!("https://{}/wx'?a=b", program.address);
    let output = verify(&url);
    assert_eq!(output.code, 1);
    assert_eq!(output.err, format!("wechat: {url:?} is not checked yet; run the command above\n"));
    let start = format!("  curl -i 'https://{}", program.address);
    let target = output.out.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
    let target = target.strip_suffix('\'').unwrap();
    assert!(target.starts_with("/wx%27?a=b&signature=") && !target.contains('\''), "{target}");
    let answer = ask(&mut connect(program.address), &get(target));
    // The expected content is a line of its own.
    assert_eq!(answer.status, 200);
    output.assert_line(&format!("  {}", answer.content));
    for word in ["status is 200", "403", "404", "redirects", "curl: (60)"] {
        assert!(output.out.contains(word), "{word}\n{}", output.out);
    }
    // Only the port of https may be missing.
    let output = verify("HTTPS://example.com");
    assert!(output.out.contains("  curl -i 'https://example.com/?signature="), "{}", output.out);
    let output = verify("https://a b/");
    assert_eq!((output.code, output.out.as_str()), (2, ""));
}

#[test]
fn uses_colour_on_terminals_unless_no_color_is_set() {
    let program = Program::start(&[]);
    let url = format!("http://{}", program.address);
    let shown = |refusal| {
        on_terminal("verify", &[("WECHAT_CALLBACK_URL", url.as_str()), ("NO_COLOR", refusal)])
    };
    let (coloured, plain) = (shown(""), shown("1"));
    assert!(coloured.contains("\x1b[32mok\x1b[0m: "), "{coloured}");
    assert!(plain.contains("ok: status 200"), "{plain}");
    assert!(!plain.contains('\x1b'), "{plain}");
    assert!(!run(program.address, &["verify"]).out.contains('\x1b'));
}

#[test]
fn connects_to_names_and_ipv6_addresses() {
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
    let address = backend_on("[::1]:0", echo).expect("this test needs IPv6");
    assert_eq!(verify(&format!("http://{address}")).code, 0);
}
