//! Tries and late replies, tested in this process. The tests set the clock, and tries wait only for milliseconds.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::*;
use wechat::rules::LateReply;
use wechat::session::{Outcome, Retries, Timing, WaitingClient};
use wechat::wechat::{Article, Reply};

/// `Retries` with short waits. No test depends on the length of the waits.
fn with_short_waits(report: fn(&str)) -> Retries {
    let mut retries = Retries::new(report);
    retries.timing = Timing {
        first_wait: Duration::from_millis(20),
        poll_interval: Duration::from_millis(20),
        last_try_wait: Duration::from_millis(20),
    };
    retries
}

fn no_report(line: &str) {
    panic!("unexpected log line: {line}");
}

/// Handles a try at the time `now`. Returns the text of its reply; `None` if its client is not connected. `work` is
/// called if the message is new.
fn try_at(
    retries: &Retries,
    xml: &str,
    now: u64,
    is_connected: bool,
    work: &(dyn Fn() -> Reply<'static> + Sync),
) -> Option<String> {
    try_between(retries, xml, (now, now), is_connected, work)
}

/// Like `try_at`, but the run begins at the time `began` and ends at the time `ended`. Meanwhile, the system clock is
/// set back, from 2023 to 1970.
fn try_between(
    retries: &Retries,
    xml: &str,
    (began, ended): (u64, u64),
    is_connected: bool,
    work: &(dyn Fn() -> Reply<'static> + Sync),
) -> Option<String> {
    with_message(xml, 1_700_000_000, |message| {
        let has_ended = AtomicBool::new(false);
        let client = WaitingClient {
            now: &|| if has_ended.load(Ordering::SeqCst) { 0 } else { 1_700_000_000 },
            uptime: &|| if has_ended.load(Ordering::SeqCst) { ended } else { began },
            is_connected: &|| is_connected,
        };
        let late = LateReply::with_text("wait".into());
        let outcome = retries.join(message, &client).unwrap_or_else(|| {
            thread::scope(|scope| {
                retries.run_once(message, &client, late, scope, |_| {
                    let reply = work();
                    has_ended.store(true, Ordering::SeqCst);
                    reply
                })
            })
        });
        match outcome {
            Outcome::Shared(reply) => Some(text_or_name(&reply)),
            Outcome::Disconnected => None,
            Outcome::Reply(reply) => panic!("{reply:?}"),
        }
    })
}

/// The text of a text reply, the titles of a news reply, or `success`.
fn text_or_name(reply: &Reply<'_>) -> String {
    match reply {
        Reply::Text(text) => text.clone().into_owned(),
        Reply::Success => "success".into(),
        Reply::News(articles) => articles.iter().map(|article| &*article.title).collect(),
        other => panic!("{other:?}"),
    }
}

fn no_second_run() -> Reply<'static> {
    panic!("a second run")
}

/// Sends each message three times, so that its last try is deferred. Then all runs end at the time `ended` with
/// their replies. If `is_ordered`, the last tries are sent one after another, otherwise at the same time.
fn make_late(
    retries: &Retries,
    messages: &[(String, Reply<'static>)],
    is_ordered: bool,
    ended: u64,
) {
    let gate = Gate::default();
    thread::scope(|scope| {
        let mut first_tries = Vec::new();
        for (number, (xml, reply)) in messages.iter().enumerate() {
            let gate = &gate;
            first_tries.push(scope.spawn(move || {
                try_between(retries, xml, (1, ended), true, &|| {
                    gate.pass();
                    reply.clone()
                })
            }));
            gate.until_begun(number + 1);
        }
        let second = |xml| try_at(retries, xml, 1, false, &no_second_run);
        let second_tries: Vec<_> =
            messages.iter().map(|(xml, _)| scope.spawn(move || second(xml))).collect();
        for second in second_tries {
            assert_eq!(second.join().unwrap(), None);
        }
        let third = |xml| try_at(retries, xml, 1, true, &no_second_run);
        let assert_deferred = |reply: Option<String>| assert_eq!(reply.unwrap(), "wait");
        if is_ordered {
            for (xml, _) in messages {
                assert_deferred(third(xml));
            }
        } else {
            let third_tries: Vec<_> =
                messages.iter().map(|(xml, _)| scope.spawn(move || third(xml))).collect();
            for third in third_tries {
                assert_deferred(third.join().unwrap());
            }
        }
        gate.open();
        for first in first_tries {
            first.join().unwrap().unwrap();
        }
    });
}

/// A message and its reply.
fn message_of(user: &str, msg_id: u64, content: &str) -> (String, Reply<'static>) {
    let reply = Reply::text(format!("of {msg_id}"));
    (text_of(user, msg_id, content), reply)
}

/// Sends a new message of a user, whose own reply is `new`. Returns the text that the user gets.
fn say(retries: &Retries, user: &str, now: u64) -> String {
    static MSG_ID: AtomicU64 = AtomicU64::new(1_000_000);
    let msg_id = MSG_ID.fetch_add(1, Ordering::Relaxed);
    let xml = text_of(user, msg_id, "?");
    try_at(retries, &xml, now, true, &|| Reply::text("new")).unwrap()
}

#[test]
fn late_replies_come_in_the_order_of_their_questions_each_with_its_question() {
    let retries = with_short_waits(no_report);
    let long = "问".repeat(41);
    let messages = [
        message_of("oUser1", 1, &long),
        message_of("oUser2", 1, "of another user"),
        message_of("oUser1", 2, "two\nlines"),
    ];
    make_late(&retries, &messages, true, 100);
    let quoted = "问".repeat(40);
    assert_eq!(say(&retries, "oUser1", 100), format!("「{quoted}…」\nof 1\n\nnew"));
    assert_eq!(say(&retries, "oUser1", 100), "「two…」\nof 2\n\nnew");
    assert_eq!(say(&retries, "oUser1", 100), "new");
    assert_eq!(say(&retries, "oUser2", 100), "「of another user」\nof 1\n\nnew");
    assert_eq!(say(&retries, "oUser2", 100), "new");
}

#[test]
fn late_news_come_alone_and_late_success_is_dropped() {
    let retries = with_short_waits(no_report);
    let news = Reply::News(vec![Article { title: "一".into(), ..Article::default() }]);
    let click = click_of("oUser1", 1_700_000_000, "k");
    let messages = [
        (text_of("oUser1", 1, "nothing"), Reply::Success),
        (text_of("oUser1", 2, "news"), news),
        (click, Reply::text("of a click")),
    ];
    make_late(&retries, &messages, true, 100);
    // An event does not ask for a late reply.
    let event = click_of("oUser1", 1_700_000_001, "k");
    let answer = try_at(&retries, &event, 100, true, &|| Reply::text("new"));
    assert_eq!(answer.unwrap(), "new");
    assert_eq!(say(&retries, "oUser1", 100), "一");
    assert_eq!(say(&retries, "oUser1", 100), "of a click\n\nnew");
    // The reply of the message that got the news.
    assert_eq!(say(&retries, "oUser1", 100), "「?」\nnew\n\nnew");
    assert_eq!(say(&retries, "oUser1", 100), "new");
}

#[test]
fn keeps_late_replies_for_ten_minutes() {
    let retries = with_short_waits(no_report);
    let messages = [message_of("oUser1", 1, "one"), message_of("oUser2", 1, "two")];
    make_late(&retries, &messages, false, 1000);
    assert_eq!(say(&retries, "oUser1", 1600), "「one」\nof 1\n\nnew");
    assert_eq!(say(&retries, "oUser2", 1601), "new");
}

#[test]
fn remembers_4096_messages_and_forgets_late_answers_last() {
    let retries = with_short_waits(no_report);
    make_late(&retries, &[message_of("oUser1", 1, "one")], false, 1);
    let runs = AtomicUsize::new(0);
    let send = |msg_id: u64| {
        try_at(&retries, &text_of("oUser2", msg_id, "x"), 1, true, &|| {
            runs.fetch_add(1, Ordering::SeqCst);
            Reply::text("x")
        })
        .unwrap()
    };
    for msg_id in 1..=4096 {
        send(msg_id);
    }
    // With the message that has a late reply, there were 4097 messages. Message 1 was deleted, message 2 was not.
    send(2);
    assert_eq!(runs.load(Ordering::SeqCst), 4096);
    send(1);
    assert_eq!(runs.load(Ordering::SeqCst), 4097);
    assert_eq!(say(&retries, "oUser1", 1), "「one」\nof 1\n\nnew");
}

#[test]
fn reports_late_replies_that_are_deleted() {
    static REPORTED: AtomicUsize = AtomicUsize::new(0);
    let retries = with_short_waits(|line| {
        REPORTED.fetch_add(1, Ordering::SeqCst);
        assert_eq!(
            line,
            "cause=late-answers-dropped reason=\"late replies deleted to make space for newer messages: 1\""
        );
    });
    let messages: Vec<_> =
        (0..30).map(|number| (click_of("oUser1", number, "k"), long_news(9, 4))).collect();
    make_late(&retries, &messages, false, 100);
    assert_eq!(REPORTED.load(Ordering::SeqCst), 2);
    assert_eq!(say(&retries, "oUser1", 100), "x".repeat(4096));
}

/// News of articles whose first texts have 5,000 bytes each. Of each text, 4,096 bytes are kept.
fn long_news(articles: usize, texts: usize) -> Reply<'static> {
    let text = |number: usize| if number < texts { "x".repeat(5000) } else { String::new() };
    let [title, description, pic_url, url] = [0, 1, 2, 3].map(text).map(Cow::from);
    Reply::News(vec![Article { title, description, pic_url, url }; articles])
}

#[test]
fn keeps_the_reply_when_the_clients_of_both_tries_have_disconnected() {
    let retries = Retries::new(no_report);
    let gate = Gate::default();
    let xml = text_of("oUser1", 1, "x");
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            try_between(&retries, &xml, (1, 6), false, &|| {
                gate.pass();
                Reply::text("late")
            })
        });
        gate.until_begun(1);
        let second = scope.spawn(|| try_at(&retries, &xml, 6, false, &no_second_run));
        // The second try is counted while it holds the lock, and releases the lock only to wait.
        until("the second try waits", || retries.joined_tries() == 1);
        gate.open();
        first.join().unwrap();
        assert_eq!(second.join().unwrap(), None);
    });
    assert_eq!(say(&retries, "oUser1", 6), "「x」\nlate\n\nnew");
    assert_eq!(say(&retries, "oUser1", 6), "new");
}

#[test]
fn delivers_the_reply_once_when_the_client_of_a_waiting_try_is_connected() {
    let retries = Retries::new(no_report);
    let gate = Gate::default();
    let xml = text_of("oUser1", 1, "x");
    thread::scope(|scope| {
        scope.spawn(|| {
            try_between(&retries, &xml, (1, 6), false, &|| {
                gate.pass();
                Reply::text("late")
            })
        });
        gate.until_begun(1);
        let second = scope.spawn(|| try_at(&retries, &xml, 6, true, &no_second_run));
        until("the second try waits", || retries.joined_tries() == 1);
        gate.open();
        assert_eq!(second.join().unwrap().unwrap(), "late");
    });
    assert_eq!(say(&retries, "oUser1", 6), "new");
}

#[test]
fn a_run_that_panics_is_not_repeated() {
    let retries = Retries::new(no_report);
    let xml = text_of("oUser1", 1, "x");
    let send = |work: &(dyn Fn() -> Reply<'static> + Sync)| try_at(&retries, &xml, 1, true, work);
    let first = AssertUnwindSafe(|| send(&|| panic!("an error in the work")));
    assert!(catch_unwind(first).is_err());
    assert_eq!(send(&no_second_run).unwrap(), "success");
}

#[test]
fn undelivered_replies_leave_half_of_the_store_to_delivered_replies() {
    let retries = Retries::new(|_| {});
    for number in 0..5000 {
        with_message(&text_of(&format!("oLate{number}"), 1, "x"), 1, |message| {
            let uptime = Cell::new(0);
            let client = WaitingClient {
                now: &|| 1,
                uptime: &|| uptime.replace(100),
                is_connected: &|| false,
            };
            thread::scope(|scope| {
                let late = LateReply::default();
                retries.run_once(message, &client, late, scope, |_| Reply::text("x"));
            });
        });
    }
    let runs = AtomicUsize::new(0);
    let send = |msg_id: u64| {
        try_at(&retries, &text_of("oUser2", msg_id, "x"), 1, true, &|| {
            runs.fetch_add(1, Ordering::SeqCst);
            Reply::text("x")
        })
    };
    for _ in 0..2 {
        for msg_id in 0..2000 {
            assert_eq!(send(msg_id).unwrap(), "x");
        }
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2000);
    assert_eq!(say(&retries, "oLate4999", 100), "「x」\nx\n\nnew");
}

#[test]
fn keeps_an_undelivered_reply_until_another_try_or_the_user_gets_it() {
    let retries = Retries::new(no_report);
    let run_until = |user: &str, is_connected: bool, ended: u64| {
        let work = || Reply::text("late");
        let xml = text_of(user, 1, "x");
        try_between(&retries, &xml, (1, ended), is_connected, &work).unwrap();
    };
    let later_try = |user: &str| {
        let xml = text_of(user, 1, "x");
        try_at(&retries, &xml, 6, true, &no_second_run).unwrap()
    };
    run_until("oUser1", false, 6);
    assert_eq!(say(&retries, "oUser1", 6), "「x」\nlate\n\nnew");
    assert_eq!(say(&retries, "oUser1", 6), "new");
    // The user already has the reply, so a later try does not repeat it.
    assert_eq!(later_try("oUser1"), "success");
    run_until("oUser2", true, 6);
    assert_eq!(say(&retries, "oUser2", 6), "new");
    // After a run of one second, the server does not check whether the client is connected.
    run_until("oUser3", false, 2);
    assert_eq!(say(&retries, "oUser3", 6), "new");
    run_until("oUser4", false, 6);
    assert_eq!(later_try("oUser4"), "late");
    assert_eq!(say(&retries, "oUser4", 6), "new");
}

#[test]
fn stores_4_mib_of_what_is_sent_of_replies() {
    let retries = Retries::new(|line| assert!(line.starts_with("cause=text-cut "), "{line}"));
    let runs = AtomicUsize::new(0);
    let send = |xml: String, reply: Reply<'static>| {
        try_at(&retries, &xml, 1, true, &|| {
            runs.fetch_add(1, Ordering::SeqCst);
            reply.clone()
        })
        .unwrap()
    };
    // The reply to an event has eight articles at most, so it uses 32 KiB here.
    let event = |number: u64| send(click_of("oUser1", number, "k"), long_news(84, 1));
    (1..=100).for_each(|number| assert_eq!(event(number).len(), 8 * 4096));
    event(1);
    assert_eq!(runs.load(Ordering::SeqCst), 100, "100 replies of 38 KiB are less than 4 MiB");
    (101..=115).for_each(|number| assert_eq!(event(number).len(), 8 * 4096));
    event(1);
    assert_eq!(runs.load(Ordering::SeqCst), 116, "115 replies are more");
    // The reply to a message has one article, and a text has 2,048 bytes.
    let text = |number: u64| send(text_of("oUser1", number, "t"), long_news(84, 1));
    (1..=700).for_each(|number| assert_eq!(text(number).len(), 4096));
    text(1);
    assert_eq!(runs.load(Ordering::SeqCst), 816);
    let plain =
        |number: u64| send(text_of("oUser2", number, "t"), Reply::text("x\u{1}".repeat(2100)));
    (1..=1300).for_each(|number| assert_eq!(plain(number), "x".repeat(2045) + "…"));
    plain(1);
    assert_eq!(runs.load(Ordering::SeqCst), 2116);
    // Each article uses memory, even if its texts are short.
    let small = |number: u64| {
        let article = Article { title: "x".into(), ..Article::default() };
        send(click_of("oUser3", number, "k"), Reply::News(vec![article; 84]))
    };
    (1..=3000).for_each(|number| assert_eq!(small(number), "x".repeat(8)));
    small(1);
    assert_eq!(runs.load(Ordering::SeqCst), 5117, "3000 replies of 1.7 KiB are more than 4 MiB");
}

/// Otherwise thousands of small articles would use much more memory than their texts.
#[test]
fn articles_that_are_not_sent_are_not_kept() {
    let retries = Retries::new(no_report);
    let article = |title: &'static str| Article { title: title.into(), ..Article::default() };
    let news = Reply::News(vec![article("\u{1}"), article("a"), article("b")]);
    let send = |xml: &str, news: &Reply<'static>| try_at(&retries, xml, 1, true, &|| news.clone());
    assert_eq!(send(&text_of("oUser1", 1, "x"), &news).unwrap(), "a");
    assert_eq!(send(&click_of("oUser1", 1, "x"), &news).unwrap(), "ab");
    let untitled = Reply::News(vec![article("")]);
    assert_eq!(send(&text_of("oUser1", 2, "x"), &untitled).unwrap(), "success");
}
