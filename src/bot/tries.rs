//! Five seconds and three tries: every message is worked on once, and no answer is lost.
//!
//! WeChat gives up on a message after five seconds and sends it again, three times in all. The try
//! that comes first does the work, on its own thread; the others wait for it. Whoever is connected
//! when it ends gets the answer, and so does a try that comes afterwards. Where the third try cannot
//! wait any longer it says so, and the answer is kept until the user asks for it.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Report;
use super::pattern::Pattern;
use crate::account::{Message, Reply, trim};

/// How often WeChat sends a message ("three times in all" says its manual, and so do the logs).
const TRIES: u32 = 3;

/// After how long WeChat gives up on a try. It began to count before the message was here.
const GIVES_UP: Duration = Duration::from_secs(5);

/// How often to look from then on whether somebody waits all the same: a person with `curl`, say.
const LOOKS_AGAIN: Duration = Duration::from_millis(500);

/// By when the last try is answered: half a second is left for the way there and back, and a tenth
/// for this machine.
const ANSWERED_BY: Duration = Duration::from_millis(4400);

/// For how many seconds an answer that came too late is kept for its user.
const KEPT_FOR: u64 = 600;

/// Messages that are remembered when their work is done, in case WeChat asks again.
const MESSAGES_MAX: usize = 4096;

/// Bytes that they may cost in all.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a message costs besides the texts of its answer.
const OVERHEAD: usize = 256;

/// Characters of a question that are repeated in front of its late answer.
const QUESTION_MAX: usize = 40;

/// Who waits for an answer, as far as whoever is slow must know.
#[derive(Clone, Copy)]
pub struct Caller<'c> {
    /// The time, in seconds since 1970.
    pub now: &'c dyn Fn() -> u64,
    /// Whether they still wait.
    pub is_there: &'c dyn Fn() -> bool,
}

/// What comes of a message.
#[derive(Debug)]
pub enum Outcome<'m> {
    /// This reply, made for this try.
    Reply(Reply<'m>),
    /// This reply, made once for all tries.
    Kept(Arc<Reply<'static>>),
    /// Nothing: nobody waits for it any more.
    Gone,
}

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

/// The messages of the last time, with their answers.
#[derive(Debug)]
pub struct Tries {
    memory: Mutex<Memory>,
    hasher: RandomState,
    report: Report,
}

/// A keyed hash of what a message is known by, or its user.
type Key = u64;

#[derive(Debug, Default)]
struct Memory {
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
struct Known {
    tries: u32,
    changed: Arc<Condvar>,
    late: Late,
    is_done: bool,
    /// What every try is told from now on.
    answer: Option<Arc<Reply<'static>>>,
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

impl Tries {
    /// Remembers nothing yet. What is lost for want of memory is reported in lines.
    pub fn new(report: Report) -> Self {
        Self {
            memory: Mutex::default(),
            hasher: RandomState::new(),
            report,
        }
    }

    /// What comes of a message that came before, or by which a user asks for a late answer; `None`
    /// for all others.
    pub fn again(&self, message: &Message<'_>, caller: &Caller<'_>) -> Option<Outcome<'static>> {
        let mut memory = self.memory();
        if memory.messages.is_empty() {
            return None;
        }
        let key = self.key(message);
        if memory.messages.contains_key(&key) {
            return Some(self.join(memory, key, message, caller));
        }
        self.asked_for(&mut memory, message, caller)?;
        drop(memory);
        Some(self.once(message, caller, Late::default(), &|| {
            self.pick_up(message, caller)
        }))
    }

    /// Does the work for a message if this is its first try, else waits for whoever does it.
    pub fn once<'m>(
        &self,
        message: &Message<'_>,
        caller: &Caller<'_>,
        late: Late,
        work: &dyn Fn() -> Reply<'m>,
    ) -> Outcome<'static> {
        let key = self.key(message);
        let mut memory = self.memory();
        if memory.messages.contains_key(&key) {
            return self.join(memory, key, message, caller);
        }
        let known = Known {
            tries: 1,
            changed: Arc::default(),
            late,
            is_done: false,
            answer: None,
            owed: None,
            bytes: OVERHEAD,
        };
        memory.messages.insert(key, known);
        drop(memory);
        let mut working = Working {
            tries: self,
            caller,
            key,
            reply: Arc::new(Reply::Success),
            length: 0,
        };
        let mut length = 0_usize;
        let reply = work().map(&mut |text| {
            length = length.saturating_add(text.len());
            Cow::Owned(text.into_owned())
        });
        working.length = length;
        working.reply = Arc::new(reply);
        Outcome::Kept(Arc::clone(&working.reply))
    }

    /// Another try of a known message.
    fn join<'t>(
        &'t self,
        mut memory: MutexGuard<'t, Memory>,
        key: Key,
        message: &Message<'_>,
        caller: &Caller<'_>,
    ) -> Outcome<'static> {
        let Some(known) = memory.messages.get_mut(&key) else {
            return Outcome::Gone;
        };
        known.tries = known.tries.saturating_add(1);
        let is_last = known.tries >= TRIES;
        let changed = Arc::clone(&known.changed);
        let mut patience = if is_last { ANSWERED_BY } else { GIVES_UP };
        loop {
            memory = wait_while(&changed, memory, patience, key, |known| {
                known.answer.is_none()
            });
            let Some(known) = memory.messages.get_mut(&key) else {
                return Outcome::Gone;
            };
            if let Some(answer) = &known.answer {
                return Outcome::Kept(Arc::clone(answer));
            }
            if is_last {
                let answer = Arc::new(Reply::text(known.late.text.clone()));
                known.answer = Some(Arc::clone(&answer));
                known.owed = Some(Owed {
                    question: question(message),
                    answer: None,
                });
                changed.notify_all();
                memory.owing.push_back((key, self.user(message)));
                return Outcome::Kept(answer);
            }
            drop(memory);
            if !(caller.is_there)() {
                return Outcome::Gone;
            }
            memory = self.memory();
            patience = LOOKS_AGAIN;
        }
    }

    /// The late answer that the message asks for. Where it is not there yet, waits for as long as
    /// the last try could, and then asks for patience again.
    fn pick_up(&self, message: &Message<'_>, caller: &Caller<'_>) -> Reply<'static> {
        let mut memory = self.memory();
        let mut has_waited = false;
        loop {
            // There is nothing any more where another message of the user was quicker.
            let Some(key) = self.asked_for(&mut memory, message, caller) else {
                return Reply::Success;
            };
            if let Some(answer) = memory.hand_over(key) {
                return answer;
            }
            let Some(known) = memory.messages.get(&key) else {
                return Reply::Success;
            };
            if has_waited {
                return Reply::text(known.late.text.clone());
            }
            has_waited = true;
            let changed = Arc::clone(&known.changed);
            memory = wait_while(&changed, memory, ANSWERED_BY, key, |known| !known.is_done);
        }
    }

    /// The message whose answer this one asks for.
    fn asked_for(
        &self,
        memory: &mut Memory,
        message: &Message<'_>,
        caller: &Caller<'_>,
    ) -> Option<Key> {
        if memory.owing.is_empty() || message.msg_type() != "text" {
            return None;
        }
        let now = (caller.now)();
        memory.forget_stale(now);
        let said = message.field("Content").map_or("", trim);
        memory.asked_for(self.user(message), said, now)
    }

    fn user(&self, message: &Message<'_>) -> Key {
        self.hasher.hash_one(message.from_user_name())
    }

    fn key(&self, message: &Message<'_>) -> Key {
        self.hasher.hash_one(message.identity())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits while this holds for a message, and at most so long.
fn wait_while<'t>(
    changed: &Condvar,
    memory: MutexGuard<'t, Memory>,
    patience: Duration,
    key: Key,
    holds: fn(&Known) -> bool,
) -> MutexGuard<'t, Memory> {
    changed
        .wait_timeout_while(memory, patience, |memory| {
            memory.messages.get(&key).is_some_and(holds)
        })
        .unwrap_or_else(PoisonError::into_inner)
        .0
}

/// What a question is known by when its answer comes: its first line, or the front of that.
fn question(message: &Message<'_>) -> String {
    let text = ["Content", "Recognition"]
        .iter()
        .find_map(|name| message.field(name))
        .map_or("", trim);
    let line = text.split('\n').next().unwrap_or("");
    let mut front: String = line.chars().take(QUESTION_MAX).collect();
    if front.len() < text.len() {
        front.push('…');
    }
    front
}

/// Somebody at work on a message. Its end is noted whatever it is: work that panics has been done
/// once too, and came to nothing.
struct Working<'t> {
    tries: &'t Tries,
    caller: &'t Caller<'t>,
    key: Key,
    reply: Arc<Reply<'static>>,
    length: usize,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let mut memory = self.tries.memory();
        memory.end(self.key, &self.reply, self.length, (self.caller.now)());
        let dropped = memory.make_room();
        drop(memory);
        if dropped > 0 {
            (self.tries.report)(&format!(
                "cause=late-answers-dropped reason=\"{dropped} that nobody has asked for, to remember newer messages\""
            ));
        }
    }
}

impl Known {
    /// Whether the answer that its user is owed has waited for too long.
    fn is_stale(&self, now: u64) -> bool {
        let answer = self.owed.as_ref().and_then(|owed| owed.answer.as_ref());
        answer.is_some_and(|(_, since)| now.saturating_sub(*since) > KEPT_FOR)
    }
}

impl Memory {
    fn end(&mut self, key: Key, reply: &Arc<Reply<'static>>, length: usize, now: u64) {
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
    fn make_room(&mut self) -> usize {
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
    fn asked_for(&self, user: Key, said: &str, now: u64) -> Option<Key> {
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
    fn hand_over(&mut self, key: Key) -> Option<Reply<'static>> {
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
    fn forget_stale(&mut self, now: u64) {
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
