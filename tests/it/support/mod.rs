//! Helpers of the tests: the program as a process, a client that sends raw bytes, and signed requests.

pub mod control_socket;
#[cfg(feature = "secure")]
pub mod sealed;
pub mod tools;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use wechat::wechat::{Age, Credentials, Message, SECURE, Token};
use wechat::xml::Document;

pub const TOKEN: &str = "hello2021";

/// Longer than any step of a test takes. A step that hangs fails its test after this time, instead of blocking the
/// suite.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The root folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, sorted.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// Makes a named pipe.
pub fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The program as a process that listens on a free port.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    lines: BufReader<ChildStdout>,
    errors: Option<JoinHandle<String>>,
}

/// The version as `wechat --version` prints it.
pub fn version() -> String {
    let feature = if SECURE { " (secure)" } else { "" };
    format!("{}{feature}", env!("CARGO_PKG_VERSION"))
}

pub fn command() -> Command {
    alone(env!("CARGO_BIN_EXE_wechat"))
}

/// The program with SIGINT at its default. A shell makes background jobs ignore SIGINT, and the tests may run in a
/// background job.
pub fn interruptible() -> Command {
    let reset = |program: &str| {
        let mut command = alone("env");
        command.args(["--default-signal=INT", program]);
        command
    };
    let is_supported = reset("true").status().is_ok_and(|status| status.success());
    assert!(is_supported, "env(1) has no --default-signal; install GNU coreutils 8.31 or later");
    reset(env!("CARGO_BIN_EXE_wechat"))
}

fn alone(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        // Otherwise the program could use the runtime directory of a server on this machine.
        .env("RUNTIME_DIRECTORY", "/nonexistent")
        .stdin(Stdio::null());
    command
}

impl Program {
    /// Starts the server with the usual token and these flags, and waits until it listens.
    pub fn start(flags: &[&str]) -> Self {
        Self::spawn(
            command().env("WECHAT_TOKEN", TOKEN).args(["--listen", "127.0.0.1:0"]).args(flags),
        )
    }

    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        lines.read_line(&mut greeting).unwrap();
        let address = greeting.trim_end().rsplit(' ').next().and_then(|text| text.parse().ok());
        let mut stderr = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let Some(address) = address else {
            child.wait().unwrap();
            panic!("did not start: {greeting:?} {}", errors.join().unwrap());
        };
        Self { child, address, lines, errors: Some(errors) }
    }

    /// The next line of the program's standard output.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    /// The process id of the program.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The number of open descriptors of the program, including inherited descriptors. Compare only after the first
    /// response and while that connection is open, because during its start the program opens other descriptors for a
    /// moment.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap().count()
    }

    /// Kills the program, and returns the lines of its standard error.
    pub fn stop(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.ended().1
    }

    /// Waits until the program has exited by itself, and returns its exit code and the lines of its standard error.
    pub fn ended(mut self) -> (Option<i32>, Vec<String>) {
        let code = self.child.wait().unwrap().code();
        let errors =
            self.errors.take().unwrap().join().unwrap().lines().map(str::to_owned).collect();
        (code, errors)
    }

    /// Kills the program, and fails if its standard error is not empty.
    #[track_caller]
    pub fn stop_silent(self) {
        assert_eq!(self.stop(), [""; 0]);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both calls fail if the program has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TIMEOUT)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends the bytes on a new connection, shuts down the sending side, and returns all received bytes.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    rest(&mut stream)
}

/// Reads all bytes up to the end of the stream.
pub fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A response, split by its own framing.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub content: String,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Reads exactly one response. `is_head` tells whether the request was HEAD.
pub fn read_answer(stream: &mut TcpStream, is_head: bool) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read_exactly(stream, 1)[0]);
    }
    let mut answer =
        Answer { status: 0, head: String::from_utf8(head).unwrap(), content: String::new() };
    answer.status = answer.head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut content = Vec::new();
    if is_head {
    } else if let Some(length) = answer.field("Content-Length") {
        content = read_exactly(stream, length.parse().unwrap());
    } else if answer.field("Transfer-Encoding") == Some("chunked") {
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.push(read_exactly(stream, 1)[0]);
            }
            let size =
                usize::from_str_radix(str::from_utf8(&line).unwrap().trim_end(), 16).unwrap();
            let mut chunk = read_exactly(stream, size + 2);
            assert_eq!(chunk.split_off(size), b"\r\n");
            content.append(&mut chunk);
            if size == 0 {
                break;
            }
        }
    } else {
        panic!("a response without framing: {}", answer.head);
    }
    answer.content = String::from_utf8(content).unwrap();
    answer
}

fn read_exactly(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Sends a request on this connection and reads its response.
pub fn ask(stream: &mut TcpStream, bytes: &[u8]) -> Answer {
    stream.write_all(bytes).unwrap();
    read_answer(stream, bytes.starts_with(b"HEAD "))
}

pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

/// The query of a request signed with the usual token.
pub fn signed(timestamp: &str, nonce: &str) -> String {
    let signature = Token::parse(TOKEN).unwrap().sign(timestamp.as_bytes(), nonce.as_bytes());
    format!("signature={signature}&timestamp={timestamp}&nonce={nonce}")
}

/// A query signed now. Each query has another nonce, because a signature is accepted only for one content.
pub fn signed_now() -> String {
    static NONCE: AtomicU64 = AtomicU64::new(1_372_623_149);
    let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
    signed(&now().to_string(), &nonce.to_string())
}

/// A text message.
pub fn text_message(content: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_7f083739789a]]></ToUserName>\n\
         <FromUserName><![CDATA[oia2TjuEGTNoeX76QEjQNrcURxG8]]></FromUserName>\n\
         <CreateTime>1700000000</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n\
         <Content><![CDATA[{content}]]></Content>\n<MsgId>23456789012345678</MsgId>\n</xml>"
    )
}

/// A text message from this user with this MsgId.
pub fn text_of(user: &str, msg_id: u64, content: &str) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>{user}</FromUserName>\
         <CreateTime>1700000000</CreateTime><MsgType>text</MsgType>\
         <Content><![CDATA[{content}]]></Content><MsgId>{msg_id}</MsgId></xml>"
    )
}

/// A CLICK event from this user with this CreateTime.
pub fn click_of(user: &str, create_time: u64, event_key: &str) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>{user}</FromUserName>\
         <CreateTime>{create_time}</CreateTime><MsgType>event</MsgType><Event>CLICK</Event>\
         <EventKey>{event_key}</EventKey></xml>"
    )
}

/// Verifies and parses a message received at this time, and passes it to `read`.
pub fn with_message<T>(xml: &str, received: u64, read: impl FnOnce(&Message<'_>) -> T) -> T {
    let token = Token::parse(TOKEN).unwrap();
    let signature = token.sign(b"1626513248", b"1").to_string();
    let credentials =
        Credentials { signature: signature.as_bytes(), timestamp: b"1626513248", nonce: b"1" };
    let verified = token.verify(&credentials, received, Age::Any).unwrap();
    let xml = Document::parse_message(xml.as_bytes()).unwrap();
    read(&Message::parse(verified, &xml).unwrap())
}

/// Makes an empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// Writes rules in which the text `slow` starts a program that creates the file `begun` and waits for the file `go`.
/// Returns the paths of the rules and of the two files.
pub fn slow_rules(folder: &Path) -> (String, PathBuf, PathBuf) {
    let (begun, go) = (folder.join("begun"), folder.join("go"));
    let rules = folder.join("rules.xml").to_str().unwrap().to_owned();
    let wait = "touch \"$0\"; while ! [ -e \"$1\" ]; do sleep 0.02; done; echo done";
    let text = format!(
        "<rules><on Content=\"slow\"><run>/bin/sh -c <arg>{wait}</arg><arg>{}</arg><arg>{}</arg></run></on>\
         <on><text>quick</text></on></rules>",
        begun.display(),
        go.display()
    );
    fs::write(&rules, text).unwrap();
    (rules, begun, go)
}

/// Waits until the condition holds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < TIMEOUT, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A POST of this content, signed now.
pub fn post(content: &str) -> Vec<u8> {
    post_to(&format!("/wx?{}", signed_now()), "HTTP/1.1", "", content)
}

pub fn post_to(target: &str, version: &str, fields: &str, content: &str) -> Vec<u8> {
    let length = content.len();
    format!(
        "POST {target} {version}\r\nHost: a\r\n{fields}Content-Length: {length}\r\n\r\n{content}"
    )
    .into_bytes()
}

pub fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

/// The text of this element of a reply.
pub fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        xml.split_once(&format!("<{name}><![CDATA[")).unwrap_or_else(|| panic!("{xml}"));
    rest.split_once("]]>").unwrap().0
}

/// Runs wait in `pass` until the gate is opened.
#[derive(Default)]
pub struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
    /// Number of runs that have begun.
    begun: AtomicUsize,
}

impl Gate {
    pub fn pass(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open));
    }

    pub fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub fn until_begun(&self, count: usize) {
        until("the run begins", || self.begun.load(Ordering::SeqCst) >= count);
    }
}
