//! The `<run>` element of a rules file, and the program call that is made from it for a message.

use std::sync::Arc;

use super::pattern::{Captures, Pattern};
use super::template::{Context, Template};
use super::value::{Origin, Value};
use crate::wechat::TEXT_MAX;

/// Maximum bytes of a word; the rest is cut off. A cut word is still above Linux's limit of 128 KiB, so the program is not
/// started (execve(2)).
const WORD_MAX: usize = 1024 * 1024;

/// Once the words have more bytes than this in total, the words after them are left out. The total is still above Linux's
/// limit for arguments and environment, at most 6 MiB, so the program is not started (execve(2)).
const WORDS_MAX: usize = 6 * 1024 * 1024;

/// A `<run>` element, with placeholders.
#[derive(Debug, Default)]
pub(super) struct RunTemplate {
    pub(super) key: RunKey,
    /// The program and its arguments. The value of a placeholder is never split into several words.
    pub(super) words: Vec<Template>,
    /// Seconds after which the program is killed.
    pub(super) timeout: u64,
    pub(super) limit: Option<Limit>,
    /// The reply if the program fails.
    pub(super) failed: Template,
    /// The reply if the limit is reached.
    pub(super) limited: Template,
    /// The reply to the last try if the program is still running then.
    pub(super) late: Template,
    /// The texts that a user can write to get the late reply; the next message gets it if `None`.
    pub(super) pickup: Option<Arc<Pattern>>,
}

/// A limit of how many times each user may start a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Maximum number of starts in a period.
    pub(crate) count: u32,
    /// Length of the period.
    pub(crate) seconds: u32,
}

/// Identifies a `<run>` element in all versions of a rules file: a hash of its command as written, and of its number
/// among the elements with this command. Program starts are counted for each key, so a change of another text or of the
/// limit does not reset a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RunKey(pub(super) u64);

/// A call of a program for one message.
#[derive(Debug)]
pub struct ProgramCall {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    /// Seconds after which the program is killed.
    pub(crate) timeout: u64,
    /// The limit, and the `<run>` element for which starts are counted.
    pub(crate) limit: Option<(Limit, RunKey)>,
    /// The reply if the program fails.
    pub(crate) failed: String,
    /// The reply if the limit is reached.
    pub(crate) limited: String,
    pub(crate) late: LateReply,
}

impl RunTemplate {
    pub(super) fn fill(&self, context: &Context<'_>) -> ProgramCall {
        // One character more than is sent, so that the reply is marked as truncated.
        let reply = |template: &Template| template.fill(context, TEXT_MAX + 4).into_owned();
        let mut bytes = 0;
        let words = self.words.iter().map_while(|word| {
            let is_too_long = bytes > WORDS_MAX;
            let word = (!is_too_long).then(|| word.fill(context, WORD_MAX).into_owned())?;
            bytes += word.len();
            Some(word)
        });
        ProgramCall {
            words: words.collect(),
            timeout: self.timeout,
            limit: self.limit.map(|limit| (limit, self.key)),
            failed: reply(&self.failed),
            limited: reply(&self.limited),
            late: LateReply { text: reply(&self.late), pickup: self.pickup.clone() },
        }
    }
}

/// Texts for a reply that becomes ready after WeChat has stopped waiting.
#[derive(Clone, Debug, Default)]
pub struct LateReply {
    /// The reply to the last try; empty for no reply.
    pub text: String,
    /// The texts that a user can write to get the late reply; the next message gets it if `None`.
    pub(super) pickup: Option<Arc<Pattern>>,
}

impl LateReply {
    /// Replies with `text` to the last try. Later, the next message of the user gets the late reply.
    pub const fn with_text(text: String) -> Self {
        Self { text, pickup: None }
    }

    /// Whether the user must write a certain text to get the late reply.
    pub(crate) const fn has_pickup(&self) -> bool {
        self.pickup.is_some()
    }

    /// Whether this text matches `pickup`; `None` if there is no `pickup`.
    pub(crate) fn matches_pickup(&self, text: &str) -> Option<bool> {
        let pickup = self.pickup.as_ref()?;
        Some(pickup.matches(&Value::new(text, Origin::Typed), &mut Captures::new(false)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::rules::folding::Case;

    #[test]
    fn pickup_is_folded_like_a_pattern() {
        let pickup = Some(Arc::new(Pattern::parse("1|Ａnswer*", Case::Ignored).unwrap()));
        let late = LateReply { text: String::new(), pickup };
        for text in ["1", "１", " 1。", "\u{FEFF}１！\u{200B}", "answer", "ＡＮＳＷＥＲ please"]
        {
            assert_eq!(late.matches_pickup(text), Some(true), "{text:?}");
        }
        for text in ["", "11", "。", "an swer"] {
            assert_eq!(late.matches_pickup(text), Some(false), "{text:?}");
        }
        assert_eq!(LateReply::with_text(String::new()).matches_pickup("1"), None);
    }
}
