//! `cargo bench [-- load stages growth]`: measures the cost of a message, in about 80 seconds.
//!
//! | part | measures |
//! | --- | --- |
//! | `load` | the server compared with one that only reads and writes, under the same load |
//! | `stages` | the nanoseconds of each step of a message |
//! | `growth` | how the cost grows with rules, content, remembered messages and connections |
//!
//! Tables go to standard output, progress to standard error. A response that is wrong or does not arrive is a failure. A
//! slow result is not, because machines differ. `--target x86_64-unknown-linux-musl` measures the static binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench fails by panicking and prints its tables"
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

/// No round begins later than this time after the start. The bench then ends within 90 seconds.
const BEGIN_UNTIL: Duration = Duration::from_secs(65);

/// A part: its name and its function. The argument is the instant after which no round begins. The function returns
/// whether all responses were right.
type Part = (&'static str, fn(Instant) -> bool);

const PARTS: [Part; 3] = [("load", load::run), ("stages", stages::run), ("growth", growth::run)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [argument, kept, last] = arguments.as_slice()
        && argument == canned::ARGUMENT
    {
        canned::serve(kept.parse().unwrap(), last.parse().unwrap());
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        // `cargo test --benches` runs this too and should not measure.
        println!("nothing is measured without --bench, which cargo bench passes");
        return ExitCode::SUCCESS;
    }
    let names = || arguments.iter().filter(|name| *name != "--bench");
    if let Some(unknown) = names().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        let known = PARTS.map(|(part, _)| part).join(", ");
        eprintln!("unknown part {unknown:?}, expected {known}");
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
