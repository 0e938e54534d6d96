//! The checks that look for probable mistakes in a rules file without errors. To add a check, add a function to
//! [`CHECKS`], a variant to [`Warning`] and its text to `wording.rs`.

use std::borrow::Cow;

use super::problem::Warning;
use super::rules_file::{Check, Report, RulesFile};
use super::{order_checks, pattern_checks, reply_checks};

/// All checks. `wechat check` calls them; the server does not.
pub(super) const CHECKS: &[Check] = &[
    unknown_fields,
    order_checks::unreachable_rules,
    order_checks::answered_quiet_events,
    pattern_checks::misread_patterns,
    pattern_checks::unknown_events,
    reply_checks::placeholders,
    reply_checks::escaped_line_ends,
    reply_checks::late_without_pickup,
    reply_checks::programs,
];

/// Conditions for fields that WeChat has not documented.
fn unknown_fields(file: &RulesFile<'_>, report: &mut Report<'_>) {
    for (condition, offset) in file.conditions() {
        if let Cow::Owned(name) = &condition.field {
            report(offset, Warning::UnknownField { name: name.clone() });
        }
    }
}
