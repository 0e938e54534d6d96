//! Helpers of the tests of the commands that play WeChat: runs a command until it exits, and makes backends that send a
//! given answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Program, TIMEOUT, TOKEN, command, rest};

/// The exit code and the output of a command.
pub struct Output {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn run(address: SocketAddr, arguments: &[&str]) -> Output {
    finish(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .env("WECHAT_CALLBACK_URL", format!("http://{address}/wx"))
            .args(arguments),
    )
}

impl Output {
    /// Asserts that standard output has a line that matches the pattern. A `*` matches any text.
    #[track_caller]
    pub fn assert_line(&self, pattern: &str) {
        let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
        let is_like = |line: &str| {
            let rest = line.strip_prefix(start);
            rest.is_some_and(|rest| {
                rest.ends_with(end) && (pattern.contains('*') || rest.is_empty())
            })
        };
        assert!(self.out.lines().any(is_like), "no line {pattern}\n{}", self.out);
    }
}

#[track_caller]
pub fn finish(command: &mut Command) -> Output {
    let (out, err) = (Stdio::piped(), Stdio::piped());
    let mut child = command.stdout(out).stderr(err).spawn().unwrap();
    let start = Instant::now();
    let out = read_aside(child.stdout.take().unwrap());
    let err = read_aside(child.stderr.take().unwrap());
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > TIMEOUT {
            child.kill().unwrap();
            panic!("the command does not end: {command:?}");
        }
        thread::sleep(Duration::from_millis(2));
    }
    Output {
        code: child.wait().unwrap().code().unwrap(),
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    }
}

/// Reads a pipe in another thread, so that a command with much output does not block.
fn read_aside(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

/// A backend that reads one request from each connection, sends the answer to it, and closes the connection.
pub fn backend(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    backend_on("127.0.0.1:0", answer).unwrap()
}

pub fn backend_on(
    address: &str,
    answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
) -> Option<SocketAddr> {
    let listener = TcpListener::bind(address).ok()?;
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read_request(&mut stream);
            // This fails if the client has closed the connection.
            let _ = stream.write_all(&answer(&request));
        }
    });
    Some(address)
}

/// A backend that sends these bytes as the answer to one request, and keeps the connection open until the client closes
/// it.
pub fn stalling_backend(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        stream.write_all(answer).unwrap();
        rest(&mut stream)
    });
    address
}

/// The head and content of one request; empty if the client has closed the connection.
pub fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, content)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if content.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).unwrap() {
            0 => return text,
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

pub fn ok(content: &str) -> Vec<u8> {
    let length = content.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{content}").into_bytes()
}

pub fn echostr(request: &str) -> &str {
    let (_, rest) = request.split_once("echostr=").unwrap();
    rest.split(['&', ' ']).next().unwrap()
}

/// Whether the signature of a request is valid.
pub fn is_signed(request: &str) -> bool {
    let parameter = |name: &str| {
        let (_, rest) = request.split_once(&format!("{name}=")).unwrap();
        rest.split(['&', ' ']).next().unwrap().to_owned()
    };
    let token = wechat::wechat::Token::parse(TOKEN).unwrap();
    let signature = token.sign(parameter("timestamp").as_bytes(), parameter("nonce").as_bytes());
    signature.to_string() == parameter("signature")
}

pub fn captures() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/captures");
    folder.to_str().unwrap().to_owned()
}

pub fn captured_account() -> Program {
    let rules = format!("{}/rules.xml", captures());
    Program::start(&["--max-age", "0", "--rules", &rules])
}

/// An address that nothing listens on.
pub fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

/// The output of `wechat` on a terminal, which script(1) provides. A shell splits the arguments.
pub fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> String {
    let script = |line: &str| {
        Command::new("script")
            .args(["-qec", line, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("WECHAT", env!("CARGO_BIN_EXE_wechat"))
            .env("WECHAT_TOKEN", TOKEN)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
    };
    let is_supported = script("true").is_ok_and(|output| output.status.success());
    assert!(is_supported, "script(1) does not run here; install bsdutils");
    let output = script(&format!("\"$WECHAT\" {arguments}")).unwrap();
    String::from_utf8(output.stdout).unwrap()
}
