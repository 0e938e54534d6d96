//! How replies are delivered: the reply of a message, or a late reply of an earlier message and then that reply.

use std::mem;
use std::sync::Arc;

use super::recent_message::{MessageKey, SharedReply, State, UserKey};
use super::retry_store::{RetryStore, is_blank};
use crate::wechat::{ARTICLES_MAX_TO_MESSAGE, Reply, TEXT_MAX};

impl RetryStore {
    /// The reply for another try of this message, whose client is connected; `None` if the reply is not known yet. An
    /// undelivered reply becomes a delivered reply.
    pub(super) fn deliver(&mut self, key: MessageKey) -> Option<SharedReply> {
        let message = self.messages.get_mut(&key)?;
        let reply = Arc::clone(message.reply()?);
        let State::Undelivered { since, .. } = message.state else {
            return Some(reply);
        };
        let Some(first) = self.pick_up_preceding(key) else {
            self.mark_delivered(key, Arc::clone(&reply));
            return Some(reply);
        };
        let joined = join(&first, &reply);
        let is_joined = joined.is_some();
        let sent = Arc::new(joined.unwrap_or(first));
        if let Some(message) = self.messages.get_mut(&key) {
            let bytes = sent.bytes();
            message.bytes += bytes;
            self.bytes += bytes;
            self.pending.bytes += bytes;
            message.is_late_unseen = true;
            message.state = State::Late { reply: Arc::clone(&sent), result: reply, since };
        }
        if is_joined {
            self.mark_delivered(key, Arc::clone(&sent));
        }
        Some(sent)
    }

    /// Ends the wait of the last try, whose client is connected. Returns the reply that this try and all later tries get: the
    /// late reply of an earlier message, or `late.text` of the rule. The reply of the run will be kept for the user. `None`
    /// if the message already has a reply.
    pub(super) fn defer(&mut self, key: MessageKey) -> Option<SharedReply> {
        let message = self.messages.get_mut(&key)?;
        let State::Running = message.state else {
            return None;
        };
        let first = self.pick_up_preceding(key);
        let message = self.messages.get_mut(&key)?;
        let reply = match first {
            None => Reply::text(mem::take(&mut message.late.text)),
            Some(first) => {
                message.is_late_unseen = true;
                message.bytes += first.bytes();
                first
            }
        };
        let reply = Arc::new(reply);
        message.state = State::Deferred { reply: Arc::clone(&reply) };
        message.changed.notify_all();
        self.pending.push(key, message.user);
        Some(reply)
    }

    /// Finds the oldest late reply that the next message of the user may get, whatever its text is.
    pub(super) fn find_for_any_message(&self, user: UserKey, now: u64) -> Option<MessageKey> {
        let mut keys = self.pending.by_user.get(&user)?.iter().copied();
        keys.find(|key| self.get(*key).is_some_and(|message| message.is_for_any_message(now)))
    }

    /// Like `find_for_any_message`. No other message gets the late reply until it is released.
    pub(super) fn claim(&mut self, user: UserKey, now: u64) -> Option<MessageKey> {
        let key = self.find_for_any_message(user, now)?;
        self.get_mut(key)?.is_claimed = true;
        Some(key)
    }

    /// Records that one thread fewer waits for the end of the run. If the run has ended and no thread waits any more, another
    /// message may get the late reply that this message has claimed.
    pub(super) fn end_wait(&mut self, key: MessageKey) {
        let Some(message) = self.messages.get_mut(&key) else {
            return;
        };
        message.waiting -= 1;
        if message.is_finished() {
            self.release_claim(key);
            if let Some(State::Undelivered { reply, .. }) =
                self.get(key).map(|message| &message.state)
                && is_blank(reply)
            {
                self.mark_delivered(key, Arc::clone(reply));
            }
        }
    }

    /// Lets another message get the late reply that this message has claimed, unless a thread waits for the end of the run.
    pub(super) fn release_claim(&mut self, key: MessageKey) {
        if let Some(message) = self.messages.get_mut(&key)
            && message.waiting == 0
            && let Some(preceding) = message.preceding.take()
            && let Some(preceding) = self.messages.get_mut(&preceding)
        {
            preceding.is_claimed = false;
        }
    }

    /// The late reply that this message has claimed, for this message.
    fn pick_up_preceding(&mut self, key: MessageKey) -> Option<Reply<'static>> {
        let preceding = self.messages.get_mut(&key)?.preceding.take()?;
        let mut reply = self.pick_up(preceding)?;
        if let Reply::News(articles) = &mut reply {
            articles.truncate(ARTICLES_MAX_TO_MESSAGE);
        }
        Some(reply)
    }
}

/// Two replies in one text; `None` if one of them is no text, or if they are too long together.
fn join(first: &Reply<'static>, second: &Reply<'_>) -> Option<Reply<'static>> {
    match (first, second) {
        (first, second) if is_blank(second) => Some(first.clone()),
        (Reply::Text(first), Reply::Text(second)) => {
            let text = format!("{first}\n\n{second}");
            (text.len() <= TEXT_MAX).then_some(Reply::text(text))
        }
        _ => None,
    }
}
