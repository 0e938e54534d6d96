//! Templates. A template is a text with placeholders for values of a message.
//!
//! ```text
//! template = *( "{{" / "{" name "}" / character )
//! ```
//! A name is the name of a field, the number of a star (counted from 1), `date` or `time`.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::fields;
use super::problem::{Finding, Problem, Warning};
use super::value::TEXT;
use crate::text::calendar;
use crate::text::digits::{self, NumberError};
use crate::wechat::Message;
use crate::xml::trim;

/// A parsed template.
#[derive(Debug, Default, Hash)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Hash)]
enum Part {
    Text(String),
    /// The name of a field or `Text`; owned if the field is unknown.
    Field(Cow<'static, str>),
    /// Index of a text in [`Context::captures`].
    Capture(usize),
    Date,
    Time,
}

/// The values for the placeholders of a template.
pub(super) struct Context<'m> {
    pub(super) message: &'m Message<'m>,
    /// Texts captured by the stars of the rule's conditions.
    pub(super) captures: Vec<&'m str>,
    /// Seconds since 1970 at the `utc-offset` of the rules.
    pub(super) local_seconds: u64,
}

impl Template {
    /// Parses a template. `stars` is the number of stars in the conditions of its rule. Each error and each warning is
    /// passed to `report`, after its placeholder as written in the file. Parsing stops if `report` returns false.
    pub(super) fn parse(
        text: &str,
        stars: usize,
        report: &mut dyn FnMut(&str, Finding) -> bool,
    ) -> Self {
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
            let ends_name = |next: char| matches!(next, '{' | '}') || next.is_control();
            let (name, after) = after.split_at(after.find(ends_name).unwrap_or(after.len()));
            rest = after.strip_prefix('}').unwrap_or(after);
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let goes_on = if after.starts_with('}') {
                let placeholder = format!("{{{name}}}");
                match Part::parse(name, stars) {
                    Ok(part) => {
                        let is_unknown = matches!(&part, Part::Field(Cow::Owned(_)));
                        parts.push(part);
                        !is_unknown || {
                            let warning =
                                Warning::UnknownPlaceholder { placeholder: placeholder.clone() };
                            report(&placeholder, Finding::Warning(warning))
                        }
                    }
                    Err(problem) => report(&placeholder, Finding::Error(problem)),
                }
            } else {
                let problem = Problem::UnclosedPlaceholder { name: name.into() };
                report(&format!("{{{name}"), Finding::Error(problem))
            };
            if !goes_on {
                break;
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self { parts }
    }

    /// Makes a template without placeholders, in which braces are literal.
    pub(super) fn literal(text: String) -> Self {
        Self { parts: vec![Part::Text(text)] }
    }

    /// The text of a template without placeholders; `None` for other templates.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn uses_captures(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Capture(_)))
    }

    /// Whether the template has a value that is not empty for every event.
    pub(super) fn has_value_for_events(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Text(text) => !trim(text).is_empty(),
            Part::Field(name) => {
                ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"].contains(&&**name)
            }
            Part::Capture(_) | Part::Date | Part::Time => true,
        })
    }

    /// Replaces each placeholder by its value, and cuts off the text after `max` bytes. The value of a field that the
    /// message does not have is empty. If the template is a single field, the value is not copied.
    pub(super) fn fill<'m>(&self, context: &Context<'m>, max: usize) -> Cow<'m, str> {
        let field = |name: &str| {
            let value = match name {
                TEXT => context.message.text(),
                name => context.message.field(name),
            };
            value.unwrap_or("")
        };
        if let [Part::Field(name)] = self.parts.as_slice() {
            let value = field(name);
            return Cow::Borrowed(&value[..value.floor_char_boundary(max)]);
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field(name) => text.push_str(field(name)),
                Part::Capture(index) => text.push_str(context.captures[*index]),
                Part::Date => push_date(&mut text, context.local_seconds),
                Part::Time => push_time(&mut text, context.local_seconds),
            }
            if text.len() > max {
                text.truncate(text.floor_char_boundary(max));
                text.shrink_to_fit();
                break;
            }
        }
        Cow::Owned(text)
    }
}

impl Part {
    /// Parses the name in a placeholder `{name}`.
    fn parse(name: &str, stars: usize) -> Result<Self, Problem> {
        let placeholder = format!("{{{name}}}");
        let number = match (name, digits::parse_decimal(name)) {
            ("date", _) => return Ok(Self::Date),
            ("time", _) => return Ok(Self::Time),
            (_, Err(NumberError::NotDigits)) => {
                return fields::parse(name, &["date", "time"])
                    .map(Self::Field)
                    .map_err(|hint| Problem::UnknownPlaceholder { placeholder, hint });
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

/// Appends a date such as `2021-07-17`.
fn push_date(text: &mut String, seconds: u64) {
    let (year, month, day) = calendar::civil(seconds / 86_400);
    // Writing to a string cannot fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02}");
}

/// Appends a time such as `17:14:08`.
fn push_time(text: &mut String, seconds: u64) {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let _ = write!(text, "{hour:02}:{minute:02}:{second:02}");
}
