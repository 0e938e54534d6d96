//! Printing to standard output, in colour on a terminal.

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
/// `Output` if standard output cannot be written. A pipe that its reader has closed is no error, because the reader has
/// all that it wanted (as in `wechat rules | head`).
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Error> {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Bytes from another program, with all characters but the line ends made safe for a terminal.
pub(super) fn escape_lines(bytes: &[u8]) -> String {
    let lines = bytes.split(|octet| *octet == b'\n');
    let lines: Vec<String> = lines.map(|line| escape_for_terminal(line, usize::MAX)).collect();
    lines.join("\n")
}

/// A colour that every terminal has. The number is the parameter of the escape sequence that selects the colour
/// (ECMA-48 8.3.117).
#[derive(Clone, Copy)]
pub(super) enum Colour {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// The style of the output: coloured on a terminal, unless `NO_COLOR` is set (no-color.org).
#[derive(Clone, Copy)]
pub(super) struct Style {
    is_terminal: bool,
    has_colour: bool,
}

impl Style {
    /// The style for standard output.
    pub(super) fn detect(args: &Args<'_>) -> Self {
        let no_colour = args.variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_terminal = io::stdout().is_terminal();
        Self { is_terminal, has_colour: is_terminal && !no_colour }
    }

    /// The text in this colour, if the output is coloured.
    pub(super) fn paint(self, colour: Colour, text: &str) -> String {
        if self.has_colour {
            format!("\x1b[{}m{text}\x1b[0m", colour as u8)
        } else {
            text.to_owned()
        }
    }

    /// Bytes from another program. On a terminal, control characters are escaped.
    pub(super) fn escape(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if !self.is_terminal {
            return Cow::Borrowed(bytes);
        }
        Cow::Owned(escape_lines(bytes).into_bytes())
    }

    /// The line that shows a check.
    pub(super) fn check(self, check: &Check) -> String {
        self.with_severity(check.severity, &check.finding)
    }

    /// A line that begins with the word for this severity.
    pub(super) fn with_severity(self, severity: Severity, text: &dyn Display) -> String {
        let colour = match severity {
            Severity::Ok => Colour::Green,
            Severity::Warning => Colour::Yellow,
            Severity::Error => Colour::Red,
        };
        wording::with_severity(severity, text, |word| self.paint(colour, word))
    }
}
