//! A parsed rules file, as the checks of `warnings.rs` see it.

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

/// Takes each warning, after the byte offset that it is about.
pub(super) type Report<'r> = dyn FnMut(usize, Warning) + 'r;

/// A check: passes each warning to the function.
pub(super) type Check = fn(&RulesFile<'_>, &mut Report<'_>);

impl<'f> RulesFile<'f> {
    /// Each rule and its element.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&'f Rule, Element<'f>)> {
        self.rules.iter().zip(self.root.children())
    }

    /// Each condition, and the offset of its attribute.
    pub(super) fn conditions(&self) -> impl Iterator<Item = (&'f Condition, usize)> {
        self.rules().flat_map(|(rule, on)| {
            let attributes =
                on.attributes().filter(|(name, ..)| !matches!(*name, "time" | "weekday"));
            rule.conditions.iter().zip(attributes.map(|(_, _, offset)| offset))
        })
    }
}
