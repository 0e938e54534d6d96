//! Runs a program once for all tries of a message, and keeps late replies for their users.
//!
//! WeChat waits five seconds for a response, then closes the connection and sends the message again. A message
//! has up to three tries. The connection thread of the first try does the run; the threads of the other tries
//! wait for its end. Tries whose client is connected when the run ends get the reply, and so do later tries.
//! If the run has not ended shortly before WeChat gives up on the last try, the last try gets the rule's `late`
//! text, and the reply of the run is kept until the user asks for it.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::recent_message::{MessageKey, RecentMessage, SharedReply, UserKey};
use super::retry_store::RetryStore;
use super::wording;
use crate::rules::LateReply;
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};
use crate::xml::trim;

/// The maximum number of tries of a message, by WeChat's manual and by captured logs.
const TRIES_MAX: u32 = 3;

/// A try counts as the last one if it arrives at least this many seconds after the first. Tries are five
/// seconds apart, so it is the third try even if the second one was lost in the network.
const LAST_TRY_AGE: u64 = 8;

/// If a run takes fewer seconds than this, its client is assumed to be still connected, because WeChat waits
/// five seconds. Such a run skips `is_connected`, which is a system call.
const QUICK_RUN: u64 = 2;

/// Maximum characters of a message's text that are quoted before its late reply.
const QUOTE_CHARS_MAX: usize = 40;

/// The client that waits for the response to a try, and the clocks.
#[derive(Clone, Copy)]
pub struct WaitingClient<'c> {
    /// Returns the current time, in seconds since 1970.
    pub now: &'c dyn Fn() -> u64,
    /// Returns the seconds since any fixed time. Setting the system clock must have no effect on them, because durations
    /// are measured by them.
    pub uptime: &'c dyn Fn() -> u64,
    /// Returns whether the client is still connected.
    pub is_connected: &'c dyn Fn() -> bool,
}

/// The result of one try of a message.
#[derive(Debug)]
pub enum Outcome<'m> {
    /// A reply made for this try.
    Reply(Reply<'m>),
    /// A reply made once for all tries.
    Shared(SharedReply),
    /// No reply, because the client has disconnected.
    Disconnected,
}

/// How long tries wait for the end of a run. The default fits WeChat.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long a try waits before the first check whether its client is still connected. WeChat disconnects
    /// five seconds after it began to connect, so it has disconnected by then.
    pub first_wait: Duration,
    /// The time between later checks. A client other than WeChat may wait longer than five seconds.
    pub poll_interval: Duration,
    /// How long the last try waits at most for the reply of the run. Then it gets `late.text`. Of WeChat's five seconds, this leaves 500 ms for
    /// the network and 100 ms for this machine.
    pub last_try_wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_secs(5),
            poll_interval: Duration::from_millis(500),
            last_try_wait: Duration::from_millis(4400),
        }
    }
}

/// The recent messages and their replies.
#[derive(Debug)]
pub struct Retries {
    store: Mutex<RetryStore>,
    joined_tries: AtomicU64,
    /// Whether the log says that texts are cut.
    has_noted_cut: AtomicBool,
    hasher: RandomState,
    /// How long tries wait.
    pub timing: Timing,
    report: Report,
}

impl Retries {
    /// Starts without messages, and with the default timing. Log lines about deleted late replies go to `report`.
    pub fn new(report: Report) -> Self {
        Self {
            store: Mutex::default(),
            joined_tries: AtomicU64::new(0),
            has_noted_cut: AtomicBool::new(false),
            hasher: RandomState::new(),
            timing: Timing::default(),
            report,
        }
    }

    /// Number of tries that waited for the run of an earlier try, or got its reply.
    pub fn joined_tries(&self) -> u64 {
        self.joined_tries.load(Ordering::Relaxed)
    }

    /// Handles another try of a recent message, or a text that asks for a late reply. `None` for any other
    /// message, which is new and needs a reply of its own.
    pub fn join(
        &self,
        message: &Message<'_>,
        client: &WaitingClient<'_>,
    ) -> Option<Outcome<'static>> {
        if self.store().is_empty() {
            return None;
        }
        let outcome = self.join_run(self.message_key(message), client);
        if outcome.is_some() {
            return outcome;
        }
        if message.msg_type() != "text" {
            return None;
        }
        let text = message.field("Content").map_or("", trim);
        let (user, now) = (self.user_key(message), (client.uptime)());
        let pending = self.store().find_pending(user, text, now)?;
        let pick_up = || self.pick_up(pending);
        Some(self.run_once(message, client, LateReply::default(), &pick_up))
    }

    /// Calls `work` if this is the first try of its message. Any other try waits for the run of the first try.
    pub fn run_once<'m>(
        &self,
        message: &Message<'_>,
        client: &WaitingClient<'_>,
        late: LateReply,
        work: &dyn Fn() -> Reply<'m>,
    ) -> Outcome<'static> {
        let key = self.message_key(message);
        let received = (client.uptime)();
        let new = RecentMessage::new(self.user_key(message), question(message), late, received);
        if !self.store().insert(key, new) {
            let outcome = self.join_run(key, client);
            return outcome.unwrap_or(Outcome::Disconnected);
        }
        let mut run = Run { retries: self, client, key, received, reply: Arc::new(Reply::Success) };
        let reply = work();
        self.note_cut(&reply);
        run.reply = Arc::new(reply.to_kept(message));
        Outcome::Shared(Arc::clone(&run.reply))
    }

    /// Writes a line to the log before the first text that is cut.
    pub(super) fn note_cut(&self, reply: &Reply<'_>) {
        if let Some(bytes) = reply.bytes_if_cut()
            && !self.has_noted_cut.swap(true, Ordering::Relaxed)
        {
            (self.report)(&wording::text_cut(bytes).to_string());
        }
    }

    /// Waits for the end of the run that an earlier try of this message began. `None` if there was no earlier
    /// try.
    fn join_run(&self, key: MessageKey, client: &WaitingClient<'_>) -> Option<Outcome<'static>> {
        let mut store = self.store();
        let recent = store.get_mut(key)?;
        recent.tries += 1;
        let age = (client.uptime)().saturating_sub(recent.first_try_at);
        let is_last = recent.tries >= TRIES_MAX || age >= LAST_TRY_AGE;
        self.joined_tries.fetch_add(1, Ordering::Relaxed);
        if let Some(reply) = store.deliver(key) {
            return Some(Outcome::Shared(reply));
        }
        let mut timeout = if is_last { self.timing.last_try_wait } else { self.timing.first_wait };
        loop {
            store = wait_until(store, key, timeout, |message| message.reply().is_some());
            if is_last && let Some(reply) = store.defer(key) {
                return Some(Outcome::Shared(reply));
            }
            drop(store);
            if !(client.is_connected)() {
                return Some(Outcome::Disconnected);
            }
            store = self.store();
            // While the lock was released, the message may have been deleted. Then this try is new.
            store.get(key)?;
            if let Some(reply) = store.deliver(key) {
                return Some(Outcome::Shared(reply));
            }
            timeout = self.timing.poll_interval;
        }
    }

    /// The late reply to a pending message. If the run has not ended, waits for its end, but not longer than the
    /// last try waits. After that, repeats the reply given to the last try (`late.text`).
    fn pick_up(&self, pending: MessageKey) -> Reply<'static> {
        let timeout = self.timing.last_try_wait;
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

/// Waits until `is_done` is true for a message, or the timeout has passed. Meanwhile, the message is not
/// deleted.
fn wait_until<'r>(
    mut store: MutexGuard<'r, RetryStore>,
    key: MessageKey,
    timeout: Duration,
    is_done: fn(&RecentMessage) -> bool,
) -> MutexGuard<'r, RetryStore> {
    let Some(message) = store.get_mut(key).filter(|message| !is_done(message)) else {
        return store;
    };
    message.waiting += 1;
    let changed = Arc::clone(&message.changed);
    let (mut store, _) = changed
        .wait_timeout_while(store, timeout, |store| {
            store.get(key).is_some_and(|message| !is_done(message))
        })
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(message) = store.get_mut(key) {
        message.waiting -= 1;
    }
    store
}

/// The beginning of the first line of the user's text, to be quoted before a late reply.
fn question(message: &Message<'_>) -> String {
    let text = message.field("Content");
    let text = text.or_else(|| message.field("Recognition"));
    let text = text.map_or("", trim);
    let line = text.lines().next().unwrap_or_default();
    let mut quoted: String = line.chars().take(QUOTE_CHARS_MAX).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    quoted
}

/// A run that has begun. Dropping it records the end of the run, so a run that panics ends too, without a
/// reply.
struct Run<'r> {
    retries: &'r Retries,
    client: &'r WaitingClient<'r>,
    key: MessageKey,
    received: u64,
    reply: SharedReply,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let now = (self.client.uptime)();
        let is_quick = now.saturating_sub(self.received) < QUICK_RUN;
        let is_delivered = is_quick || (self.client.is_connected)();
        let mut store = self.retries.store();
        store.finish(self.key, &self.reply, is_delivered, now);
        let lost_replies = store.delete_oldest(self.key, now);
        drop(store);
        if lost_replies > 0 {
            (self.retries.report)(&wording::late_replies_dropped(lost_replies).to_string());
        }
    }
}
