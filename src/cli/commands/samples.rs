//! Samples of the texts of help.

use super::*;
use crate::text::samples::{self, Samples};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "cli: help", collect);
}

fn collect(samples: &mut Samples) {
    samples.add("help", &[&help::overview(COMMANDS)]);
    for command in COMMANDS {
        samples.add(&format!("help {}", command.name), &[&help::usage(command)]);
    }
    let mut expected = Vec::new();
    for flag in COMMANDS.iter().flat_map(|command| command.flags) {
        let text = format!("{} {}", flag.name, flag.expected);
        if !expected.contains(&text) {
            expected.push(text);
        }
    }
    samples.add("valid values", &[&expected.join("\n")]);
}
