//! One run for all tries of a message, and no answer lost.
//!
//! WeChat gives up on a message after five seconds and sends it again, three times in all. The first try
//! runs the work on its own thread; the others wait for it. The try that is connected when the run ends
//! gets the answer, and so does a try that comes later. The last try is answered before WeChat gives up:
//! it is told to wait, and the result is kept until the user writes again.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::recent_message::{MessageKey, RecentMessage, SharedReply, UserKey};
use super::retry_store::RetryStore;
use super::wording;
use crate::rules::LateReply;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};
use crate::xml::trim;

/// How often WeChat sends a message. Its manual says "three times in all", and captured logs agree.
const TRIES: u32 = 3;

/// A try is the last one if it comes this many seconds after the first, or later: tries are five seconds
/// apart, and one of them may have been lost on its way.
const LAST_TRY_AGE: u64 = 8;

/// A run shorter than this many seconds ends while its client is still connected: WeChat waits five.
/// The check would cost a system call for every message.
const QUICK_RUN: u64 = 2;

/// Bytes that are kept of each text of a reply: twice what WeChat shows.
const TEXT_KEPT_MAX: usize = 4096;

/// Characters of a question that are quoted before its late answer.
const QUESTION_CHARS_MAX: usize = 40;

/// The client that waits for an answer, as far as a slow answer has to know it.
#[derive(Clone, Copy)]
pub struct Caller<'c> {
    /// The current time, in seconds since 1970.
    pub now: &'c dyn Fn() -> u64,
    /// Whether the client is still connected.
    pub is_connected: &'c dyn Fn() -> bool,
}

/// The answer to one try of a message.
#[derive(Debug)]
pub enum Outcome<'m> {
    /// This reply, made for this try.
    Reply(Reply<'m>),
    /// This reply, made once for all tries.
    Shared(SharedReply),
    /// No reply, because the client has disconnected.
    Disconnected,
}

/// How long tries wait for a run. The default fits WeChat.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long a try waits before it checks whether its client is still connected. WeChat gives up after
    /// five seconds, which begin before the message is here.
    pub wechat_timeout: Duration,
    /// How often it checks after that: a client other than WeChat may wait longer.
    pub poll_interval: Duration,
    /// How long the last try waits. That leaves half a second for the network, and 100 ms for this machine.
    pub last_try_deadline: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            wechat_timeout: Duration::from_secs(5),
            poll_interval: Duration::from_millis(500),
            last_try_deadline: Duration::from_millis(4400),
        }
    }
}

/// The recent messages and their answers.
#[derive(Debug)]
pub struct Retries {
    store: Mutex<RetryStore>,
    joined: AtomicU64,
    hasher: RandomState,
    /// How long tries wait.
    pub timing: Timing,
    report: Report,
}

impl Retries {
    /// No messages yet, and the default timing. Log lines about lost answers go to `report`.
    pub fn new(report: Report) -> Self {
        Self {
            store: Mutex::default(),
            joined: AtomicU64::new(0),
            hasher: RandomState::new(),
            timing: Timing::default(),
            report,
        }
    }

    /// How many tries joined the run of an earlier try, or got its answer.
    pub fn joined(&self) -> u64 {
        self.joined.load(Ordering::Relaxed)
    }

    /// The outcome for another try of a message, or for a message by which a user asks for a late answer.
    /// `None` for a message that is new.
    pub fn join(&self, message: &Message<'_>, caller: &Caller<'_>) -> Option<Outcome<'static>> {
        if self.store().is_empty() {
            return None;
        }
        let joined = self.join_run(self.message_key(message), message, caller);
        if joined.is_some() {
            return joined;
        }
        if message.msg_type() != "text" {
            return None;
        }
        let text = message.field("Content").map_or("", trim);
        let (user, now) = (self.user_key(message), (caller.now)());
        let pending = self.store().find_pending(user, text, now)?;
        let pick_up = || self.pick_up(pending);
        Some(self.run_once(message, caller, LateReply::default(), &pick_up))
    }

    /// Runs the work if this is the first try of its message; any other try joins that run.
    pub fn run_once<'m>(
        &self,
        message: &Message<'_>,
        caller: &Caller<'_>,
        late: LateReply,
        work: &dyn Fn() -> Reply<'m>,
    ) -> Outcome<'static> {
        let key = self.message_key(message);
        let received = message.received();
        let new = RecentMessage::new(self.user_key(message), question(message), late, received);
        if !self.store().insert(key, new) {
            let joined = self.join_run(key, message, caller);
            return joined.unwrap_or(Outcome::Disconnected);
        }
        let mut run = Run {
            retries: self,
            caller,
            key,
            received,
            reply: Arc::new(Reply::Success),
            length: 0,
        };
        let mut length = 0;
        let reply = work().map_texts(|text| {
            let kept = &text[..text.floor_char_boundary(TEXT_KEPT_MAX)];
            length += kept.len();
            Cow::Owned(kept.to_owned())
        });
        run.length = length;
        run.reply = Arc::new(reply);
        Outcome::Shared(Arc::clone(&run.reply))
    }

    /// Waits for the run of a message of which this is another try. `None` if the message is new.
    fn join_run(
        &self,
        key: MessageKey,
        message: &Message<'_>,
        caller: &Caller<'_>,
    ) -> Option<Outcome<'static>> {
        let mut store = self.store();
        let joined = store.get_mut(key)?;
        joined.tries += 1;
        let age = message.received().saturating_sub(joined.first_try_at);
        let is_last = joined.tries >= TRIES || age >= LAST_TRY_AGE;
        self.joined.fetch_add(1, Ordering::Relaxed);
        if let Some(answer) = store.deliver(key) {
            return Some(Outcome::Shared(answer));
        }
        let mut timeout =
            if is_last { self.timing.last_try_deadline } else { self.timing.wechat_timeout };
        loop {
            store = wait_until(store, key, timeout, |message| message.answer().is_some());
            if is_last && let Some(answer) = store.defer(key) {
                return Some(Outcome::Shared(answer));
            }
            drop(store);
            if !(caller.is_connected)() {
                return Some(Outcome::Disconnected);
            }
            store = self.store();
            // If it was forgotten in the meantime, this try is a new message.
            store.get(key)?;
            if let Some(answer) = store.deliver(key) {
                return Some(Outcome::Shared(answer));
            }
            timeout = self.timing.poll_interval;
        }
    }

    /// The late answer of a pending message. If its run has not ended, waits for as long as the last try
    /// could, and then gives the answer of the last try again.
    fn pick_up(&self, pending: MessageKey) -> Reply<'static> {
        let timeout = self.timing.last_try_deadline;
        let mut store = wait_until(self.store(), pending, timeout, RecentMessage::is_finished);
        store.pick_up(pending).unwrap_or(Reply::Success)
    }

    fn user_key(&self, message: &Message<'_>) -> UserKey {
        UserKey(self.hasher.hash_one(message.from_user_name()))
    }

    fn message_key(&self, message: &Message<'_>) -> MessageKey {
        MessageKey(self.hasher.hash_one(message.identity()))
    }

    fn store(&self) -> MutexGuard<'_, RetryStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the condition holds for a message, or the timeout has passed. A message is not forgotten
/// while a try waits for it.
fn wait_until<'r>(
    mut store: MutexGuard<'r, RetryStore>,
    key: MessageKey,
    timeout: Duration,
    holds: fn(&RecentMessage) -> bool,
) -> MutexGuard<'r, RetryStore> {
    let Some(message) = store.get_mut(key).filter(|message| !holds(message)) else {
        return store;
    };
    message.waiting += 1;
    let changed = Arc::clone(&message.changed);
    let (mut store, _) = changed
        .wait_timeout_while(store, timeout, |store| {
            store.get(key).is_some_and(|message| !holds(message))
        })
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(message) = store.get_mut(key) {
        message.waiting -= 1;
    }
    store
}

/// The first line of the user's text, or its beginning, to be quoted before a late answer.
fn question(message: &Message<'_>) -> String {
    let text = message.field("Content");
    let text = text.or_else(|| message.field("Recognition"));
    let text = text.map_or("", trim);
    let line = text.lines().next().unwrap_or_default();
    let mut quoted: String = line.chars().take(QUESTION_CHARS_MAX).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    quoted
}

/// A run under way. Dropping it records its end, so that a run that panics has ended too, with no reply.
struct Run<'r> {
    retries: &'r Retries,
    caller: &'r Caller<'r>,
    key: MessageKey,
    received: u64,
    reply: SharedReply,
    /// Bytes of the reply's texts.
    length: usize,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let now = (self.caller.now)();
        let is_quick = now.saturating_sub(self.received) < QUICK_RUN;
        let is_taken = is_quick || (self.caller.is_connected)();
        let mut store = self.retries.store();
        store.finish(self.key, &self.reply, self.length, is_taken, now);
        let lost = store.make_room(self.key, now);
        drop(store);
        if lost > 0 {
            (self.retries.report)(&wording::late_answers_dropped(lost).to_string());
        }
    }
}
