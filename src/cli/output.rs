//! How commands print to standard output.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::arguments::Args;
use super::error::Error;
use super::wording;
use crate::simulator::{Check, Severity};
use crate::text::display::escape_for_terminal;

/// Prints to standard output.
///
/// # Errors
/// `Output`, except where the reader has closed the pipe: it has read all it wanted.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Error> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A colour that every terminal has, by the parameter of the escape sequence that selects it (ECMA-48 8.3.117).
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// How to print: in colour on a terminal, unless `NO_COLOR` is set (no-color.org).
#[derive(Clone, Copy)]
pub(super) struct Style {
    is_terminal: bool,
    has_colour: bool,
}

impl Style {
    /// The style for standard output.
    pub(super) fn detect(args: &Args<'_>) -> Self {
        let is_refused = args.variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_terminal = io::stdout().is_terminal();
        Self { is_terminal, has_colour: is_terminal && !is_refused }
    }

    /// The text in this colour.
    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        if self.has_colour {
            format!("\x1b[{}m{text}\x1b[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }

    /// Bytes that another program sent: as they are, but on a terminal with control characters escaped.
    pub(super) fn escape(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if !self.is_terminal {
            return Cow::Borrowed(bytes);
        }
        let lines = bytes.split(|octet| *octet == b'\n');
        let lines: Vec<String> = lines.map(|line| escape_for_terminal(line, usize::MAX)).collect();
        Cow::Owned(lines.join("\n").into_bytes())
    }

    /// The line of a check.
    pub(super) fn check(self, check: &Check) -> String {
        self.with_severity(check.severity, &check.finding)
    }

    /// A line that begins with a word for its severity.
    pub(super) fn with_severity(self, severity: Severity, text: &dyn Display) -> String {
        let colour = match severity {
            Severity::Ok => Colour::Green,
            Severity::Warning => Colour::Yellow,
            Severity::Error => Colour::Red,
        };
        format!("{}: {text}\n", self.paint(colour, wording::severity(severity)))
    }
}
