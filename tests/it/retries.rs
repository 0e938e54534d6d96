//! Retries over the wire: one run for all tries of a message, and no answer lost. Tests wait for events
//! where WeChat has a clock. The cases that need the clock share one test, in which they run at once.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::*;
use wechat::Server;
use wechat::wechat::{Reply, Token};

const LATE: &str = "还在查，回复 1 取结果";

/// A server whose programs wait until a test tells them what to print.
struct Bot {
    program: Program,
    folder: PathBuf,
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
                 <on><text>other</text></on></rules>",
                ask(&format!("late=\"{LATE}\" pickup=\"1\""), "{1}"),
                ask("", "{1}"),
                ask("", "{EventKey}"),
            ),
        )
        .unwrap();
        Self { program: Program::start(&["--rules", rules.to_str().unwrap()]), folder }
    }

    /// Makes the pipe from which the program of this name reads what it prints.
    fn prepare(&self, name: &str) {
        let fifo = self.folder.join(format!("{name}.fifo"));
        assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    }

    /// Makes the running program of this name print a text and end.
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

    /// How often the program of this name was started.
    fn runs(&self, name: &str) -> usize {
        let runs = fs::read_to_string(self.folder.join(format!("{name}.runs")));
        runs.unwrap_or_default().lines().count()
    }

    fn until_run(&self, name: &str) {
        until("the program starts", || self.runs(name) > 0);
    }

    fn send(&self, xml: &str) -> TcpStream {
        send(self.program.address, xml)
    }

    /// The text that a try is answered, or `success`.
    fn say(&self, xml: &str) -> String {
        said(&mut self.send(xml))
    }
}

/// Sends a try. The answer is read later.
fn send(address: SocketAddr, xml: &str) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(&post(xml)).unwrap();
    stream
}

fn said(stream: &mut TcpStream) -> String {
    let answer = read_answer(stream, false);
    assert_eq!(answer.status, 200);
    if answer.content == "success" {
        answer.content
    } else {
        element(&answer.content, "Content").to_owned()
    }
}

/// A reply without its time, which differs between tries.
fn timeless(xml: &str) -> String {
    let (before, rest) = xml.split_once("<CreateTime>").unwrap();
    before.to_owned() + rest.split_once("</CreateTime>").unwrap().1
}

#[test]
fn one_run_serves_all_tries_and_later_ones() {
    let bot = Bot::start("one-run");
    bot.prepare("a");
    let xml = text_of("oUser1", 1, "ask a");
    let first = bot.send(&xml);
    bot.until_run("a");
    // WeChat gives up on the first try and sends the second.
    drop(first);
    let mut second = bot.send(&xml);
    bot.print("a", "<text><![CDATA[晴]]></text>");
    let answer = read_answer(&mut second, false);
    assert_eq!(element(&answer.content, "Content"), "晴");
    let third = read_answer(&mut bot.send(&xml), false);
    assert_eq!(timeless(&third.content), timeless(&answer.content));
    assert_eq!(bot.runs("a"), 1);
    // A fourth try does not start another run either.
    assert_eq!(bot.say(&xml), "晴");
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

#[test]
fn two_waiting_tries_get_the_same_answer() {
    let bot = Bot::start("two-wait");
    bot.prepare("a");
    let xml = text_of("oUser1", 1, "ask a");
    let mut tries = [bot.send(&xml), bot.send(&xml)];
    bot.until_run("a");
    bot.print("a", "晴\n");
    for stream in &mut tries {
        assert_eq!(said(stream), "晴");
    }
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

/// A client that waits longer than WeChat, such as `curl`, gets the answer. The thread of a try whose
/// client has disconnected ends.
fn a_connected_try_keeps_waiting_and_a_disconnected_one_ends() {
    let bot = Bot::start("still-there");
    let mut kept = connect(bot.program.address);
    assert_eq!(ask(&mut kept, &get("/")).status, 200);
    let descriptors = || bot.program.descriptors();
    let at_start = descriptors();
    let mut kept_try = None;
    // Descriptors besides those at the start: for each running program three pipes and the connection of
    // its first try, and the connection that stays.
    for (name, stays, more) in [("a", true, 4), ("b", false, 4 + 4 + 1)] {
        let before = at_start + more;
        bot.prepare(name);
        let xml = text_of("oUser1", 1, &format!("ask {name}"));
        drop(bot.send(&xml));
        bot.until_run(name);
        until("the program has begun", || descriptors() == before);
        let second = bot.send(&xml);
        until("it is accepted", || descriptors() == before + 1);
        if stays {
            kept_try = Some(second);
        } else {
            drop(second);
            // Its program is still running.
            until("its connection is closed", || descriptors() == before);
        }
    }
    bot.print("a", "晴");
    assert_eq!(said(&mut kept_try.unwrap()), "晴");
    bot.print("b", "雨");
    bot.program.stop_silent();
}

fn the_third_try_is_deferred_and_pickup_gets_the_answer_once() {
    let bot = Bot::start("late");
    bot.prepare("a");
    let xml = text_of("oUser1", 1, "ask a");
    drop(bot.send(&xml));
    bot.until_run("a");
    drop(bot.send(&xml));
    assert_eq!(bot.say(&xml), LATE);
    // A fourth try gets the same answer, and so does a pickup that comes too early.
    assert_eq!(bot.say(&xml), LATE);
    assert_eq!(bot.say(&text_of("oUser1", 2, "1")), LATE);
    // Another user does not get the answer, and other words are answered by the rules.
    assert_eq!(bot.say(&text_of("oUser2", 3, "1")), "other");
    assert_eq!(bot.say(&text_of("oUser1", 4, "static")), "here");
    // A pickup during the run waits for its end.
    let mut pickup = bot.send(&text_of("oUser1", 5, "1"));
    bot.print("a", "晴");
    let answer = said(&mut pickup);
    assert_eq!(answer, "「ask a」\n晴");
    // A retry of the pickup gets the answer again, another pickup does not.
    assert_eq!(bot.say(&text_of("oUser1", 5, "1")), answer);
    assert_eq!(bot.say(&text_of("oUser1", 6, "1")), "other");
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

fn without_pickup_the_third_try_gets_success_and_any_text_gets_the_answer() {
    let bot = Bot::start("late-plain");
    bot.prepare("a");
    let xml = text_of("oUser1", 1, "plain a");
    drop(bot.send(&xml));
    bot.until_run("a");
    drop(bot.send(&xml));
    assert_eq!(bot.say(&xml), "success");
    assert_eq!(bot.say(&text_of("oUser1", 2, "static")), "here");
    bot.print("a", "晴");
    // Until the run has ended, the rules answer.
    let msg_ids = AtomicU64::new(10);
    until("the answer is handed over", || {
        let msg_id = msg_ids.fetch_add(1, Ordering::Relaxed);
        let answer = bot.say(&text_of("oUser1", msg_id, "static"));
        assert!(["here", "「plain a」\n晴"].contains(&&*answer), "{answer}");
        answer != "here"
    });
    assert_eq!(bot.say(&text_of("oUser1", 2, "static")), "here");
    bot.program.stop_silent();
}

#[test]
fn messages_of_two_users_with_one_number_and_two_events_of_one_second_are_different() {
    let bot = Bot::start("apart");
    let messages = [
        ("a", text_of("oUser1", 7, "ask a")),
        ("b", text_of("oUser2", 7, "ask b")),
        ("c", click_of("oUser1", 1_700_000_000, "c")),
        ("d", click_of("oUser1", 1_700_000_000, "d")),
    ];
    let mut streams = Vec::new();
    for (name, xml) in &messages {
        bot.prepare(name);
        streams.push(bot.send(xml));
        bot.until_run(name);
    }
    for ((name, _), stream) in messages.iter().zip(&mut streams) {
        bot.print(name, &format!("for {name}"));
        assert_eq!(said(stream), format!("for {name}"));
    }
    for (name, xml) in &messages {
        assert_eq!(bot.say(xml), format!("for {name}"));
        assert_eq!(bot.runs(name), 1);
    }
    bot.program.stop_silent();
}

/// What WeChat sees of slow programs: it sends each message up to three times, five seconds apart, with the
/// same signature or a new one.
fn wechat_gets_an_answer_of_every_slow_program() {
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
                    // WeChat leaves half a second for the network, which a busy machine may not keep.
                    let mut outcomes = (1..=3).map(|attempt| {
                        let label = format!("{is_fresh}{attempt}");
                        let content = format!("{seconds} {label}");
                        let user = format!("oUser{seconds}{label}");
                        let first = as_wechat(address, &text_of(&user, 1, &content), is_fresh);
                        let runs = folder.join(format!("{seconds}{label}.runs"));
                        assert_eq!(fs::read_to_string(runs).unwrap(), "run\n");
                        let answer = format!("after {seconds}");
                        if seconds < 16 {
                            return first == Some((answer, tries));
                        }
                        let pickup = as_wechat(address, &text_of(&user, 2, "1"), is_fresh);
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

/// Sends a message as WeChat does. Returns the answer that its user sees, and the number of the try that got
/// it; `None` if no try was answered, for which WeChat shows its fault prompt.
fn as_wechat(address: SocketAddr, xml: &str, is_fresh: bool) -> Option<(String, usize)> {
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

/// The cases that wait as long as WeChat does, all at once.
#[test]
fn keeps_wechats_time() {
    thread::scope(|scope| {
        spawn(scope, wechat_gets_an_answer_of_every_slow_program);
        spawn(scope, the_third_try_is_deferred_and_pickup_gets_the_answer_once);
        spawn(scope, without_pickup_the_third_try_gets_success_and_any_text_gets_the_answer);
        spawn(scope, a_connected_try_keeps_waiting_and_a_disconnected_one_ends);
        spawn(scope, a_slow_closure_is_called_once_for_each_message);
    });
}

/// Runs a case on a thread of its name, which a panic message shows.
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
    assert_eq!(timeless(&again.content), timeless(&answer.content));
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

/// Calls wait here until it is opened.
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

/// A backend in this process. Its closure waits at the gate with texts that begin with `slow`, and counts
/// those calls. It runs until the tests end.
fn library(connections: usize) -> (SocketAddr, Arc<Gate>, Arc<AtomicUsize>) {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut backend = server.token(Token::parse(TOKEN).unwrap());
    backend.limits.connections = connections;
    backend.late = LATE.into();
    let address = backend.address().unwrap();
    let gate = Arc::new(Gate::default());
    let calls = Arc::new(AtomicUsize::new(0));
    let (passed, counted) = (Arc::clone(&gate), Arc::clone(&calls));
    thread::spawn(move || {
        backend.run(|message| {
            let content = message.field("Content").unwrap_or("");
            if content.starts_with("slow") {
                counted.fetch_add(1, Ordering::SeqCst);
                passed.pass();
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
    until("it is called", || calls.load(Ordering::SeqCst) == 1);
    let mut second = send(address, &xml);
    assert_eq!(said(&mut send(address, &xml)), LATE);
    gate.open();
    // All further tries get the answer of the last one.
    assert_eq!(said(&mut second), LATE);
    until("it is handed over", || {
        static MSG_ID: AtomicU64 = AtomicU64::new(10);
        let msg_id = MSG_ID.fetch_add(1, Ordering::Relaxed);
        let xml = text_of("oUser1", msg_id, "quick");
        said(&mut send(address, &xml)) == "「slow one」\nslow one"
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    // For a message that is not deferred it is called once too.
    let xml = text_of("oUser2", 2, "slow no more");
    assert_eq!(said(&mut send(address, &xml)), "slow no more");
    assert_eq!(said(&mut send(address, &xml)), "slow no more");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// 90 slow messages and their second tries are more than the limit of 100 connections. Those of the first
/// tries, which WeChat has given up, make room.
#[test]
fn slow_messages_do_not_block_quick_ones() {
    let (address, gate, calls) = library(100);
    let messages: Vec<String> = (0..90)
        .map(|number| text_of(&format!("oUser{number}"), 1, &format!("slow {number}")))
        .collect();
    let quick = |msg_id| {
        let xml = text_of("oUser", msg_id, "quick");
        assert_eq!(said(&mut send(address, &xml)), "quick");
    };
    let first: Vec<_> = messages.iter().map(|xml| send(address, xml)).collect();
    until("all are called", || calls.load(Ordering::SeqCst) == 90);
    quick(1);
    drop(first);
    let mut second: Vec<_> = messages.iter().map(|xml| send(address, xml)).collect();
    quick(2);
    gate.open();
    for (number, stream) in second.iter_mut().enumerate() {
        assert_eq!(said(stream), format!("slow {number}"));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 90);
}
