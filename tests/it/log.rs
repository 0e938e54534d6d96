//! The log on standard error when its reader is slow or stuck.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::thread;

use crate::support::control_socket::*;
use crate::support::*;

/// More lines than a pipe, the queue of the server and its thread hold.
const REFUSED: usize = 4000;

/// Starts a server with this standard error. Nothing reads it.
fn start(control: &str, stderr: impl Into<Stdio>) -> (Child, SocketAddr) {
    let mut child = command()
        .args(["--listen", "127.0.0.1:0", "--control", control])
        .env("WECHAT_TOKEN", TOKEN)
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut greeting = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
    (child, greeting.trim_end().rsplit(' ').next().unwrap().parse().unwrap())
}

/// Sends refused requests until the log is full, then checks that the server answers, reports its status, says how many
/// lines were lost, and stops.
fn check(name: &str, stderr: impl Into<Stdio>, log: impl Read + Send + 'static) {
    let folder = ShortFolder::new(name);
    let control = folder.path("control");
    let (mut child, address) = start(&control, stderr);
    let refused = get("/?signature=0&timestamp=1&nonce=1&echostr=1");
    let mut stream = connect(address);
    for _ in 0..REFUSED {
        assert_ne!(ask(&mut stream, &refused).status, 200);
    }
    assert_eq!(ask(&mut connect(address), &post(&text_message("a"))).status, 200);
    let lost = number(&control, "log_lines_lost");
    assert!(lost > 0);
    let mut log = BufReader::new(log).lines();
    let mut written = 0;
    let notice = loop {
        let line = log.next().unwrap().unwrap();
        if line.starts_with("cause=log ") {
            break line;
        }
        written += 1;
    };
    assert!(notice.contains(&format!("\"{lost} log lines were lost,")), "{notice}");
    let logged = REFUSED as u64 - lost;
    assert_eq!(written, logged);
    // Later lines are written again.
    assert_ne!(ask(&mut stream, &refused).status, 200);
    assert!(log.next().unwrap().unwrap().contains("cause="));
    let rest = thread::spawn(move || log.count());
    assert_eq!(run(&control, &["stop"]).code, 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(rest.join().unwrap(), 0);
}

#[test]
fn never_waits_for_a_pipe_that_is_not_read() {
    let (reader, writer) = std::io::pipe().unwrap();
    check("log-pipe", writer, reader);
}

/// systemd-journald reads a Unix socket.
#[test]
fn never_waits_for_a_socket_that_is_not_read() {
    let (reader, writer) = UnixStream::pair().unwrap();
    check("log-socket", OwnedFd::from(writer), reader);
}

/// The line is in the file before the response arrives, behind what the file held before.
#[test]
fn writes_to_a_file_before_the_response() {
    let folder = ShortFolder::new("logfile");
    let path = folder.path("log");
    fs::write(&path, "earlier\n").unwrap();
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    let (mut child, address) = start(&folder.path("control"), file);
    let refused = get("/?signature=0&timestamp=1&nonce=1&echostr=1");
    for count in 1..=100 {
        assert_ne!(ask(&mut connect(address), &refused).status, 200);
        let log = fs::read_to_string(&path).unwrap();
        assert!(log.starts_with("earlier\n"), "{log}");
        assert_eq!(log.matches("cause=").count(), count);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn stops_while_its_log_is_stuck() {
    let folder = ShortFolder::new("log-stuck");
    let control = folder.path("control");
    let (_reader, writer) = std::io::pipe().unwrap();
    let (mut child, address) = start(&control, writer);
    let refused = get("/?signature=0&timestamp=1&nonce=1&echostr=1");
    let mut stream = connect(address);
    for _ in 0..REFUSED {
        assert_ne!(ask(&mut stream, &refused).status, 200);
    }
    let stopped = run(&control, &["stop"]);
    assert_eq!((stopped.code, stopped.err.as_str()), (0, ""));
    assert!(!stopped.out.contains("not answered"), "{}", stopped.out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn serves_while_its_greeting_is_stuck() {
    let folder = ShortFolder::new("log-greeting");
    let control = folder.path("control");
    let (_reader, mut writer) = std::io::pipe().unwrap();
    // The capacity of a pipe (pipe(7)).
    writer.write_all(&[0; 65_536]).unwrap();
    let mut child = command()
        .args(["--listen", "127.0.0.1:0", "--control", &control])
        .env("WECHAT_TOKEN", TOKEN)
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = || run(&control, &["status", "--json"]);
    until("the server runs", || status().code == 0);
    let status = status().out;
    let (_, address) = status.split_once("\"address\":\"").unwrap();
    let address = address.split_once('"').unwrap().0.parse().unwrap();
    assert_eq!(ask(&mut connect(address), &post(&text_message("a"))).status, 200);
    assert_eq!(run(&control, &["stop"]).code, 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
