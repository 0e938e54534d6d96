//! Runs a program once for all tries of a message, and keeps late replies for their users.
//!
//! WeChat waits five seconds for a response, then closes the connection and sends the message again. A message
//! has up to three tries. The connection thread of the first try does the run; the threads of the other tries
//! wait for its end. Tries whose client is connected when the run ends get the reply, and so do later tries.
//! If the run has not ended shortly before WeChat gives up on the last try, the last try gets the rule's `late`
//! text, and the reply of the run is kept until the user asks for it.

use std::hash::{BuildHasher, RandomState};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::recent_message::{MessageKey, RecentMessage, SharedReply, UserKey};
use super::retry_store::RetryStore;
use super::wording;
use crate::rules::LateReply;
use crate::text::log_note::Report;
use crate::wechat::{Message, MessageCopy, Reply};
use crate::xml::trim;

/// The maximum number of tries of a message, by WeChat's manual and by captured logs.
const TRIES_MAX: u32 = 3;

/// A try counts as the last one if it arrives at least this many seconds after the first. Tries are five
/// seconds apart, so it is the third try even if the second one was lost in the network.
const LAST_TRY_AGE: u64 = 8;

/// If a run takes fewer seconds than this, its client is assumed to be still connected, because WeChat waits
/// five seconds. Such a run skips `is_connected`, which is a system call.
const QUICK_RUN: u64 = 2;

/// Bytes of the stack of a thread that does a run. Running a program and parsing its output do not recurse.
const STACK: usize = 256 * 1024;

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
    /// The maximum time that the last try waits for the reply of the run. Then it gets `late.text`. Of WeChat's five
    /// seconds, 500 ms are left for the network and 100 ms for this machine.
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

    /// Handles another try of a recent message, or a text that asks for a late reply with `pickup` words. `None` for any
    /// other message, which is new and needs a reply of its own.
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
        Some(self.answer_with_pending(message, client, pending))
    }

    /// The reply to a message that has no reply of its own: a late reply that has no `pickup` words. `None` if the user has no
    /// such late reply, and for an event.
    pub fn hand_over(
        &self,
        message: &Message<'_>,
        client: &WaitingClient<'_>,
    ) -> Option<Outcome<'static>> {
        if message.is_event() {
            return None;
        }
        let now = (client.uptime)();
        let pending = self.store().find_for_any_message(self.user_key(message), now)?;
        Some(self.answer_with_pending(message, client, pending))
    }

    fn answer_with_pending(
        &self,
        message: &Message<'_>,
        client: &WaitingClient<'_>,
        pending: MessageKey,
    ) -> Outcome<'static> {
        let (key, received) = (self.message_key(message), (client.uptime)());
        match self.insert(key, message, received, LateReply::default(), false) {
            Some(_) => {
                self.run(key, message, &|| end_with(client, received), &|_| self.pick_up(pending))
            }
            None => self.join_run(key, client).unwrap_or(Outcome::Disconnected),
        }
    }

    /// Calls `work` if this is the first try of its message. Any other try waits for the run of the first try.
    ///
    /// If the user has a late reply without `pickup` words, `work` is called on a thread of `scope`. If it ends in time, the
    /// message gets both replies in one text. If it does not, or if one of the two is not a text, the message gets the late
    /// reply, and the reply of `work` is kept for the next message.
    pub fn run_once<'s>(
        &'s self,
        message: &Message<'_>,
        client: &WaitingClient<'_>,
        late: LateReply,
        scope: &'s Scope<'s, '_>,
        work: impl for<'m> Fn(&'m Message<'m>) -> Reply<'m> + Send + Sync + 's,
    ) -> Outcome<'static> {
        let (key, received) = (self.message_key(message), (client.uptime)());
        let claims = !message.is_event();
        let Some(preceding) = self.insert(key, message, received, late, claims) else {
            return self.join_run(key, client).unwrap_or(Outcome::Disconnected);
        };
        if preceding.is_none() {
            return self.run(key, message, &|| end_with(client, received), &work);
        }
        let begun = Instant::now();
        let end = move || (false, received.saturating_add(begun.elapsed().as_secs()));
        let (work, copy) = (Arc::new(work), MessageCopy::new(message));
        let run_on_thread = {
            let work = Arc::clone(&work);
            move || {
                // The panic was logged. It must not end the scope.
                let run = || copy.with(|message| drop(self.run(key, message, &end, &*work)));
                let _: thread::Result<()> = panic::catch_unwind(AssertUnwindSafe(run));
            }
        };
        let thread = thread::Builder::new().stack_size(STACK);
        if thread.spawn_scoped(scope, run_on_thread).is_err() {
            self.run(key, message, &end, &*work);
        }
        let outcome = self.wait_for_reply(self.store(), key, client, true);
        self.store().end_wait(key);
        outcome.unwrap_or(Outcome::Disconnected)
    }

    /// Adds a message; `None` if this is not its first try. `claims` says whether the message gets the late reply of an earlier
    /// message. Returns that message.
    fn insert(
        &self,
        key: MessageKey,
        message: &Message<'_>,
        received: u64,
        late: LateReply,
        claims: bool,
    ) -> Option<Option<MessageKey>> {
        let user = self.user_key(message);
        let new = RecentMessage::new(user, question(message), late, received);
        let mut store = self.store();
        if !store.insert(key, new) {
            return None;
        }
        let preceding = if claims { store.claim(user, received) } else { None };
        if let Some(message) = store.get_mut(key) {
            message.preceding = preceding;
            // The first try waits from now on.
            message.waiting = u32::from(preceding.is_some());
        }
        Some(preceding)
    }

    /// Does the work of a message. `end` is called at its end, as [`Run`] says.
    fn run<'m>(
        &self,
        key: MessageKey,
        message: &'m Message<'m>,
        end: &dyn Fn() -> (bool, u64),
        work: &dyn Fn(&'m Message<'m>) -> Reply<'m>,
    ) -> Outcome<'static> {
        let mut run = Run { retries: self, key, end, reply: Arc::new(Reply::Success) };
        let reply = work(message);
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

    /// Waits for the end of the run that an earlier try of this message began. `None` if there was no earlier try, or if it
    /// is forgotten.
    fn join_run(&self, key: MessageKey, client: &WaitingClient<'_>) -> Option<Outcome<'static>> {
        let mut store = self.store();
        let now = (client.uptime)();
        store.expire_tries(key, now);
        let recent = store.get_mut(key)?;
        recent.tries += 1;
        recent.last_try_at = now;
        let age = now.saturating_sub(recent.first_try_at);
        // With the late reply of an earlier message, there is a reply for each try.
        let is_last =
            recent.tries >= TRIES_MAX || age >= LAST_TRY_AGE || recent.preceding.is_some();
        self.joined_tries.fetch_add(1, Ordering::Relaxed);
        self.wait_for_reply(store, key, client, is_last)
    }

    /// Waits until a message has a reply. If this is the last try, does not wait longer than WeChat. `None` if the message was
    /// deleted.
    fn wait_for_reply<'r>(
        &'r self,
        mut store: MutexGuard<'r, RetryStore>,
        key: MessageKey,
        client: &WaitingClient<'_>,
        is_last: bool,
    ) -> Option<Outcome<'static>> {
        let mut timeout = if is_last { self.timing.last_try_wait } else { self.timing.first_wait };
        let has_reply = |message: &RecentMessage| message.reply().is_some();
        while !store.get(key).is_some_and(has_reply) {
            store = wait_until(store, key, timeout, has_reply);
            drop(store);
            if !(client.is_connected)() {
                return Some(Outcome::Disconnected);
            }
            store = self.store();
            // While the lock was released, the message may have been deleted. Then this try is new.
            store.get(key)?;
            if is_last && let Some(reply) = store.defer(key) {
                return Some(Outcome::Shared(reply));
            }
            timeout = self.timing.poll_interval;
        }
        store.deliver(key).map(Outcome::Shared)
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

/// Whether the client of the first try gets the reply at the end of its run, and the time.
fn end_with(client: &WaitingClient<'_>, received: u64) -> (bool, u64) {
    let now = (client.uptime)();
    let is_quick = now.saturating_sub(received) < QUICK_RUN;
    (is_quick || (client.is_connected)(), now)
}

/// A run that has begun. Dropping it records the end of the run, so a run that panics ends too, without a
/// reply.
struct Run<'r> {
    retries: &'r Retries,
    key: MessageKey,
    /// Returns whether the client of the first try gets the reply, and the time.
    end: &'r dyn Fn() -> (bool, u64),
    reply: SharedReply,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let (is_delivered, now) = (self.end)();
        let mut store = self.retries.store();
        store.finish(self.key, &self.reply, is_delivered, now);
        store.delete_expired(now);
        let lost_replies = store.delete_oldest(self.key, now);
        drop(store);
        if lost_replies > 0 {
            (self.retries.report)(&wording::late_replies_dropped(lost_replies).to_string());
        }
    }
}
