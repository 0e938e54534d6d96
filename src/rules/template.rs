//! Templates: the texts of replies, with places for what a message says.
//!
//! ```text
//! template = *( "{{" / "{" name "}" / character )
//! ```
//! A name is a field of the message, the number of a `*` counted from 1, `date` or `time`.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::fields;
use crate::text::calendar;
use crate::text::digits::{self, NumberError};
use crate::wechat::Message;

/// A template, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(&'static str),
    Capture(usize),
    Date,
    Time,
}

/// What is wrong with a template, and the part of it that is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TemplateError {
    pub(super) found: String,
    pub(super) message: String,
}

/// What a template is filled in from.
pub(super) struct Context<'m> {
    pub(super) message: &'m Message<'m>,
    /// What the stars of the rule's conditions took.
    pub(super) captures: Vec<&'m str>,
    /// Seconds to add to the time in GMT.
    pub(super) utc_offset: i64,
}

impl Template {
    /// Reads a template of a rule whose conditions have so many stars.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub(super) fn parse(text: &str, stars: usize) -> Result<Self, Vec<TemplateError>> {
        let mut parts = Vec::new();
        let mut errors = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            plain.push_str(before);
            if let Some(behind) = behind.strip_prefix('{') {
                plain.push('{');
                rest = behind;
                continue;
            }
            let ends = |character: char| matches!(character, '{' | '}') || character.is_control();
            let name = behind.split(ends).next().unwrap_or("");
            let Some(behind) = behind
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('}'))
            else {
                let message = format!("{{{name} has no }} behind it; write {{{{ for a brace");
                errors.push(TemplateError {
                    found: format!("{{{name}"),
                    message,
                });
                rest = behind;
                continue;
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            match Part::parse(name, stars) {
                Ok(part) => parts.push(part),
                Err(message) => errors.push(TemplateError {
                    found: format!("{{{name}}}"),
                    message,
                }),
            }
            rest = behind;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        if errors.is_empty() {
            Ok(Self { parts })
        } else {
            Err(errors)
        }
    }

    /// A text without places, whatever is in it.
    pub(super) fn literal(text: String) -> Self {
        Self {
            parts: vec![Part::Text(text)],
        }
    }

    /// The text that this always is, if it is always the same.
    pub(super) fn fixed(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Fills in the places. A field that the message does not have leaves nothing; one that is all
    /// there is to the template is not copied.
    pub(super) fn fill<'m>(&self, context: &Context<'m>) -> Cow<'m, str> {
        if let [Part::Field(name)] = self.parts.as_slice() {
            return Cow::Borrowed(context.message.field(name).unwrap_or(""));
        }
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field(name) => text.push_str(context.message.field(name).unwrap_or("")),
                Part::Capture(number) => {
                    text.push_str(context.captures.get(*number).unwrap_or(&""))
                }
                Part::Date => push_date(&mut text, context.local_seconds()),
                Part::Time => push_time(&mut text, context.local_seconds()),
            }
        }
        Cow::Owned(text)
    }
}

impl Part {
    fn parse(name: &str, stars: usize) -> Result<Self, String> {
        let number = digits::parse_decimal(name);
        if number != Err(NumberError::NotDigits) {
            let number = number
                .ok()
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=stars).contains(number));
            return match (number.and_then(|number| number.checked_sub(1)), stars) {
                (Some(place), _) => Ok(Self::Capture(place)),
                (None, 0) => Err(format!("{{{name}}}, but no condition of this rule has a *")),
                (None, _) => Err(format!(
                    "{{{name}}}, but the conditions of this rule have {stars} of *"
                )),
            };
        }
        match name {
            "date" => Ok(Self::Date),
            "time" => Ok(Self::Time),
            _ => match fields::field(name) {
                Some(known) => Ok(Self::Field(known)),
                None => Err(fields::unknown(
                    "field",
                    &format!("{{{name}}}"),
                    name,
                    &[fields::FIELDS, fields::IN_TEMPLATES],
                )),
            },
        }
    }
}

impl Context<'_> {
    fn local_seconds(&self) -> u64 {
        self.message
            .received()
            .saturating_add_signed(self.utc_offset)
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
