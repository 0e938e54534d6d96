//! The memory of messages and their late answers, in this process and with a clock of the test's.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use crate::support::*;
use wechat::rules::LateReply;
use wechat::session::{Caller, Outcome, Retries};
use wechat::wechat::{Article, Reply};

/// What comes of a message at this time for somebody who is there, or not. `work` is done for those
/// that are not known.
fn ask_at(
    retries: &Retries,
    xml: &str,
    now: u64,
    is_connected: bool,
    work: &(dyn Fn() -> Reply<'static> + Sync),
) -> Option<String> {
    with_message(xml, 1, |message| {
        let caller = Caller {
            now: &|| now,
            is_connected: &|| is_connected,
        };
        let late = LateReply::saying("wait".into());
        let outcome = retries
            .join(message, &caller)
            .unwrap_or_else(|| retries.run_once(message, &caller, late, work));
        match outcome {
            Outcome::Shared(reply) => Some(match &*reply {
                Reply::Text(text) => text.clone().into_owned(),
                other => format!("{other:?}"),
            }),
            Outcome::Disconnected => None,
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

/// Makes each of these messages late, in their order or all at once, and then done at `ended` with its
/// reply.
fn make_late(
    retries: &Retries,
    messages: &[(String, Reply<'static>)],
    is_ordered: bool,
    ended: u64,
) {
    std::thread::scope(|scope| {
        let works = Arc::new(Works::default());
        let mut workers = Vec::new();
        for (number, (xml, reply)) in messages.iter().enumerate() {
            let here = Arc::clone(&works);
            workers.push(scope.spawn(move || {
                ask_at(retries, xml, ended, true, &|| {
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
            tried.push(scope.spawn(|| ask_at(retries, xml, 1, false, &|| panic!("twice"))));
        }
        for second in tried {
            assert_eq!(second.join().unwrap(), None);
        }
        let third = |xml| ask_at(retries, xml, 1, true, &|| panic!("thrice"));
        if is_ordered {
            for (xml, _) in messages {
                assert_eq!(third(xml).unwrap(), "wait");
            }
        } else {
            let thirds = messages
                .iter()
                .map(|(xml, _)| scope.spawn(move || third(xml)));
            for third in thirds.collect::<Vec<_>>() {
                assert_eq!(third.join().unwrap().unwrap(), "wait");
            }
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
fn is_new(retries: &Retries, user: &str, now: u64) -> bool {
    say(retries, user, now) == "new"
}

fn say(retries: &Retries, user: &str, now: u64) -> String {
    static MSG_ID: AtomicU64 = AtomicU64::new(1000);
    let msg_id = MSG_ID.fetch_add(1, Ordering::Relaxed);
    ask_at(retries, &text_of(user, msg_id, "?"), now, true, &|| {
        Reply::text("new")
    })
    .unwrap()
}

#[test]
fn late_answers_come_in_the_order_of_their_questions_each_with_its_own() {
    let retries = Retries::new(nothing_to_report);
    let long = "问".repeat(41);
    let messages = [
        question("oUser1", 1, &long),
        question("oUser2", 1, "another's"),
        question("oUser1", 2, "two\nlines"),
    ];
    make_late(&retries, &messages, true, 100);
    let front = "问".repeat(40);
    assert_eq!(say(&retries, "oUser1", 100), format!("「{front}…」\nof 1"));
    assert_eq!(say(&retries, "oUser1", 100), "「two…」\nof 2");
    assert!(is_new(&retries, "oUser1", 100));
    assert_eq!(say(&retries, "oUser2", 100), "「another's」\nof 1");
    assert!(is_new(&retries, "oUser2", 100));
}

#[test]
fn a_late_answer_that_is_no_text_comes_as_it_is_and_none_does_not_come() {
    let retries = Retries::new(nothing_to_report);
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
    make_late(&retries, &messages, true, 100);
    // An event asks for nothing.
    let event = click_of("oUser1", 1_700_000_001, "k");
    let new = ask_at(&retries, &event, 100, true, &|| Reply::text("new"));
    assert_eq!(new.unwrap(), "new");
    assert_eq!(say(&retries, "oUser1", 100), format!("{news:?}"));
    assert_eq!(say(&retries, "oUser1", 100), "of a click");
    assert!(is_new(&retries, "oUser1", 100));
}

#[test]
fn a_late_answer_is_kept_for_ten_minutes() {
    let retries = Retries::new(nothing_to_report);
    let messages = [question("oUser1", 1, "one"), question("oUser2", 1, "two")];
    make_late(&retries, &messages, false, 1000);
    assert_eq!(say(&retries, "oUser1", 1600), "「one」\nof 1");
    assert!(is_new(&retries, "oUser2", 1601));
}

#[test]
fn memory_is_bounded_in_messages_and_those_that_owe_an_answer_go_last() {
    let retries = Retries::new(nothing_to_report);
    make_late(&retries, &[question("oUser1", 1, "one")], false, 1);
    let calls = AtomicUsize::new(0);
    let tell = |msg_id: u64| {
        ask_at(&retries, &text_of("oUser2", msg_id, "x"), 1, true, &|| {
            calls.fetch_add(1, Ordering::SeqCst);
            Reply::text("x")
        })
        .unwrap()
    };
    for msg_id in 1..=4096 {
        tell(msg_id);
    }
    // That made the oldest go, which is worked on again; the next is not.
    tell(2);
    assert_eq!(calls.load(Ordering::SeqCst), 4096);
    tell(1);
    assert_eq!(calls.load(Ordering::SeqCst), 4097);
    assert_eq!(say(&retries, "oUser1", 1), "「one」\nof 1");
}

#[test]
fn the_loss_of_late_answers_for_want_of_memory_is_reported() {
    let retries = Retries::new(|line| {
        REPORTED.fetch_add(1, Ordering::SeqCst);
        assert_eq!(
            line,
            "cause=late-answers-dropped reason=\"1 that nobody has asked for, to remember newer messages\""
        );
    });
    static REPORTED: AtomicUsize = AtomicUsize::new(0);
    // Eight articles of 16 KiB: 33 such answers are over 4 MiB.
    let long = || "x".repeat(4096);
    let article = || Article {
        title: long().into(),
        description: long().into(),
        pic_url: long().into(),
        url: long().into(),
    };
    let news = || Reply::News((0..8).map(|_| article()).collect());
    let messages: Vec<_> = (0..33)
        .map(|number| (text_of("oUser1", number, &number.to_string()), news()))
        .collect();
    make_late(&retries, &messages, false, 100);
    assert_eq!(REPORTED.load(Ordering::SeqCst), 2);
    assert_eq!(say(&retries, "oUser1", 100), format!("{:?}", news()));
}

#[test]
fn an_answer_that_came_when_the_last_one_had_just_left_is_owed() {
    let retries = Retries::new(nothing_to_report);
    let works = Works::default();
    let xml = text_of("oUser1", 1, "x");
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            ask_at(&retries, &xml, 1, true, &|| {
                works.until_released();
                Reply::text("late")
            })
        });
        until("it is begun", || works.begun.load(Ordering::SeqCst) == 1);
        let second = scope.spawn(|| ask_at(&retries, &xml, 1, false, &|| panic!("twice")));
        until("it waits", || format!("{retries:?}").contains("waiting: 1"));
        works.release();
        // The first has left as well, but that is for its connection to find out.
        assert_eq!(first.join().unwrap().unwrap(), "late");
        assert_eq!(second.join().unwrap(), None);
    });
    assert_eq!(say(&retries, "oUser1", 1), "「x」\nlate");
    assert!(is_new(&retries, "oUser1", 1));
}

/// Whatever is owed, what was just answered is not worked on again, and a try that waits is told.
#[test]
fn debts_leave_half_of_the_memory_to_what_was_answered_last() {
    let retries = Retries::new(|_| {});
    let owe = |number: u64| {
        with_message(&text_of("oUser1", number, "x"), 1, |message| {
            let caller = Caller {
                now: &|| 100,
                is_connected: &|| false,
            };
            retries.run_once(message, &caller, LateReply::default(), &|| Reply::text("x"));
        });
    };
    (0..5000).for_each(owe);
    let calls = AtomicUsize::new(0);
    let tell = |msg_id: u64| {
        ask_at(&retries, &text_of("oUser2", msg_id, "x"), 1, true, &|| {
            calls.fetch_add(1, Ordering::SeqCst);
            Reply::text("x")
        })
    };
    for msg_id in 0..2000 {
        tell(msg_id);
    }
    for msg_id in 0..2000 {
        tell(msg_id);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2000);
    assert_eq!(say(&retries, "oUser1", 100), "「x」\nx");
}

#[test]
fn an_answer_that_nobody_was_there_for_is_owed_until_a_try_takes_it() {
    let retries = Retries::new(nothing_to_report);
    let end = |user: &str, is_connected: bool, ended: u64| {
        let work = || Reply::text("late");
        let xml = text_of(user, 1, "x");
        with_message(&xml, 1, |message| {
            // WeChat was there for five seconds, or still is.
            let caller = Caller {
                now: &|| ended,
                is_connected: &|| is_connected,
            };
            retries.run_once(message, &caller, LateReply::saying(String::new()), &work);
        });
    };
    // The messages are received at 1.
    end("oUser1", false, 6);
    assert_eq!(say(&retries, "oUser1", 6), "「x」\nlate");
    assert!(is_new(&retries, "oUser1", 6));
    // A try that comes for it after all does not give it a second time.
    let again = ask_at(&retries, &text_of("oUser1", 1, "x"), 6, true, &|| {
        panic!("twice")
    });
    assert_eq!(again.unwrap(), "Success");
    end("oUser2", true, 6);
    assert!(is_new(&retries, "oUser2", 6));
    end("oUser3", false, 2);
    assert!(is_new(&retries, "oUser3", 6));
    end("oUser4", false, 6);
    let again = ask_at(&retries, &text_of("oUser4", 1, "x"), 6, true, &|| {
        panic!("twice")
    });
    assert_eq!(again.unwrap(), "late");
    assert!(is_new(&retries, "oUser4", 6));
}

#[test]
fn memory_is_bounded_in_bytes_but_holds_one_answer_whatever_it_costs() {
    let retries = Retries::new(nothing_to_report);
    let calls = AtomicUsize::new(0);
    let tell = |msg_id: u64, articles: usize| {
        ask_at(&retries, &text_of("oUser1", msg_id, "x"), 1, true, &|| {
            calls.fetch_add(1, Ordering::SeqCst);
            let article = Article {
                title: "x".repeat(4096).into(),
                ..Article::default()
            };
            Reply::News(vec![article; articles])
        })
        .unwrap()
    };
    for msg_id in 1..=60 {
        tell(msg_id, 16);
    }
    tell(1, 16);
    assert_eq!(
        calls.load(Ordering::SeqCst),
        60,
        "60 of 64 KiB are not 4 MiB"
    );
    for _ in 0..2 {
        tell(61, 2000);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 61);
    tell(1, 16);
    assert_eq!(calls.load(Ordering::SeqCst), 62);
}
