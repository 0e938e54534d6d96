//! Late replies without `pickup`: the next message of the user gets the late reply and its own. Tested in this process; tries
//! wait only for milliseconds. The same over real connections is in `retries`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Scope};
use std::time::Duration;

use crate::support::*;
use wechat::rules::LateReply;
use wechat::session::{Outcome, Retries, Timing, WaitingClient};
use wechat::wechat::{Article, Reply};

/// Long enough for every step of a test that waits for an event.
const LONG: Duration = Duration::from_secs(60);

/// The run of a message.
type Work<'w> = &'w (dyn Fn() -> Reply<'static> + Sync);

/// `Retries` in which a try waits so long for a reply that the message has only a late reply for.
fn with_wait(last_try_wait: Duration) -> Retries {
    let mut retries = Retries::new(|line| panic!("unexpected log line: {line}"));
    let poll_interval = Duration::from_millis(10);
    retries.timing = Timing { first_wait: LONG, poll_interval, last_try_wait };
    retries
}

/// Sends a try at the time `now`. Returns what the user gets; `None` if the client is not connected.
fn send<'s>(
    retries: &'s Retries,
    scope: &'s Scope<'s, '_>,
    xml: &str,
    now: u64,
    is_connected: bool,
    work: Work<'s>,
) -> Option<String> {
    with_message(xml, 1_700_000_000, |message| {
        let client = WaitingClient { now: &|| 0, uptime: &|| now, is_connected: &|| is_connected };
        let late = LateReply::with_text("wait".into());
        let outcome = retries
            .join(message, &client)
            .unwrap_or_else(|| retries.run_once(message, &client, late, scope, move |_| work()));
        match outcome {
            Outcome::Shared(reply) => Some(shown(&reply)),
            Outcome::Disconnected => None,
            Outcome::Reply(reply) => panic!("{reply:?}"),
        }
    })
}

fn shown(reply: &Reply<'_>) -> String {
    match reply {
        Reply::Text(text) => text.clone().into_owned(),
        Reply::News(articles) => articles.iter().map(|article| &*article.title).collect(),
        Reply::Success => "success".into(),
        other => panic!("{other:?}"),
    }
}

/// Makes a late reply to a text of oUser1, who has no other late reply.
fn make_late(retries: &Retries, msg_id: u64, reply: &Reply<'static>) {
    make_late_by(retries, &text_of("oUser1", msg_id, "q"), reply);
}

/// Makes a late reply to this message: the client of its only try has disconnected before the end.
fn make_late_by(retries: &Retries, xml: &str, reply: &Reply<'static>) {
    with_message(xml, 1, |message| {
        let calls = AtomicUsize::new(0);
        // The run takes ten seconds.
        let uptime = || if calls.fetch_add(1, Ordering::SeqCst) == 0 { 90 } else { 100 };
        let client = WaitingClient { now: &|| 0, uptime: &uptime, is_connected: &|| false };
        thread::scope(|scope| {
            retries.run_once(message, &client, LateReply::default(), scope, |_| reply.clone());
        });
    });
}

/// Sends a new message of oUser1 at the time `now`, whose own reply is `new`.
fn say(retries: &Retries, msg_id: u64, now: u64) -> String {
    let new: Work<'_> = &|| Reply::text("new");
    thread::scope(|scope| {
        send(retries, scope, &text_of("oUser1", msg_id, "?"), now, true, new).unwrap()
    })
}

/// `Retries` with a late reply to oUser1. A try waits only for 20 ms.
fn with_late_reply() -> Retries {
    let retries = with_wait(Duration::from_millis(20));
    make_late(&retries, 1, &Reply::text("A"));
    retries
}

/// A run that waits at the gate. Its reply is `own`.
fn own_after(gate: &Gate) -> impl Fn() -> Reply<'static> {
    || {
        gate.pass();
        Reply::text("own")
    }
}

fn no_run() -> Reply<'static> {
    panic!("a run too many")
}

fn news(title: &'static str) -> Reply<'static> {
    Reply::News(vec![Article { title: title.into(), ..Article::default() }])
}

#[test]
fn all_tries_of_the_next_message_get_the_late_reply_and_its_own_in_one_text() {
    let retries = with_wait(LONG);
    make_late(&retries, 1, &Reply::text("A"));
    // An event does not get the late reply of the first message.
    make_late_by(&retries, &click_of("oUser1", 1, "k"), &Reply::text("B"));
    let (gate, runs) = (Gate::default(), AtomicUsize::new(0));
    let work = || {
        runs.fetch_add(1, Ordering::SeqCst);
        gate.pass();
        Reply::text("own")
    };
    let xml = text_of("oUser1", 3, "?");
    let expected = "「q」\nA\n\nown";
    thread::scope(|scope| {
        let send_try = || send(&retries, scope, &xml, 100, true, &work).unwrap();
        let tries: Vec<_> = (0..3).map(|_| scope.spawn(send_try)).collect();
        gate.until_begun(1);
        until("the other tries wait", || retries.joined_tries() == 2);
        // Meanwhile, another message does not get the same late reply.
        assert_eq!(say(&retries, 4, 100), "B\n\nnew");
        assert_eq!(say(&retries, 5, 100), "new");
        gate.open();
        for waiting in tries {
            assert_eq!(waiting.join().unwrap(), expected);
        }
        assert_eq!(send(&retries, scope, &xml, 110, true, &no_run).unwrap(), expected);
    });
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(say(&retries, 6, 110), "new");
}

#[test]
fn a_message_whose_own_reply_is_slow_gets_the_late_reply_alone() {
    let mut retries = with_late_reply();
    let gate = Gate::default();
    let work = own_after(&gate);
    let xml = text_of("oUser1", 2, "slow");
    thread::scope(|scope| {
        let try_at = |now| send(&retries, scope, &xml, now, true, &work).unwrap();
        assert_eq!(try_at(100), "「q」\nA");
        // The second and the third try, on other connections.
        assert_eq!(try_at(105), "「q」\nA");
        // As long as the reply is not there, other messages get their own.
        assert_eq!(say(&retries, 3, 106), "new");
        assert_eq!(try_at(110), "「q」\nA");
        gate.open();
    });
    retries.timing.last_try_wait = LONG;
    // The run has ended at the end of the scope.
    assert_eq!(say(&retries, 4, 111), "「slow」\nown\n\nnew");
    assert_eq!(say(&retries, 5, 111), "new");
}

#[test]
fn replies_that_do_not_fit_into_one_text_come_one_after_another() {
    let long = |letter: &str| letter.repeat(1200);
    for (late, own, first, second) in [
        (
            Reply::text(long("A")),
            Reply::text(long("o")),
            long("A"),
            format!("「?」\n{}", long("o")),
        ),
        (news("A"), Reply::text("own"), "A".into(), "「?」\nown\n\nnew".into()),
        (Reply::text("A"), news("own"), "A".into(), "own".into()),
    ] {
        let retries = with_wait(LONG);
        make_late(&retries, 1, &late);
        let own: Work<'_> = &|| own.clone();
        let xml = text_of("oUser1", 2, "?");
        thread::scope(|scope| {
            let answer = send(&retries, scope, &xml, 100, true, own).unwrap();
            assert_eq!(answer.trim_start_matches("「q」\n"), first);
            // A second try does not get the rest either.
            assert_eq!(send(&retries, scope, &xml, 105, true, &no_run).unwrap(), answer);
        });
        let second_answer = say(&retries, 3, 105);
        assert!(second_answer.starts_with(&second), "{second_answer}");
    }
}

#[test]
fn a_message_without_a_reply_of_its_own_gets_the_late_reply_and_leaves_nothing() {
    let retries = with_wait(LONG);
    for (msg_id, own) in [(1, Reply::Success), (3, Reply::text(" \n"))] {
        make_late(&retries, msg_id, &Reply::text("A"));
        let own: Work<'_> = &|| own.clone();
        thread::scope(|scope| {
            let xml = text_of("oUser1", msg_id + 1, "?");
            assert_eq!(send(&retries, scope, &xml, 100, true, own).unwrap(), "「q」\nA");
        });
        assert_eq!(say(&retries, msg_id + 10, 100), "new");
    }
}

#[test]
fn an_event_gets_its_own_reply_and_every_other_message_gets_the_late_one() {
    let retries = with_wait(LONG);
    make_late(&retries, 1, &Reply::text("A"));
    let own: Work<'_> = &|| Reply::text("own");
    let event = click_of("oUser1", 1_700_000_000, "k");
    let image = text_of("oUser1", 2, "?").replace(">text<", ">image<");
    thread::scope(|scope| {
        let send = |xml| send(&retries, scope, xml, 100, true, own).unwrap();
        assert_eq!(send(&event), "own");
        assert_eq!(send(&image), "「q」\nA\n\nown");
    });
}

#[test]
fn nothing_is_lost_when_the_clients_of_all_tries_have_disconnected() {
    let mut retries = with_late_reply();
    let gate = Gate::default();
    let work = own_after(&gate);
    let xml = text_of("oUser1", 2, "lost");
    thread::scope(|scope| {
        assert_eq!(send(&retries, scope, &xml, 100, false, &work), None);
        gate.open();
    });
    retries.timing.last_try_wait = LONG;
    assert_eq!(say(&retries, 3, 100), "「q」\nA\n\nnew");
    assert_eq!(say(&retries, 4, 100), "「lost」\nown\n\nnew");
    assert_eq!(say(&retries, 5, 100), "new");
}

#[test]
fn a_later_try_gets_what_the_first_try_could_not_get() {
    let mut retries = with_late_reply();
    let gate = Gate::default();
    let work = own_after(&gate);
    let xml = text_of("oUser1", 2, "?");
    thread::scope(|scope| {
        assert_eq!(send(&retries, scope, &xml, 100, false, &work), None);
        // The late reply still belongs to this message.
        assert_eq!(say(&retries, 3, 105), "new");
        assert_eq!(send(&retries, scope, &xml, 105, true, &work).unwrap(), "「q」\nA");
        gate.open();
    });
    retries.timing.last_try_wait = LONG;
    assert_eq!(say(&retries, 4, 106), "「?」\nown\n\nnew");
}

#[test]
fn a_run_that_panics_leaves_the_late_reply() {
    let retries = with_wait(LONG);
    make_late(&retries, 1, &Reply::text("A"));
    let panicking: Work<'_> = &|| panic!("an error in the work");
    let xml = text_of("oUser1", 2, "?");
    thread::scope(|scope| {
        assert_eq!(send(&retries, scope, &xml, 100, true, panicking).unwrap(), "「q」\nA");
    });
    assert_eq!(say(&retries, 3, 100), "new");
}

/// A message sent by hand, such as a saved `curl` line, has the same MsgId each time.
#[test]
fn a_message_is_new_one_minute_after_its_last_try() {
    let retries = with_wait(LONG);
    let runs = AtomicUsize::new(0);
    let count: Work<'_> = &|| Reply::text(format!("run {}", runs.fetch_add(1, Ordering::SeqCst)));
    let xml = text_of("oUser1", 1, "curl");
    thread::scope(|scope| {
        let try_at = |now| send(&retries, scope, &xml, now, true, count).unwrap();
        for (now, reply) in [
            (1000, "run 0"),
            (1060, "run 0"),
            (1120, "run 0"),
            (1181, "run 1"),
            (1182, "run 1"),
            (2000, "run 2"),
        ] {
            assert_eq!(try_at(now), reply, "{now}");
        }
    });
}

#[test]
fn a_late_reply_waits_for_its_user_though_its_message_is_sent_anew() {
    let retries = with_wait(LONG);
    make_late(&retries, 1, &Reply::text("A"));
    let xml = text_of("oUser1", 1, "q");
    let own: Work<'_> = &|| Reply::text("own");
    thread::scope(|scope| {
        // Within the minute it is another try.
        assert_eq!(
            send(&retries, scope, &click_of("oUser1", 1, "k"), 150, true, own).unwrap(),
            "own"
        );
        assert_eq!(send(&retries, scope, &xml, 161, true, own).unwrap(), "「q」\nA\n\nown");
        assert_eq!(send(&retries, scope, &xml, 162, true, &no_run).unwrap(), "「q」\nA\n\nown");
    });
    make_late(&retries, 2, &Reply::text("A"));
    thread::scope(|scope| {
        let xml = text_of("oUser1", 2, "q");
        assert_eq!(send(&retries, scope, &xml, 130, true, &no_run).unwrap(), "A");
    });
    assert_eq!(say(&retries, 3, 131), "new");
}

/// A run may take longer than the minute.
#[test]
fn a_message_is_not_new_while_its_run_goes_on() {
    let retries = with_wait(Duration::from_millis(10));
    let gate = Gate::default();
    let work = own_after(&gate);
    let xml = text_of("oUser1", 1, "q");
    thread::scope(|scope| {
        let first = scope.spawn(|| send(&retries, scope, &xml, 100, true, &work));
        gate.until_begun(1);
        assert_eq!(send(&retries, scope, &xml, 500, true, &no_run).unwrap(), "wait");
        assert_eq!(send(&retries, scope, &xml, 900, true, &no_run).unwrap(), "wait");
        gate.open();
        assert_eq!(first.join().unwrap().unwrap(), "own");
    });
}
