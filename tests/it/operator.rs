//! What the log and the answers tell an operator whose client, proxy or test is not WeChat.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::*;

/// Sends each request on a connection of its own. Returns the status and the log line of each.
fn log_of(flags: &[&str], requests: &[Vec<u8>]) -> Vec<(u16, String)> {
    let program = Program::start(flags);
    let statuses: Vec<u16> = requests
        .iter()
        .map(|request| {
            let answer = exchange(program.address, request);
            str::from_utf8(&answer[9..12]).unwrap().parse().unwrap()
        })
        .collect();
    let lines = program.stop();
    assert_eq!(lines.len(), requests.len(), "{lines:#?}");
    statuses.into_iter().zip(lines).collect()
}

/// Asserts the reason of a log line, and that its hint contains these words.
#[track_caller]
fn assert_line(line: &str, cause: &str, reason: &str, hint: &str) {
    let (start, found) = line.split_once("\" hint=\"").unwrap_or_else(|| panic!("no hint: {line}"));
    assert!(start.ends_with(&format!(" cause={cause} reason=\"{reason}")), "{line}");
    assert!(found.contains(hint), "{line}");
}

#[test]
fn other_protocols_are_named_with_the_remedy() {
    let cases: [(&[u8], &str, &str, &str); 9] = [
        (
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
            "bad-method",
            "TLS handshake, expected plain HTTP",
            "proxy_pass http://",
        ),
        (
            b"PROXY TCP4 203.0.113.7 10.0.0.1 56324 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "bad-target",
            "header of the PROXY protocol, expected an HTTP request",
            "send-proxy",
        ),
        (
            b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "bad-target",
            "header of the PROXY protocol, expected an HTTP request",
            "proxy_protocol",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\xdc\x04\0\x50",
            "bad-method",
            "header of the PROXY protocol, expected an HTTP request",
            "load balancer",
        ),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0",
            "bad-target",
            "HTTP/2, expected HTTP/1.0 or HTTP/1.1",
            "proxy_http_version 1.1",
        ),
        (
            b"\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0",
            "bad-method",
            "FastCGI, expected HTTP",
            "proxy_pass http://",
        ),
        (
            b"\0\x5b\x01\0\x0c\0QUERY_STRING\0\0",
            "bad-method",
            "uwsgi, expected HTTP",
            "proxy_pass http://",
        ),
        (
            b"70:CONTENT_LENGTH\x0027\0SCGI\x001\0",
            "bad-method",
            "SCGI, expected HTTP",
            "proxy_pass http://",
        ),
        (
            b"{\"ToUserName\":\"gh_1\"}",
            "bad-method",
            "JSON without a request line and fields, expected an HTTP request",
            "wechat send",
        ),
    ];
    let requests: Vec<Vec<u8>> = cases.iter().map(|(bytes, ..)| bytes.to_vec()).collect();
    for ((status, line), (_, cause, reason, hint)) in log_of(&[], &requests).iter().zip(&cases) {
        assert_eq!(*status, 400, "{line}");
        assert_line(line, cause, reason, hint);
    }
    // A request with an error of its own is not taken for another protocol.
    let lines = log_of(&[], &[b"GET /\x16\x03 HTTP/1.1\r\n\r\n".to_vec()]);
    assert!(lines[0].1.contains("reason=\"request target: "), "{}", lines[0].1);
}

#[test]
fn content_of_another_format_is_named_with_the_remedy() {
    let demo =
        r#"{"ToUserName":"gh_1","MsgType":"event","Event":"debug_demo","debug_str":"secret"}"#;
    let cases = [
        (
            demo,
            "content is a test message of the WeChat console's push debugger (debug_demo) in JSON, expected XML",
            "wechat send",
        ),
        (
            r#"{"ToUserName":"gh_1","MsgType":"text","Content":"secret"}"#,
            "content is JSON, expected XML",
            "choose XML as the data format (数据格式)",
        ),
        ("Content=secret&MsgType=text", "content is a form, expected XML", "wechat send"),
        ("<!DOCTYPE html><p>secret", "content is an HTML page, expected XML", "wechat send"),
        ("secret", "not well-formed XML at line 1 column 1", "wechat send"),
    ];
    let requests: Vec<Vec<u8>> = cases.iter().map(|(content, ..)| post(content)).collect();
    for ((status, line), (_, reason, hint)) in log_of(&[], &requests).iter().zip(&cases) {
        assert_eq!(*status, 400, "{line}");
        assert_line(line, "bad-message", reason, hint);
        assert!(!line.contains("secret"), "{line}");
    }
}

#[test]
fn a_test_by_hand_is_told_of_the_commands_that_sign() {
    let query = signed_now();
    let to = |query: &str, text: &str| {
        post_to(&format!("/wx?{query}"), "HTTP/1.1", "", &text_message(text))
    };
    let requests = [
        to(&query, "a"),
        to(&query, "b"),
        to("", "a"),
        to("signature=&timestamp=1&nonce=1", "a"),
        get(&format!("/wx?{query}")),
        to(&signed(&(now() - 86_400).to_string(), "1"), "a"),
    ];
    let program = Program::start(&[]);
    for (request, status) in requests.iter().zip([200, 403, 400, 400, 400, 403]) {
        assert_eq!(ask(&mut connect(program.address), request).status, status);
    }
    let lines = program.stop();
    let unsigned = "parameter signature is missing or empty";
    assert_line(
        &lines[0],
        "reused-signature",
        "signature was already used for other content",
        "to test by hand, use wechat send, which signs each message anew; ",
    );
    for line in &lines[1..3] {
        assert_line(line, "missing-parameter", unsigned, "to test by hand, use wechat send ");
        assert!(line.contains("(在线接口调试工具) does not sign"), "{line}");
    }
    let no_echostr = "parameter echostr is missing or empty";
    assert_line(&lines[3], "missing-parameter", no_echostr, "use wechat verify");
    assert!(
        lines[4].contains("cause=stale-timestamp") && lines[4].contains("wechat replay --resign")
    );
    assert_eq!(lines.len(), 5, "{lines:#?}");
}

/// A crawler, a browser or WeChat asks for a file. The greeting is not that file.
#[test]
fn paths_of_files_are_not_greeted() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    for path in [
        "/.well-known/acme-challenge/abc",
        "/.well-known/",
        "/.git/config",
        "/a/.env",
        "/a/%2eenv",
        "/a/../b",
        "/favicon.ico",
        "/robots.txt?a=b",
        "/wp-login%2Ephp",
        "/x.txt/",
        "http://a/.well-known/x",
    ] {
        let answer = ask(&mut stream, &get(path));
        let content = "nothing is served at this path\n";
        assert_eq!((answer.status, answer.content.as_str()), (404, content), "{path}");
    }
    for path in ["/", "/wx", "/v1.2/wx", "/wx/", "http://a.b/", "/wx?a=b.c"] {
        assert_eq!(ask(&mut stream, &get(path)).status, 200, "{path}");
    }
    // A signed request is served at any path.
    let query = signed_now();
    let answer = ask(&mut stream, &get(&format!("/wx.php?{query}&echostr=1")));
    assert_eq!((answer.status, answer.content.as_str()), (200, "1"));
    // The path that the operator has chosen is greeted.
    let program = Program::start(&["--path", "/wx.php"]);
    assert_eq!(ask(&mut connect(program.address), &get("/wx.php")).status, 200);
}

/// WeChat asks for the file at the root of the domain, before an account may use 网页授权.
#[test]
fn the_file_of_a_domain_check_is_served_from_the_folder_of_the_rules() {
    let outside = folder("domain-outside");
    let folder = folder("domain");
    let write = |name: &str, content: &[u8]| fs::write(folder.join(name), content).unwrap();
    write("rules.xml", b"<rules><on><text>a</text></on></rules>");
    write("MP_verify_aB3.txt", b"aB3");
    write("MP_verify_odd.txt", b"\xEF\xBB\xBF\xFF\0\r\n");
    write("MP_verify_empty.txt", b"");
    write("MP_verify_longest.txt", &[b'x'; 1024]);
    write("MP_verify_long.txt", &[b'x'; 1025]);
    write("MP_verify_a-b.txt", b"x");
    write("MP_verify_.txt", b"x");
    write("MP_verify_a.txt.bak", b"x");
    write("other.txt", b"x");
    fs::create_dir(folder.join("MP_verify_folder.txt")).unwrap();
    fs::create_dir(folder.join("sub")).unwrap();
    write("sub/MP_verify_sub.txt", b"x");
    make_pipe(&folder.join("MP_verify_pipe.txt"));
    fs::write(outside.join("secret"), "x").unwrap();
    symlink(outside.join("secret"), folder.join("MP_verify_link.txt")).unwrap();
    symlink("/etc/hostname", folder.join("MP_verify_host.txt")).unwrap();
    symlink("nowhere", folder.join("MP_verify_dangling.txt")).unwrap();
    symlink("MP_verify_aB3.txt", folder.join("MP_verify_inside.txt")).unwrap();
    let rules = folder.join("rules.xml");
    let rules = rules.to_str().unwrap();
    for flags in [&["--rules", rules][..], &["--rules", rules, "--path", "/wx"]] {
        let program = Program::start(flags);
        let mut stream = connect(program.address);
        for (path, content) in [
            ("/MP_verify_aB3.txt", "aB3"),
            ("/MP_verify_aB3.txt?a=b", "aB3"),
            ("http://a/MP_verify_aB3.txt", "aB3"),
            ("/MP_verify_inside.txt", "aB3"),
            ("/MP_verify_empty.txt", ""),
            ("/MP_verify_longest.txt", &"x".repeat(1024)),
        ] {
            let answer = ask(&mut stream, &get(path));
            assert_eq!((answer.status, answer.content.as_str()), (200, content), "{path}");
            assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
            assert_eq!(answer.field("X-Content-Type-Options"), Some("nosniff"));
        }
        let head = ask(&mut stream, b"HEAD /MP_verify_aB3.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!((head.status, head.field("Content-Length")), (200, Some("3")));
        let odd = exchange(program.address, &get("/MP_verify_odd.txt"));
        assert!(odd.ends_with(b"\r\n\r\n\xEF\xBB\xBF\xFF\0\r\n"), "{}", odd.escape_ascii());
        let refused = [
            ("/MP_verify_missing.txt", "put the file that WeChat gave you beside the rules file"),
            ("/MP_verify_ab3.txt", "put the file that WeChat gave you"),
            ("/MP_verify_long.txt", "must be a regular file of at most 1024 bytes"),
            ("/MP_verify_folder.txt", "must be a regular file"),
            ("/MP_verify_pipe.txt", "must be a regular file"),
            ("/MP_verify_link.txt", "is a link out of its folder"),
            ("/MP_verify_host.txt", "is a link out of its folder"),
            ("/MP_verify_dangling.txt", "put the file that WeChat gave you"),
            ("/MP_verify_.txt", ""),
            ("/MP_verify_a-b.txt", ""),
            ("/MP_verify_a.txt.bak", ""),
            ("/MP_verify_%61B3.txt", ""),
            ("/mp_verify_aB3.txt", ""),
            ("/sub/MP_verify_sub.txt", ""),
            ("/MP_verify_sub/../MP_verify_aB3.txt", ""),
            ("/MP_verify_..%2f..%2fother.txt", ""),
            ("//MP_verify_aB3.txt", ""),
            ("/MP_verify_aB3.txt/", ""),
            ("/other.txt", ""),
            ("/rules.xml", ""),
        ];
        for (path, _) in refused {
            let answer = ask(&mut stream, &get(path));
            let content = "nothing is served at this path\n";
            assert_eq!((answer.status, answer.content.as_str()), (404, content), "{path}");
        }
        // A new file needs no restart.
        fs::write(folder.join("MP_verify_new.txt"), "new").unwrap();
        assert_eq!(ask(&mut stream, &get("/MP_verify_new.txt")).content, "new");
        drop(stream);
        let lines = program.stop();
        assert_eq!(lines.len(), refused.len(), "{lines:#?}");
        for (line, (path, hint)) in lines.iter().zip(refused) {
            assert!(line.starts_with(&format!("404 GET {path} peer=")), "{line}");
            assert!(line.contains("cause=other-path") && line.contains(hint), "{line}");
        }
    }
    // Without a rules file there is no folder.
    let program = Program::start(&[]);
    assert_eq!(ask(&mut connect(program.address), &get("/MP_verify_aB3.txt")).status, 404);
    assert!(program.stop()[0].contains("pass --rules FILE, and put the file"));
    // The folder of a relative path is the current one.
    let mut command = command();
    command.env("WECHAT_TOKEN", TOKEN).current_dir(&folder);
    let program = Program::spawn(command.args(["--listen", "127.0.0.1:0", "--rules", "rules.xml"]));
    assert_eq!(ask(&mut connect(program.address), &get("/MP_verify_aB3.txt")).content, "aB3");
}

#[cfg(feature = "secure")]
#[test]
fn an_encrypted_debug_message_is_named_and_gets_no_reason() {
    use crate::support::sealed::*;
    use wechat::wechat::Mode;

    let folder = root().join("fixtures/secure/open/official-event.message");
    let demo = fs::read_to_string(folder).unwrap();
    let wechat = WeChat::usual();
    let (_, encrypt) = wechat.content(&demo, Mode::Safe);
    let content = format!("<xml><ToUserName>gh_1</ToUserName><Encrypt>{encrypt}</Encrypt></xml>");
    let outside = format!("{{\"ToUserName\":\"gh_1\",\"Encrypt\":\"{encrypt}\"}}");
    let program = secure(&[]);
    for content in [content, outside] {
        let target = format!("/wx?{}", wechat.query(&encrypt));
        let answer =
            ask(&mut connect(program.address), &post_to(&target, "HTTP/1.1", "", &content));
        assert_eq!((answer.status, answer.content.as_str()), (403, "refused\n"));
    }
    let lines = program.stop();
    let reason = "decrypted content is a test message of the WeChat console's push debugger \
        (debug_demo) in JSON, expected XML";
    assert_line(&lines[0], "bad-message", reason, "choose XML as the data format");
    let reason = "content is JSON, expected XML";
    assert_line(&lines[1], "bad-message", reason, "choose XML as the data format (数据格式)");
}
