//! The checks that look for probable mistakes in a rules file without errors. To add a check, add a function to
//! [`CHECKS`], a variant to [`Warning`] and its text to `wording.rs`.

use std::borrow::Cow;

use super::condition::Condition;
use super::problem::Warning;
use super::rule_set::Rule;
use crate::xml::Element;

/// A rules file without errors.
pub(super) struct RulesFile<'f> {
    /// The rules. The children of `root` are their `<on>` elements, in the same order.
    pub(super) rules: &'f [Rule],
    pub(super) root: Element<'f>,
}

/// Passes each warning to the function, after the byte offset that it is about.
pub(super) type Check = fn(&RulesFile<'_>, &mut dyn FnMut(usize, Warning));

/// All checks. `wechat check` calls them; the server does not.
pub(super) const CHECKS: &[Check] = &[unknown_fields];

/// Conditions for fields that WeChat has not documented.
fn unknown_fields(file: &RulesFile<'_>, warn: &mut dyn FnMut(usize, Warning)) {
    for (rule, on) in file.rules.iter().zip(file.root.children()) {
        for (name, _, offset) in on.attributes() {
            let is_unknown = |condition: &Condition| match &condition.field {
                Cow::Owned(field) => field == name,
                Cow::Borrowed(_) => false,
            };
            if rule.conditions.iter().any(is_unknown) {
                warn(offset, Warning::UnknownField { name: name.to_owned() });
            }
        }
    }
}
