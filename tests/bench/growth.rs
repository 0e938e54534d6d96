//! The growth of costs with sizes: numbers of rules, bytes of content, remembered messages, idle connections.
//!
//! Each row shows the sizes with their costs, and by which factor the last size and the last cost exceed the first. A cost
//! that grows faster than its size is marked.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::thread::{self, Scope};
use std::time::Instant;

use wechat::callback::Callback;
use wechat::http::{Request, limits};
use wechat::rules::{LateReply, Rules};
use wechat::server;
use wechat::session::{Outcome, Retries, WaitingClient};
use wechat::wechat::{Message, Reply, UsedSignatures, Verified};
use wechat::xml::Document;

use crate::idle;
use crate::messages::{self, Signed};
use crate::output::{Progress, Table, figure, thousands, title};
use crate::timing::{Case, Figures, nanos_of_each};

const SAMPLES: usize = 9;

/// A cost is marked if it grows by more than this factor times the growth of its size. Smaller differences may be chance.
const MARK_FACTOR: f64 = 1.5;

/// Numbers of rules.
const RULES: [usize; 4] = [1, 10, 100, 1000];

/// Bytes of content, up to the limit.
const CONTENT: [usize; 4] = [300, 1024, 8 * 1024, limits::CONTENT];

/// Numbers of remembered signatures and messages. At most 4,096 messages are remembered.
const REMEMBERED: [usize; 4] = [1, 100, 1000, 5000];

/// The number of a user without a remembered message.
const NEW_USER: u64 = 9_000_000;

/// Calls per sample if each call adds a message to the remembered messages.
const NEW_MESSAGES: usize = 16;

/// The cost of an operation at several sizes.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    /// Each size and its total cost.
    pub(crate) costs: Vec<(usize, f64)>,
    /// Whether the cost is shown per unit of the size.
    pub(crate) is_each: bool,
}

impl Row {
    fn nanos(what: &'static str, sizes: [usize; 4], nanos: &[Figures]) -> Self {
        let medians = nanos.iter().map(Figures::median);
        Self { what, unit: "ns", costs: sizes.into_iter().zip(medians).collect(), is_each: false }
    }

    /// The first size at which the cost has grown faster than the size, compared with the previous size or with the first.
    fn worse_than_linear_at(&self) -> Option<usize> {
        let ends = self.costs.first().zip(self.costs.last());
        let steps = self.costs.iter().zip(self.costs.iter().skip(1));
        let mut pairs = steps.chain(ends);
        let worse = pairs.find(|((size, cost), (larger, more))| {
            more / cost > MARK_FACTOR * (*larger as f64 / *size as f64)
        });
        worse.map(|(_, (larger, _))| *larger)
    }

    fn cells(&self) -> Vec<String> {
        let shown = |(size, cost): &(usize, f64)| {
            let cost = if self.is_each { cost / *size as f64 } else { *cost };
            format!("{}: {}", thousands(&size.to_string()), figure(cost))
        };
        let mut cells = vec![self.what.to_owned(), self.unit.to_owned()];
        cells.extend(self.costs.iter().map(shown));
        cells.resize(6, "–".to_owned());
        let factor = |value: fn(&(usize, f64)) -> f64| match self.costs.as_slice() {
            [first, .., last] => format!("× {}", figure(value(last) / value(first))),
            _ => "–".to_owned(),
        };
        cells.push(factor(|(size, _)| *size as f64));
        cells.push(factor(|(_, cost)| *cost));
        let mark = |size: usize| {
            let size = thousands(&size.to_string());
            format!("WORSE THAN LINEAR at {size}")
        };
        cells.push(self.worse_than_linear_at().map_or_else(String::new, mark));
        cells
    }
}

/// Runs the part `growth`.
pub(crate) fn run(begin_until: Instant) -> bool {
    let progress = Progress::begin("growth");
    let mut rows = Vec::new();
    progress.show("rules");
    let last = |count: usize| format!("词{}", count - 1);
    let other = |_| "你好".to_owned();
    rows.push(rules(
        "rules with exact texts, the last matches",
        |number| format!("词{number}"),
        last,
    ));
    rows.push(rules(
        "rules that match a beginning, none matches",
        |number| format!("词{number}*"),
        other,
    ));
    rows.push(rules(
        "rules that match a middle, none matches",
        |number| format!("*词{number}*"),
        other,
    ));
    progress.show("content");
    rows.push(content());
    progress.show("remembered messages");
    rows.push(used_signatures());
    rows.push(unknown_message("finished messages, an unknown one is looked up", false));
    rows.push(unknown_message("undelivered replies, an unknown one is looked up", true));
    rows.push(new_message("finished messages, a new one is added", false));
    rows.push(new_message("undelivered replies, a new one is added", true));
    progress.show("idle connections");
    let idle = idle::measure(begin_until);
    rows.extend([idle.memory, idle.message]);
    drop(progress);
    print(&rows);
    for remark in &idle.remarks {
        println!("{remark}\n");
    }
    idle.is_right
}

fn print(rows: &[Row]) {
    title(
        "growth",
        "Each size with its cost, then the factors from the first to the last size and cost. At most \
         4,096 messages are remembered, so the oldest of 5,000 are forgotten.",
    );
    let head = ["growing number", "unit", "smallest", "", "", "largest", "size", "cost", ""];
    let mut table = Table::new(&head);
    for row in rows {
        table.row(row.cells());
    }
    table.print();
}

/// The cost of matching a message against many rules. `content` returns the text of the message.
fn rules(what: &'static str, pattern: fn(usize) -> String, content: fn(usize) -> String) -> Row {
    let rules = RULES.map(|count| {
        let on = |number| format!("<on Content=\"{}\"><text>好</text></on>", pattern(number));
        let all: String = (0..count).map(on).collect();
        Rules::parse(format!("<rules>{all}</rules>").as_bytes()).unwrap()
    });
    let contents = RULES.map(|count| messages::text_of(0, &content(count)));
    let xmls = contents.each_ref().map(|content| Document::parse_message(content).unwrap());
    let messages = xmls.each_ref().map(messages::message);
    let case = |(rules, message): (&'_ Rules, &'_ Message<'_>)| {
        drop(rules.find_action(message));
    };
    let cases = rules.iter().zip(&messages);
    let cases = cases.map(|pair| Case::new(move || case(black_box(pair))));
    Row::nanos(what, RULES, &nanos_of_each(cases.collect(), SAMPLES))
}

/// The cost of content of many bytes, from the bytes of the request to the response.
fn content() -> Row {
    let of_length = |length: usize| {
        let rest = length - messages::text_of(0, "").len();
        let text = "好".repeat(rest / 3) + &"x".repeat(rest % 3);
        messages::post(&Signed::now(0), &messages::text_of(0, &text))
    };
    let requests = CONTENT.map(of_length);
    let now = server::now();
    let case = |request| {
        let callback = Callback::new(messages::token());
        let mut scratch = Vec::new();
        move || {
            let (head, content) = messages::parse(request);
            let request = Request { head, content };
            let client = WaitingClient { now: &|| now, uptime: &|| now, is_connected: &|| true };
            let response = callback.handle(&request, &client, &mut scratch, |message| {
                Outcome::Reply(Reply::text(message.field("Content").unwrap_or_default()))
            });
            assert!(response.unwrap().note().is_none());
        }
    };
    let cases = requests.iter().map(|request| Case::new(case(request)));
    Row::nanos("bytes of content", CONTENT, &nanos_of_each(cases.collect(), SAMPLES))
}

/// The cost of using a signature again after many other signatures.
fn used_signatures() -> Row {
    let verified = |number| Signed::now(number).verify();
    let case = |count| {
        let used = UsedSignatures::default();
        let use_one = |verified: Verified| used.use_for(verified, b"content").unwrap();
        let mut first: VecDeque<Verified> = (0..64).map(verified).map(use_one).collect();
        for number in 0..count as u64 {
            use_one(verified(64 + number));
        }
        Case::new(move || {
            let again = first.pop_front().unwrap();
            first.push_back(used.use_for(again, b"content").unwrap());
        })
    };
    let cases = REMEMBERED.into_iter().map(case);
    Row::nanos(
        "signatures used, an older one again",
        REMEMBERED,
        &nanos_of_each(cases.collect(), SAMPLES),
    )
}

/// The cost of looking up a message that is not among the remembered messages.
fn unknown_message(what: &'static str, is_undelivered: bool) -> Row {
    let content = messages::text_of(NEW_USER, "你好");
    let xml = Document::parse_message(&content).unwrap();
    let message = messages::message(&xml);
    let case = |count| {
        let retries = remembering(count, is_undelivered);
        let message = &message;
        Case::new(move || {
            let outcome = with_client(false, |client| retries.join(black_box(message), client));
            assert!(outcome.is_none());
        })
    };
    let cases = REMEMBERED.into_iter().map(case);
    Row::nanos(what, REMEMBERED, &nanos_of_each(cases.collect(), SAMPLES))
}

/// The cost of adding a message to the remembered messages. Each call adds a message, so a sample has few calls.
fn new_message(what: &'static str, is_undelivered: bool) -> Row {
    let contents: Vec<Vec<u8>> = (0..NEW_MESSAGES)
        .map(|number| messages::text_of(NEW_USER + number as u64, "你好"))
        .collect();
    let xmls: Vec<Document<'_>> =
        contents.iter().map(|content| Document::parse_message(content).unwrap()).collect();
    let messages: Vec<Message<'_>> = xmls.iter().map(messages::message).collect();
    let mut nanos = vec![Figures::default(); REMEMBERED.len()];
    for _ in 0..SAMPLES {
        for (count, nanos) in REMEMBERED.into_iter().zip(&mut nanos) {
            let retries = remembering(count, is_undelivered);
            let begun = thread::scope(|scope| {
                let begun = Instant::now();
                messages.iter().for_each(|message| run_once(&retries, message, false, scope));
                begun
            });
            nanos.push(begun.elapsed().as_secs_f64() * 1e9 / NEW_MESSAGES as f64);
        }
    }
    Row::nanos(what, REMEMBERED, &nanos)
}

/// Remembers a message of each of `count` users. The runs are finished, and the replies are delivered or undelivered.
fn remembering(count: usize, is_undelivered: bool) -> Retries {
    let retries = Retries::new(|_| ());
    for user in 0..count as u64 {
        let content = messages::text_of(user, "你好");
        let xml = Document::parse_message(&content).unwrap();
        thread::scope(|scope| {
            run_once(&retries, &messages::message(&xml), is_undelivered, scope);
        });
    }
    retries
}

fn run_once<'s>(
    retries: &'s Retries,
    message: &Message<'_>,
    is_undelivered: bool,
    scope: &'s Scope<'s, '_>,
) {
    with_client(is_undelivered, |client| {
        let late = LateReply::default();
        drop(retries.run_once(message, client, late, scope, |_| Reply::text("好")));
    });
}

/// Calls `work` with a client that is connected. For an undelivered reply, the client has disconnected during a run of ten
/// seconds.
fn with_client<T>(is_undelivered: bool, work: impl FnOnce(&WaitingClient<'_>) -> T) -> T {
    let calls = Cell::new(0);
    let uptime = || if is_undelivered { calls.replace(calls.get() + 10) } else { 0 };
    let client =
        WaitingClient { now: &server::now, uptime: &uptime, is_connected: &|| !is_undelivered };
    work(&client)
}
