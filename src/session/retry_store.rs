//! The messages of the last time, and the answers that users are owed: bounded in number and bytes, and
//! at the bound the oldest go.

use std::collections::HashMap;
use std::sync::Arc;

use super::in_flight::{InFlight, Key, PendingReply};
use super::line::{Entry, Line};
use crate::rules::LateReply;
use crate::wechat::Reply;
use crate::xml::trim;

/// Messages that are remembered when their work is done, in case WeChat asks again.
const MESSAGES_MAX: usize = 4096;

/// Bytes that they may cost in all.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a message costs besides the texts of its answer.
const OVERHEAD: usize = 256;

#[derive(Debug, Default)]
pub(super) struct RetryStore {
    messages: HashMap<Key, InFlight>,
    /// Those whose work is done and that owe nothing, in the order in which they came to that.
    done: Line,
    /// Those whose users are owed an answer, in the order in which that became so.
    owing: Line,
    /// The same by user.
    debts: HashMap<Key, Vec<Key>>,
    /// How many places have been given in both lines.
    places: u64,
    /// What all whose work is done cost, and those of them that owe an answer.
    bytes: usize,
    owed_bytes: usize,
}

impl RetryStore {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn is_in_debt(&self) -> bool {
        !self.debts.is_empty()
    }

    pub(super) fn known(&self, key: Key) -> Option<&InFlight> {
        self.messages.get(&key)
    }

    /// The same for another try of it, which is counted.
    pub(super) fn count_try(&mut self, key: Key) -> Option<&InFlight> {
        let known = self.messages.get_mut(&key)?;
        known.tries = known.tries.saturating_add(1);
        Some(known)
    }

    /// Notes that a try of this message begins to wait, or has waited.
    pub(super) fn count_waiting(&mut self, key: Key, has_begun: bool) {
        if let Some(known) = self.messages.get_mut(&key) {
            known.waiting = match has_begun {
                true => known.waiting.saturating_add(1),
                false => known.waiting.saturating_sub(1),
            };
        }
    }

    /// What a try of this message is told, if that is known yet.
    pub(super) fn answer(&mut self, key: Key) -> Option<Arc<Reply<'static>>> {
        let known = self.messages.get(&key)?;
        let answer = Arc::clone(known.answer.as_ref()?);
        let is_owed = known.owed.as_ref().is_some_and(|owed| !owed.is_promised);
        if is_owed {
            self.settle(key);
        }
        Some(answer)
    }

    /// A message of this user whose first try came now.
    pub(super) fn begin(
        &mut self,
        key: Key,
        user: Key,
        question: String,
        late: LateReply,
        now: u64,
    ) {
        let texts = question.len().saturating_add(late.text.len());
        let known = InFlight {
            tries: 1,
            since: now,
            waiting: 0,
            changed: Arc::default(),
            late,
            user,
            place: 0,
            question,
            is_done: false,
            answer: None,
            owed: None,
            bytes: OVERHEAD.saturating_add(texts),
        };
        self.messages.insert(key, known);
    }

    /// From now on the answer to the message is what it has for being late, and its user is owed
    /// what is being worked on.
    pub(super) fn promise(&mut self, key: Key) -> Option<Arc<Reply<'static>>> {
        let known = self.messages.get_mut(&key)?;
        let answer = Arc::new(Reply::text(known.late.text.clone()));
        known.answer = Some(Arc::clone(&answer));
        known.bytes = known.bytes.saturating_add(known.late.text.len());
        known.owed = Some(PendingReply {
            answer: None,
            is_promised: true,
        });
        known.changed.notify_all();
        self.begin_to_owe(key);
        Some(answer)
    }

    /// The work for a message is done, with this reply, whose texts have so many bytes. Where nobody
    /// is there to take it, the user is owed it.
    pub(super) fn end(
        &mut self,
        key: Key,
        reply: &Arc<Reply<'static>>,
        length: usize,
        is_taken: bool,
        now: u64,
    ) {
        let Some(known) = self.messages.get_mut(&key) else {
            return;
        };
        known.is_done = true;
        known.bytes = known.bytes.saturating_add(length);
        known.changed.notify_all();
        self.bytes = self.bytes.saturating_add(known.bytes);
        match &mut known.owed {
            Some(owed) => {
                owed.answer = Some((Arc::clone(reply), now));
                self.owed_bytes = self.owed_bytes.saturating_add(known.bytes);
                // An answer that says nothing is for those alone who were told how to ask for it.
                if is_nothing(reply) && !known.late.has_pickup() {
                    self.settle(key);
                }
            }
            None => {
                known.answer = Some(Arc::clone(reply));
                self.be_done(key);
                if !is_taken {
                    self.owe(key, now);
                }
            }
        }
    }

    /// The user is owed the answer that no try took, unless one still waits that may.
    pub(super) fn owe(&mut self, key: Key, now: u64) {
        let Some(known) = self.messages.get_mut(&key) else {
            return;
        };
        let answer = known.answer.as_ref().filter(|answer| !is_nothing(answer));
        let (Some(answer), None, 0) = (answer, &known.owed, known.waiting) else {
            return;
        };
        known.owed = Some(PendingReply {
            answer: Some((Arc::clone(answer), now)),
            is_promised: false,
        });
        self.owed_bytes = self.owed_bytes.saturating_add(known.bytes);
        self.done.leave();
        self.begin_to_owe(key);
    }

    fn be_done(&mut self, key: Key) {
        let entry = self.next_place(key);
        self.done.push(entry, |entry| is_at(&self.messages, entry));
    }

    fn begin_to_owe(&mut self, key: Key) {
        let entry = self.next_place(key);
        self.owing.push(entry, |entry| is_at(&self.messages, entry));
        if let Some(known) = self.messages.get(&key) {
            self.debts.entry(known.user).or_default().push(key);
        }
    }

    fn next_place(&mut self, key: Key) -> Entry {
        self.places = self.places.saturating_add(1);
        if let Some(known) = self.messages.get_mut(&key) {
            known.place = self.places;
        }
        (key, self.places)
    }

    /// Forgets the oldest messages over the bounds, except this one and those with tries that wait, and
    /// says how many of them still owed an answer. Those that owe nothing go first, as long as the
    /// others take up less than half of it all.
    pub(super) fn make_room(&mut self, except: Key, now: u64) -> usize {
        let mut dropped = 0_usize;
        let mut kept = 0_usize;
        let mut skipped = Vec::new();
        while self.messages.len() > MESSAGES_MAX || self.bytes > BYTES_MAX {
            let owing = self.owing.len().saturating_add(skipped.len());
            let is_in_debt = owing > MESSAGES_MAX / 2 || self.owed_bytes > BYTES_MAX / 2;
            let is_here = |entry: &Entry| is_at(&self.messages, entry);
            if !is_in_debt && kept < self.done.len() {
                let Some((oldest, _)) = self.done.pop(is_here) else {
                    break;
                };
                let waiting = self.messages.get(&oldest).map(|known| known.waiting);
                if oldest == except || waiting > Some(0) {
                    self.be_done(oldest);
                    kept = kept.saturating_add(1);
                } else {
                    self.forget(oldest);
                }
            } else {
                let Some(entry @ (oldest, _)) = self.owing.pop(is_here) else {
                    break;
                };
                let known = self.messages.get(&oldest);
                if oldest == except || known.is_some_and(|known| !known.is_done) {
                    skipped.push(entry);
                } else {
                    let is_stale = known.is_some_and(|known| known.is_stale(now));
                    dropped = dropped.saturating_add(usize::from(!is_stale));
                    self.forget(oldest);
                }
            }
        }
        for entry in skipped.into_iter().rev() {
            self.owing.put_back(entry);
        }
        dropped
    }

    /// Forgets a message whose work is done, and what it owes.
    fn forget(&mut self, key: Key) {
        if let Some(known) = self.messages.remove(&key) {
            self.bytes = self.bytes.saturating_sub(known.bytes);
            if known.owed.is_some() {
                self.owed_bytes = self.owed_bytes.saturating_sub(known.bytes);
                self.clear_debt(key, known.user);
            }
        }
    }

    fn clear_debt(&mut self, key: Key, user: Key) {
        if let Some(debts) = self.debts.get_mut(&user) {
            debts.retain(|debt| *debt != key);
            if debts.is_empty() {
                self.debts.remove(&user);
            }
        }
    }

    /// Of the answers that this user is owed and asks for by saying so: the first that is there, else
    /// the first that is still being worked on. Where no word asks for it, any does once it is there.
    pub(super) fn asked_for(&self, user: Key, said: &str, now: u64) -> Option<Key> {
        let mut unfinished = None;
        for key in self.debts.get(&user).into_iter().flatten() {
            let Some(known) = self.messages.get(key).filter(|known| !known.is_stale(now)) else {
                continue;
            };
            let is_meant = known.late.is_asked_for_by(said).unwrap_or(known.is_done);
            match (is_meant, known.is_done) {
                (true, true) => return Some(*key),
                (true, false) => unfinished = unfinished.or(Some(*key)),
                (false, _) => {}
            }
        }
        unfinished
    }

    /// The answer that is owed for this message, if it is there, with the question in front.
    pub(super) fn hand_over(&mut self, key: Key) -> Option<Reply<'static>> {
        let known = self.messages.get(&key)?;
        let (answer, _) = known.owed.as_ref()?.answer.as_ref()?;
        let reply = if let Reply::Text(content) = &**answer
            && !is_nothing(answer)
            && !known.question.is_empty()
        {
            Reply::text(format!("「{}」\n{content}", known.question))
        } else {
            (**answer).clone()
        };
        if let Some(known) = self.messages.get_mut(&key)
            && known.owed.as_ref().is_some_and(|owed| !owed.is_promised)
        {
            // Should a try come for it yet, it is not told the same.
            known.answer = Some(Arc::new(Reply::Success));
        }
        self.settle(key);
        Some(reply)
    }

    /// From now on nothing is owed for this message, whose work is done.
    fn settle(&mut self, key: Key) {
        let Some(known) = self.messages.get_mut(&key) else {
            return;
        };
        if known.owed.take().is_none() {
            return;
        }
        let (user, bytes) = (known.user, known.bytes);
        self.owing.leave();
        self.clear_debt(key, user);
        self.owed_bytes = self.owed_bytes.saturating_sub(bytes);
        self.be_done(key);
    }
}

/// Whether a message still stands where it stood.
fn is_at(messages: &HashMap<Key, InFlight>, (key, place): &Entry) -> bool {
    messages.get(key).is_some_and(|known| known.place == *place)
}

/// Whether a reply says nothing.
fn is_nothing(reply: &Reply<'_>) -> bool {
    if let Reply::Text(content) = reply {
        trim(content).is_empty()
    } else {
        *reply == Reply::Success
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of a user of its own, whose answer nobody took.
    fn owed(memory: &mut RetryStore, key: Key) {
        memory.begin(key, key, String::new(), LateReply::default(), 0);
        memory.end(key, &Arc::new(Reply::text("好")), 3, false, 0);
    }

    #[test]
    fn debts_are_settled_in_any_order_and_leave_nothing_behind() {
        const COUNT: u64 = 1000;
        let mut memory = RetryStore::default();
        (0..COUNT).for_each(|key| owed(&mut memory, key));
        for key in (0..COUNT).map(|number| number * 7 % COUNT) {
            assert_eq!(memory.asked_for(key, "?", 0), Some(key));
            assert_eq!(memory.hand_over(key), Some(Reply::text("好")));
            assert_eq!(memory.asked_for(key, "?", 0), None);
        }
        assert!(!memory.is_in_debt());
        assert_eq!((memory.owing.len(), memory.owed_bytes), (0, 0));
        assert_eq!((memory.done.len(), memory.messages.len()), (1000, 1000));
    }

    #[test]
    fn who_is_awaited_or_not_done_or_excepted_keeps_its_place() {
        let mut memory = RetryStore::default();
        let full = u64::try_from(MESSAGES_MAX).unwrap_or(0);
        memory.begin(0, 0, String::new(), LateReply::saying("等".to_owned()), 0);
        assert!(memory.promise(0).is_some());
        (1..full).for_each(|key| owed(&mut memory, key));
        let there = |memory: &RetryStore, keys: std::ops::Range<Key>| {
            keys.filter(|key| memory.known(*key).is_some())
                .collect::<Vec<_>>()
        };
        owed(&mut memory, full);
        assert_eq!(memory.make_room(1, 0), 1);
        assert_eq!(
            there(&memory, 0..4),
            [0, 1, 3],
            "0 is being worked on, 1 excepted"
        );
        owed(&mut memory, full + 1);
        assert_eq!(memory.make_room(full + 1, 0), 1);
        assert_eq!(there(&memory, 0..4), [0, 3], "1 was the oldest still");
        // Of those who owe nothing any more, one is waited for.
        (3..full).for_each(|key| drop(memory.hand_over(key)));
        memory.count_waiting(3, true);
        owed(&mut memory, full + 2);
        assert_eq!(memory.make_room(full + 2, 0), 0);
        assert_eq!(there(&memory, 0..6), [0, 3, 5]);
        let owing = [0, full, full + 1, full + 2];
        assert_eq!(memory.owing.len(), owing.len());
        assert_eq!(memory.debts.len(), owing.len());
        let bytes = |key| memory.known(key).map_or(0, |known| known.bytes);
        let owed_bytes: usize = owing.into_iter().skip(1).map(bytes).sum();
        assert_eq!(memory.owed_bytes, owed_bytes);
        assert_eq!(
            memory.bytes,
            memory
                .messages
                .keys()
                .copied()
                .filter(|key| *key > 0)
                .map(bytes)
                .sum::<usize>()
        );
    }

    #[test]
    fn the_oldest_go_first_whatever_became_of_those_between() {
        let mut memory = RetryStore::default();
        let full = u64::try_from(MESSAGES_MAX).unwrap_or(0);
        (0..full).for_each(|key| owed(&mut memory, key));
        (0..full)
            .step_by(2)
            .for_each(|key| drop(memory.hand_over(key)));
        let there = |memory: &RetryStore| {
            (0..6)
                .map(|key| memory.known(key).is_some())
                .collect::<Vec<_>>()
        };
        owed(&mut memory, full);
        assert_eq!(
            memory.make_room(full, 0),
            1,
            "half of it is owed, and one more"
        );
        assert_eq!(there(&memory), [true, false, true, true, true, true]);
        owed(&mut memory, full + 1);
        owed(&mut memory, full + 2);
        assert_eq!(memory.make_room(full + 2, 0), 2);
        assert_eq!(there(&memory), [true, false, true, false, true, false]);
        owed(&mut memory, full + 3);
        assert!(memory.hand_over(full + 3).is_some());
        assert_eq!(memory.make_room(full + 3, 0), 0, "others owe nothing");
        assert_eq!(there(&memory), [false, false, true, false, true, false]);
    }
}
