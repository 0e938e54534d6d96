//! A message of the last time: who works on it, who waits, what came of it, and who is owed that.

use std::sync::{Arc, Condvar};

use crate::rules::LateReply;
use crate::wechat::Reply;

/// For how many seconds an answer that came too late is kept for its user.
const LATE_REPLY_TTL: u64 = 600;

/// A keyed hash of what a message is known by, or its user.
pub(super) type Key = u64;

/// A message that is being worked on, or was.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) tries: u32,
    /// When the first of them came.
    pub(super) since: u64,
    /// How many of them wait.
    pub(super) waiting: u32,
    /// Told when one of the following is.
    pub(super) changed: Arc<Condvar>,
    pub(super) late: LateReply,
    pub(super) user: Key,
    /// Where it stands among those who are done or those who owe; 0 is nowhere.
    pub(super) place: u64,
    /// What the message is known by when its answer comes late.
    pub(super) question: String,
    pub(super) is_done: bool,
    /// What every try is told from now on.
    pub(super) answer: Option<Arc<Reply<'static>>>,
    /// What the user is owed whom no try has told it.
    pub(super) owed: Option<PendingReply>,
    pub(super) bytes: usize,
}

/// An answer that nobody has taken.
#[derive(Debug)]
pub(super) struct PendingReply {
    /// The answer, once it is there, and since when.
    pub(super) answer: Option<(Arc<Reply<'static>>, u64)>,
    /// Whether the user was told to wait for it. Else a try can still settle it.
    pub(super) is_promised: bool,
}

impl InFlight {
    /// Whether the answer that its user is owed has waited for too long.
    pub(super) fn is_stale(&self, now: u64) -> bool {
        let answer = self.owed.as_ref().and_then(|owed| owed.answer.as_ref());
        answer.is_some_and(|(_, since)| now.saturating_sub(*since) > LATE_REPLY_TTL)
    }
}
