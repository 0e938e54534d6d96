//! The server seen from its machine: how it is, and how it ends. Nothing that was begun is lost.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::tools::{Said, finish};
use crate::support::*;
use wechat::Server;
use wechat::server::{Limits, Listener};
use wechat::service::Backend;
use wechat::wechat::{Reply, Token};

/// A folder of a test's own whose name is short enough for a socket in it.
struct Short(PathBuf);

impl Short {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wechat-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Short {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(control: &str, flags: &[&str]) -> Program {
    Program::start(&[&["--control", control], flags].concat())
}

fn asked(control: &str, arguments: &[&str]) -> Said {
    finish(command().env("WECHAT_CONTROL", control).args(arguments))
}

/// What `wechat status` says, without what is another each time.
#[track_caller]
fn status(control: &str) -> String {
    let said = asked(control, &["status"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let changes = |line: &&str| {
        let is_time = line.starts_with("answer p") || line.starts_with("since ");
        line.starts_with("uptime") || is_time && !line.ends_with("none yet")
    };
    let lines = said.out.lines().skip(3).filter(|line| !changes(line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// One number of `wechat status --json`.
fn number(control: &str, name: &str) -> u64 {
    let said = asked(control, &["status", "--json"]);
    let (_, behind) = said.out.split_once(&format!("\"{name}\":")).unwrap();
    behind.split([',', '}']).next().unwrap().parse().unwrap()
}

#[test]
fn status_says_what_the_server_has_done() {
    let folder = Short::new("status");
    let control = folder.path("control");
    let rules = folder.path("rules.xml");
    fs::write(
        &rules,
        "<rules><on Event=\"*\"><success/></on><on><text>hi</text></on></rules>",
    )
    .unwrap();
    let program = start(&control, &["--rules", &rules, "--max-connections", "7"]);
    let nothing = "\
stopping          no
rules current     yes
since message     none yet
messages          0
modes             0
unread            0
replies           0
without reply     0
given up          0
answer p50        none yet
answer p99        none yet
tries joined      0
programs running  0
programs failed   0
programs limited  0
token checks      0
refusals          0
connections       0
being answered    0
max connections   7
evictions         0
panics            0
";
    assert_eq!(status(&control), nothing);
    let mut stream = connect(program.address);
    for number in 1..=3 {
        assert_eq!(
            ask(&mut stream, &post(&text_of("oUser1", number, "x"))).status,
            200
        );
    }
    assert_eq!(
        ask(&mut stream, &post(&click_of("oUser1", 1, "k"))).content,
        "success"
    );
    let odd = text_of("oUser1", 9, "x").replace(">text<", ">hologram<");
    assert_eq!(ask(&mut stream, &post(&odd)).status, 200);
    let check = format!("/wx?{}&echostr=7", signed_now());
    assert_eq!(ask(&mut stream, &get(&check)).content, "7");
    assert_eq!(ask(&mut stream, &get("/wx?echostr=7")).status, 400);
    let wrong = "/wx?signature=0000000000000000000000000000000000000000&timestamp=1&nonce=1";
    for _ in 0..2 {
        assert_eq!(
            ask(&mut stream, &post_to(wrong, "HTTP/1.1", "", "<xml/>")).status,
            403
        );
    }
    assert_eq!(
        exchange(program.address, b"nonsense\r\n\r\n")[..12],
        *b"HTTP/1.1 400"
    );
    let much = "\
stopping             no
rules current        yes
messages             5
  text               3
  event              1
  other              1
modes                5
  plain              5
unread               0
replies              4
without reply        1
given up             0
tries joined         0
programs running     0
programs failed      0
programs limited     0
token checks         1
refusals             4
  missing-parameter  1
  bad-signature      2
  bad-method         1
connections          1
being answered       0
max connections      7
evictions            0
panics               0
";
    until("the other connection is gone", || {
        number(&control, "connections") == 1
    });
    assert_eq!(status(&control), much);
    let said = asked(&control, &["status"]).out;
    let lines: Vec<&str> = said.lines().collect();
    let (version, id, address) = (version(), program.id(), program.address);
    assert_eq!(lines[0], format!("version              {version}"));
    assert_eq!(lines[1], format!("process              {id}"));
    assert_eq!(lines[2], format!("address              {address}"));
    for (name, units) in [
        ("uptime", &["s"][..]),
        ("since message", &["s"]),
        ("answer p50", &["µs", "ms", "s"]),
        ("answer p99", &["µs", "ms", "s"]),
    ] {
        let line = lines.iter().find(|line| line.starts_with(name)).unwrap();
        assert!(units.contains(&line.rsplit(' ').next().unwrap()), "{line}");
    }
}

#[test]
fn a_refusal_is_no_answer() {
    let folder = Short::new("refusal");
    let control = folder.path("control");
    let program = start(&control, &[]);
    let wrong = "/?signature=0000000000000000000000000000000000000000&timestamp=1&nonce=1";
    let request = post_to(wrong, "HTTP/1.1", "", "<xml/>");
    assert_eq!(ask(&mut connect(program.address), &request).status, 403);
    assert!(status(&control).contains("\nanswer p50        none yet\n"));
}

#[test]
fn status_is_json_for_machines() {
    let folder = Short::new("json");
    let control = folder.path("control");
    let program = start(&control, &[]);
    let said = asked(&control, &["status", "--json"]);
    let (version, id, address) = (version(), program.id(), program.address);
    // However long it has been up meanwhile.
    let (front, behind) = said.out.split_once("\"uptime_seconds\":").unwrap();
    let (uptime, behind) = behind.split_once(',').unwrap();
    assert!(uptime.parse::<u64>().is_ok());
    assert_eq!(
        format!("{front}{behind}"),
        format!(
            "{{\"version\":\"{version}\",\"process\":{id},\"address\":\"{address}\",\
             \"stopping\":false,\"rules_current\":true,\"since_message_seconds\":null,\
             \"messages\":{{\"text\":0,\"image\":0,\"voice\":0,\"video\":0,\"shortvideo\":0,\
             \"location\":0,\"link\":0,\"file\":0,\"miniprogrampage\":0,\"event\":0,\"other\":0}},\
             \"modes\":{{\"plain\":0,\"compatible\":0,\"safe\":0}},\"unread\":0,\
             \"replies\":0,\"without_reply\":0,\"given_up\":0,\"answer_p50_microseconds\":null,\
             \"answer_p99_microseconds\":null,\"tries_joined\":0,\"programs_running\":0,\
             \"programs_failed\":0,\"programs_limited\":0,\"token_checks\":0,\"refusals\":{{}},\
             \"connections\":0,\"being_answered\":0,\"max_connections\":1024,\"evictions\":0,\
             \"panics\":0}}\n"
        )
    );
    let wrong = "/?signature=0000000000000000000000000000000000000000&timestamp=1&nonce=1";
    ask(
        &mut connect(program.address),
        &post_to(wrong, "HTTP/1.1", "", "<xml/>"),
    );
    ask(
        &mut connect(program.address),
        &post(&text_of("oUser1", 1, "x")),
    );
    let said = asked(&control, &["status", "--json"]);
    assert!(
        said.out.contains("\"refusals\":{\"bad-signature\":1}"),
        "{}",
        said.out
    );
    assert!(number(&control, "answer_p99_microseconds") < 60_000_000);
}

#[test]
fn tries_programs_and_evictions_are_counted() {
    let folder = Short::new("counted");
    let control = folder.path("control");
    let (rules, begun, go) = slow_rules(&folder.0);
    let program = start(&control, &["--rules", &rules, "--max-connections", "1"]);
    let slow = text_of("oUser1", 1, "slow");
    let mut first = connect(program.address);
    first.write_all(&post(&slow)).unwrap();
    until("the program runs", || begun.exists());
    assert_eq!(number(&control, "programs_running"), 1);
    assert_eq!(number(&control, "being_answered"), 1);
    let mut second = connect(program.address);
    second.write_all(&post(&slow)).unwrap();
    until("the second try waits", || {
        number(&control, "tries_joined") == 1
    });
    fs::write(&go, "").unwrap();
    for stream in [&mut first, &mut second] {
        assert_eq!(
            element(&read_answer(stream, false).content, "Content"),
            "done"
        );
    }
    until("the program has ended", || {
        number(&control, "programs_running") == 0
    });
    let mut third = connect(program.address);
    assert_eq!(ask(&mut third, &get("/")).status, 200);
    // Both had to go, or one of them alone where the other had its seat beyond the limit.
    until("somebody has made room", || {
        number(&control, "evictions") >= 1
    });
    let log = program.stop();
    assert!(
        log.iter().all(|line| line.starts_with("cause=crowded ")),
        "{log:?}"
    );
}

#[test]
fn what_goes_wrong_is_counted() {
    let folder = Short::new("wrong");
    let control = folder.path("control");
    let (rules, begun, go) = slow_rules(&folder.0);
    let right = fs::read_to_string(&rules).unwrap();
    let more = "<rules><on Content=\"fail\"><run limit=\"1/1h\">/bin/false</run></on>";
    let right = right.replacen("<rules>", more, 1);
    fs::write(&rules, &right).unwrap();
    let program = start(&control, &["--rules", &rules]);
    let mut stream = connect(program.address);
    for msg_id in 1..=3 {
        let failing = text_of("oUser1", msg_id, "fail");
        assert_eq!(ask(&mut stream, &post(&failing)).content, "success");
    }
    assert_eq!(number(&control, "programs_failed"), 1);
    assert_eq!(number(&control, "programs_limited"), 2);

    // A second try that leaves before there is an answer.
    let slow = text_of("oUser1", 9, "slow");
    stream.write_all(&post(&slow)).unwrap();
    until("the program runs", || begun.exists());
    let mut second = connect(program.address);
    second.write_all(&post(&slow)).unwrap();
    until("it waits", || number(&control, "tries_joined") == 1);
    drop(second);
    until("it is noticed", || number(&control, "given_up") == 1);
    fs::write(&go, "").unwrap();
    assert_eq!(read_answer(&mut stream, false).status, 200);

    // The file alone is looked at, without a message.
    fs::write(&rules, "<rules><on><txt/></on></rules>").unwrap();
    assert!(status(&control).contains("\nrules current     no\n"));
    fs::write(&rules, &right).unwrap();
    assert!(status(&control).contains("\nrules current     yes\n"));
}

/// Only its owner and root may: they have the file's mode, and it never had another.
#[test]
fn nobody_else_may_ask() {
    let folder = Short::new("owner");
    fs::set_permissions(&folder.0, Permissions::from_mode(0o777)).unwrap();
    let control = folder.path("control");
    let _program = start(&control, &[]);
    let metadata = fs::metadata(&control).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::read_dir(&folder.0).unwrap().count(),
        1,
        "nothing else is left"
    );
    let program = folder.path("wechat");
    fs::copy(env!("CARGO_BIN_EXE_wechat"), &program).unwrap();
    let mut nobody = std::process::Command::new(&program);
    nobody
        .args(["status", "--control", &control])
        .uid(65534)
        .gid(65534);
    match nobody.output() {
        Ok(output) => assert_eq!(
            (
                output.status.code(),
                String::from_utf8(output.stderr).unwrap()
            ),
            (
                Some(1),
                format!("wechat: {control:?} is for root and the server's own user alone\n")
            )
        ),
        Err(error) => println!("not root ({error}), so nobody else was tried"),
    }
}

#[test]
fn stop_finishes_what_is_under_way() {
    let folder = Short::new("stop");
    let control = folder.path("control");
    let (rules, begun, go) = slow_rules(&folder.0);
    let program = start(&control, &["--rules", &rules]);
    let address = program.address;
    let slow = post(&text_of("oUser1", 1, "slow"));
    let mut first = connect(address);
    first.write_all(&slow).unwrap();
    until("the program runs", || begun.exists());
    let asked_to = {
        let control = control.clone();
        thread::spawn(move || asked(&control, &["stop"]))
    };
    until("it stops", || {
        status(&control).starts_with("stopping          yes\n")
    });
    // WeChat gives up on the first try and makes another, which is still taken; so is anybody else.
    drop(first);
    let mut second = connect(address);
    second.write_all(&slow).unwrap();
    until("the second try waits", || {
        number(&control, "tries_joined") == 1
    });
    let answer = ask(&mut connect(address), &post(&text_of("oUser2", 2, "x")));
    assert_eq!(element(&answer.content, "Content"), "quick");
    assert_eq!(answer.field("Connection"), Some("close"));
    fs::write(&go, "").unwrap();
    let answer = read_answer(&mut second, false);
    assert_eq!(element(&answer.content, "Content"), "done");
    assert_eq!(answer.field("Connection"), Some("close"));

    let said = asked_to.join().unwrap();
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.starts_with("stopped after "), "{}", said.out);
    assert!(!said.out.contains("without"), "{}", said.out);
    let (code, log) = program.ended();
    assert_eq!((code, log), (Some(0), vec![]));
    assert!(TcpStream::connect(address).is_err());
    assert!(!Path::new(&control).exists());
    let said = asked(&control, &["stop"]);
    let nobody = format!("wechat: no server at {control:?}; --control PATH says where one is\n");
    assert_eq!((said.code, said.err), (1, nobody));
}

/// In 15 seconds at most.
#[test]
fn stop_cuts_what_takes_too_long_and_says_so() {
    let folder = Short::new("cut");
    let control = folder.path("control");
    let (rules, begun, _) = slow_rules(&folder.0);
    let program = start(&control, &["--rules", &rules]);
    let mut slow = connect(program.address);
    slow.write_all(&post(&text_of("oUser1", 1, "slow")))
        .unwrap();
    until("the program runs", || begun.exists());
    let said = asked(&control, &["stop"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let (took, rest_of_line) = said.out.split_once(" s; ").unwrap();
    assert_eq!(rest_of_line, "1 request was not answered\n");
    let took: f64 = took
        .strip_prefix("stopped after ")
        .unwrap()
        .parse()
        .unwrap();
    assert!(took >= 15.0, "{took}");
    assert_eq!(program.ended().0, Some(0));
    assert_eq!(rest(&mut slow), b"");
}

/// Connections that wait in the kernel for a thread have sent their requests too.
#[test]
fn who_is_connected_when_the_server_stops_is_answered() {
    let mut backend = backend();
    backend.limits = Limits {
        head: PATIENCE,
        content: PATIENCE,
        drain: PATIENCE,
        ..Limits::default()
    };
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let mut streams: Vec<_> = (0..100).map(|_| connect(address)).collect();
    // In pieces, so that they are all in the middle of their requests when it stops.
    for (number, stream) in (0..).zip(&mut streams) {
        let request = post(&text_of("oUser1", number, "x"));
        stream.write_all(&request[..request.len() / 2]).unwrap();
    }
    handle.stop();
    let serving = thread::spawn(move || backend.run(|_| Reply::text("answer")));
    for (number, stream) in (0..).zip(&mut streams) {
        let request = post(&text_of("oUser1", number, "x"));
        stream.write_all(&request[request.len() / 2..]).unwrap();
    }
    for stream in &mut streams {
        let answer = read_answer(stream, false);
        assert_eq!(
            (answer.status, answer.field("Connection")),
            (200, Some("close"))
        );
    }
    let ended = handle.wait();
    assert_eq!((ended.unanswered, ended.is_complete), (0, true));
    serving.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

/// Runs a backend whose closure says that it has begun, and goes on when it is told to.
fn run_slowly(backend: Backend) -> (JoinHandle<io::Result<()>>, Receiver<()>, Sender<()>) {
    let (begun, has_begun) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let may_go = Mutex::new(may_go);
    let serving = thread::spawn(move || {
        backend.run(|_| {
            begun.send(()).unwrap();
            may_go.lock().unwrap().recv().unwrap();
            Reply::Success
        })
    });
    (serving, has_begun, go)
}

fn backend() -> Backend {
    Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .unwrap()
        .token(Token::parse(TOKEN).unwrap())
}

/// The first half of a request is here, and the server has not looked yet when it closes silent connections.
#[test]
fn who_has_begun_to_ask_when_the_server_stops_is_answered() {
    let mut backend = backend();
    backend.limits.drain = PATIENCE;
    backend.limits.head = PATIENCE;
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let serving = thread::spawn(move || backend.run(|_| Reply::Success));
    let mut streams: Vec<_> = (0..100).map(|_| connect(address)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, &get("/")).status, 200);
    }
    // For so long the server takes nobody for silent.
    thread::sleep(Duration::from_millis(1100));
    let request = get("/");
    let (front, back) = request.split_at(9);
    for stream in &mut streams {
        stream.write_all(front).unwrap();
    }
    handle.stop();
    thread::sleep(Duration::from_millis(20));
    // All before any answer is read: the server waits a second for each.
    for stream in &mut streams {
        stream.write_all(back).unwrap();
    }
    for stream in &mut streams {
        let answer = read_answer(stream, false);
        assert_eq!(
            (answer.status, answer.field("Connection")),
            (200, Some("close"))
        );
    }
    assert_eq!(handle.wait().unanswered, 0);
    serving.join().unwrap().unwrap();
}

/// Of a connection that just had its answer the next request may be on its way.
#[test]
fn who_asks_again_while_the_server_stops_is_answered_or_closed_but_never_refused() {
    let mut backend = backend();
    backend.limits.drain = PATIENCE;
    backend.limits.head = PATIENCE;
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let serving = thread::spawn(move || backend.run(|_| Reply::Success));
    let mut streams: Vec<_> = (0..40).map(|_| connect(address)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, &get("/")).status, 200);
    }
    handle.stop();
    for stream in &mut streams {
        let mut received = Vec::new();
        // A reset is a closed connection too.
        let read = stream
            .write_all(&get("/"))
            .and_then(|()| stream.read_to_end(&mut received));
        if !received.is_empty() {
            read.unwrap();
            assert!(received.starts_with(b"HTTP/1.1 200 "));
        }
    }
    assert_eq!(handle.wait().unanswered, 0);
    serving.join().unwrap().unwrap();
}

/// Somebody who waits for the end for longer than it may take gets it without the answers.
#[test]
fn what_takes_too_long_is_cut() {
    let mut backend = backend();
    backend.limits.drain = Duration::from_millis(50);
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let (serving, has_begun, go) = run_slowly(backend);
    let mut stream = connect(address);
    stream.write_all(&post(&text_of("oUser1", 1, "x"))).unwrap();
    has_begun.recv().unwrap();
    let _silent = connect(address);
    handle.stop();
    handle.stop();
    let ended = handle.wait();
    assert_eq!((ended.unanswered, ended.is_complete), (1, false));
    assert!(ended.took >= Duration::from_millis(50));
    assert_eq!(rest(&mut stream), b"");
    assert!(handle.stats().is_stopping);
    go.send(()).unwrap();
    serving.join().unwrap().unwrap();
    assert_eq!(handle.wait(), ended);
}

#[test]
fn a_backend_of_the_library_is_watched_and_ended_through_its_handle() {
    let backend = backend();
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let metrics = std::sync::Arc::clone(&backend.callback.metrics);
    let serving = thread::spawn(move || {
        backend.run(|message| match message.field("Content") {
            Some("panic") => panic!("on purpose"),
            _ => Reply::Success,
        })
    });
    assert_eq!(
        ask(&mut connect(address), &post(&text_of("u", 1, "x"))).content,
        "success"
    );
    assert_eq!(exchange(address, &post(&text_of("u", 2, "panic"))), b"");
    assert_eq!(ask(&mut connect(address), &get("/")).status, 200);
    let stats = handle.stats();
    assert_eq!((stats.panics, stats.answer_times.len()), (1, 1));
    assert_eq!((metrics.without_reply(), metrics.replies()), (1, 0));
    assert_eq!(metrics.messages().next(), Some(("text", 2)));
    handle.stop();
    assert_eq!(handle.wait().unanswered, 0);
    serving.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

/// Two servers on one socket, as when one takes over from the other.
#[test]
fn the_end_of_one_server_leaves_the_other_one_of_its_socket_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // Another owner may have set it so; nobody waits in vain, nor without end.
    listener.set_nonblocking(true).unwrap();
    let serve = || {
        let shared = Listener::from_shared(listener.try_clone().unwrap());
        let mut backend = Server::from_listener(shared).token(Token::parse(TOKEN).unwrap());
        backend.limits.drain = PATIENCE;
        let handle = backend.handle.clone();
        let serving = thread::spawn(move || backend.run(|_| Reply::Success));
        (handle, serving)
    };
    let address = listener.local_addr().unwrap();
    let (first, second) = (serve(), serve());
    assert_eq!(ask(&mut connect(address), &get("/")).status, 200);
    for (handle, serving) in [first, second] {
        handle.stop();
        let ended = handle.wait();
        assert_eq!((ended.unanswered, ended.is_complete), (0, true));
        serving.join().unwrap().unwrap();
    }
    assert_eq!(accept_timeout(&listener), None);
}

fn accept_timeout(listener: &TcpListener) -> Option<Duration> {
    let as_stream = TcpStream::from(OwnedFd::from(listener.try_clone().unwrap()));
    as_stream.read_timeout().unwrap()
}

#[test]
fn a_socket_that_was_handed_over_is_left_as_it_was_after_a_cut_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Listener::from_shared(listener.try_clone().unwrap());
    let mut backend = Server::from_listener(shared).token(Token::parse(TOKEN).unwrap());
    backend.limits.drain = Duration::from_millis(50);
    let handle = backend.handle.clone();
    let (serving, has_begun, go) = run_slowly(backend);
    let mut stream = connect(address);
    stream.write_all(&post(&text_of("oUser1", 1, "x"))).unwrap();
    has_begun.recv().unwrap();
    handle.stop();
    assert_eq!(handle.wait().unanswered, 1);
    assert_eq!(accept_timeout(&listener), None);
    // Whoever comes now is the next owner's.
    let mut next = connect(address);
    next.write_all(&get("/")).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(accepted.peer_addr().unwrap(), next.local_addr().unwrap());
    go.send(()).unwrap();
    serving.join().unwrap().unwrap();
}

/// Somebody has moved its socket away, and another server has taken the place.
#[test]
fn a_server_removes_no_other_ones_socket() {
    let folder = Short::new("moved");
    let (control, moved) = (folder.path("control"), folder.path("moved"));
    let first = start(&control, &[]);
    fs::rename(&control, &moved).unwrap();
    let _second = start(&control, &[]);
    assert_eq!(asked(&moved, &["stop"]).code, 0);
    assert_eq!(first.ended(), (Some(0), vec![]));
    assert_eq!(asked(&control, &["status"]).code, 0);
}

/// What systemd does with a socket unit: the socket is there all the time, and connections wait in it.
#[test]
fn a_socket_that_was_handed_over_outlives_the_server() {
    let folder = Short::new("handed");
    let control = folder.path("control");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = || {
        let socket = OwnedFd::from(listener.try_clone().unwrap());
        let mut command = command();
        command
            .env("WECHAT_TOKEN", TOKEN)
            .env("WECHAT_CONTROL", &control);
        Program::spawn(command.stdin(socket))
    };
    let first = start();
    assert_eq!(first.address, address);
    assert_eq!(ask(&mut connect(address), &get("/")).status, 200);
    assert_eq!(asked(&control, &["stop"]).code, 0);
    assert_eq!(first.ended(), (Some(0), vec![]));
    // It waits for its next owner as it waited before.
    assert_eq!(accept_timeout(&listener), None);
    let mut waiting = connect(address);
    waiting.write_all(&get("/")).unwrap();
    let _second = start();
    assert_eq!(read_answer(&mut waiting, false).status, 200);
}

#[test]
fn what_a_server_left_that_is_gone_is_replaced() {
    let folder = Short::new("left");
    let control = folder.path("control");
    start(&control, &[]).stop_silent();
    assert!(Path::new(&control).exists(), "it was killed");
    let said = asked(&control, &["status"]);
    let gone = format!("wechat: the server at {control:?} is gone\n");
    assert_eq!((said.code, said.err), (1, gone));
    let _program = start(&control, &[]);
    assert_eq!(asked(&control, &["status"]).code, 0);
    let file = folder.path("file");
    fs::write(&file, "").unwrap();
    let said = asked(&file, &["status"]);
    let other = format!("wechat: {file:?} is no server's control socket\n");
    assert_eq!((said.code, said.err), (1, other));
}

#[track_caller]
fn assert_no_start(control: &str, reason: &str) {
    let said = finish(command().env("WECHAT_TOKEN", TOKEN).args([
        "--listen",
        "127.0.0.1:0",
        "--control",
        control,
    ]));
    let expected = format!("wechat: cannot make the control socket {control:?}: {reason}\n");
    assert_eq!((said.code, said.out.as_str(), said.err), (1, "", expected));
}

#[test]
fn a_control_socket_that_was_asked_for_and_cannot_be_made_is_an_error() {
    let folder = Short::new("cannot");
    let control = folder.path("control");
    let _program = start(&control, &[]);
    assert_no_start(&control, "another server uses it");
    assert_eq!(asked(&control, &["status"]).code, 0, "and it still does");
    let file = folder.path("file");
    fs::write(&file, "precious").unwrap();
    assert_no_start(&file, "the file exists and is not a socket");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let link = folder.path("link");
    std::os::unix::fs::symlink(folder.path("gone"), &link).unwrap();
    assert_no_start(&link, "the file exists and is not a socket");
    // It is there, and not to be connected to as ours are.
    let datagram = folder.path("datagram");
    let _datagram = UnixDatagram::bind(&datagram).unwrap();
    assert_no_start(&datagram, "Protocol wrong type for socket (os error 91)");
    let nowhere = folder.path("nowhere/control");
    assert_no_start(
        &nowhere,
        &format!("there is no {:?}", folder.path("nowhere")),
    );
    let long = folder.path(&"long".repeat(30));
    let said = finish(command().env("WECHAT_TOKEN", TOKEN).args([
        "--listen",
        "127.0.0.1:0",
        "--control",
        &long,
    ]));
    let reason = format!("path of {} bytes, at most ", long.len());
    assert!(said.code == 1 && said.err.contains(&reason), "{}", said.err);
    assert_eq!(
        fs::read_dir(&folder.0).unwrap().count(),
        4,
        "nothing else is left"
    );
}

/// A program that somebody tries out says once that it has none, and where it would be.
#[test]
fn where_nobody_asked_for_a_control_socket_the_server_does_without() {
    let folder = Short::new("without");
    let directory = folder.path("none");
    let spawn = |directory: &str| {
        Program::spawn(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("RUNTIME_DIRECTORY", directory)
                .args(["--listen", "127.0.0.1:0"]),
        )
    };
    let mut program = spawn(&directory);
    assert_eq!(
        program.next_line(),
        format!(
            "there is no {directory}, so wechat status and stop cannot reach this server; --control \
             PATH lets them\n"
        )
    );
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
    program.stop_silent();
    fs::create_dir(&directory).unwrap();
    let program = spawn(&format!("{directory}:/other"));
    let mut second = spawn(&directory);
    assert_eq!(
        second.next_line(),
        format!(
            "{directory}/control is another server's, so wechat status and stop reach that one; \
             --control PATH lets them\n"
        )
    );
    second.stop_silent();
    let ask = |name: &str| finish(command().env("RUNTIME_DIRECTORY", &directory).arg(name));
    assert_eq!(ask("status").code, 0);
    assert_eq!(ask("stop").code, 0);
    assert_eq!(program.ended(), (Some(0), vec![]));
}

#[test]
fn who_asks_something_else_or_nothing_keeps_nobody_waiting() {
    let folder = Short::new("odd");
    let control = folder.path("control");
    let _program = start(&control, &[]);
    let say = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&control).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        // What is left unread at the other end resets the connection.
        let _ = stream.read_to_string(&mut answer);
        answer
    };
    let version = version();
    assert_eq!(
        say(b"restart\x1b\n"),
        format!("unknown command \"restart\\u{{1b}}\"; this server is wechat {version}")
    );
    assert_eq!(
        say(b"\xff\n"),
        format!("unknown command \"\u{fffd}\"; this server is wechat {version}")
    );
    assert_eq!(say(&[b"a".repeat(64), b"\n".to_vec()].concat()), "");
    // More of them than there is patience for, one after another.
    let silent: Vec<_> = (0..100)
        .map(|_| UnixStream::connect(&control).unwrap())
        .collect();
    assert_eq!(asked(&control, &["status"]).code, 0);
    drop(silent);
}

#[track_caller]
fn assert_unanswered(answer: &'static [u8], reason: &str) {
    let folder = Short::new("unanswered");
    let control = folder.path(&format!("control{}", answer.len()));
    let listener = UnixListener::bind(&control).unwrap();
    let other = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(answer).unwrap();
    });
    let said = asked(&control, &["stop"]);
    let expected = format!(
        "wechat: {}\n",
        reason.replace("PATH", &format!("{control:?}"))
    );
    assert_eq!((said.code, said.out.as_str(), said.err), (1, "", expected));
    other.join().unwrap();
}

#[test]
fn a_server_that_does_not_answer_is_told_from_one_that_does() {
    assert_unanswered(b"", "the server at PATH ended without an answer");
    assert_unanswered(b"no \x1b[2J\n", "PATH: no \\u{1b}[2J");
}

/// sd_notify(3), sd_watchdog_enabled(3)
#[test]
fn a_service_manager_hears_that_the_server_lives_and_that_it_stops() {
    let folder = Short::new("watchdog");
    let control = folder.path("control");
    let manager = UnixDatagram::bind(folder.path("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let heard = || {
        let mut state = [0; 100];
        let length = manager.recv(&mut state).unwrap();
        String::from_utf8(state[..length].to_vec()).unwrap()
    };
    let start = |variables: &[(&str, &str)]| {
        Program::spawn(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("NOTIFY_SOCKET", folder.path("notify"))
                .env("WECHAT_CONTROL", &control)
                .envs(variables.iter().copied())
                .args(["--listen", "127.0.0.1:0"]),
        )
    };
    let program = start(&[("WATCHDOG_USEC", "1000")]);
    assert_eq!(heard(), "READY=1");
    for _ in 0..3 {
        assert_eq!(heard(), "WATCHDOG=1");
    }
    assert_eq!(asked(&control, &["stop"]).code, 0);
    assert_eq!(program.ended(), (Some(0), vec![]));
    until("it says so", || heard() == "STOPPING=1");
    // Those that were sent before it stopped accepting.
    manager.set_nonblocking(true).unwrap();
    while manager.recv(&mut [0; 100]).is_ok() {}
    manager.set_nonblocking(false).unwrap();
    // A watchdog of another process, and none.
    for variables in [
        [("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")],
        [("WATCHDOG_USEC", "0"), ("WATCHDOG_PID", "")],
    ] {
        let program = start(&variables);
        assert_eq!(heard(), "READY=1");
        assert_eq!(asked(&control, &["stop"]).code, 0);
        assert_eq!(program.ended(), (Some(0), vec![]));
        assert_eq!(heard(), "STOPPING=1");
        manager.set_nonblocking(true).unwrap();
        assert!(manager.recv(&mut [0; 100]).is_err(), "nothing else");
        manager.set_nonblocking(false).unwrap();
    }
}

/// It is no stuck one.
#[test]
fn a_server_full_of_work_is_heard_of_while_others_wait_for_a_seat() {
    let folder = Short::new("full");
    let control = folder.path("control");
    let (rules, _, go) = slow_rules(&folder.0);
    let manager = UnixDatagram::bind(folder.path("notify")).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .env("NOTIFY_SOCKET", folder.path("notify"))
            .env("WATCHDOG_USEC", "1000")
            .env("WECHAT_CONTROL", &control)
            .args(["--listen", "127.0.0.1:0", "--max-connections", "1"])
            .args(["--rules", &rules]),
    );
    let mut streams: Vec<_> = (0..20)
        .map(|number| {
            let mut stream = connect(program.address);
            stream
                .write_all(&post(&text_of("oUser1", number, "slow")))
                .unwrap();
            stream
        })
        .collect();
    until("the house is full", || {
        number(&control, "being_answered") == 3
    });
    // Those from before, as many as a queue holds, and then some.
    for _ in 0..20 {
        manager.recv(&mut [0; 100]).unwrap();
    }
    fs::write(&go, "").unwrap();
    for stream in &mut streams {
        assert_eq!(
            element(&read_answer(stream, false).content, "Content"),
            "done"
        );
    }
}

/// After a burst as many threads are left as a quiet time needs.
#[test]
fn idle_threads_end() {
    let program = Program::start(&["--max-connections", "50"]);
    let threads = || {
        fs::read_dir(format!("/proc/{}/task", program.id()))
            .unwrap()
            .count()
    };
    let mut streams: Vec<_> = (0..40).map(|_| connect(program.address)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, &get("/")).status, 200);
    }
    assert!(threads() > 40);
    drop(streams);
    // Eight that accept, and the main one, the one that serves.
    until("the others have ended", || threads() <= 10);
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
}
