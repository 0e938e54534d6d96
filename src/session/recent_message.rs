//! A recent message: its tries, its reply, and whether the reply was delivered.

use std::sync::{Arc, Condvar};

use crate::rules::LateReply;
use crate::wechat::Reply;

/// Seconds for which an undelivered or late reply is kept for its user.
const LATE_REPLY_TTL: u64 = 600;

/// Seconds after the last try for which the tries of a message are remembered. WeChat's tries are five seconds apart. A
/// message sent by hand, such as a saved `curl` line, has the same MsgId each time.
const TRIES_TTL: u64 = 60;

/// Bytes of memory that a message uses besides its texts and its reply (an estimate).
const OVERHEAD: usize = 640;

/// A keyed hash of a message's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MessageKey(pub(super) u64);

/// A keyed hash of a user's openid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct UserKey(pub(super) u64);

/// A reply shared by all tries of a message.
pub(super) type SharedReply = Arc<Reply<'static>>;

/// A message for which a run has begun.
#[derive(Debug)]
pub(super) struct RecentMessage {
    pub(super) user: UserKey,
    /// When the first try was received. All times are seconds of [`WaitingClient::uptime`](super::WaitingClient).
    pub(super) first_try_at: u64,
    /// When the last try so far was received.
    pub(super) last_try_at: u64,
    /// Number of tries received so far.
    pub(super) tries: u32,
    /// Number of threads that wait for the end of the run at this moment. They handle other tries, or later
    /// messages that ask for the late reply.
    pub(super) waiting: u32,
    /// An earlier message whose late reply is sent before the reply of this message. It is claimed until then.
    pub(super) preceding: Option<MessageKey>,
    /// Whether a later message will send the late reply of this message.
    pub(super) is_claimed: bool,
    /// Whether the user did not see `late.text`, and so does not know the `pickup` words.
    pub(super) is_late_unseen: bool,
    /// Notified when `state` changes.
    pub(super) changed: Arc<Condvar>,
    /// The attributes `late` and `pickup` of the rule.
    pub(super) late: LateReply,
    /// The beginning of the message's text. It is quoted before a late reply.
    pub(super) question: String,
    /// Bytes of memory that the message uses.
    pub(super) bytes: usize,
    pub(super) state: State,
}

/// The progress of a message. In each state, every later try gets `reply`.
#[derive(Debug)]
pub(super) enum State {
    /// The run has not ended. Tries wait for its end.
    Running,
    /// The run has not ended. The last try got `late.text` as its reply.
    Deferred { reply: SharedReply },
    /// The run has ended, and its reply was delivered.
    Delivered { reply: SharedReply },
    /// The run has ended, but the client of no try was connected then. `since` is the time of the end.
    Undelivered { reply: SharedReply, since: u64 },
    /// The run has ended after the last try was deferred. `result`, the reply of the run, is kept for the user.
    Late { reply: SharedReply, result: SharedReply, since: u64 },
}

impl RecentMessage {
    /// A message whose first try was received at the time `received`, and whose run begins now.
    pub(super) fn new(user: UserKey, question: String, late: LateReply, received: u64) -> Self {
        Self {
            user,
            first_try_at: received,
            last_try_at: received,
            tries: 1,
            waiting: 0,
            preceding: None,
            is_claimed: false,
            is_late_unseen: false,
            changed: Arc::default(),
            bytes: OVERHEAD + question.len() + late.text.len(),
            late,
            question,
            state: State::Running,
        }
    }

    /// Whether the run has ended, no thread waits, and no other message has claimed the late reply.
    pub(super) const fn is_idle(&self) -> bool {
        self.is_finished() && self.waiting == 0 && !self.is_claimed
    }

    /// Whether the run has ended.
    pub(super) const fn is_finished(&self) -> bool {
        !matches!(self.state, State::Running | State::Deferred { .. })
    }

    /// The reply that every later try gets; `None` if it is not known yet.
    pub(super) const fn reply(&self) -> Option<&SharedReply> {
        match &self.state {
            State::Running => None,
            State::Deferred { reply }
            | State::Delivered { reply }
            | State::Undelivered { reply, .. }
            | State::Late { reply, .. } => Some(reply),
        }
    }

    /// Whether the next message of the user, whatever its text is, may get the late reply.
    pub(super) fn is_for_any_message(&self, now: u64) -> bool {
        let is_for_any = !self.late.has_pickup() || self.is_late_unseen;
        self.is_idle() && self.preceding.is_none() && is_for_any && !self.is_expired(now)
    }

    /// Whether the tries of the message are forgotten, because the last one was too long ago.
    pub(super) const fn are_tries_expired(&self, now: u64) -> bool {
        self.is_idle() && now.saturating_sub(self.last_try_at) > TRIES_TTL
    }

    /// Whether the message has an undelivered or late reply older than [`LATE_REPLY_TTL`].
    pub(super) const fn is_expired(&self, now: u64) -> bool {
        match self.state {
            State::Running | State::Deferred { .. } | State::Delivered { .. } => false,
            State::Undelivered { since, .. } | State::Late { since, .. } => {
                now.saturating_sub(since) > LATE_REPLY_TTL
            }
        }
    }
}
