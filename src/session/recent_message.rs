//! The state of a recent message: its tries, its answer, and whether that answer is still undelivered.

use std::sync::{Arc, Condvar};

use crate::rules::LateReply;
use crate::wechat::Reply;

/// Seconds for which an undelivered answer is kept for its user.
const LATE_REPLY_TTL: u64 = 600;

/// Bytes that a message costs besides its texts, about.
const OVERHEAD: usize = 256;

/// A keyed hash of a message's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MessageKey(pub(super) u64);

/// A keyed hash of a user's openid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct UserKey(pub(super) u64);

/// A reply that all tries of a message share.
pub(super) type SharedReply = Arc<Reply<'static>>;

/// A message for which a run was started.
#[derive(Debug)]
pub(super) struct RecentMessage {
    pub(super) user: UserKey,
    /// When the first try was received, in seconds since 1970.
    pub(super) first_try_at: u64,
    /// Tries received so far.
    pub(super) tries: u32,
    /// Tries and pickups that wait for the run at this moment.
    pub(super) waiting: u32,
    /// Notified when `state` changes.
    pub(super) changed: Arc<Condvar>,
    pub(super) late: LateReply,
    /// The beginning of the message's text, quoted before its late answer.
    pub(super) question: String,
    /// What the message costs in memory.
    pub(super) bytes: usize,
    pub(super) state: State,
}

/// How far a message has come. Each `answer` goes to every further try.
#[derive(Debug)]
pub(super) enum State {
    /// The run is under way; tries wait for it.
    Running,
    /// The run is under way; the last try was told to come back for the result.
    Deferred { answer: SharedReply },
    /// The run has ended, and nothing is undelivered.
    Delivered { answer: SharedReply },
    /// The run has ended, but no try was connected to take the answer.
    Undelivered { answer: SharedReply, since: u64 },
    /// The run has ended after the last try was deferred: `result` is kept for the user.
    Late { answer: SharedReply, result: SharedReply, since: u64 },
}

impl RecentMessage {
    /// A message whose first try was received at this time, and whose run begins.
    pub(super) fn new(user: UserKey, question: String, late: LateReply, received: u64) -> Self {
        Self {
            user,
            first_try_at: received,
            tries: 1,
            waiting: 0,
            changed: Arc::default(),
            bytes: OVERHEAD + question.len() + late.text.len(),
            late,
            question,
            state: State::Running,
        }
    }

    /// Whether the run has ended.
    pub(super) const fn is_finished(&self) -> bool {
        !matches!(self.state, State::Running | State::Deferred { .. })
    }

    /// What every further try is told, once that is known.
    pub(super) const fn answer(&self) -> Option<&SharedReply> {
        match &self.state {
            State::Running => None,
            State::Deferred { answer }
            | State::Delivered { answer }
            | State::Undelivered { answer, .. }
            | State::Late { answer, .. } => Some(answer),
        }
    }

    /// Whether an undelivered answer is older than it is kept.
    pub(super) const fn is_expired(&self, now: u64) -> bool {
        match self.state {
            State::Running | State::Deferred { .. } | State::Delivered { .. } => false,
            State::Undelivered { since, .. } | State::Late { since, .. } => {
                now.saturating_sub(since) > LATE_REPLY_TTL
            }
        }
    }
}
