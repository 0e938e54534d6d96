//! Samples of the texts of the status.

use super::*;
use crate::text::samples::{self, Samples};
use std::net::Ipv4Addr;

use crate::text::language::language;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "control: status", collect);
}

fn collect(samples: &mut Samples) {
    let programs = Programs::new("", Vec::new(), |_| {});
    let status = ServerStatus {
        address: (Ipv4Addr::LOCALHOST, 8000).into(),
        handle: Handle::default(),
        metrics: Arc::default(),
        responder: Arc::new(Responder::open(None, programs, |_| {}).expect("the embedded rules")),
        connections_max: 1024,
    };
    // The values are those of this process.
    let text = status.text(language());
    let names = text.lines().filter_map(|line| line.split("  ").next());
    let names: Vec<&str> = names.collect();
    samples.add("rows", &[&names.join("\n")]);
    let counts = ["plain", "compatible", "safe", "other", "text"];
    let counts = counts.map(|name| count_name(name, language()));
    samples.add("counts", &[&counts.join("\n")]);
}
