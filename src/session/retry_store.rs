//! Recent messages and their replies, limited in number and bytes. Above a limit, the oldest finished messages
//! are deleted, usually the messages whose reply was delivered first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::pending::{Pending, remove};
use super::recent_message::{MessageKey, RecentMessage, SharedReply, State, UserKey};
use crate::wechat::Reply;
use crate::xml::trim;

/// Maximum number of messages. They are stored in case WeChat sends them again.
const MESSAGES_MAX: usize = 4096;

/// Maximum bytes used by all finished messages.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// All recent messages.
#[derive(Debug, Default)]
pub(super) struct RetryStore {
    pub(super) messages: HashMap<MessageKey, RecentMessage>,
    /// Finished messages whose reply was delivered, oldest first.
    delivered: VecDeque<MessageKey>,
    pub(super) pending: Pending,
    /// Bytes used by all finished messages.
    pub(super) bytes: usize,
    /// The number of messages whose key was replaced.
    replaced_keys: u64,
}

impl RetryStore {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn get(&self, key: MessageKey) -> Option<&RecentMessage> {
        self.messages.get(&key)
    }

    /// The message, for changes of its counters. Only the methods below may change its state.
    pub(super) fn get_mut(&mut self, key: MessageKey) -> Option<&mut RecentMessage> {
        self.messages.get_mut(&key)
    }

    /// Adds a message if the store does not have it yet. Returns whether the message was added.
    pub(super) fn insert(&mut self, key: MessageKey, message: RecentMessage) -> bool {
        let is_new = !self.messages.contains_key(&key);
        if is_new {
            self.messages.insert(key, message);
        }
        is_new
    }

    /// Forgets the tries of a message if the last one was too long ago. An undelivered or late reply is kept under a new
    /// key.
    pub(super) fn expire_tries(&mut self, key: MessageKey, now: u64) {
        let Some(message) = self.get(key).filter(|message| message.are_tries_expired(now)) else {
            return;
        };
        if let State::Delivered { .. } = message.state {
            self.delete(key, now);
            return;
        }
        let user = message.user;
        let new = loop {
            self.replaced_keys += 1;
            let new = MessageKey(self.replaced_keys);
            if !self.messages.contains_key(&new) {
                break new;
            }
        };
        self.pending.replace(key, new, user);
        let message = self.messages.remove(&key);
        self.messages.extend(message.map(|message| (new, message)));
    }

    /// Records the end of a run and its reply, `result`. `is_delivered` says whether the client of the first try is still
    /// connected. If it is not, `result` is undelivered until another try or the user gets it.
    pub(super) fn finish(
        &mut self,
        key: MessageKey,
        result: &SharedReply,
        is_delivered: bool,
        now: u64,
    ) {
        self.release_claim(key);
        let Some(message) = self.messages.get_mut(&key) else {
            return;
        };
        message.bytes += result.bytes();
        message.changed.notify_all();
        self.bytes += message.bytes;
        let result = Arc::clone(result);
        if let State::Deferred { reply } = &message.state {
            let reply = Arc::clone(reply);
            self.pending.bytes += message.bytes;
            // A blank late reply is kept only for a user who knows the `pickup` words, and so may ask for it.
            let may_be_asked_for = message.late.has_pickup() && !message.is_late_unseen;
            let is_needless = is_blank(&result) && !may_be_asked_for;
            message.state = State::Late { reply: Arc::clone(&reply), result, since: now };
            if is_needless {
                self.mark_delivered(key, reply);
            }
        } else if message.preceding.is_none() && (is_delivered || is_blank(&result)) {
            message.state = State::Delivered { reply: result };
            self.delivered.push_back(key);
        } else {
            message.state = State::Undelivered { reply: result, since: now };
            self.pending.bytes += message.bytes;
            self.pending.push(key, message.user);
        }
    }

    /// The pending message whose `pickup` words match the user's text. Finished messages come before running messages, and
    /// older messages before newer messages.
    pub(super) fn find_pending(&self, user: UserKey, text: &str, now: u64) -> Option<MessageKey> {
        let mut running = None;
        for key in self.pending.by_user.get(&user)? {
            let message = self.messages.get(key)?;
            let is_finished = message.is_finished();
            if message.late.matches_pickup(text) != Some(true) || message.is_expired(now) {
                continue;
            }
            if is_finished {
                return Some(*key);
            }
            running = running.or(Some(*key));
        }
        running
    }

    /// The late reply, for a user who asks for it. A text begins with a quotation of the question. If the run has
    /// not ended, the reply is `late.text` again. `None` if the late reply was already delivered.
    pub(super) fn pick_up(&mut self, key: MessageKey) -> Option<Reply<'static>> {
        let message = self.messages.get(&key)?;
        let (result, later_reply) = match &message.state {
            State::Running | State::Delivered { .. } => return None,
            State::Deferred { reply } => return Some((**reply).clone()),
            // A later try of the message must not show the user this reply again.
            State::Undelivered { reply, .. } => (reply, Arc::new(Reply::Success)),
            State::Late { reply, result, .. } => (result, Arc::clone(reply)),
        };
        let reply = if let Reply::Text(text) = &**result
            && !is_blank(result)
            && !message.question.is_empty()
        {
            Reply::text(format!("「{}」\n{text}", message.question))
        } else {
            (**result).clone()
        };
        self.mark_delivered(key, later_reply);
        Some(reply)
    }

    /// Records that the reply of a pending message was delivered. Every later try of it gets `later_reply`.
    pub(super) fn mark_delivered(&mut self, key: MessageKey, later_reply: SharedReply) {
        if let Some(message) = self.messages.get_mut(&key) {
            message.state = State::Delivered { reply: later_reply };
            message.is_claimed = false;
            self.pending.bytes -= message.bytes;
            self.pending.remove(key, message.user);
            self.delivered.push_back(key);
        }
    }

    /// Deletes the oldest delivered messages whose tries are forgotten.
    pub(super) fn delete_expired(&mut self, now: u64) {
        while let Some(key) = self.delivered.front().copied()
            && self.get(key).is_some_and(|message| message.are_tries_expired(now))
        {
            self.delete(key, now);
        }
    }

    /// Deletes the oldest finished messages until both limits hold. The message `except` and messages that a
    /// try waits for are not deleted. Pending messages are deleted first while they use more than half of a limit;
    /// otherwise, delivered messages are deleted first. Returns the number of unexpired late replies deleted.
    pub(super) fn delete_oldest(&mut self, except: MessageKey, now: u64) -> usize {
        let mut lost_replies = 0;
        while self.messages.len() > MESSAGES_MAX || self.bytes > BYTES_MAX {
            let pending = &self.pending;
            let is_pending_first =
                pending.queue.len() > MESSAGES_MAX / 2 || pending.bytes > BYTES_MAX / 2;
            let (first, second) = if is_pending_first {
                (&pending.queue, &self.delivered)
            } else {
                (&self.delivered, &pending.queue)
            };
            let oldest = self.oldest(first, except);
            let Some(key) = oldest.or_else(|| self.oldest(second, except)) else {
                break;
            };
            lost_replies += usize::from(self.delete(key, now));
        }
        lost_replies
    }

    /// The oldest message of a queue that may be deleted.
    fn oldest(&self, queue: &VecDeque<MessageKey>, except: MessageKey) -> Option<MessageKey> {
        let mut keys = queue.iter().copied();
        keys.find(|key| *key != except && self.get(*key).is_some_and(RecentMessage::is_idle))
    }

    /// Deletes a finished message. Returns whether it had an unexpired late reply.
    fn delete(&mut self, key: MessageKey, now: u64) -> bool {
        let Some(message) = self.messages.remove(&key) else {
            return false;
        };
        self.bytes -= message.bytes;
        if let State::Delivered { .. } = message.state {
            remove(&mut self.delivered, key);
            return false;
        }
        self.pending.bytes -= message.bytes;
        self.pending.remove(key, message.user);
        !message.is_expired(now)
    }
}

/// Whether a reply shows nothing to the user.
pub(super) fn is_blank(reply: &Reply<'_>) -> bool {
    if let Reply::Text(text) = reply { trim(text).is_empty() } else { *reply == Reply::Success }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::LateReply;

    const FULL: u64 = MESSAGES_MAX as u64;

    fn insert(store: &mut RetryStore, number: u64, late: LateReply) {
        let message = RecentMessage::new(UserKey(number), String::new(), late, 0);
        assert!(store.insert(MessageKey(number), message));
    }

    /// Inserts an undelivered message of the user with the same number.
    fn insert_undelivered(store: &mut RetryStore, number: u64) {
        insert(store, number, LateReply::default());
        let reply = Arc::new(Reply::text("好"));
        store.finish(MessageKey(number), &reply, false, 0);
    }

    /// Picks up the late reply.
    fn pick_up(store: &mut RetryStore, number: u64) {
        let reply = store.pick_up(MessageKey(number));
        assert_eq!(reply, Some(Reply::text("好")), "{number}");
    }

    /// The numbers below `count` whose messages are in the store.
    fn stored(store: &RetryStore, count: u64) -> Vec<u64> {
        let is_stored = |number: &u64| store.get(MessageKey(*number)).is_some();
        (0..count).filter(is_stored).collect()
    }

    /// Checks that the sums and the queues agree with the messages.
    fn assert_consistent(store: &RetryStore) {
        let sum = |keys: &mut dyn Iterator<Item = &MessageKey>| -> usize {
            let messages = keys.map(|key| &store.messages[key]);
            let finished = messages.filter(|message| message.is_finished());
            finished.map(|message| message.bytes).sum()
        };
        assert_eq!(store.bytes, sum(&mut store.messages.keys()));
        let pending = &store.pending;
        assert_eq!(pending.bytes, sum(&mut pending.queue.iter()));
        let keys_by_user: usize = pending.by_user.values().map(Vec::len).sum();
        assert_eq!(pending.queue.len(), keys_by_user);
        assert_eq!(pending.queue.len() + store.delivered.len(), store.messages.len());
    }

    #[test]
    fn late_replies_are_picked_up_once_and_in_any_order() {
        const COUNT: u64 = 1000;
        let mut store = RetryStore::default();
        (0..COUNT).for_each(|number| insert_undelivered(&mut store, number));
        for number in (0..COUNT).map(|number| number * 7 % COUNT) {
            let find = |store: &RetryStore| store.find_for_any_message(UserKey(number), 0);
            assert_eq!(find(&store), Some(MessageKey(number)));
            pick_up(&mut store, number);
            assert_eq!(find(&store), None);
        }
        assert_consistent(&store);
        assert!(store.pending.queue.is_empty());
        assert_eq!(store.delivered.len(), 1000);
    }

    #[test]
    fn sums_and_queues_agree_after_a_reply_with_a_late_reply_before_it() {
        let long = Reply::text("长".repeat(500));
        for (own, is_deferred) in [("好", false), (&*"好".repeat(500), false), ("好", true)] {
            let mut store = RetryStore::default();
            let user = UserKey(1);
            insert(&mut store, 1, LateReply::default());
            store.finish(MessageKey(1), &Arc::new(long.clone()), false, 0);
            insert(&mut store, 2, LateReply::with_text("等".to_owned()));
            let preceding = store.claim(user, 0);
            assert_eq!(preceding, Some(MessageKey(1)));
            assert_eq!(store.claim(user, 0), None, "it is claimed");
            let second = store.get_mut(MessageKey(2)).expect("stored");
            (second.user, second.preceding, second.waiting) = (user, preceding, 1);
            if is_deferred {
                assert_eq!(store.defer(MessageKey(2)).as_deref(), Some(&long));
            }
            store.finish(MessageKey(2), &Arc::new(Reply::text(own.to_owned())), false, 0);
            let sent = store.deliver(MessageKey(2));
            store.end_wait(MessageKey(2));
            let is_joined = sent.as_deref() != Some(&long);
            assert_eq!(is_joined, own.len() < 100 && !is_deferred);
            assert_consistent(&store);
            // Later, the two messages are sent anew.
            for number in [1, 2] {
                store.expire_tries(MessageKey(number), 60);
                assert!(store.get(MessageKey(number)).is_some());
                store.expire_tries(MessageKey(number), 61);
                // A message whose late reply waits has another key now, which is the free number 1.
                assert!(store.get(MessageKey(number)).is_none_or(|_| number == 1 && !is_joined));
            }
            let rest = store.find_for_any_message(user, 61);
            assert_eq!(rest.is_some(), !is_joined);
            assert_consistent(&store);
            if let Some(rest) = rest {
                assert_eq!(store.pick_up(rest), Some(Reply::text(own.to_owned())));
            }
            store.delete_expired(61);
            assert!(store.is_empty());
            assert_consistent(&store);
        }
    }

    #[test]
    fn running_awaited_and_excepted_messages_are_not_deleted() {
        let mut store = RetryStore::default();
        insert(&mut store, 0, LateReply::with_text("等".to_owned()));
        assert!(store.defer(MessageKey(0)).is_some());
        (1..FULL).for_each(|number| insert_undelivered(&mut store, number));
        insert_undelivered(&mut store, FULL);
        assert_eq!(store.delete_oldest(MessageKey(1), 0), 1);
        let why = "0 is running, 1 is excepted";
        assert_eq!(stored(&store, 4), [0, 1, 3], "{why}");
        insert_undelivered(&mut store, FULL + 1);
        assert_eq!(store.delete_oldest(MessageKey(FULL + 1), 0), 1);
        assert_eq!(stored(&store, 4), [0, 3], "1 was still the oldest");
        // A try waits for message 3, the oldest delivered message.
        (3..FULL).for_each(|number| pick_up(&mut store, number));
        store.get_mut(MessageKey(3)).expect("stored").waiting = 1;
        for number in FULL + 2..FULL + 4 {
            insert_undelivered(&mut store, number);
            assert_eq!(store.delete_oldest(MessageKey(number), 0), 0);
        }
        assert_eq!(stored(&store, 7), [0, 3, 6]);
        store.get_mut(MessageKey(3)).expect("stored").waiting = 0;
        insert_undelivered(&mut store, FULL + 4);
        assert_eq!(store.delete_oldest(MessageKey(FULL + 4), 0), 0);
        assert_eq!(stored(&store, 7), [0, 6], "3 was still the oldest");
        assert_eq!(store.pending.queue.len(), 6);
        assert_consistent(&store);
    }

    #[test]
    fn the_oldest_messages_are_deleted_first_whatever_was_delivered_between() {
        let mut store = RetryStore::default();
        (0..FULL).for_each(|number| insert_undelivered(&mut store, number));
        (0..FULL).step_by(2).for_each(|number| pick_up(&mut store, number));
        insert_undelivered(&mut store, FULL);
        let lost = store.delete_oldest(MessageKey(FULL), 0);
        assert_eq!(lost, 1, "more than half are pending");
        assert_eq!(stored(&store, 6), [0, 2, 3, 4, 5]);
        insert_undelivered(&mut store, FULL + 1);
        insert_undelivered(&mut store, FULL + 2);
        assert_eq!(store.delete_oldest(MessageKey(FULL + 2), 0), 2);
        assert_eq!(stored(&store, 6), [0, 2, 4]);
        insert_undelivered(&mut store, FULL + 3);
        pick_up(&mut store, FULL + 3);
        let lost = store.delete_oldest(MessageKey(FULL + 3), 0);
        assert_eq!(lost, 0, "half are pending");
        assert_eq!(stored(&store, 6), [2, 4]);
        assert_consistent(&store);
    }

    #[test]
    fn delivered_messages_are_deleted_if_all_pending_messages_are_running() {
        let mut store = RetryStore::default();
        for number in 0..FULL {
            insert(&mut store, number, LateReply::default());
            if number < FULL * 3 / 4 {
                store.defer(MessageKey(number));
            } else {
                store.finish(MessageKey(number), &Arc::new(Reply::Success), true, 0);
            }
        }
        insert_undelivered(&mut store, FULL);
        assert_eq!(store.delete_oldest(MessageKey(FULL), 0), 0);
        let oldest_delivered = FULL * 3 / 4;
        assert!(store.get(MessageKey(oldest_delivered)).is_none());
        assert_consistent(&store);
    }
}
