//! `<run>` in a rules file, and the call of a program that a message makes of it.

use std::sync::Arc;

use super::pattern::{Pattern, Value};
use super::template::{Context, Template};
use crate::wechat::TEXT_MAX;

/// A `<run>` of a rules file.
#[derive(Debug, Default)]
pub(super) struct RunTemplate {
    /// The source of the element. Starts are counted against `limit` for each source.
    pub(super) source: String,
    /// The program and its arguments. What fills in a placeholder is never split into words.
    pub(super) words: Vec<Template>,
    /// Seconds after which the program is killed.
    pub(super) timeout: u64,
    pub(super) limit: Option<Limit>,
    /// The reply if the program fails.
    pub(super) failed: Template,
    /// The reply if the limit is reached.
    pub(super) limited: Template,
    /// The reply to the last try if the program takes longer than WeChat waits.
    pub(super) late: Template,
    pub(super) pickup: Option<Arc<Pattern>>,
}

/// How often a user may start a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Starts.
    pub(crate) count: usize,
    /// The time in which they are counted.
    pub(crate) seconds: u64,
}

/// A call of a program for one message.
#[derive(Debug)]
pub struct ProgramCall {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    /// Seconds after which the program is killed.
    pub(crate) timeout: u64,
    /// The limit, and the source of the `<run>` that starts are counted for.
    pub(crate) limit: Option<(Limit, String)>,
    /// The reply if the program fails.
    pub(crate) failed: String,
    /// The reply if the limit is reached.
    pub(crate) limited: String,
    pub(crate) late: LateReply,
}

impl RunTemplate {
    pub(super) fn fill(&self, context: &Context<'_>) -> ProgramCall {
        let fill = |template: &Template| template.fill(context).into_owned();
        // More than TEXT_MAX is not sent. One character more lets the reply show where it was truncated.
        let reply = |template: &Template| {
            let mut text = fill(template);
            text.truncate(text.floor_char_boundary(TEXT_MAX + 4));
            text.shrink_to_fit();
            text
        };
        ProgramCall {
            words: self.words.iter().map(fill).collect(),
            timeout: self.timeout,
            limit: self.limit.map(|limit| (limit, self.source.clone())),
            failed: reply(&self.failed),
            limited: reply(&self.limited),
            late: LateReply { text: reply(&self.late), pickup: self.pickup.clone() },
        }
    }
}

/// What to do with a reply that takes longer than WeChat waits.
#[derive(Clone, Debug, Default)]
pub struct LateReply {
    /// The reply to the last try; empty for none.
    pub text: String,
    /// What a user writes to get the late reply; any text if `None`.
    pub(super) pickup: Option<Arc<Pattern>>,
}

impl LateReply {
    /// Replies with `text` to the last try. Any text picks the late reply up.
    pub const fn with_text(text: String) -> Self {
        Self { text, pickup: None }
    }

    /// Whether only some texts pick the late reply up.
    pub(crate) const fn has_pickup(&self) -> bool {
        self.pickup.is_some()
    }

    /// Whether this text matches `pickup`; `None` if there is no `pickup`.
    pub(crate) fn matches_pickup(&self, text: &str) -> Option<bool> {
        let pickup = self.pickup.as_ref()?;
        Some(pickup.captures(&Value::new(text)).is_some())
    }
}
