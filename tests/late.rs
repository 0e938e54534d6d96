//! The memory of messages and their late answers, in this process and with a clock of the test's.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod support;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use support::*;
use wechat::account::{Age, Article, Credentials, Message, Reply, Token, Xml};
use wechat::bot::{Caller, Late, Outcome, Tries};

/// Reads a message, which only somebody with the token can.
fn with_message<T>(xml: &str, read: impl FnOnce(&Message<'_>) -> T) -> T {
    let token = Token::parse(TOKEN).unwrap();
    let signature = token.sign(b"1", b"1").to_string();
    let credentials = Credentials {
        signature: signature.as_bytes(),
        timestamp: b"1",
        nonce: b"1",
    };
    let verified = token.verify(&credentials, 1, Age::Any).unwrap();
    let xml = Xml::scan(xml.as_bytes()).unwrap();
    read(&Message::parse(verified, &xml).unwrap())
}

/// What comes of a message at this time for somebody who is there, or not. `work` is done for those
/// that are not known.
fn ask_at(
    tries: &Tries,
    xml: &str,
    now: u64,
    is_there: bool,
    work: &(dyn Fn() -> Reply<'static> + Sync),
) -> Option<String> {
    with_message(xml, |message| {
        let caller = Caller {
            now: &|| now,
            is_there: &|| is_there,
        };
        let late = Late::saying("wait".into());
        let outcome = tries
            .again(message, &caller)
            .unwrap_or_else(|| tries.once(message, &caller, late, work));
        match outcome {
            Outcome::Kept(reply) => Some(match &*reply {
                Reply::Text(text) => text.clone().into_owned(),
                other => format!("{other:?}"),
            }),
            Outcome::Gone => None,
            Outcome::Reply(reply) => panic!("{reply:?}"),
        }
    })
}

fn nothing_to_report(line: &str) {
    panic!("{line}");
}

/// Work on messages that is done when it is released.
#[derive(Default)]
struct Works {
    released: Mutex<bool>,
    changed: Condvar,
    begun: AtomicUsize,
}

impl Works {
    fn until_released(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let released = self.released.lock().unwrap();
        drop(self.changed.wait_while(released, |released| !*released));
    }

    fn release(&self) {
        *self.released.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

/// Makes each of these messages late, and then done at `ended` with its reply.
fn make_late(tries: &Tries, messages: &[(String, Reply<'static>)], ended: u64) {
    std::thread::scope(|scope| {
        let works = Arc::new(Works::default());
        let mut workers = Vec::new();
        for (number, (xml, reply)) in messages.iter().enumerate() {
            let here = Arc::clone(&works);
            workers.push(scope.spawn(move || {
                ask_at(tries, xml, ended, true, &|| {
                    here.until_released();
                    reply.clone()
                })
            }));
            until("it is begun", || {
                works.begun.load(Ordering::SeqCst) > number
            });
        }
        // The second tries, of which nobody waits for the answer, come together, and the third ones
        // in order.
        let mut tried = Vec::new();
        for (xml, _) in messages {
            tried.push(scope.spawn(|| ask_at(tries, xml, 1, false, &|| panic!("twice"))));
        }
        for second in tried {
            assert_eq!(second.join().unwrap(), None);
        }
        for (xml, _) in messages {
            let third = ask_at(tries, xml, 1, true, &|| panic!("thrice"));
            assert_eq!(third.unwrap(), "wait");
        }
        works.release();
        for worker in workers {
            worker.join().unwrap().unwrap();
        }
    });
}

fn question(user: &str, msg_id: u64, content: &str) -> (String, Reply<'static>) {
    (
        text_of(user, msg_id, content),
        Reply::text(format!("of {msg_id}")),
    )
}

/// Says something new, and expects that nothing is known of it.
fn is_new(tries: &Tries, user: &str, now: u64) -> bool {
    say(tries, user, now) == "new"
}

fn say(tries: &Tries, user: &str, now: u64) -> String {
    static MSG_ID: AtomicU64 = AtomicU64::new(1000);
    let msg_id = MSG_ID.fetch_add(1, Ordering::Relaxed);
    ask_at(tries, &text_of(user, msg_id, "?"), now, true, &|| {
        Reply::text("new")
    })
    .unwrap()
}

#[test]
fn late_answers_come_in_the_order_of_their_questions_each_with_its_own() {
    let tries = Tries::new(nothing_to_report);
    let long = "问".repeat(41);
    let messages = [
        question("oUser1", 1, &long),
        question("oUser2", 1, "another's"),
        question("oUser1", 2, "two\nlines"),
    ];
    make_late(&tries, &messages, 100);
    let front = "问".repeat(40);
    assert_eq!(say(&tries, "oUser1", 100), format!("「{front}…」\nof 1"));
    assert_eq!(say(&tries, "oUser1", 100), "「two…」\nof 2");
    assert!(is_new(&tries, "oUser1", 100));
    assert_eq!(say(&tries, "oUser2", 100), "「another's」\nof 1");
    assert!(is_new(&tries, "oUser2", 100));
}

#[test]
fn a_late_answer_that_is_no_text_comes_as_it_is_and_none_does_not_come() {
    let tries = Tries::new(nothing_to_report);
    let news = Reply::News(vec![Article {
        title: "一".into(),
        ..Article::default()
    }]);
    let click = click_of("oUser1", 1_700_000_000, "k");
    let messages = [
        (text_of("oUser1", 1, "nothing"), Reply::Success),
        (text_of("oUser1", 2, "news"), news.clone()),
        (click.clone(), Reply::text("of a click")),
    ];
    make_late(&tries, &messages, 100);
    // An event asks for nothing.
    let event = click_of("oUser1", 1_700_000_001, "k");
    let new = ask_at(&tries, &event, 100, true, &|| Reply::text("new"));
    assert_eq!(new.unwrap(), "new");
    assert_eq!(say(&tries, "oUser1", 100), format!("{news:?}"));
    assert_eq!(say(&tries, "oUser1", 100), "of a click");
    assert!(is_new(&tries, "oUser1", 100));
}

#[test]
fn a_late_answer_is_kept_for_ten_minutes() {
    let tries = Tries::new(nothing_to_report);
    let messages = [question("oUser1", 1, "one"), question("oUser2", 1, "two")];
    make_late(&tries, &messages, 1000);
    assert_eq!(say(&tries, "oUser1", 1600), "「one」\nof 1");
    assert!(is_new(&tries, "oUser2", 1601));
    // What is stale is forgotten, so that a clock that is set back does not bring it up again.
    assert!(is_new(&tries, "oUser2", 1000));
}

thread_local! {
    static REPORTED: Cell<Option<String>> = const { Cell::new(None) };
}

#[test]
fn memory_is_bounded_in_messages_and_the_loss_of_a_late_answer_is_reported() {
    let tries = Tries::new(|line| REPORTED.set(Some(line.to_owned())));
    make_late(&tries, &[question("oUser1", 1, "one")], 1);
    let calls = AtomicUsize::new(0);
    let tell = |msg_id: u64| {
        ask_at(&tries, &text_of("oUser2", msg_id, "x"), 1, true, &|| {
            calls.fetch_add(1, Ordering::SeqCst);
            Reply::text("x")
        })
        .unwrap()
    };
    for msg_id in 1..4096 {
        tell(msg_id);
    }
    assert_eq!(REPORTED.take(), None);
    tell(4096);
    assert_eq!(
        REPORTED.take().unwrap(),
        "cause=late-answers-dropped reason=\"1 that nobody has asked for, to remember newer messages\""
    );
    assert!(is_new(&tries, "oUser1", 1));
    // That made the oldest of the others go, which is worked on again; the youngest is not.
    tell(4096);
    assert_eq!(calls.load(Ordering::SeqCst), 4096);
    tell(1);
    assert_eq!(calls.load(Ordering::SeqCst), 4097);
    assert_eq!(REPORTED.take(), None);
}

#[test]
fn memory_is_bounded_in_bytes() {
    let tries = Tries::new(nothing_to_report);
    let calls = AtomicUsize::new(0);
    let tell = |msg_id: u64| {
        ask_at(&tries, &text_of("oUser1", msg_id, "x"), 1, true, &|| {
            calls.fetch_add(1, Ordering::SeqCst);
            Reply::text("x".repeat(64 * 1024 - 256))
        })
        .unwrap()
    };
    for msg_id in 1..=64 {
        tell(msg_id);
    }
    tell(1);
    assert_eq!(calls.load(Ordering::SeqCst), 64, "64 of 64 KiB are 4 MiB");
    tell(65);
    tell(64);
    assert_eq!(calls.load(Ordering::SeqCst), 65);
    tell(1);
    assert_eq!(calls.load(Ordering::SeqCst), 66);
}
