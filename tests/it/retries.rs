//! Five seconds and three tries, over the wire: each message is worked on once, and no answer is lost.
//! Where WeChat has a clock these tests have events, except for the one that behaves as WeChat does.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::support::*;
use wechat::Server;
use wechat::wechat::{Reply, Token};

const LATE: &str = "还在查，回复 1 取结果";

/// A server whose programs answer when a test says what.
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
        Self {
            program: Program::start(&["--rules", rules.to_str().unwrap()]),
            folder,
        }
    }

    /// Lets programs of this name be asked.
    fn prepare(&self, name: &str) {
        let fifo = self.folder.join(format!("{name}.fifo"));
        assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    }

    /// Lets the program that runs under this name print this and end.
    fn print(&self, name: &str, text: &str) {
        let fifo = self.folder.join(format!("{name}.fifo"));
        let mut open = OpenOptions::new();
        // O_NONBLOCK, or this would wait for ever for a program that has ended.
        open.write(true).custom_flags(0o4000);
        until("the program reads", || {
            let write = |mut file: File| file.write_all(text.as_bytes());
            open.open(&fifo).and_then(write).is_ok()
        });
    }

    /// How often a program was started under this name.
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

    /// The text of the answer to one try, `success` where there is none.
    fn say(&self, xml: &str) -> String {
        said(&mut self.send(xml))
    }
}

/// Sends a try and leaves its answer to be read.
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

/// Without the one element that may differ.
fn timeless(xml: &str) -> String {
    let (front, behind) = xml.split_once("<CreateTime>").unwrap();
    front.to_owned() + behind.split_once("</CreateTime>").unwrap().1
}

#[test]
fn one_run_serves_all_tries_and_one_that_comes_afterwards() {
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
    // Not even after a try too many.
    assert_eq!(bot.say(&xml), "晴");
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

#[test]
fn two_tries_that_wait_get_the_same() {
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

/// Longer than WeChat waits, that is: a person with `curl`.
#[test]
fn who_still_waits_gets_the_answer_and_who_has_left_is_let_go() {
    let bot = Bot::start("still-there");
    let mut kept = connect(bot.program.address);
    assert_eq!(ask(&mut kept, &get("/")).status, 200);
    let descriptors = || bot.program.descriptors();
    let alone = descriptors();
    let mut patient = None;
    // Besides what there was: for each program that runs three pipes, and the connection of the try that
    // started it; and the patient.
    for (name, stays, more) in [("a", true, 4), ("b", false, 4 + 4 + 1)] {
        let before = alone + more;
        bot.prepare(name);
        let xml = text_of("oUser1", 1, &format!("ask {name}"));
        drop(bot.send(&xml));
        bot.until_run(name);
        until("the program has begun", || descriptors() == before);
        let second = bot.send(&xml);
        until("it is accepted", || descriptors() == before + 1);
        if stays {
            patient = Some(second);
        } else {
            drop(second);
            // Its program still runs.
            until("it is let go", || descriptors() == before);
        }
    }
    bot.print("a", "晴");
    assert_eq!(said(&mut patient.unwrap()), "晴");
    bot.print("b", "雨");
    bot.program.stop_silent();
}

#[test]
fn the_third_try_asks_for_patience_and_the_answer_is_handed_over_once() {
    let bot = Bot::start("late");
    bot.prepare("a");
    let xml = text_of("oUser1", 1, "ask a");
    drop(bot.send(&xml));
    bot.until_run("a");
    drop(bot.send(&xml));
    assert_eq!(bot.say(&xml), LATE);
    // A fourth gets the same, and so does who asks too early, having waited for it.
    assert_eq!(bot.say(&xml), LATE);
    assert_eq!(bot.say(&text_of("oUser1", 2, "1")), LATE);
    // Others do not get it, and other words are answered by the rules.
    assert_eq!(bot.say(&text_of("oUser2", 3, "1")), "other");
    assert_eq!(bot.say(&text_of("oUser1", 4, "static")), "here");
    // Who asks while it is being worked on gets it when it is there.
    let mut asks = bot.send(&text_of("oUser1", 5, "1"));
    bot.print("a", "晴");
    let answer = said(&mut asks);
    assert_eq!(answer, "「ask a」\n晴");
    // Once: it is given again to the same message, and not to another one.
    assert_eq!(bot.say(&text_of("oUser1", 5, "1")), answer);
    assert_eq!(bot.say(&text_of("oUser1", 6, "1")), "other");
    assert_eq!(bot.runs("a"), 1);
    bot.program.stop_silent();
}

#[test]
fn without_words_for_it_the_third_try_says_nothing_and_any_text_gets_the_answer() {
    let bot = Bot::start("late-plain");
    bot.prepare("a");
    let xml = text_of("oUser1", 1, "plain a");
    drop(bot.send(&xml));
    bot.until_run("a");
    drop(bot.send(&xml));
    assert_eq!(bot.say(&xml), "success");
    assert_eq!(bot.say(&text_of("oUser1", 2, "static")), "here");
    bot.print("a", "晴");
    // Soon; until then the rules answer.
    let msg_ids = AtomicUsize::new(10);
    let answer = Mutex::new(String::new());
    until("the answer comes", || {
        let msg_id = msg_ids.fetch_add(1, Ordering::Relaxed);
        let xml = text_of("oUser1", u64::try_from(msg_id).unwrap(), "static");
        *answer.lock().unwrap() = bot.say(&xml);
        *answer.lock().unwrap() != "here"
    });
    let answer = answer.into_inner().unwrap();
    assert_eq!(answer, "「plain a」\n晴");
    assert_eq!(bot.say(&text_of("oUser1", 2, "static")), "here");
    bot.program.stop_silent();
}

#[test]
fn two_users_with_one_number_and_two_events_in_one_second_are_apart() {
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

/// WeChat's own behaviour: five seconds, three tries, a signature that stays or is made anew.
#[test]
fn what_wechat_would_see_of_programs_that_take_their_time() {
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
    std::thread::scope(|scope| {
        for (seconds, tries) in [(1, 1), (2, 1), (7, 2), (12, 3), (17, 3)] {
            for is_fresh in [false, true] {
                let folder = &folder;
                scope.spawn(move || {
                    let user = format!("oUser{seconds}{is_fresh}");
                    let xml = text_of(&user, 1, &format!("{seconds} {is_fresh}"));
                    let (answer, count) = as_wechat(address, &xml, is_fresh);
                    let is_late = seconds == 17;
                    let expected = format!("after {seconds}");
                    assert_eq!(count, tries, "{seconds}");
                    assert_eq!(answer, if is_late { LATE } else { &expected });
                    if is_late {
                        let xml = text_of(&user, 2, "1");
                        let (answer, _) = as_wechat(address, &xml, is_fresh);
                        assert_eq!(answer, format!("「17 {is_fresh}」\nafter 17"));
                    }
                    let runs = folder.join(format!("{seconds}{is_fresh}.runs"));
                    assert_eq!(fs::read_to_string(runs).unwrap(), "run\n");
                });
            }
        }
    });
    program.stop_silent();
}

/// The answer that a user would see, and at which try it came.
fn as_wechat(address: SocketAddr, xml: &str, is_fresh: bool) -> (String, usize) {
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
                Ok(0) => panic!("closed without an answer"),
                Ok(length) => bytes.extend(&part[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
            if bytes.ends_with(b"\r\n0\r\n\r\n") {
                let text = String::from_utf8(bytes).unwrap();
                return (element(&text, "Content").to_owned(), count);
            }
        }
        if is_fresh {
            request = post(xml);
        }
    }
    panic!("the fault prompt")
}

#[test]
fn a_signature_is_good_for_one_content() {
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
    assert_eq!(refused.content, "signature was used for another content\n");
    let again = ask(&text_of("oUser1", 1, "一"));
    assert_eq!(timeless(&again.content), timeless(&answer.content));
    let [line] = program.stop().try_into().unwrap();
    assert!(line.contains("cause=reused-signature"), "{line}");
}

#[test]
fn where_any_age_is_good_no_signature_is_remembered() {
    let program = Program::start(&["--max-age", "0"]);
    let target = format!("/wx?{}", signed("1626513248", "1982032182"));
    for content in ["一", "二", "一"] {
        let request = post_to(&target, "HTTP/1.1", "", &text_of("oUser1", 1, content));
        let answer = ask(&mut connect(program.address), &request);
        assert_eq!(element(&answer.content, "Content"), content);
    }
    program.stop_silent();
}

/// Opened once, for everybody.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn pass(&self) {
        let is_shut = |open: &mut bool| !*open;
        drop(self.1.wait_while(self.0.lock().unwrap(), is_shut).unwrap());
    }

    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

/// A backend in this process whose closure is slow with what begins with `slow`. It ends with the
/// tests.
fn library(connections: usize) -> (SocketAddr, Arc<Gate>, Arc<AtomicUsize>) {
    let server = Server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut backend = server.token(Token::parse(TOKEN).unwrap());
    backend.limits.connections = connections;
    backend.late = LATE.into();
    let address = backend.address().unwrap();
    let gate = Arc::new(Gate::default());
    let calls = Arc::new(AtomicUsize::new(0));
    let (passed, counted) = (Arc::clone(&gate), Arc::clone(&calls));
    std::thread::spawn(move || {
        backend.run(|message| {
            let content = message.field("Content").unwrap_or("");
            if content.starts_with("slow") {
                counted.fetch_add(1, Ordering::SeqCst);
                passed.pass();
            }
            assert!(!content.starts_with("panic"));
            Reply::text(content)
        })
    });
    (address, gate, calls)
}

#[test]
fn a_slow_closure_is_called_once_for_each_message() {
    let (address, gate, calls) = library(1024);
    let xml = text_of("oUser1", 1, "slow one");
    drop(send(address, &xml));
    until("it is called", || calls.load(Ordering::SeqCst) == 1);
    let mut second = send(address, &xml);
    assert_eq!(said(&mut send(address, &xml)), LATE);
    gate.open();
    // The answer of a message stands: this try was told what the last one was.
    assert_eq!(said(&mut second), LATE);
    until("it is handed over", || {
        static MSG_ID: AtomicUsize = AtomicUsize::new(10);
        let msg_id = MSG_ID.fetch_add(1, Ordering::Relaxed);
        let xml = text_of("oUser1", u64::try_from(msg_id).unwrap(), "quick");
        said(&mut send(address, &xml)) == "「slow one」\nslow one"
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    // One that is quick is called once too.
    let xml = text_of("oUser2", 2, "slow no more");
    assert_eq!(said(&mut send(address, &xml)), "slow no more");
    assert_eq!(said(&mut send(address, &xml)), "slow no more");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[test]
fn a_closure_that_panics_has_been_called_all_the_same() {
    let (address, _, _) = library(1024);
    let xml = text_of("oUser1", 1, "panic");
    let mut stream = send(address, &xml);
    assert_eq!(rest(&mut stream), b"");
    assert_eq!(said(&mut send(address, &xml)), "success");
}

/// With nine tenths of the seats at work, and then as many tries again, there are more than there
/// are seats. The connections that WeChat has given up on make room.
#[test]
fn slow_messages_keep_nobody_out() {
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
