//! What is printed for the person who started the program.

use std::io::{self, IsTerminal, Write};

use super::arguments::Environment;
use crate::platform::{Finding, Grade};

/// Prints; where nobody reads it, nothing is lost.
pub(super) fn print(text: &str) {
    print_bytes(text.as_bytes());
}

pub(super) fn print_bytes(bytes: &[u8]) {
    let _: io::Result<()> = io::stdout().write_all(bytes);
}

/// A colour of the sixteen that every terminal has.
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// How to print: in colour on a terminal, unless `NO_COLOR` is set (no-color.org).
#[derive(Clone, Copy)]
pub(super) struct Style {
    has_colour: bool,
}

impl Style {
    pub(super) fn of(environment: Environment<'_>) -> Self {
        let is_refused = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            has_colour: io::stdout().is_terminal() && !is_refused,
        }
    }

    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        if self.has_colour {
            format!("\x1b[{}m{text}\x1b[0m", u8_of(colour))
        } else {
            text.to_owned()
        }
    }

    /// A line that begins with what it means.
    pub(super) fn finding(self, finding: &Finding) -> String {
        let (colour, word) = match finding.grade {
            Grade::Good => (Colour::Green, "ok"),
            Grade::Doubt => (Colour::Yellow, "warning"),
            Grade::Fault => (Colour::Red, "failed"),
        };
        format!("{}: {}\n", self.paint(colour, word), finding.text)
    }
}

const fn u8_of(colour: Colour) -> u8 {
    colour as u8
}
