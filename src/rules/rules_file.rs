//! A parsed rules file, as the checks of `warnings.rs` see it.

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
}
