//! Templates: texts with placeholders, which a message fills in.
//!
//! ```text
//! template = *( "{{" / "{" name "}" / character )
//! ```
//! A name is a field of the message, the number of a `*` counted from 1, `date` or `time`.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::fields::{self, Hint};
use super::problem::Problem;
use crate::text::calendar;
use crate::text::digits::{self, NumberError};
use crate::wechat::Message;

/// A parsed template.
#[derive(Debug, Default)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Field(&'static str),
    /// Index of a captured text.
    Capture(usize),
    Date,
    Time,
}

/// What fills in a template.
pub(super) struct Context<'m> {
    pub(super) message: &'m Message<'m>,
    /// What the stars of the rule's conditions captured.
    pub(super) captures: Vec<&'m str>,
    /// Seconds ahead of GMT.
    pub(super) utc_offset: i64,
}

impl Template {
    /// Parses a template of a rule whose conditions have this number of stars. Each problem is passed to `report`
    /// with its placeholder as written.
    pub(super) fn parse(text: &str, stars: usize, report: &mut dyn FnMut(&str, Problem)) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('{') {
                plain.push('{');
                rest = after;
                continue;
            }
            let ends_name = |one: char| matches!(one, '{' | '}') || one.is_control();
            let (name, after) = after.split_at(after.find(ends_name).unwrap_or(after.len()));
            rest = after.strip_prefix('}').unwrap_or(after);
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            if after.starts_with('}') {
                match Part::parse(name, stars) {
                    Ok(part) => parts.push(part),
                    Err(problem) => report(&format!("{{{name}}}"), problem),
                }
            } else {
                let problem = Problem::UnclosedPlaceholder { name: name.into() };
                report(&format!("{{{name}"), problem);
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self { parts }
    }

    /// A template without placeholders; braces are braces.
    pub(super) fn literal(text: String) -> Self {
        Self { parts: vec![Part::Text(text)] }
    }

    /// The text, if there is no placeholder.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Fills in the placeholders. A field that the message does not have leaves nothing. A template of one field is
    /// not copied.
    pub(super) fn fill<'m>(&self, context: &Context<'m>) -> Cow<'m, str> {
        let field = |name: &str| context.message.field(name).unwrap_or("");
        if let [Part::Field(name)] = self.parts.as_slice() {
            return Cow::Borrowed(field(name));
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field(name) => text.push_str(field(name)),
                Part::Capture(index) => text.push_str(context.captures[*index]),
                Part::Date => push_date(&mut text, context.local_seconds()),
                Part::Time => push_time(&mut text, context.local_seconds()),
            }
        }
        Cow::Owned(text)
    }
}

impl Part {
    /// The part of a placeholder `{name}`.
    fn parse(name: &str, stars: usize) -> Result<Self, Problem> {
        let placeholder = format!("{{{name}}}");
        let number = match (name, digits::parse_decimal(name)) {
            ("date", _) => return Ok(Self::Date),
            ("time", _) => return Ok(Self::Time),
            (_, Err(NumberError::NotDigits)) => {
                let mut names = fields::all();
                names.extend(["date", "time"]);
                let hint = Hint::new(name, &names);
                let field = fields::find(name).map(Self::Field);
                return field.ok_or(Problem::UnknownPlaceholder { placeholder, hint });
            }
            (_, Err(NumberError::TooLarge)) => None,
            (_, Ok(number)) => usize::try_from(number).ok(),
        };
        number
            .filter(|number| (1..=stars).contains(number))
            .map(|number| Self::Capture(number - 1))
            .ok_or(Problem::NoSuchStar { placeholder, stars })
    }
}

impl Context<'_> {
    fn local_seconds(&self) -> u64 {
        let gmt = self.message.received();
        gmt.saturating_add_signed(self.utc_offset)
    }
}

/// `2021-07-17`
fn push_date(text: &mut String, seconds: u64) {
    let (year, month, day) = calendar::civil(seconds / 86_400);
    // Writing to a string cannot fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02}");
}

/// `17:14:08`
fn push_time(text: &mut String, seconds: u64) {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let _ = write!(text, "{hour:02}:{minute:02}:{second:02}");
}
