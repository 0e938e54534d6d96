//! How costs grow with sizes: rules, content, remembered messages, idle connections.
//!
//! Each row shows the sizes and their costs, and the factors between the first and the last size and cost. A cost that grows faster
//! than its size is marked.

use std::collections::VecDeque;
use std::hint::black_box;
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

/// How much faster than its size a cost must grow to be marked. Less may be chance.
const MARKED: f64 = 1.5;

/// Numbers of rules.
const RULES: [usize; 4] = [1, 10, 100, 1000];

/// Bytes of content, up to the limit.
const CONTENT: [usize; 4] = [300, 1024, 8 * 1024, limits::CONTENT];

/// Numbers of remembered signatures and messages. The store has room for 4,096 messages.
const REMEMBERED: [usize; 4] = [1, 100, 1000, 5000];

/// A user without a remembered message.
const STRANGER: u64 = 9_000_000;

/// Calls in a sample, where each call adds an entry to the store.
const FEW: usize = 16;

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

    /// The size at which the cost has grown faster than the size, since the previous size or since the first.
    fn worse_than_linear_at(&self) -> Option<usize> {
        let ends = self.costs.first().zip(self.costs.last());
        let steps = self.costs.iter().zip(self.costs.iter().skip(1));
        let mut pairs = steps.chain(ends);
        let worse = pairs.find(|((size, cost), (larger, more))| {
            more / cost > MARKED * (*larger as f64 / *size as f64)
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
        let factor = |of: fn(&(usize, f64)) -> f64| match self.costs.as_slice() {
            [first, .., last] => format!("× {}", figure(of(last) / of(first))),
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

/// Runs the part.
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
        "rules that ask for a front, none matches",
        |number| format!("词{number}*"),
        other,
    ));
    rows.push(rules(
        "rules that ask for a middle, none matches",
        |number| format!("*词{number}*"),
        other,
    ));
    progress.show("content");
    rows.push(content());
    progress.show("what is remembered");
    rows.push(used_signatures());
    rows.push(unknown_message("finished messages, one unknown message asks", false));
    rows.push(unknown_message("undelivered answers, one unknown message asks", true));
    rows.push(new_message("finished messages, one new message runs", false));
    rows.push(new_message("undelivered answers, one new message runs", true));
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
        "Each size and what it costs, then how many times more the last is than the first. Of messages, \
         4,096 are remembered: of 5,000 the oldest are forgotten.",
    );
    let head = ["what there is more of", "unit", "at least", "", "", "at most", "size", "cost", ""];
    let mut table = Table::new(&head);
    for row in rows {
        table.row(row.cells());
    }
    table.print();
}

/// A message that is matched against many rules.
fn rules(what: &'static str, pattern: fn(usize) -> String, said: fn(usize) -> String) -> Row {
    let rules = RULES.map(|count| {
        let on = |number| format!("<on Content=\"{}\"><text>好</text></on>", pattern(number));
        let all: String = (0..count).map(on).collect();
        Rules::parse(format!("<rules>{all}</rules>").as_bytes()).unwrap()
    });
    let contents = RULES.map(|count| messages::text_of(0, &said(count)));
    let xmls = contents.each_ref().map(|content| Document::parse_message(content).unwrap());
    let messages = xmls.each_ref().map(messages::message);
    let case = |(rules, message): (&'_ Rules, &'_ Message<'_>)| {
        drop(rules.find_action(message));
    };
    let cases = rules.iter().zip(&messages);
    let cases = cases.map(|pair| Case::new(move || case(black_box(pair))));
    Row::nanos(what, RULES, &nanos_of_each(cases.collect(), SAMPLES))
}

/// Content of many bytes, from the parsed request to the response.
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
            let client = WaitingClient { now: &|| now, is_connected: &|| true };
            let response = callback.handle(&request, &client, &mut scratch, |message| {
                Outcome::Reply(Reply::text(message.field("Content").unwrap_or_default()))
            });
            assert!(response.unwrap().note().is_none());
        }
    };
    let cases = requests.iter().map(|request| Case::new(case(request)));
    Row::nanos("bytes of content", CONTENT, &nanos_of_each(cases.collect(), SAMPLES))
}

/// A signature that was used before many others, which makes it the last in its set.
fn used_signatures() -> Row {
    let verified = |number| Signed::now(number).verify();
    let case = |others| {
        let used = UsedSignatures::default();
        let use_one = |verified: Verified| used.use_for(verified, b"content").unwrap();
        let mut first: VecDeque<Verified> = (0..64).map(verified).map(use_one).collect();
        for number in 0..others as u64 {
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

/// A new message while many others are remembered.
fn unknown_message(what: &'static str, is_undelivered: bool) -> Row {
    let content = messages::text_of(STRANGER, "你好");
    let xml = Document::parse_message(&content).unwrap();
    let message = messages::message(&xml);
    let case = |count| {
        let retries = remembering(count, is_undelivered);
        let message = &message;
        Case::new(move || {
            let outcome = at_work(false, |client| retries.join(black_box(message), client));
            assert!(outcome.is_none());
        })
    };
    let cases = REMEMBERED.into_iter().map(case);
    Row::nanos(what, REMEMBERED, &nanos_of_each(cases.collect(), SAMPLES))
}

/// A message that starts a run while many others are remembered. Each is remembered too, so a sample has few calls.
fn new_message(what: &'static str, is_undelivered: bool) -> Row {
    let contents: Vec<Vec<u8>> =
        (0..FEW).map(|number| messages::text_of(STRANGER + number as u64, "你好")).collect();
    let xmls: Vec<Document<'_>> =
        contents.iter().map(|content| Document::parse_message(content).unwrap()).collect();
    let messages: Vec<Message<'_>> = xmls.iter().map(messages::message).collect();
    let mut nanos = vec![Figures::default(); REMEMBERED.len()];
    for _ in 0..SAMPLES {
        for (count, nanos) in REMEMBERED.into_iter().zip(&mut nanos) {
            let retries = remembering(count, is_undelivered);
            let begun = Instant::now();
            messages.iter().for_each(|message| work_on(&retries, message, false));
            nanos.push(begun.elapsed().as_secs_f64() * 1e9 / FEW as f64);
        }
    }
    Row::nanos(what, REMEMBERED, &nanos)
}

/// Messages of `count` users, each with a finished run, whose answers were delivered or are undelivered.
fn remembering(count: usize, is_undelivered: bool) -> Retries {
    let retries = Retries::new(|_| ());
    for user in 0..count as u64 {
        let content = messages::text_of(user, "你好");
        let xml = Document::parse_message(&content).unwrap();
        work_on(&retries, &messages::message(&xml), is_undelivered);
    }
    retries
}

fn work_on(retries: &Retries, message: &Message<'_>, is_undelivered: bool) {
    let answer = || Reply::text("好");
    at_work(is_undelivered, |client| {
        drop(retries.run_once(message, client, LateReply::default(), &answer));
    });
}

/// With a client that is connected; or, for an undelivered answer, one that has disconnected during a run of ten seconds.
fn at_work<T>(is_undelivered: bool, work: impl FnOnce(&WaitingClient<'_>) -> T) -> T {
    let now = server::now() + if is_undelivered { 10 } else { 0 };
    work(&WaitingClient { now: &|| now, is_connected: &|| !is_undelivered })
}
