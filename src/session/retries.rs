//! Five seconds and three tries: every message is worked on once, and no answer is lost.
//!
//! WeChat gives up on a message after five seconds and sends it again, three times in all. The try
//! that comes first does the work, on its own thread; the others wait for it. Whoever is connected
//! when it ends gets the answer, and so does a try that comes afterwards. Where the third try cannot
//! wait any longer it says so, and the answer is kept until the user asks for it.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::in_flight::{InFlight, Key};
use super::retry_store::RetryStore;
use crate::rules::LateReply;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};
use crate::xml::trim;

/// How often WeChat sends a message ("three times in all" says its manual, and so do the logs).
const TRIES: u32 = 3;

/// So many seconds behind the first try it is the last, whatever was counted: they come five seconds
/// apart, and one of them may have been lost on its way.
const LAST_TRY_AGE: u64 = 8;

/// After how long WeChat gives up on a try. It began to count before the message was here.
const WECHAT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often to look from then on whether somebody waits all the same: a person with `curl`, say.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// By when the last try is answered: half a second is left for the way there and back, and a tenth
/// for this machine.
const LAST_TRY_DEADLINE: Duration = Duration::from_millis(4400);

/// Bytes that are kept of each text of an answer: twice what WeChat takes.
const TEXT_KEPT_MAX: usize = 4096;

/// Characters of a question that are repeated in front of its late answer.
const QUESTION_CHARS_MAX: usize = 40;

/// Who waits for an answer, as far as whoever is slow must know.
#[derive(Clone, Copy)]
pub struct Caller<'c> {
    /// The time, in seconds since 1970.
    pub now: &'c dyn Fn() -> u64,
    /// Whether they still wait.
    pub is_connected: &'c dyn Fn() -> bool,
}

/// What comes of a message.
#[derive(Debug)]
pub enum Outcome<'m> {
    /// This reply, made for this try.
    Reply(Reply<'m>),
    /// This reply, made once for all tries.
    Shared(Arc<Reply<'static>>),
    /// Nothing: nobody waits for it any more.
    Disconnected,
}

/// The messages of the last time, with their answers.
#[derive(Debug)]
pub struct Retries {
    memory: Mutex<RetryStore>,
    joined: AtomicU64,
    hasher: RandomState,
    report: Report,
}

impl Retries {
    /// Remembers nothing yet. What is lost for want of memory is reported in lines.
    pub fn new(report: Report) -> Self {
        Self {
            memory: Mutex::default(),
            joined: AtomicU64::new(0),
            hasher: RandomState::new(),
            report,
        }
    }

    /// How many tries joined an earlier one of their message, which did the work or had done it.
    pub fn joined(&self) -> u64 {
        self.joined.load(Ordering::Relaxed)
    }

    /// What comes of a message that came before, or by which a user asks for a late answer; `None`
    /// for all others.
    pub fn join(&self, message: &Message<'_>, caller: &Caller<'_>) -> Option<Outcome<'static>> {
        if self.memory().is_empty() {
            return None;
        }
        let key = self.key(message);
        let memory = self.memory();
        if memory.known(key).is_some() {
            return Some(self.join_run(memory, key, message, caller));
        }
        self.asked_for(&memory, message, caller)?;
        drop(memory);
        Some(self.run_once(message, caller, LateReply::default(), &|| {
            self.pick_up(message, caller)
        }))
    }

    /// Does the work for a message if this is its first try, else waits for whoever does it.
    pub fn run_once<'m>(
        &self,
        message: &Message<'_>,
        caller: &Caller<'_>,
        late: LateReply,
        work: &dyn Fn() -> Reply<'m>,
    ) -> Outcome<'static> {
        let key = self.key(message);
        let (user, question) = (self.user(message), question(message));
        let mut memory = self.memory();
        if memory.known(key).is_some() {
            return self.join_run(memory, key, message, caller);
        }
        memory.begin(key, user, question, late, message.received());
        drop(memory);
        let mut working = Working {
            tries: self,
            caller,
            key,
            since: message.received(),
            reply: Arc::new(Reply::Success),
            length: 0,
        };
        let mut length = 0_usize;
        let reply = work().map_texts(|text| {
            let kept = &text[..text.floor_char_boundary(TEXT_KEPT_MAX)];
            length += kept.len();
            Cow::Owned(kept.to_owned())
        });
        working.length = length;
        working.reply = Arc::new(reply);
        Outcome::Shared(Arc::clone(&working.reply))
    }

    /// Another try of a known message.
    fn join_run<'t>(
        &'t self,
        mut memory: MutexGuard<'t, RetryStore>,
        key: Key,
        message: &Message<'_>,
        caller: &Caller<'_>,
    ) -> Outcome<'static> {
        let Some(known) = memory.count_try(key) else {
            return Outcome::Disconnected;
        };
        self.joined.fetch_add(1, Ordering::Relaxed);
        let age = message.received().saturating_sub(known.since);
        let is_last = known.tries >= TRIES || age >= LAST_TRY_AGE;
        let changed = Arc::clone(&known.changed);
        let has_to_wait = known.answer.is_none();
        let mut patience = if is_last {
            LAST_TRY_DEADLINE
        } else {
            WECHAT_TIMEOUT
        };
        loop {
            memory.count_waiting(key, true);
            memory = wait_while(&changed, memory, patience, key, |known| {
                known.answer.is_none()
            });
            memory.count_waiting(key, false);
            if memory.known(key).is_none() {
                return Outcome::Disconnected;
            }
            if let Some(answer) = memory.answer(key) {
                drop(memory);
                if !has_to_wait || (caller.is_connected)() {
                    return Outcome::Shared(answer);
                }
                self.memory().owe(key, (caller.now)());
                return Outcome::Disconnected;
            }
            if is_last {
                return memory
                    .promise(key)
                    .map_or(Outcome::Disconnected, Outcome::Shared);
            }
            drop(memory);
            if !(caller.is_connected)() {
                return Outcome::Disconnected;
            }
            memory = self.memory();
            patience = POLL_INTERVAL;
        }
    }

    /// The late answer that the message asks for. Where it is not there yet, waits for as long as
    /// the last try could, and then asks for patience again.
    fn pick_up(&self, message: &Message<'_>, caller: &Caller<'_>) -> Reply<'static> {
        let mut memory = self.memory();
        let mut has_waited = false;
        loop {
            // There is nothing any more where another message of the user was quicker.
            let Some(key) = self.asked_for(&memory, message, caller) else {
                return Reply::Success;
            };
            if let Some(answer) = memory.hand_over(key) {
                return answer;
            }
            let Some(known) = memory.known(key) else {
                return Reply::Success;
            };
            if has_waited {
                return Reply::text(known.late.text.clone());
            }
            has_waited = true;
            let changed = Arc::clone(&known.changed);
            memory = wait_while(&changed, memory, LAST_TRY_DEADLINE, key, |known| {
                !known.is_done
            });
        }
    }

    /// The message whose answer this one asks for.
    fn asked_for(
        &self,
        memory: &RetryStore,
        message: &Message<'_>,
        caller: &Caller<'_>,
    ) -> Option<Key> {
        if !memory.is_in_debt() || message.msg_type() != "text" {
            return None;
        }
        let now = (caller.now)();
        let said = message.field("Content").map_or("", trim);
        memory.asked_for(self.user(message), said, now)
    }

    fn user(&self, message: &Message<'_>) -> Key {
        self.hasher.hash_one(message.from_user_name())
    }

    fn key(&self, message: &Message<'_>) -> Key {
        self.hasher.hash_one(message.identity())
    }

    fn memory(&self) -> MutexGuard<'_, RetryStore> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits while this holds for a message, and at most so long.
fn wait_while<'t>(
    changed: &Condvar,
    memory: MutexGuard<'t, RetryStore>,
    patience: Duration,
    key: Key,
    holds: fn(&InFlight) -> bool,
) -> MutexGuard<'t, RetryStore> {
    changed
        .wait_timeout_while(memory, patience, |memory| {
            memory.known(key).is_some_and(holds)
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
    let mut front: String = line.chars().take(QUESTION_CHARS_MAX).collect();
    if front.len() < text.len() {
        front.push('…');
    }
    front
}

/// Somebody at work on a message. Its end is noted whatever it is: work that panics has been done
/// once too, and came to nothing.
struct Working<'t> {
    tries: &'t Retries,
    caller: &'t Caller<'t>,
    key: Key,
    since: u64,
    reply: Arc<Reply<'static>>,
    length: usize,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let now = (self.caller.now)();
        // Mostly it took no time, and there is no need to look.
        let is_soon = now.saturating_sub(self.since) < 2;
        let is_taken = is_soon || (self.caller.is_connected)();
        let mut memory = self.tries.memory();
        memory.end(self.key, &self.reply, self.length, is_taken, now);
        let dropped = memory.make_room(self.key, now);
        drop(memory);
        if dropped > 0 {
            (self.tries.report)(&format!(
                "cause=late-answers-dropped reason=\"{dropped} that nobody has asked for, to remember newer messages\""
            ));
        }
    }
}
