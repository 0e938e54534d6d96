//! Counts of messages, replies and token checks since the start of the server. `control/report.rs` has the
//! names shown by `wechat status`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::wechat::{Message, Mode};

/// The values of MsgType that are counted by name.
const KINDS: [&str; 10] = [
    "text",
    "image",
    "voice",
    "video",
    "shortvideo",
    "location",
    "link",
    "file",
    "miniprogrampage",
    "event",
];

/// Counts of messages, replies and token checks. All threads share them.
#[derive(Debug, Default)]
pub struct Metrics {
    messages: [AtomicU64; KINDS.len()],
    other_messages: AtomicU64,
    modes: [AtomicU64; Mode::ALL.len()],
    unread: AtomicU64,
    replies: AtomicU64,
    without_reply: AtomicU64,
    disconnected: AtomicU64,
    token_checks: AtomicU64,
    last_message: AtomicU64,
}

impl Metrics {
    /// Messages by MsgType. A message that WeChat sends again is counted again. The last item, `other`, counts unknown
    /// types.
    pub fn messages(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let kinds = KINDS.into_iter().zip(&self.messages);
        let kinds = kinds.chain([("other", &self.other_messages)]);
        kinds.map(|(kind, count)| (kind, count.load(Relaxed)))
    }

    /// Messages by mode, including unread messages.
    pub fn modes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let modes = Mode::ALL.into_iter().zip(&self.modes);
        modes.map(|(mode, count)| (mode.name(), count.load(Relaxed)))
    }

    /// Encrypted messages that could not be read without a key.
    pub fn unread(&self) -> u64 {
        self.unread.load(Relaxed)
    }

    /// Messages that got a reply.
    pub fn replies(&self) -> u64 {
        self.replies.load(Relaxed)
    }

    /// Messages that got `success`.
    pub fn without_reply(&self) -> u64 {
        self.without_reply.load(Relaxed)
    }

    /// Tries whose client disconnected before the reply was known.
    pub fn disconnected(&self) -> u64 {
        self.disconnected.load(Relaxed)
    }

    /// When the last message arrived, in seconds since 1970; `None` if no message has arrived yet.
    pub fn last_message(&self) -> Option<u64> {
        let last = self.last_message.load(Relaxed);
        (last > 0).then_some(last)
    }

    /// Token checks that passed.
    pub fn token_checks(&self) -> u64 {
        self.token_checks.load(Relaxed)
    }

    /// Counts a message. Returns `true` if the log should mention its mode, because the message is the first in
    /// this mode and at least one message so far, including this one, was not plain.
    pub(super) fn count_message(&self, message: &Message<'_>, mode: Mode) -> bool {
        let kind = KINDS.iter().position(|kind| *kind == message.msg_type());
        increment(kind.map_or(&self.other_messages, |kind| &self.messages[kind]));
        self.last_message.store(message.received(), Relaxed);
        self.count_mode(mode)
    }

    fn count_mode(&self, mode: Mode) -> bool {
        let [plain, compatible, safe] = &self.modes;
        let is_used = |count: &AtomicU64| count.load(Relaxed) > 0;
        let (count, is_notable) = match mode {
            Mode::Plain => (plain, is_used(compatible) || is_used(safe)),
            Mode::Compatible => (compatible, true),
            Mode::Safe => (safe, true),
        };
        count.fetch_add(1, Relaxed) == 0 && is_notable
    }

    pub(super) fn count_unread(&self, now: u64) {
        self.count_mode(Mode::Safe);
        self.last_message.store(now, Relaxed);
        increment(&self.unread);
        increment(&self.without_reply);
    }

    pub(super) fn count_reply(&self, is_reply: bool) {
        increment(match is_reply {
            true => &self.replies,
            false => &self.without_reply,
        });
    }

    pub(super) fn count_disconnected(&self) {
        increment(&self.disconnected);
    }

    pub(super) fn count_token_check(&self) {
        increment(&self.token_checks);
    }
}

fn increment(count: &AtomicU64) {
    count.fetch_add(1, Relaxed);
}
