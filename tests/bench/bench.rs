//! `cargo bench [-- load stages growth]`: what a message costs, in some 80 seconds.
//!
//! | part | says |
//! | --- | --- |
//! | `load` | how near the server comes to one that only reads and writes, under the same load |
//! | `stages` | the nanoseconds of each step that a message takes inside |
//! | `growth` | what becomes of that as rules, content, memory and connections grow |
//!
//! Tables go to standard output, progress to standard error. Nothing fails for being slow, since another
//! machine is another machine; an answer that is wrong, or does not come, does. `--target
//! x86_64-unknown-linux-musl` measures the static binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot go on fails by panicking, and prints its tables"
)]

mod canned;
mod client;
mod growth;
mod idle;
mod load;
mod messages;
mod output;
mod process;
mod stages;
mod timing;

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// By when no further round is begun: with what is under way then, all has ended after 90 seconds.
const BEGIN_UNTIL: Duration = Duration::from_secs(65);

/// A part: its name, and what runs it, given when nothing further may begin. It says whether all answers were right.
type Part = (&'static str, fn(Instant) -> bool);

const PARTS: [Part; 3] = [
    ("load", load::run),
    ("stages", stages::run),
    ("growth", growth::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [argument, kept, last] = arguments.as_slice()
        && argument == canned::ARGUMENT
    {
        canned::serve(kept.parse().unwrap(), last.parse().unwrap());
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        // `cargo test --benches` runs this too, and is not asked to wait for it.
        println!("nothing is measured without --bench, which cargo bench gives");
        return ExitCode::SUCCESS;
    }
    let names = || arguments.iter().filter(|name| *name != "--bench");
    if let Some(unknown) = names().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        let known = PARTS.map(|(part, _)| part).join(", ");
        eprintln!("unknown part {unknown:?}, only {known} allowed");
        return ExitCode::from(2);
    }
    let begin_until = Instant::now() + BEGIN_UNTIL;
    let mut is_right = true;
    for (part, run) in PARTS {
        if names().next().is_none() || names().any(|name| name == part) {
            is_right &= run(begin_until);
        }
    }
    ExitCode::from(u8::from(!is_right))
}
