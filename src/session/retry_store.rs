//! Recent messages and their undelivered answers, bounded in number and bytes. Over the bound the oldest
//! finished messages are forgotten, those without an undelivered answer first.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::Arc;

use super::recent_message::{MessageKey, RecentMessage, SharedReply, State, UserKey};
use crate::wechat::Reply;
use crate::xml::trim;

/// Messages remembered at most, in case WeChat sends them again.
const MESSAGES_MAX: usize = 4096;

/// Bytes that finished messages may cost in all.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// All recent messages.
#[derive(Debug, Default)]
pub(super) struct RetryStore {
    messages: HashMap<MessageKey, RecentMessage>,
    /// Finished, nothing undelivered; oldest first.
    delivered: VecDeque<MessageKey>,
    pending: Pending,
    /// What all finished messages cost.
    bytes: usize,
}

/// Messages whose result is still to be delivered: deferred, late or undelivered.
#[derive(Debug, Default)]
struct Pending {
    /// Oldest first.
    queue: VecDeque<MessageKey>,
    by_user: HashMap<UserKey, Vec<MessageKey>>,
    /// What the finished ones cost.
    bytes: usize,
}

impl Pending {
    fn push(&mut self, key: MessageKey, user: UserKey) {
        self.queue.push_back(key);
        self.by_user.entry(user).or_default().push(key);
    }

    fn remove(&mut self, key: MessageKey, user: UserKey) {
        remove(&mut self.queue, key);
        if let Some(keys) = self.by_user.get_mut(&user) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_user.remove(&user);
            }
        }
    }
}

impl RetryStore {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn get(&self, key: MessageKey) -> Option<&RecentMessage> {
        self.messages.get(&key)
    }

    /// The message, to count its tries. Its state is changed by the methods below only.
    pub(super) fn get_mut(&mut self, key: MessageKey) -> Option<&mut RecentMessage> {
        self.messages.get_mut(&key)
    }

    /// Adds a message. Returns whether it is new; a known one stays as it is.
    pub(super) fn insert(&mut self, key: MessageKey, message: RecentMessage) -> bool {
        let is_new = !self.messages.contains_key(&key);
        if is_new {
            self.messages.insert(key, message);
        }
        is_new
    }

    /// The answer for another try of this message, if that is known. It counts as delivered.
    pub(super) fn deliver(&mut self, key: MessageKey) -> Option<SharedReply> {
        let message = self.messages.get_mut(&key)?;
        let answer = Arc::clone(message.answer()?);
        if let State::Undelivered { .. } = message.state {
            self.resolve(key, Arc::clone(&answer));
        }
        Some(answer)
    }

    /// Defers the result of a run that takes too long: this try and all further ones get the returned
    /// answer, and the result will be kept for the user. `None` if there is an answer already.
    pub(super) fn defer(&mut self, key: MessageKey) -> Option<SharedReply> {
        let message = self.messages.get_mut(&key)?;
        let State::Running = message.state else {
            return None;
        };
        let answer = Arc::new(Reply::text(mem::take(&mut message.late.text)));
        message.state = State::Deferred { answer: Arc::clone(&answer) };
        message.changed.notify_all();
        self.pending.push(key, message.user);
        Some(answer)
    }

    /// Records the end of a run with its reply, whose texts have `length` bytes in all. Without a connected
    /// client that takes it, the reply is undelivered; another try may still get it.
    pub(super) fn finish(
        &mut self,
        key: MessageKey,
        reply: &SharedReply,
        length: usize,
        is_taken: bool,
        now: u64,
    ) {
        let Some(message) = self.messages.get_mut(&key) else {
            return;
        };
        message.bytes += length;
        message.changed.notify_all();
        self.bytes += message.bytes;
        let result = Arc::clone(reply);
        if let State::Deferred { answer } = &message.state {
            let answer = Arc::clone(answer);
            self.pending.bytes += message.bytes;
            // A result without content is kept only where `late` told the user how to ask for it.
            let is_dropped = is_blank(reply) && !message.late.has_pickup();
            message.state = State::Late { answer: Arc::clone(&answer), result, since: now };
            if is_dropped {
                self.resolve(key, answer);
            }
        } else if is_taken || is_blank(reply) {
            message.state = State::Delivered { answer: result };
            self.delivered.push_back(key);
        } else {
            message.state = State::Undelivered { answer: result, since: now };
            self.pending.bytes += message.bytes;
            self.pending.push(key, message.user);
        }
    }

    /// The pending message of this user that a text asks for: the first finished one, else the first
    /// one still running. Where the rule names no pickup words, any text asks for a finished one.
    pub(super) fn find_pending(&self, user: UserKey, text: &str, now: u64) -> Option<MessageKey> {
        let mut running = None;
        for key in self.pending.by_user.get(&user)? {
            let message = self.messages.get(key)?;
            let is_finished = message.is_finished();
            let is_meant = message.late.matches_pickup(text).unwrap_or(is_finished);
            if !is_meant || message.is_expired(now) {
                continue;
            }
            if is_finished {
                return Some(*key);
            }
            running = running.or(Some(*key));
        }
        running
    }

    /// The reply to a user who asks for a pending answer: its result, with the question quoted before a
    /// text. While the run is under way, the answer of the last try again. `None` if another message of
    /// the user was quicker.
    pub(super) fn pick_up(&mut self, key: MessageKey) -> Option<Reply<'static>> {
        let message = self.messages.get(&key)?;
        let (result, answer) = match &message.state {
            State::Running | State::Delivered { .. } => return None,
            State::Deferred { answer } => return Some((**answer).clone()),
            // Another try must not get the same answer a second time.
            State::Undelivered { answer, .. } => (answer, Arc::new(Reply::Success)),
            State::Late { answer, result, .. } => (result, Arc::clone(answer)),
        };
        let reply = if let Reply::Text(text) = &**result
            && !is_blank(result)
            && !message.question.is_empty()
        {
            Reply::text(format!("「{}」\n{text}", message.question))
        } else {
            (**result).clone()
        };
        self.resolve(key, answer);
        Some(reply)
    }

    /// A pending message is delivered: every further try gets this answer.
    fn resolve(&mut self, key: MessageKey, answer: SharedReply) {
        if let Some(message) = self.messages.get_mut(&key) {
            message.state = State::Delivered { answer };
            self.pending.bytes -= message.bytes;
            self.pending.remove(key, message.user);
            self.delivered.push_back(key);
        }
    }

    /// Forgets the oldest finished messages over the bounds, except `except` and those for which a try
    /// waits. Pending ones go first only while they take up more than half of a bound. Returns how many
    /// unexpired answers were lost.
    pub(super) fn make_room(&mut self, except: MessageKey, now: u64) -> usize {
        let mut lost = 0;
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
            lost += usize::from(self.forget(key, now));
        }
        lost
    }

    /// The oldest message of a queue that may be forgotten.
    fn oldest(&self, queue: &VecDeque<MessageKey>, except: MessageKey) -> Option<MessageKey> {
        let may_go = |message: &RecentMessage| message.is_finished() && message.waiting == 0;
        let mut keys = queue.iter().copied();
        keys.find(|key| *key != except && self.get(*key).is_some_and(may_go))
    }

    /// Forgets a finished message. Returns whether an unexpired answer was lost with it.
    fn forget(&mut self, key: MessageKey, now: u64) -> bool {
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

/// Removes a key from a queue. Usually it is the first one.
fn remove(queue: &mut VecDeque<MessageKey>, key: MessageKey) {
    if let Some(position) = queue.iter().position(|other| *other == key) {
        queue.remove(position);
    }
}

/// Whether a reply shows the user nothing.
fn is_blank(reply: &Reply<'_>) -> bool {
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

    /// A message of its own user, whose answer no try took.
    fn insert_undelivered(store: &mut RetryStore, number: u64) {
        insert(store, number, LateReply::default());
        let reply = Arc::new(Reply::text("好"));
        store.finish(MessageKey(number), &reply, 3, false, 0);
    }

    fn take(store: &mut RetryStore, number: u64) {
        let reply = store.pick_up(MessageKey(number));
        assert_eq!(reply, Some(Reply::text("好")), "{number}");
    }

    /// Which of the first messages are remembered.
    fn remembered(store: &RetryStore, count: u64) -> Vec<u64> {
        let is_remembered = |number: &u64| store.get(MessageKey(*number)).is_some();
        (0..count).filter(is_remembered).collect()
    }

    /// The sums and the queues agree with the messages.
    fn assert_consistent(store: &RetryStore) {
        let sum = |keys: &mut dyn Iterator<Item = &MessageKey>| -> usize {
            let messages = keys.map(|key| &store.messages[key]);
            let finished = messages.filter(|message| message.is_finished());
            finished.map(|message| message.bytes).sum()
        };
        assert_eq!(store.bytes, sum(&mut store.messages.keys()));
        let pending = &store.pending;
        assert_eq!(pending.bytes, sum(&mut pending.queue.iter()));
        let of_users: usize = pending.by_user.values().map(Vec::len).sum();
        assert_eq!(pending.queue.len(), of_users);
        assert_eq!(pending.queue.len() + store.delivered.len(), store.messages.len());
    }

    #[test]
    fn pending_answers_are_taken_in_any_order_and_only_once() {
        const COUNT: u64 = 1000;
        let mut store = RetryStore::default();
        (0..COUNT).for_each(|number| insert_undelivered(&mut store, number));
        for number in (0..COUNT).map(|number| number * 7 % COUNT) {
            let find = |store: &RetryStore| store.find_pending(UserKey(number), "?", 0);
            assert_eq!(find(&store), Some(MessageKey(number)));
            take(&mut store, number);
            assert_eq!(find(&store), None);
        }
        assert_consistent(&store);
        assert!(store.pending.queue.is_empty());
        assert_eq!(store.delivered.len(), 1000);
    }

    #[test]
    fn running_awaited_and_excepted_messages_keep_their_place() {
        let mut store = RetryStore::default();
        insert(&mut store, 0, LateReply::with_text("等".to_owned()));
        assert!(store.defer(MessageKey(0)).is_some());
        (1..FULL).for_each(|number| insert_undelivered(&mut store, number));
        insert_undelivered(&mut store, FULL);
        assert_eq!(store.make_room(MessageKey(1), 0), 1);
        let why = "0 is running, 1 is excepted";
        assert_eq!(remembered(&store, 4), [0, 1, 3], "{why}");
        insert_undelivered(&mut store, FULL + 1);
        assert_eq!(store.make_room(MessageKey(FULL + 1), 0), 1);
        assert_eq!(remembered(&store, 4), [0, 3], "1 was still the oldest");
        // Of the delivered messages, a try waits for the oldest.
        (3..FULL).for_each(|number| take(&mut store, number));
        store.get_mut(MessageKey(3)).expect("remembered").waiting = 1;
        for number in FULL + 2..FULL + 4 {
            insert_undelivered(&mut store, number);
            assert_eq!(store.make_room(MessageKey(number), 0), 0);
        }
        assert_eq!(remembered(&store, 7), [0, 3, 6]);
        store.get_mut(MessageKey(3)).expect("remembered").waiting = 0;
        insert_undelivered(&mut store, FULL + 4);
        assert_eq!(store.make_room(MessageKey(FULL + 4), 0), 0);
        assert_eq!(remembered(&store, 7), [0, 6], "3 was still the oldest");
        assert_eq!(store.pending.queue.len(), 6);
        assert_consistent(&store);
    }

    #[test]
    fn the_oldest_are_forgotten_first_whatever_was_taken_between() {
        let mut store = RetryStore::default();
        (0..FULL).for_each(|number| insert_undelivered(&mut store, number));
        (0..FULL).step_by(2).for_each(|number| take(&mut store, number));
        insert_undelivered(&mut store, FULL);
        let lost = store.make_room(MessageKey(FULL), 0);
        assert_eq!(lost, 1, "more than half are pending");
        assert_eq!(remembered(&store, 6), [0, 2, 3, 4, 5]);
        insert_undelivered(&mut store, FULL + 1);
        insert_undelivered(&mut store, FULL + 2);
        assert_eq!(store.make_room(MessageKey(FULL + 2), 0), 2);
        assert_eq!(remembered(&store, 6), [0, 2, 4]);
        insert_undelivered(&mut store, FULL + 3);
        take(&mut store, FULL + 3);
        let lost = store.make_room(MessageKey(FULL + 3), 0);
        assert_eq!(lost, 0, "half are pending");
        assert_eq!(remembered(&store, 6), [2, 4]);
        assert_consistent(&store);
    }

    #[test]
    fn delivered_messages_make_room_where_all_pending_ones_run() {
        let mut store = RetryStore::default();
        for number in 0..FULL {
            insert(&mut store, number, LateReply::default());
            if number < FULL * 3 / 4 {
                store.defer(MessageKey(number));
            } else {
                store.finish(MessageKey(number), &Arc::new(Reply::Success), 0, true, 0);
            }
        }
        insert_undelivered(&mut store, FULL);
        assert_eq!(store.make_room(MessageKey(FULL), 0), 0);
        let missing = FULL * 3 / 4;
        assert!(store.get(MessageKey(missing)).is_none());
        assert_consistent(&store);
    }
}
