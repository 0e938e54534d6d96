//! Tries over real connections: one run for all tries of a message, and late replies. Most tests wait for events
//! instead of WeChat's five seconds. The cases that need the real time run in parallel in one test.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::control_socket::{self, ShortFolder, number};
use crate::support::*;
use wechat::Server;
use wechat::wechat::{Reply, Token};

const LATE: &str = "还在查，回复 1 取结果";

/// A server with programs that wait until the test tells them what to print.
struct Bot {
    program: Program,
    folder: PathBuf,
    /// Holds the control socket.
    sockets: ShortFolder,
}

impl Bot {
    fn start(name: &str) -> Self {
        let folder = folder(name);
        let ask = |attributes: &str, name: &str| {
            format!(
                "<run {attributes}>/bin/sh -c <arg>echo run >> \"$0/$1.runs\"; cat \"$0/$1.fifo\"</arg>\
                 <arg>{}</arg><arg>{name}</arg></run>",
                folder.to_str().unwrap()
            )
        };
        let rules = folder.join("rules.xml");
        fs::write(
            &rules,
            format!(
                "<rules><on Content=\"ask *\">{}</on><on Content=\"plain *\">{}</on>\
                 <on Event=\"CLICK\">{}</on><on Content=\"static\"><text>here</text></on>\
                 <on Content=\"quiet\"><success/></on><on><text>other</text></on></rules>",
                ask(&format!("late=\"{LATE}\" pickup=\"1\""), "{1}"),
                ask("", "{1}"),
                ask("", "{EventKey}"),
            ),
        )
        .unwrap();
        let sockets = ShortFolder::new(name);
        let flags = ["--rules", rules.to_str().unwrap()];
        let program = control_socket::start(&sockets.path("control"), &flags);
        Self { program, folder, sockets }
    }

    /// Creates the named pipe from which this program will read its output.
    fn make_pipe(&self, name: &str) {
        let fifo = self.folder.join(format!("{name}.fifo"));
        make_pipe(&fifo);
    }

    /// Makes this program print a text and end. The program must be running.
    fn print(&self, name: &str, text: &str) {
        let fifo = self.folder.join(format!("{name}.fifo"));
        let mut open = OpenOptions::new();
        // O_NONBLOCK: without a reader, opening fails instead of blocking.
        open.write(true).custom_flags(0o4000);
        until("the program reads", || {
            let write = |mut file: File| file.write_all(text.as_bytes());
            open.open(&fifo).and_then(write).is_ok()
        });
    }

    /// How often this program was started.
    fn runs(&self, name: &str) -> usize {
        let runs = fs::read_to_string(self.folder.join(format!("{name}.runs")));
        runs.unwrap_or_default().lines().count()
    }

    fn until_run(&self, name: &str) {
        until("the program starts", || self.runs(name) > 0);
    }

    /// Makes the late reply `晴` to the text `plain NAME` of oUser1.
    fn make_late(&self, name: &str) {
        self.make_pipe(name);
        let xml = text_of("oUser1", 1, &format!("plain {name}"));
        let mut first = self.send(&xml);
        self.until_run(name);
        self.send_and_disconnect(&xml);
        assert_eq!(self.say(&xml), "success");
        self.print(name, "晴");
        // The connection of the first try is still open, so this is the end of the program.
        assert_eq!(read_reply(&mut first), "晴");
    }

    fn send(&self, xml: &str) -> TcpStream {
        send(self.program.address, xml)
    }

    /// Sends the second try of the first message, and disconnects. Waits until the server has counted the try. Otherwise,
    /// the server could read the third try first, and the third try would wait until the end of the run.
    fn send_and_disconnect(&self, xml: &str) {
        drop(self.send(xml));
        let control = self.sockets.path("control");
        until("the second try is counted", || number(&control, "tries_joined") == 1);
    }

    /// Sends a try. Returns the text of its reply, or `success`.
    fn say(&self, xml: &str) -> String {
        read_reply(&mut self.send(xml))
    }
}

/// Sends a try on a new connection. The caller reads the response later.
fn send(address: SocketAddr, xml: &str) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(&post(xml)).unwrap();
    stream
}

/// Reads a response. Returns the text of its reply, or `success`.
fn read_reply(stream: &mut TcpStream) -> String {
    let answer = read_answer(stream, false);
    assert_eq!(answer.status, 200);
    if answer.content == "success" {
        answer.content
    } else {
        element(&answer.content, "Content").to_owned()
    }
}

/// The XML of a reply without its CreateTime, which differs between tries.
fn without_time(xml: &str) -> String {
    let (before, rest) = xml.split_once("<CreateTime>").unwrap();
    before.to_owned() + rest.split_once("</CreateTime>").unwrap().1
}

#[test]
fn one_run_serves_all_tries_and_later_ones() {
    let bot = Bot::start("one-run");
    bot.make_pipe("a");
    let xml = text_of("oUser1", 1, "ask a");
    let first = bot.send(&xml);
    bot.until_run("a");
    // WeChat closes the connection of the first try and sends the second try.
    drop(first);
    let mut second = bot.send(&xml);
    bot.print("a", "<text><![CDATA[晴]]></text>");
    let answer = read_answer(&mut second, false);
    assert_eq!(element(&answer.content, "Content"), "晴");
    let third = read_answer(&mut bot.send(&xml), false);
    assert_eq!(without_time(&third.content), without_time(&answer.content));
    assert_eq!(bot.runs("a"), 1);
    // A fourth try does not start another run either.
    assert_eq!(bot.say(&xml), "晴");
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

#[test]
fn two_waiting_tries_get_the_same_reply() {
    let bot = Bot::start("two-wait");
    bot.make_pipe("a");
    let xml = text_of("oUser1", 1, "ask a");
    let mut tries = [bot.send(&xml), bot.send(&xml)];
    bot.until_run("a");
    bot.print("a", "晴\n");
    for stream in &mut tries {
        assert_eq!(read_reply(stream), "晴");
    }
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

/// A client that waits longer than WeChat, such as `curl`, gets the reply. The thread of a try ends when its client
/// has disconnected.
fn a_connected_try_keeps_waiting_and_a_disconnected_one_ends() {
    let bot = Bot::start("still-there");
    let mut kept = connect(bot.program.address);
    assert_eq!(ask(&mut kept, &get("/")).status, 200);
    let descriptors = || bot.program.descriptors();
    let at_start = descriptors();
    let mut kept_try = None;
    // `added` is the number of descriptors opened since the start. The first program opens three for the killer. Each
    // running program has two, which are a socket and the connection of its first try. The connection that stays open
    // adds another.
    for (name, stays, added) in [("a", true, 3 + 2), ("b", false, 3 + 2 + 2 + 1)] {
        let before = at_start + added;
        bot.make_pipe(name);
        let xml = text_of("oUser1", 1, &format!("ask {name}"));
        drop(bot.send(&xml));
        bot.until_run(name);
        until("the program has begun", || descriptors() == before);
        let second = bot.send(&xml);
        until("the second try is accepted", || descriptors() == before + 1);
        if stays {
            kept_try = Some(second);
        } else {
            drop(second);
            // The program is still running.
            until("the connection of the second try is closed", || descriptors() == before);
        }
    }
    bot.print("a", "晴");
    assert_eq!(read_reply(&mut kept_try.unwrap()), "晴");
    bot.print("b", "雨");
    bot.program.stop_silent();
}

fn the_third_try_is_deferred_and_a_pickup_gets_the_late_reply_once() {
    let bot = Bot::start("late");
    bot.make_pipe("a");
    let xml = text_of("oUser1", 1, "ask a");
    drop(bot.send(&xml));
    bot.until_run("a");
    bot.send_and_disconnect(&xml);
    assert_eq!(bot.say(&xml), LATE);
    // A fourth try gets the same reply, and so does a pickup while the program is running.
    assert_eq!(bot.say(&xml), LATE);
    assert_eq!(bot.say(&text_of("oUser1", 2, "1")), LATE);
    // Another user does not get the late reply, and other words get replies from the rules.
    assert_eq!(bot.say(&text_of("oUser2", 3, "1")), "other");
    assert_eq!(bot.say(&text_of("oUser1", 4, "static")), "here");
    // A pickup during the run waits for the end of the run.
    let mut pickup = bot.send(&text_of("oUser1", 5, "1"));
    bot.print("a", "晴");
    let answer = read_reply(&mut pickup);
    assert_eq!(answer, "「ask a」\n晴");
    // A second try of the pickup gets the late reply again. A new pickup does not.
    assert_eq!(bot.say(&text_of("oUser1", 5, "1")), answer);
    assert_eq!(bot.say(&text_of("oUser1", 6, "1")), "other");
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

fn without_pickup_the_next_program_gets_the_late_reply_and_its_own() {
    let bot = Bot::start("late-plain");
    bot.make_late("a");
    bot.make_pipe("b");
    // Fixed replies are not affected, and neither are other users.
    let msg_ids = AtomicU64::new(10);
    let say = |user: &str, content: &str| {
        bot.say(&text_of(user, msg_ids.fetch_add(1, Ordering::Relaxed), content))
    };
    for _ in 0..3 {
        assert_eq!(say("oUser1", "static"), "here");
    }
    assert_eq!(say("oUser2", "quiet"), "success");
    let next = text_of("oUser1", 2, "plain b");
    let mut tries = [bot.send(&next), bot.send(&next)];
    bot.until_run("b");
    bot.print("b", "雨");
    let answers = tries.each_mut().map(read_reply);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(bot.say(&next), answers[0]);
    assert_eq!((bot.runs("a"), bot.runs("b")), (1, 1));
    // On a slow machine, 4.4 seconds may pass before the program ends.
    match answers[0].strip_prefix("「plain a」\n晴") {
        Some("\n\n雨") => assert_eq!(say("oUser1", "quiet"), "success"),
        rest => assert_eq!(rest, Some("")),
    }
    bot.program.stop_silent();
}

fn without_pickup_the_late_reply_does_not_wait_for_a_slow_program() {
    let bot = Bot::start("late-slow");
    bot.make_late("a");
    bot.make_pipe("b");
    let next = text_of("oUser1", 2, "plain b");
    let begun = Instant::now();
    // One try is enough, and the other ones get the same.
    let late = "「plain a」\n晴";
    assert_eq!(bot.say(&next), late);
    assert!(begun.elapsed() >= Duration::from_millis(4300), "{:?}", begun.elapsed());
    assert_eq!(bot.say(&next), late);
    assert_eq!(bot.say(&text_of("oUser1", 3, "static")), "here");
    bot.print("b", "雨");
    // A message that would get no reply gets the late one, as soon as it is there.
    let msg_ids = AtomicU64::new(10);
    until("the late reply is delivered", || {
        let xml = text_of("oUser1", msg_ids.fetch_add(1, Ordering::Relaxed), "quiet");
        let answer = bot.say(&xml);
        assert!(["success", "「plain b」\n雨"].contains(&&*answer), "{answer}");
        // The other tries get the same.
        answer != "success" && bot.say(&xml) == answer
    });
    assert_eq!(bot.say(&text_of("oUser1", 4, "quiet")), "success");
    assert_eq!(bot.say(&next), late);
    assert_eq!(bot.runs("b"), 1);
    bot.program.stop_silent();
}

#[test]
fn messages_of_two_users_with_one_msg_id_and_two_events_of_one_second_are_different() {
    let bot = Bot::start("apart");
    let messages = [
        ("a", text_of("oUser1", 7, "ask a")),
        ("b", text_of("oUser2", 7, "ask b")),
        ("c", click_of("oUser1", 1_700_000_000, "c")),
        ("d", click_of("oUser1", 1_700_000_000, "d")),
    ];
    let mut streams = Vec::new();
    for (name, xml) in &messages {
        bot.make_pipe(name);
        streams.push(bot.send(xml));
        bot.until_run(name);
    }
    for ((name, _), stream) in messages.iter().zip(&mut streams) {
        bot.print(name, &format!("for {name}"));
        assert_eq!(read_reply(stream), format!("for {name}"));
    }
    for (name, xml) in &messages {
        assert_eq!(bot.say(xml), format!("for {name}"));
        assert_eq!(bot.runs(name), 1);
    }
    bot.program.stop_silent();
}

/// Plays WeChat with slow programs. WeChat sends each message up to three times, five seconds apart, with the same
/// signature or with a new signature.
fn wechat_gets_a_reply_from_every_slow_program() {
    let folder = folder("wechat");
    let rules = folder.join("rules.xml");
    fs::write(
        &rules,
        format!(
            "<rules><on Content=\"* *\"><run late=\"{LATE}\" pickup=\"1\">/bin/sh -c \
             <arg>echo run >> \"$0/$1$2.runs\"; sleep \"$1\"; echo \"after $1\"</arg>\
             <arg>{}</arg><arg>{{1}}</arg><arg>{{2}}</arg></run></on></rules>",
            folder.to_str().unwrap()
        ),
    )
    .unwrap();
    let program = Program::start(&["--rules", rules.to_str().unwrap()]);
    let address = program.address;
    thread::scope(|scope| {
        for (seconds, tries) in [(1, 1), (7, 2), (12, 3), (16, 3)] {
            for is_fresh in [false, true] {
                let folder = &folder;
                scope.spawn(move || {
                    // The last try is answered half a second before WeChat gives up. A busy machine may need
                    // longer, so there are three attempts. A wrong reply fails the test at once.
                    let mut outcomes = (1..=3).map(|attempt| {
                        let label = format!("{is_fresh}{attempt}");
                        let content = format!("{seconds} {label}");
                        let user = format!("oUser{seconds}{label}");
                        let first = send_as_wechat(address, &text_of(&user, 1, &content), is_fresh);
                        let runs = folder.join(format!("{seconds}{label}.runs"));
                        assert_eq!(fs::read_to_string(runs).unwrap(), "run\n");
                        let answer = format!("after {seconds}");
                        if let Some((reply, _)) = &first {
                            assert!([answer.as_str(), LATE].contains(&reply.as_str()), "{reply}");
                        }
                        if seconds < 16 {
                            return first == Some((answer, tries));
                        }
                        let pickup = send_as_wechat(address, &text_of(&user, 2, "1"), is_fresh);
                        let late = Some(format!("「{content}」\n{answer}"));
                        first == Some((LATE.to_owned(), tries))
                            && pickup.map(|(answer, _)| answer) == late
                    });
                    assert!(outcomes.any(|is_right| is_right), "{seconds} s, {is_fresh}");
                });
            }
        }
    });
    program.stop_silent();
}

/// Sends a message as WeChat does. Returns the reply that the user sees, and the number of the try that got it.
/// `None` if no try got a response in time; then WeChat shows its fault prompt.
fn send_as_wechat(address: SocketAddr, xml: &str, is_fresh: bool) -> Option<(String, usize)> {
    let mut request = post(xml);
    for count in 1..=3 {
        let begun = Instant::now();
        let mut stream = connect(address);
        stream.write_all(&request).unwrap();
        let mut bytes = Vec::new();
        while let Some(left) = Duration::from_secs(5).checked_sub(begun.elapsed()) {
            let left = left.max(Duration::from_millis(1));
            stream.set_read_timeout(Some(left)).unwrap();
            let mut part = [0; 4096];
            match stream.read(&mut part) {
                Ok(0) => panic!("the connection was closed without an answer"),
                Ok(length) => bytes.extend(&part[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
            if bytes.ends_with(b"\r\n0\r\n\r\n") {
                let text = String::from_utf8(bytes).unwrap();
                return Some((element(&text, "Content").to_owned(), count));
            }
        }
        if is_fresh {
            request = post(xml);
        }
    }
    None
}

/// The cases that wait as long as WeChat, in parallel. `fifteen_seconds.rs` runs them.
pub fn responds_before_wechat_gives_up() {
    thread::scope(|scope| {
        spawn(scope, wechat_gets_a_reply_from_every_slow_program);
        spawn(scope, the_third_try_is_deferred_and_a_pickup_gets_the_late_reply_once);
        spawn(scope, without_pickup_the_next_program_gets_the_late_reply_and_its_own);
        spawn(scope, without_pickup_the_late_reply_does_not_wait_for_a_slow_program);
        spawn(scope, a_connected_try_keeps_waiting_and_a_disconnected_one_ends);
        spawn(scope, a_slow_closure_is_called_once_for_each_message);
    });
}

/// Runs a case on a thread that has the name of the case, so that a panic message shows it.
fn spawn<'s>(scope: &'s thread::Scope<'s, '_>, case: impl FnOnce() + Send + 's) {
    let name = std::any::type_name_of_val(&case).to_owned();
    let builder = thread::Builder::new().name(name);
    builder.spawn_scoped(scope, case).unwrap();
}

#[test]
fn refuses_a_signature_for_another_content() {
    let program = Program::start(&[]);
    let target = format!("/wx?{}", signed_now());
    let ask = |content: &str| {
        let request = post_to(&target, "HTTP/1.1", "", content);
        ask(&mut connect(program.address), &request)
    };
    let answer = ask(&text_of("oUser1", 1, "一"));
    assert_eq!(element(&answer.content, "Content"), "一");
    let refused = ask(&text_of("oUser1", 2, "二"));
    assert_eq!(refused.status, 403);
    assert_eq!(refused.content, "signature was already used for other content\n");
    let again = ask(&text_of("oUser1", 1, "一"));
    assert_eq!(without_time(&again.content), without_time(&answer.content));
    let [line] = program.stop().try_into().unwrap();
    assert!(line.contains("cause=reused-signature"), "{line}");
}

#[test]
fn accepts_a_signature_for_any_content_without_a_maximum_age() {
    let program = Program::start(&["--max-age", "0"]);
    let target = format!("/wx?{}", signed("1626513248", "1982032182"));
    for content in ["一", "二", "一"] {
        let request = post_to(&target, "HTTP/1.1", "", &text_of("oUser1", 1, content));
        let answer = ask(&mut connect(program.address), &request);
        assert_eq!(element(&answer.content, "Content"), content);
    }
    program.stop_silent();
}

/// Calls wait in `pass` until the gate is opened.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn pass(&self) {
        let is_closed = |is_open: &mut bool| !*is_open;
        drop(self.1.wait_while(self.0.lock().unwrap(), is_closed).unwrap());
    }

    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

/// Starts a backend in this process, which runs until the tests end. For a text that begins with `slow`, its closure
/// counts the call and waits at the gate.
fn library(connections: usize) -> (SocketAddr, Arc<Gate>, Arc<AtomicUsize>) {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut backend = server.token(Token::parse(TOKEN).unwrap());
    backend.limits.connections = connections;
    backend.late = LATE.into();
    let address = backend.address().unwrap();
    let gate = Arc::new(Gate::default());
    let calls = Arc::new(AtomicUsize::new(0));
    let (closure_gate, closure_calls) = (Arc::clone(&gate), Arc::clone(&calls));
    thread::spawn(move || {
        backend.run(|message| {
            let content = message.field("Content").unwrap_or("");
            if content.starts_with("slow") {
                closure_calls.fetch_add(1, Ordering::SeqCst);
                closure_gate.pass();
            }
            Reply::text(content)
        })
    });
    (address, gate, calls)
}

fn a_slow_closure_is_called_once_for_each_message() {
    let (address, gate, calls) = library(1024);
    let xml = text_of("oUser1", 1, "slow one");
    drop(send(address, &xml));
    until("the closure is called", || calls.load(Ordering::SeqCst) == 1);
    let mut second = send(address, &xml);
    assert_eq!(read_reply(&mut send(address, &xml)), LATE);
    gate.open();
    // All other tries get the reply of the last try.
    assert_eq!(read_reply(&mut second), LATE);
    until("the late reply is delivered", || {
        static MSG_ID: AtomicU64 = AtomicU64::new(10);
        let msg_id = MSG_ID.fetch_add(1, Ordering::Relaxed);
        let xml = text_of("oUser1", msg_id, "quick");
        read_reply(&mut send(address, &xml)) == "「slow one」\nslow one\n\nquick"
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    // For a message that is not deferred, the closure is called once too.
    let xml = text_of("oUser2", 2, "slow no more");
    assert_eq!(read_reply(&mut send(address, &xml)), "slow no more");
    assert_eq!(read_reply(&mut send(address, &xml)), "slow no more");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// 90 slow messages with two tries each would have 180 connections, but the limit is 100. The connections of the
/// first tries, which WeChat has closed, are closed by the server.
#[test]
fn slow_messages_do_not_block_quick_ones() {
    let (address, gate, calls) = library(100);
    let messages: Vec<String> = (0..90)
        .map(|number| text_of(&format!("oUser{number}"), 1, &format!("slow {number}")))
        .collect();
    let quick = |msg_id| {
        let xml = text_of("oUser", msg_id, "quick");
        assert_eq!(read_reply(&mut send(address, &xml)), "quick");
    };
    let first: Vec<_> = messages.iter().map(|xml| send(address, xml)).collect();
    until("the closure is called for all messages", || calls.load(Ordering::SeqCst) == 90);
    quick(1);
    drop(first);
    let mut second: Vec<_> = messages.iter().map(|xml| send(address, xml)).collect();
    quick(2);
    gate.open();
    for (number, stream) in second.iter_mut().enumerate() {
        assert_eq!(read_reply(stream), format!("slow {number}"));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 90);
}
