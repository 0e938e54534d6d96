//! `<run>` as a rules file says it, and filled in for a message.

use std::sync::Arc;

use super::pattern::{Pattern, Value};
use super::template::{Context, Template};
use crate::wechat::TEXT_MAX;

/// A `<run>`, as a file says it.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// The element as it stands in the file, by which its starts are counted.
    pub(super) command: String,
    /// The program and its arguments. What a place is filled in with is never split.
    pub(super) words: Vec<Template>,
    /// Seconds until it is ended.
    pub(super) timeout: u64,
    pub(super) limit: Option<Limit>,
    /// What the user is told where it fails.
    pub(super) failed: Template,
    /// What the user is told beyond the limit.
    pub(super) limited: Template,
    /// What the user is told where it takes longer than WeChat waits.
    pub(super) late: Template,
    pub(super) pickup: Option<Arc<Pattern>>,
}

/// How often a user may start a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) count: usize,
    /// Within so many seconds.
    pub(crate) seconds: u64,
}

/// A `<run>`, filled in for a message.
#[derive(Debug)]
pub struct ProgramCall {
    pub(crate) words: Vec<String>,
    pub(crate) timeout: u64,
    pub(crate) limit: Option<(Limit, String)>,
    pub(crate) failed: String,
    pub(crate) limited: String,
    pub(crate) late: LateReply,
}

impl Program {
    pub(super) fn fill(&self, context: &Context<'_>) -> ProgramCall {
        let fill = |template: &Template| template.fill(context).into_owned();
        // More is not sent anyway; one character more shows where it was cut.
        let say = |template: &Template| {
            let mut text = fill(template);
            text.truncate(text.floor_char_boundary(TEXT_MAX.saturating_add(4)));
            text.shrink_to_fit();
            text
        };
        ProgramCall {
            words: self.words.iter().map(fill).collect(),
            timeout: self.timeout,
            limit: self.limit.map(|limit| (limit, self.command.clone())),
            failed: say(&self.failed),
            limited: say(&self.limited),
            late: LateReply {
                text: say(&self.late),
                pickup: self.pickup.clone(),
            },
        }
    }
}

/// What to do with an answer that takes longer than WeChat waits.
#[derive(Clone, Debug, Default)]
pub struct LateReply {
    /// What the last try is told instead; empty for nothing.
    pub text: String,
    /// What the user says to get the answer; anything where there is nothing here.
    pub(super) pickup: Option<Arc<Pattern>>,
}

impl LateReply {
    /// Whether a word asks for the answer.
    pub(crate) const fn has_pickup(&self) -> bool {
        self.pickup.is_some()
    }

    /// Whether what a user wrote asks for the answer; anything does where there is no pattern.
    pub(crate) fn is_asked_for_by(&self, text: &str) -> Option<bool> {
        let pickup = self.pickup.as_ref()?;
        Some(pickup.captures(&Value::new(text)).is_some())
    }

    /// Says this instead, and takes anything for asking.
    pub const fn saying(text: String) -> Self {
        Self { text, pickup: None }
    }
}
