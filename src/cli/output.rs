//! What is printed for the person who started the program.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::Error;
use super::arguments::Environment;
use crate::simulator::{Check, Severity};
use crate::text::display::escape_for_terminal;

/// Prints.
///
/// # Errors
/// `Output`, but not where nobody reads any more: whoever closed the pipe has what they wanted.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Error> {
    let mut stdout = io::stdout();
    match stdout
        .write_all(text.as_ref())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A colour of the sixteen that every terminal has.
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Red,
    Green,
    Yellow,
}

impl Colour {
    /// The number of the escape sequence that switches it on (ECMA-48 8.3.117).
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
        }
    }
}

/// How to print: in colour on a terminal, unless `NO_COLOR` is set (no-color.org).
#[derive(Clone, Copy)]
pub(super) struct Style {
    is_terminal: bool,
    has_colour: bool,
}

impl Style {
    pub(super) fn of(environment: Environment<'_>) -> Self {
        let is_refused = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_terminal = io::stdout().is_terminal();
        Self {
            is_terminal,
            has_colour: is_terminal && !is_refused,
        }
    }

    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        if self.has_colour {
            format!("\x1b[{}m{text}\x1b[0m", colour.code())
        } else {
            text.to_owned()
        }
    }

    /// Foreign bytes as they are, but on a terminal without what it would act on.
    pub(super) fn foreign(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if !self.is_terminal {
            return Cow::Borrowed(bytes);
        }
        let lines = bytes.split(|octet| *octet == b'\n');
        let lines: Vec<String> = lines
            .map(|line| escape_for_terminal(line, usize::MAX))
            .collect();
        Cow::Owned(lines.join("\n").into_bytes())
    }

    /// The line of a check, with its severity first.
    pub(super) fn check(self, check: &Check) -> String {
        self.with_severity(check.severity, &check.finding)
    }

    /// A line with its severity first.
    pub(super) fn with_severity(self, severity: Severity, text: &dyn Display) -> String {
        let (colour, word) = match severity {
            Severity::Ok => (Colour::Green, "ok"),
            Severity::Warning => (Colour::Yellow, "warning"),
            Severity::Error => (Colour::Red, "failed"),
        };
        format!("{}: {text}\n", self.paint(colour, word))
    }
}
