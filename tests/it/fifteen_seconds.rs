//! The cases that wait for 5 to 15 seconds. One test runs them all at the same time, so that the suite waits once.
//!
//! Here is the output of `send`, `verify` and `replay` for a backend that is too slow, because these commands wait as
//! long as WeChat. The other cases are in the modules of their subjects.

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::tools::*;
use crate::support::*;

const NO_ANSWER: &str = "failed: connected, but no answer within the 5 s that WeChat waits; \
                         check whether the program is busy or waits for something\n";
const HEAD_INCOMPLETE: &str = "failed: the head of the answer is incomplete after 5 s; \
                               send it faster, and end it with an empty line\n";
const NO_END: &str = "the content has no end after 5 s, because there is no Content-Length and the connection \
                      stays open; send Content-Length, or close the connection\n";

#[test]
fn waits_run_at_the_same_time() {
    let cases: [fn(); 20] = [
        crate::control::stop_ends_after_15_seconds_and_reports_unanswered_requests,
        crate::control::response_that_does_not_end_is_given_up,
        crate::docs::transcripts_show_what_the_program_prints,
        crate::retries::responds_before_wechat_gives_up,
        crate::rules::keeps_previous_rules_when_reload_fails,
        crate::rules::reloads_a_file_that_was_written_or_renamed_or_is_a_changed_link,
        send_says_that_wechat_would_try_again,
        send_makes_three_equal_tries,
        second_try_gets_answer_of_first,
        send_tries_again_after_half_an_answer,
        || send_reports("HTTP/1.1 200", HEAD_INCOMPLETE),
        || {
            let no_end = format!("failed: {NO_END}");
            send_reports("HTTP/1.1 200 OK\r\n\r\nsuccess", &no_end);
        },
        || {
            send_reports(
                "HTTP/1.1 500 x\r\nContent-Length: 9\r\n\r\noops",
                "failed: status 500 with the message \"oops\"; the program failed; read its log\n",
            );
        },
        || {
            let (_listener, address) = silent_backend();
            verify_reports(address, NO_ANSWER);
        },
        || verify_reports(stalling_backend(b"HTTP/1.1 200 OK\r\n"), HEAD_INCOMPLETE),
        || verify_reports(dripping_backend(), HEAD_INCOMPLETE),
        || {
            verify_reports(
                stalling_backend(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                ),
                "failed: the chunked content is incomplete after 5 s; end it with a chunk of size 0\n",
            );
        },
        verify_reports_missing_content_and_sends_no_more,
        verify_reports_connection_that_is_never_made,
        replay_fails_if_captured_answer_has_no_end,
    ];
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(case);
        }
    });
}

/// A backend that never accepts a connection. Clients can connect, because the kernel completes the connections.
fn silent_backend() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A backend that sends a byte a second, so that no single read takes long.
fn dripping_backend() -> SocketAddr {
    let (listener, address) = silent_backend();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde" {
            // The client closes the connection when it has waited long enough.
            if stream.write_all(&[*byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_secs(1));
        }
    });
    address
}

#[track_caller]
fn verify_reports(address: SocketAddr, line: &str) {
    let output = run(address, &["verify"]);
    assert_eq!((output.code, output.out.as_str()), (1, line));
}

#[track_caller]
fn send_reports(answer: &'static str, line: &str) {
    let output = run(stalling_backend(answer.as_bytes()), &["send", "你好"]);
    assert_eq!((output.code, output.out.as_str()), (1, line));
}

fn send_says_that_wechat_would_try_again() {
    let (_listener, address) = silent_backend();
    let output = run(address, &["send", "你好"]);
    assert_eq!((output.code, output.out.as_str()), (1, NO_ANSWER));
    assert!(output.err.starts_with("wechat: no answer in time; "), "{}", output.err);
}

/// WeChat sends the same request again, as the log of a real backend shows.
fn send_makes_three_equal_tries() {
    let (listener, address) = silent_backend();
    let output = run(address, &["send", "--tries", "你好"]);
    let expected = format!(
        "try 1: no answer within 5.0 s\ntry 2: no answer within 5.0 s\ntry 3: no answer within 5.0 s\n{NO_ANSWER}"
    );
    assert_eq!((output.code, output.out), (1, expected));
    let requests: Vec<String> =
        (0..3).map(|_| read_request(&mut listener.accept().unwrap().0)).collect();
    assert!(requests[0].starts_with("POST "), "{}", requests[0]);
    assert_eq!(requests[1], requests[0]);
    assert_eq!(requests[2], requests[0]);
}

fn second_try_gets_answer_of_first() {
    let rules = folder("tries").join("rules.xml");
    fs::write(
        &rules,
        "<rules><on><run>sh<arg>-c</arg><arg>sleep 6; echo done</arg></run></on></rules>",
    )
    .unwrap();
    let program = Program::start(&["--rules", rules.to_str().unwrap()]);
    let output = run(program.address, &["send", "--tries", "你好"]);
    let (tries, reply) = output.out.split_once("text after ").unwrap();
    assert_eq!(tries, "try 1: no answer within 5.0 s\ntry 2: ");
    let (_, reply) = reply.split_once('\n').unwrap();
    assert_eq!(reply, "  Content: done\nWeChat would deliver this\n");
    assert_eq!(output.code, 0);
    program.stop_silent();
}

/// WeChat tries again even if a part of the answer has arrived.
fn send_tries_again_after_half_an_answer() {
    let (listener, address) = silent_backend();
    let backend = thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        read_request(&mut first);
        first.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsucc").unwrap();
        let (mut second, _) = listener.accept().unwrap();
        read_request(&mut second);
        second.write_all(&ok("success")).unwrap();
    });
    let output = run(address, &["send", "--tries", "你好"]);
    let expected = "try 1: no answer within 5.0 s\ntry 2: no reply (success) after ";
    assert!(output.out.starts_with(expected), "{}", output.out);
    assert_eq!(output.code, 0);
    backend.join().unwrap();
}

fn verify_reports_missing_content_and_sends_no_more() {
    let (listener, address) = silent_backend();
    let backend = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 57\r\n\r\n5927782489442352469")
            .unwrap();
        rest(&mut stream)
    });
    verify_reports(
        address,
        "failed: Content-Length is 57, but only 19 bytes arrived within 5 s; send the whole content\n",
    );
    assert_eq!(backend.join().unwrap(), b"");
}

/// A firewall that drops packets has the same effect.
fn verify_reports_connection_that_is_never_made() {
    let (_listener, address) = silent_backend();
    // When the listen queue is full, the kernel drops new connections.
    let mut queue = Vec::new();
    let error = loop {
        match TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            Ok(stream) => queue.push(stream),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    let line = format!(
        "failed: the connection to {address} timed out; check that the firewall and the cloud's \
         security group allow port {}\n",
        address.port()
    );
    verify_reports(address, &line);
}

fn replay_fails_if_captured_answer_has_no_end() {
    let folder = folder("endless");
    let path = folder.join("a.request").to_str().unwrap().to_owned();
    fs::write(&path, get("/")).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\n\r\nhello";
    fs::write(folder.join("a.response"), answer).unwrap();
    let output = run(stalling_backend(answer), &["replay", &path]);
    let expected = format!("failed: {path}: {NO_END}");
    assert_eq!((output.code, output.out), (1, expected));
}
