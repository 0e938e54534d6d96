//! The stop of a server: which requests it still answers, and what it sends to the service manager.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::control_socket::*;
use crate::support::*;
use wechat::Server;
use wechat::server::{Limits, Listener};
use wechat::service::Backend;
use wechat::wechat::{Reply, Token};

/// Connections in the backlog may have sent their requests.
#[test]
fn answers_connections_in_the_backlog_before_it_ends() {
    let mut backend = backend();
    backend.limits =
        Limits { head: TIMEOUT, content: TIMEOUT, drain: TIMEOUT, ..Limits::default() };
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let mut streams: Vec<_> = (0..100).map(|_| connect(address)).collect();
    // Each client has sent a part of its request when the server stops.
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
        assert_eq!((answer.status, answer.field("Connection")), (200, Some("close")));
    }
    let ended = handle.wait();
    assert_eq!((ended.unanswered, ended.is_complete), (0, true));
    serving.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

/// Runs a backend whose closure sends a signal to the receiver when it is called, and returns when the sender signals
/// it.
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
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let mut backend = server.token(Token::parse(TOKEN).unwrap());
    // The test runner captures the output of `println!`.
    backend.report = |line| eprintln!("{line}");
    backend
}

/// When the server shuts down the input of silent connections, the first half of a request has arrived, but the server
/// has not read it yet.
#[test]
fn answers_requests_that_have_begun_when_it_stops() {
    let mut backend = backend();
    backend.limits.drain = TIMEOUT;
    backend.limits.head = TIMEOUT;
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let serving = thread::spawn(move || backend.run(|_| Reply::Success));
    let mut streams: Vec<_> = (0..100).map(|_| connect(address)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, &get("/")).status, 200);
    }
    // A connection is silent after a second.
    thread::sleep(Duration::from_millis(1100));
    let request = get("/");
    let (front, back) = request.split_at(9);
    for stream in &mut streams {
        stream.write_all(front).unwrap();
    }
    handle.stop();
    thread::sleep(Duration::from_millis(20));
    // All rests are sent before a response is read, because the server waits for a rest only for a second.
    for stream in &mut streams {
        stream.write_all(back).unwrap();
    }
    for stream in &mut streams {
        let answer = read_answer(stream, false);
        assert_eq!((answer.status, answer.field("Connection")), (200, Some("close")));
    }
    assert_eq!(handle.wait().unanswered, 0);
    serving.join().unwrap().unwrap();
}

/// A client that has just received a response may already have sent its next request.
#[test]
fn answers_or_closes_connections_that_send_another_request_during_the_stop() {
    let mut backend = backend();
    backend.limits.drain = TIMEOUT;
    backend.limits.head = TIMEOUT;
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let serving = thread::spawn(move || backend.run(|_| Reply::Success));
    let mut streams: Vec<_> = (0..40).map(|_| connect(address)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, &get("/")).status, 200);
    }
    handle.stop();
    for stream in &mut streams {
        let mut received = Vec::new();
        // A reset also closes the connection.
        let read = stream.write_all(&get("/")).and_then(|()| stream.read_to_end(&mut received));
        if !received.is_empty() {
            read.unwrap();
            assert!(received.starts_with(b"HTTP/1.1 200 "));
        }
    }
    assert_eq!(handle.wait().unanswered, 0);
    serving.join().unwrap().unwrap();
}

#[test]
fn shuts_down_connections_after_the_drain_limit() {
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
fn library_backend_is_watched_and_stopped_through_its_handle() {
    let backend = backend();
    let (address, handle) = (backend.address().unwrap(), backend.handle.clone());
    let metrics = std::sync::Arc::clone(&backend.callback.metrics);
    let serving = thread::spawn(move || {
        backend.run(|message| match message.field("Content") {
            Some("panic") => panic!("on purpose"),
            _ => Reply::Success,
        })
    });
    assert_eq!(ask(&mut connect(address), &post(&text_of("u", 1, "x"))).content, "success");
    assert_eq!(exchange(address, &post(&text_of("u", 2, "panic"))), b"");
    assert_eq!(ask(&mut connect(address), &get("/")).status, 200);
    let stats = handle.stats();
    assert_eq!((stats.panics, stats.response_times.len()), (1, 1));
    assert_eq!((metrics.without_reply(), metrics.replies()), (1, 0));
    assert_eq!(metrics.messages().next(), Some(("text", 2)));
    handle.stop();
    assert_eq!(handle.wait().unanswered, 0);
    serving.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

/// This happens when a new server takes over the socket of an old server.
#[test]
fn two_servers_of_one_socket_stop_independently() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // Another owner may have made the socket non-blocking.
    listener.set_nonblocking(true).unwrap();
    let serve = || {
        let shared = Listener::from_shared(listener.try_clone().unwrap());
        let mut backend = Server::from_listener(shared).token(Token::parse(TOKEN).unwrap());
        backend.limits.drain = TIMEOUT;
        let handle = backend.handle.clone();
        let serving = thread::spawn(move || backend.run(|_| Reply::Success));
        (handle, serving)
    };
    let address = listener.local_addr().unwrap();
    let (first, second) = (serve(), serve());
    for (handle, serving) in [first, second] {
        assert_eq!(ask(&mut connect(address), &get("/")).status, 200);
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
fn leaves_a_shared_socket_unchanged_after_the_drain_limit() {
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
    // The next owner accepts the next connection.
    let mut next = connect(address);
    next.write_all(&get("/")).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(accepted.peer_addr().unwrap(), next.local_addr().unwrap());
    go.send(()).unwrap();
    serving.join().unwrap().unwrap();
}

/// A socket unit of systemd always holds its socket, and connections wait in the backlog.
#[test]
fn inherited_socket_outlives_the_server() {
    let folder = ShortFolder::new("handed");
    let control = folder.path("control");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = || {
        let socket = OwnedFd::from(listener.try_clone().unwrap());
        let mut command = command();
        command.env("WECHAT_TOKEN", TOKEN).env("WECHAT_CONTROL", &control);
        Program::spawn(command.stdin(socket))
    };
    let first = start();
    assert_eq!(first.address, address);
    assert_eq!(ask(&mut connect(address), &get("/")).status, 200);
    assert_eq!(run(&control, &["stop"]).code, 0);
    assert_eq!(first.ended(), (Some(0), vec![]));
    // The server has removed its timeout from the socket.
    assert_eq!(accept_timeout(&listener), None);
    let mut waiting = connect(address);
    waiting.write_all(&get("/")).unwrap();
    let _second = start();
    assert_eq!(read_answer(&mut waiting, false).status, 200);
}

/// A socket on which a service manager listens.
fn manager(folder: &ShortFolder) -> UnixDatagram {
    let manager = UnixDatagram::bind(folder.path("notify")).unwrap();
    manager.set_read_timeout(Some(TIMEOUT)).unwrap();
    manager
}

fn receive_state(manager: &UnixDatagram) -> io::Result<String> {
    let mut state = [0; 100];
    let length = manager.recv(&mut state)?;
    Ok(String::from_utf8(state[..length].to_vec()).unwrap())
}

/// Runs a server with these environment variables, and returns what the service manager received. A ping is due at each
/// request.
fn states(name: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let folder = ShortFolder::new(name);
    let control = folder.path("control");
    let manager = manager(&folder);
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .env("NOTIFY_SOCKET", folder.path("notify"))
            .env("WECHAT_CONTROL", &control)
            .envs(variables.iter().copied())
            .args(["--listen", "127.0.0.1:0"]),
    );
    let mut states = vec![receive_state(&manager).unwrap()];
    for _ in 0..3 {
        assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(run(&control, &["stop"]).code, 0);
    assert_eq!(program.ended(), (Some(0), vec![]));
    manager.set_nonblocking(true).unwrap();
    states.extend(std::iter::from_fn(|| receive_state(&manager).ok()));
    states
}

/// sd_notify(3), sd_watchdog_enabled(3)
#[test]
fn tells_the_service_manager_that_it_is_ready_alive_and_stopping() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let states = states("watchdog", &[("WATCHDOG_USEC", "1000")]);
            assert_eq!(states[0], "READY=1");
            let pings = states.iter().filter(|state| *state == "WATCHDOG=1");
            assert!(pings.count() >= 3, "{states:?}");
            assert!(states.contains(&"STOPPING=1".to_owned()), "{states:?}");
        });
        // A watchdog for another process, and no watchdog.
        for (name, usec, pid) in [("other-watchdog", "1000", "1"), ("no-watchdog", "0", "")] {
            scope.spawn(move || {
                let states = states(name, &[("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)]);
                assert_eq!(states, ["READY=1", "STOPPING=1"]);
            });
        }
    });
}

/// A server that waits for a free slot is not stuck, so the pings continue.
#[test]
fn pings_the_watchdog_while_all_slots_are_taken() {
    let folder = ShortFolder::new("full");
    let control = folder.path("control");
    let (rules, _, go) = slow_rules(&folder.0);
    let manager = manager(&folder);
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
            stream.write_all(&post(&text_of("oUser1", number, "slow"))).unwrap();
            stream
        })
        .collect();
    until("all slots are taken", || number(&control, "being_answered") == 3);
    // The socket's queue holds 10 datagrams (unix(7)), so later pings are sent while all slots are taken.
    for _ in 0..20 {
        receive_state(&manager).unwrap();
    }
    fs::write(&go, "").unwrap();
    for stream in &mut streams {
        assert_eq!(element(&read_answer(stream, false).content, "Content"), "done");
    }
}

#[test]
fn surplus_idle_threads_end() {
    let program = Program::start(&["--max-connections", "50"]);
    let threads = || fs::read_dir(format!("/proc/{}/task", program.id())).unwrap().count();
    let mut streams: Vec<_> = (0..40).map(|_| connect(program.address)).collect();
    for stream in &mut streams {
        assert_eq!(ask(stream, &get("/")).status, 200);
    }
    assert!(threads() > 40);
    drop(streams);
    // Eight idle threads, the main thread, and the thread that runs the server.
    until("the surplus threads have ended", || threads() <= 10);
    assert_eq!(ask(&mut connect(program.address), &get("/")).status, 200);
}
