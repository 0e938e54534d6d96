//! The messages of the last time, and the answers that users are owed: bounded in number and bytes, and
//! at the bound the oldest go.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar};

use super::pattern::Pattern;
use crate::account::{Reply, trim};

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
    /// Those whose work is done and that owe nothing, in the order in which they came to that.
    done: VecDeque<Key>,
    /// Those whose users are owed an answer, in the order in which that became so, each with its user.
    owing: VecDeque<(Key, Key)>,
    /// What all whose work is done cost, and those of them that owe an answer.
    bytes: usize,
    owed_bytes: usize,
}

/// A message that is being worked on, or was.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) tries: u32,
    /// When the first of them came.
    pub(super) since: u64,
    /// How many of them wait.
    pub(super) waiting: u32,
    /// Told when one of the following is.
    pub(super) changed: Arc<Condvar>,
    pub(super) late: Late,
    user: Key,
    /// What the message is known by when its answer comes late.
    question: String,
    pub(super) is_done: bool,
    /// What every try is told from now on.
    pub(super) answer: Option<Arc<Reply<'static>>>,
    /// What the user is owed whom no try has told it.
    owed: Option<Owed>,
    bytes: usize,
}

#[derive(Debug)]
struct Owed {
    /// The answer, once it is there, and since when.
    answer: Option<(Arc<Reply<'static>>, u64)>,
    /// Whether the user was told to wait for it. Else a try can still settle it.
    is_promised: bool,
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
    pub(super) fn begin(&mut self, key: Key, user: Key, question: String, late: Late, now: u64) {
        let texts = question.len().saturating_add(late.text.len());
        let known = Known {
            tries: 1,
            since: now,
            waiting: 0,
            changed: Arc::default(),
            late,
            user,
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
        known.owed = Some(Owed {
            answer: None,
            is_promised: true,
        });
        known.changed.notify_all();
        self.owing.push_back((key, known.user));
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
                if is_nothing(reply) && known.late.pickup.is_none() {
                    self.settle(key);
                }
            }
            None => {
                known.answer = Some(Arc::clone(reply));
                self.done.push_back(key);
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
        known.owed = Some(Owed {
            answer: Some((Arc::clone(answer), now)),
            is_promised: false,
        });
        self.owed_bytes = self.owed_bytes.saturating_add(known.bytes);
        self.owing.push_back((key, known.user));
        self.done.retain(|done| *done != key);
    }

    /// Forgets the oldest messages over the bounds, except this one and those with tries that wait, and
    /// says how many of them still owed an answer. Those that owe nothing go first, as long as the
    /// others take up less than half of it all.
    pub(super) fn make_room(&mut self, except: Key, now: u64) -> usize {
        let mut dropped = 0_usize;
        let mut kept = 0_usize;
        while self.messages.len() > MESSAGES_MAX || self.bytes > BYTES_MAX {
            let is_in_debt = self.owing.len() > MESSAGES_MAX / 2 || self.owed_bytes > BYTES_MAX / 2;
            if is_in_debt || kept >= self.done.len() {
                let is_there = |(key, _): &&(Key, Key)| {
                    let known = self.messages.get(key);
                    *key != except && known.is_some_and(|known| known.is_done)
                };
                let Some((oldest, _)) = self.owing.iter().find(is_there).copied() else {
                    break;
                };
                let is_stale = self
                    .messages
                    .get(&oldest)
                    .is_some_and(|known| known.is_stale(now));
                dropped = dropped.saturating_add(usize::from(!is_stale));
                self.settle(oldest);
                self.done.pop_back();
                self.forget(oldest);
            } else if let Some(oldest) = self.done.pop_front() {
                let known = self.messages.get(&oldest);
                if oldest == except || known.is_some_and(|known| known.waiting > 0) {
                    self.done.push_back(oldest);
                    kept = kept.saturating_add(1);
                } else {
                    self.forget(oldest);
                }
            }
        }
        dropped
    }

    fn forget(&mut self, key: Key) {
        if let Some(known) = self.messages.remove(&key) {
            self.bytes = self.bytes.saturating_sub(known.bytes);
        }
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

    /// From now on nothing is owed for this message.
    fn settle(&mut self, key: Key) {
        if let Some(known) = self.messages.get_mut(&key)
            && known.owed.take().is_some()
        {
            self.owing.retain(|(owing, _)| *owing != key);
            if known.is_done {
                self.owed_bytes = self.owed_bytes.saturating_sub(known.bytes);
                self.done.push_back(key);
            }
        }
    }
}

/// Whether a reply says nothing.
fn is_nothing(reply: &Reply<'_>) -> bool {
    if let Reply::Text(content) = reply {
        trim(content).is_empty()
    } else {
        *reply == Reply::Success
    }
}
