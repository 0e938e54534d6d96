//! A condition of a rule, written as an attribute of `<on>`.

use std::borrow::Cow;

use super::fields::{self, Hint};
use super::pattern::{Pattern, Value};
use super::problem::Problem;

/// A field of the message and the pattern that its value must match.
#[derive(Debug)]
pub(super) struct Condition {
    /// The name of the field, which is owned if it is unknown.
    pub(super) field: Cow<'static, str>,
    pub(super) pattern: Pattern,
    /// The pattern as written in the file.
    pub(super) source: String,
    /// Index of the field in `Rules::fields`, and of its value in the values of a message.
    pub(super) slot: usize,
}

impl Condition {
    /// # Errors
    /// The name of the field or the pattern is invalid.
    pub(super) fn parse(name: &str, source: &str) -> Result<Self, Problem> {
        Ok(Self {
            field: parse_field(name)?,
            pattern: Pattern::parse(source)?,
            source: source.to_owned(),
            slot: 0,
        })
    }

    /// Texts captured by the stars; `None` if the condition does not hold. If the alternative that matches has fewer
    /// stars than another, empty texts are appended, so that the stars of the next condition keep their numbers.
    pub(super) fn captures<'v>(&self, values: &[Option<Value<'v>>]) -> Option<Vec<&'v str>> {
        let mut captures = match &values[self.slot] {
            Some(value) => self.pattern.captures(value)?,
            None if self.pattern.matches_absence() => Vec::new(),
            None => return None,
        };
        captures.resize(self.pattern.stars(), "");
        Some(captures)
    }

    /// Whether no event can meet this condition.
    pub(super) fn excludes_events(&self) -> bool {
        match &*self.field {
            "Content" | "MsgId" => !self.pattern.matches_absence(),
            "MsgType" => self
                .pattern
                .keywords()
                .is_some_and(|mut keywords| keywords.all(|keyword| keyword != "event")),
            _ => false,
        }
    }
}

fn parse_field(name: &str) -> Result<Cow<'static, str>, Problem> {
    let unknown = |hint| Problem::UnknownField { name: name.to_owned(), hint };
    fields::parse(name, &[]).map_err(unknown)
}

/// Checks that the last name of a path, such as `ScanCodeInfo/ScanResult`, is a documented field.
///
/// # Errors
/// [`Problem::UnknownField`]
pub(crate) fn check_field(path: &str) -> Result<(), Problem> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    match parse_field(name)? {
        Cow::Borrowed(_) => Ok(()),
        Cow::Owned(name) => Err(Problem::UnknownField { name, hint: Hint::Nothing }),
    }
}
