//! The messages of the last time, and the answers that users are owed: bounded in number and bytes, and
//! at the bound the oldest go.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar};

use super::pattern::Pattern;
use crate::account::Reply;

/// For how many seconds an answer that came too late is kept for its user.
const KEPT_FOR: u64 = 600;

/// Messages that are remembered when their work is done, in case WeChat asks again.
const MESSAGES_MAX: usize = 4096;

/// Bytes that they may cost in all.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a message costs besides the texts of its answer.
const OVERHEAD: usize = 256;

/// What to do with an answer that takes longer than WeChat waits.
#[derive(Clone, Debug, Default)]
pub struct Late {
    /// What the last try is told instead; empty for nothing.
    pub text: String,
    /// What the user says to get the answer; anything where there is nothing here.
    pub(super) pickup: Option<Arc<Pattern>>,
}

impl Late {
    /// Says this instead, and takes anything for asking.
    pub const fn saying(text: String) -> Self {
        Self { text, pickup: None }
    }
}

/// A keyed hash of what a message is known by, or its user.
pub(super) type Key = u64;

#[derive(Debug, Default)]
pub(super) struct Memory {
    messages: HashMap<Key, Known>,
    /// Those whose work is done, in the order in which it was.
    done: VecDeque<Key>,
    /// What those cost in all.
    bytes: usize,
    /// Those whose users are owed an answer, in the order in which they were told to wait, each with
    /// its user.
    owing: VecDeque<(Key, Key)>,
}

/// A message that is being worked on, or was.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) tries: u32,
    /// When the first of them came.
    pub(super) since: u64,
    /// Told when one of the following is.
    pub(super) changed: Arc<Condvar>,
    pub(super) late: Late,
    pub(super) is_done: bool,
    /// What every try is told from now on.
    pub(super) answer: Option<Arc<Reply<'static>>>,
    /// What the user is owed who was only told to wait.
    owed: Option<Owed>,
    bytes: usize,
}

#[derive(Debug)]
struct Owed {
    question: String,
    /// The answer, once it is there, and since when.
    answer: Option<(Arc<Reply<'static>>, u64)>,
}

impl Known {
    /// Whether the answer that its user is owed has waited for too long.
    fn is_stale(&self, now: u64) -> bool {
        let answer = self.owed.as_ref().and_then(|owed| owed.answer.as_ref());
        answer.is_some_and(|(_, since)| now.saturating_sub(*since) > KEPT_FOR)
    }
}

impl Memory {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn is_in_debt(&self) -> bool {
        !self.owing.is_empty()
    }

    pub(super) fn known(&self, key: Key) -> Option<&Known> {
        self.messages.get(&key)
    }

    /// The same for another try of it, which is counted.
    pub(super) fn count_try(&mut self, key: Key) -> Option<&Known> {
        let known = self.messages.get_mut(&key)?;
        known.tries = known.tries.saturating_add(1);
        Some(known)
    }

    /// A message whose first try came now.
    pub(super) fn begin(&mut self, key: Key, late: Late, now: u64) {
        let known = Known {
            tries: 1,
            since: now,
            changed: Arc::default(),
            late,
            is_done: false,
            answer: None,
            owed: None,
            bytes: OVERHEAD,
        };
        self.messages.insert(key, known);
    }

    /// From now on the answer to the message is what it has for being late, and its user is owed
    /// what is being worked on.
    pub(super) fn promise(
        &mut self,
        key: Key,
        user: Key,
        question: String,
    ) -> Option<Arc<Reply<'static>>> {
        let known = self.messages.get_mut(&key)?;
        let answer = Arc::new(Reply::text(known.late.text.clone()));
        known.answer = Some(Arc::clone(&answer));
        known.owed = Some(Owed {
            question,
            answer: None,
        });
        known.changed.notify_all();
        self.owing.push_back((key, user));
        Some(answer)
    }

    /// The work for a message is done, with this reply, whose texts have so many bytes.
    pub(super) fn end(&mut self, key: Key, reply: &Arc<Reply<'static>>, length: usize, now: u64) {
        let Some(known) = self.messages.get_mut(&key) else {
            return;
        };
        known.is_done = true;
        known.bytes = known.bytes.saturating_add(length);
        self.bytes = self.bytes.saturating_add(known.bytes);
        self.done.push_back(key);
        known.changed.notify_all();
        match &mut known.owed {
            None => known.answer = Some(Arc::clone(reply)),
            // There is nothing to hand over.
            Some(_) if **reply == Reply::Success => self.settle(key),
            Some(owed) => owed.answer = Some((Arc::clone(reply), now)),
        }
    }

    /// Forgets the oldest messages over the bounds, and says how many of them still owed an answer.
    pub(super) fn make_room(&mut self) -> usize {
        let before = self.owing.len();
        while (self.done.len() > MESSAGES_MAX || self.bytes > BYTES_MAX)
            && let Some(oldest) = self.done.pop_front()
        {
            self.settle(oldest);
            if let Some(known) = self.messages.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(known.bytes);
            }
        }
        before.saturating_sub(self.owing.len())
    }

    /// Of the answers that this user is owed and asks for by saying so: the first that is there, else
    /// the first that is still being worked on. Where no word asks for it, any does once it is there.
    pub(super) fn asked_for(&self, user: Key, said: &str, now: u64) -> Option<Key> {
        let mut unfinished = None;
        for (key, _) in self.owing.iter().filter(|(_, owed_to)| *owed_to == user) {
            let Some(known) = self.messages.get(key).filter(|known| !known.is_stale(now)) else {
                continue;
            };
            let is_meant = match &known.late.pickup {
                Some(pickup) => pickup.captures(said).is_some(),
                None => known.is_done,
            };
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
        let owed = self.messages.get(&key)?.owed.as_ref()?;
        let (answer, _) = owed.answer.as_ref()?;
        let reply = if let Reply::Text(content) = &**answer
            && !owed.question.is_empty()
        {
            Reply::text(format!("「{}」\n{content}", owed.question))
        } else {
            (**answer).clone()
        };
        self.settle(key);
        Some(reply)
    }

    /// From now on nothing is owed for this message.
    fn settle(&mut self, key: Key) {
        let owed = self
            .messages
            .get_mut(&key)
            .and_then(|known| known.owed.take());
        if owed.is_some() {
            self.owing.retain(|(owing, _)| *owing != key);
        }
    }

    /// Late answers that nobody asked for in time.
    pub(super) fn forget_stale(&mut self, now: u64) {
        while let Some((key, _)) = self.owing.front().copied()
            && self
                .messages
                .get(&key)
                .is_some_and(|known| known.is_stale(now))
        {
            self.settle(key);
        }
    }
}
