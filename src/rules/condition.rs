//! A condition of a rule, written as an attribute of `<on>`.

use std::borrow::Cow;

use super::fields::{self, Hint};
use super::pattern::{Captures, Pattern};
use super::problem::Problem;
use super::value::{Origin, TEXT};
use super::values::Values;

/// A field of the message and the pattern that its value must match.
#[derive(Debug)]
pub(super) struct Condition {
    /// The name of the field, which is owned if it is unknown.
    pub(super) field: Cow<'static, str>,
    pub(super) pattern: Pattern,
    /// The pattern as written in the file.
    pub(super) source: String,
    /// Index of the field in `Fields::names`.
    pub(super) slot: usize,
}

impl Condition {
    /// # Errors
    /// The name of the field or the pattern is invalid.
    pub(super) fn parse(name: &str, source: &str) -> Result<Self, Problem> {
        let unknown = |hint| Problem::UnknownField { name: name.to_owned(), hint };
        let field = fields::parse(name, &["time", "weekday"]).map_err(unknown)?;
        let pattern = Pattern::parse(source, Origin::case_of(&field))?;
        Ok(Self { field, pattern, source: source.to_owned(), slot: 0 })
    }

    /// Whether the condition holds: whether any field of this name matches. Adds the texts captured by the stars. If the
    /// alternative that matches has fewer stars than another, empty texts are appended, so that the stars of the next
    /// condition keep their numbers.
    pub(super) fn holds<'v>(&self, values: &Values<'v>, captures: &mut Captures<'v>) -> bool {
        let count_before = captures.texts.len();
        let holds = match values.first(self.slot) {
            None => self.pattern.matches_absence(),
            Some(_) => values.of(self.slot).any(|value| self.pattern.matches(value, captures)),
        };
        captures.fill_up(count_before + self.pattern.stars());
        holds
    }

    /// Whether no event can meet this condition.
    pub(super) fn excludes_events(&self) -> bool {
        match &*self.field {
            "Content" | "MsgId" | "Recognition" | TEXT => !self.pattern.matches_absence(),
            "MsgType" => self
                .pattern
                .keywords()
                .is_some_and(|mut keywords| keywords.all(|keyword| keyword != "event")),
            _ => false,
        }
    }
}

/// Checks that the last name of a path, such as `ScanCodeInfo/ScanResult`, is the name of a documented element.
///
/// # Errors
/// [`Problem::UnknownField`]
pub(crate) fn check_field(path: &str) -> Result<(), Problem> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let hint = match fields::parse(name, &[]) {
        Ok(Cow::Borrowed(field)) if field != TEXT => return Ok(()),
        Ok(_) => Hint::Nothing,
        Err(hint) => hint,
    };
    Err(Problem::UnknownField { name: name.to_owned(), hint })
}
