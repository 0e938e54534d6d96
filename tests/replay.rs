//! `wechat replay`: captures byte for byte, what differs, and load.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod support;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use support::tools::*;
use support::*;

#[test]
fn a_captured_folder_is_green() {
    let program = captured_account();
    let folder = captures();
    let said = run(program.address, &["replay", &folder]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!((lines.len(), said.code, said.err.as_str()), (2, 0, ""));
    for (line, name) in lines.iter().zip(["text-message", "token-check"]) {
        let expected = format!("ok: {folder}/{name}.request: as captured, after ");
        assert!(line.starts_with(&expected), "{line}");
    }
}

#[test]
fn one_flipped_byte_of_a_response_is_shown_as_what_it_is() {
    let program = captured_account();
    let original = format!("{}/text-message", captures());
    let folder = folder("flipped");
    let request = fs::read(format!("{original}.request")).unwrap();
    let response = fs::read(format!("{original}.response")).unwrap();
    fs::write(folder.join("a.request"), request).unwrap();
    let path = folder.join("a.request").to_str().unwrap().to_owned();
    let text = String::from_utf8(response.clone()).unwrap();
    // Of the values of Date and CreateTime, a digit may be any digit.
    let dated = |name: &str, length: usize| {
        let at = text.find(name).unwrap() + name.len();
        at..at + length
    };
    let (date, create_time) = (dated("Date: ", 29), dated("<CreateTime>", 10));
    for at in 0..response.len() {
        let mut flipped = response.clone();
        flipped[at] ^= 1;
        if date.contains(&at) || create_time.contains(&at) {
            // Flipped, '0' is '1': a digit stays one.
            fs::write(folder.join("a.response"), &flipped).unwrap();
            assert_eq!(run(program.address, &["replay", &path]).code, 0, "{at}");
        } else if at % 7 == 0 {
            fs::write(folder.join("a.response"), &flipped).unwrap();
            let said = run(program.address, &["replay", &path]);
            assert_eq!(said.code, 1, "{at}");
            let shown = |octet: u8| format!("'{}' (0x{octet:02x})", octet.escape_ascii());
            let line = format!(
                "  byte {} was {}, and now is {}\n",
                at + 1,
                shown(flipped[at]),
                shown(response[at])
            );
            assert!(said.out.ends_with(&line), "{at} {}", said.out);
        }
    }
    let flipped = text.replace("nosniff", "nosnifg");
    fs::write(folder.join("a.response"), flipped).unwrap();
    let said = run(program.address, &["replay", &path]);
    assert_eq!(
        said.out,
        format!(
            "failed: {path}: not as captured\n  \
             - X-Content-Type-Options: nosnifg\\r\\n\n  \
             + X-Content-Type-Options: nosniff\\r\\n\n  \
             byte 131 was 'g' (0x67), and now is 'f' (0x66)\n"
        )
    );
    assert_eq!(said.err, "wechat: 1 of 1 not as captured\n");
    // One byte more, and one less.
    for (changed, line) in [
        (format!("{text}x"), "was 'x' (0x78), and now is the end\n"),
        (
            text[..text.len() - 1].to_owned(),
            "was the end, and now is '\\n' (0x0a)\n",
        ),
    ] {
        fs::write(folder.join("a.response"), changed).unwrap();
        let said = run(program.address, &["replay", &path]);
        assert!(said.out.ends_with(line), "{}", said.out);
    }
}

#[test]
fn captures_are_signed_anew_and_nothing_else_of_them_changes() {
    let address = backend(ok);
    let folder = folder("resign");
    let path = folder.join("a.request").to_str().unwrap().to_owned();
    let capture = |target: &str| {
        fs::write(
            &path,
            format!("POST {target} HTTP/1.0\r\nX: a\nb\r\n\r\nsignature=x"),
        )
        .unwrap();
        fs::write(folder.join("a.response"), "").unwrap();
    };
    capture("/wx?a=%20&signature=0&echostr=1&timestamp=2&nonce=%33&b");
    let said = run(address, &["replay", "--resign", &path]);
    let (_, request) = said.out.split_once("  + POST ").unwrap();
    let target = request.lines().next().unwrap();
    let timestamp = now().to_string();
    assert!(target.starts_with("/wx?a=%20&signature="), "{target}");
    assert!(
        target.contains(&format!("&echostr=1&timestamp={}", &timestamp[..7])),
        "{target}"
    );
    assert!(target.contains("&nonce=%33&b HTTP/1.0"), "{target}");
    // The signature is over what the nonce stands for.
    assert!(is_signed(&target.replace("%33", "3")), "{target}");
    assert!(
        said.out
            .contains("  + X: a\\n\n  + b\\r\\n\n  + \\r\\n\n  + signature=x\n"),
        "{}",
        said.out
    );
    for (target, reason) in [
        (
            "/wx?signature=0&timestamp=1",
            "has no parameter nonce that could be signed anew",
        ),
        ("/wx", "has no parameter nonce that could be signed anew"),
        (
            "wx",
            "does not begin with a request line, so it cannot be signed",
        ),
    ] {
        capture(target);
        let said = run(address, &["replay", "--resign", &path]);
        assert_eq!(
            (said.code, said.err),
            (1, format!("wechat: {path:?} {reason}\n"))
        );
    }
}

#[test]
fn old_captures_are_good_again_once_they_are_signed() {
    let rules = format!("{}/rules.xml", captures());
    let program = Program::start(&["--rules", &rules]);
    assert_eq!(run(program.address, &["replay", &captures()]).code, 1);
    let said = run(program.address, &["replay", "--resign", &captures()]);
    assert_eq!(said.code, 0, "{}", said.out);
}

#[test]
fn a_capture_without_a_response_is_answered_and_not_compared() {
    let program = Program::start(&[]);
    let path = folder("alone")
        .join("any.name")
        .to_str()
        .unwrap()
        .to_owned();
    fs::write(&path, get("/")).unwrap();
    let said = run(program.address, &["replay", &path]);
    assert!(
        said.out
            .starts_with(&format!("ok: {path}: status 200 after ")),
        "{}",
        said.out
    );
    assert!(
        said.out.ends_with(", nothing captured to compare with\n"),
        "{}",
        said.out
    );
    fs::write(&path, b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(run(program.address, &["replay", &path]).code, 0);
}

#[test]
fn what_cannot_be_replayed_is_refused_by_name() {
    let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let empty = folder("empty").to_str().unwrap().to_owned();
    let cases: [(&[&str], i32, String); 6] = [
        (
            &[],
            2,
            "nothing to replay, a .request file or a folder expected".to_owned(),
        ),
        (
            &["/none"],
            1,
            "cannot read the captured request \"/none\": No such file or directory (os error 2)"
                .to_owned(),
        ),
        (&[&empty], 1, format!("no .request file in {empty:?}")),
        (
            &["--repeat", "1000001", "x"],
            2,
            "--repeat is \"1000001\", 1 to 1000000 allowed".to_owned(),
        ),
        (
            &["--connections", "0", "x"],
            2,
            "--connections is \"0\", 1 to 1000 allowed".to_owned(),
        ),
        (
            &["--repeat", "1000000", &captures()],
            2,
            "2000000 requests, at most 1000000 allowed in one run".to_owned(),
        ),
    ];
    for (arguments, code, message) in cases {
        let said = run(nobody, &[&["replay"], arguments].concat());
        assert_eq!(
            (said.code, said.err),
            (code, format!("wechat: {message}\n"))
        );
    }
}

#[test]
fn a_load_is_bounded_and_summed_up() {
    let program = captured_account();
    let load = ["replay", "--repeat", "50", "--connections", "4"];
    let said = run(program.address, &[&load[..], &[&captures()]].concat());
    let words: Vec<&str> = said.out.split(' ').collect();
    assert!(
        said.out
            .starts_with("100 of 100 requests on 4 connections in "),
        "{}",
        said.out
    );
    for word in ["p50", "p99"] {
        assert!(words.contains(&word), "{}", said.out);
    }
    assert!(said.out.ends_with(", 0 errors\n"), "{}", said.out);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    // Nobody there: it gives up long before the end.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let said = run(
        gone,
        &[
            "replay",
            "--repeat",
            "1000",
            "--connections",
            "1",
            &captures(),
        ],
    );
    assert!(
        said.out
            .starts_with("100 of 2000 requests on 1 connections in "),
        "{}",
        said.out
    );
    assert!(said.out.ends_with(", 100 errors\n"), "{}", said.out);
    assert!(
        said.err.starts_with(&format!(
            "wechat: the first error was: nothing listens at {gone}; "
        )),
        "{}",
        said.err
    );
    assert_eq!(said.code, 1);
    // One that closes each connection without a word is connected to again.
    let closing = backend(|_| ok("success"));
    let said = run(closing, &[&load[..], &[&captures()]].concat());
    assert!(said.out.ends_with(", 0 errors\n"), "{}", said.out);
    // Another status than the captured one is an error too.
    let refusing = Program::start(&[]);
    let said = run(refusing.address, &["replay", "--repeat", "2", &captures()]);
    assert!(said.out.ends_with(", 4 errors\n"), "{}", said.out);
    assert_eq!(
        said.err,
        "wechat: the first error was: status 403, 200 expected\n"
    );
}

#[test]
fn a_load_ends_when_it_is_interrupted() {
    let program = captured_account();
    let mut load = command()
        .env("WECHAT_URL", format!("http://{}", program.address))
        .args([
            "replay",
            "--repeat",
            "500000",
            "--connections",
            "2",
            &captures(),
        ])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let id = load.id().to_string();
    let interrupted = Command::new("sh")
        .args(["-c", "kill -INT \"$0\"", &id])
        .status()
        .unwrap();
    assert!(interrupted.success());
    assert_eq!(load.wait().unwrap().signal(), Some(2));
}

#[test]
fn progress_is_shown_on_a_terminal_alone() {
    if Command::new("script").arg("--version").output().is_err() {
        println!("this machine has no script(1), so no terminal was tried");
        return;
    }
    let program = captured_account();
    let wechat = env!("CARGO_BIN_EXE_wechat");
    let (url, captures) = (format!("http://{}", program.address), captures());
    let command = format!("{wechat} replay --url {url} --repeat 2000 {captures}");
    let shown = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.starts_with("\r\x1b[K"), "{text:?}");
    assert!(text.contains(" of 4000, "), "{text:?}");
    assert!(
        text.contains("\r\x1b[K4000 of 4000 requests on 1 connections in "),
        "{text:?}"
    );
}
