//! What a callback has answered so far.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::wechat::{Message, Mode};

/// The kinds of messages that are counted, by MsgType.
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

/// What a callback has answered so far.
#[derive(Debug, Default)]
pub struct Metrics {
    messages: [AtomicU64; KINDS.len()],
    others: AtomicU64,
    modes: [AtomicU64; Mode::ALL.len()],
    unread: AtomicU64,
    replies: AtomicU64,
    successes: AtomicU64,
    given_up: AtomicU64,
    token_checks: AtomicU64,
    last_message: AtomicU64,
}

impl Metrics {
    /// How many messages came of each kind, by MsgType, each try of one counted; last, as `other`, those of
    /// kinds that the manual does not have.
    pub fn messages(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let kinds = KINDS.into_iter().zip(&self.messages);
        let kinds = kinds.chain([("other", &self.others)]);
        kinds.map(|(kind, count)| (kind, count.load(Ordering::Relaxed)))
    }

    /// How many messages came in each mode, those that could not be read among them.
    pub fn modes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let modes = Mode::ALL.into_iter().zip(&self.modes);
        modes.map(|(mode, count)| (mode.name(), count.load(Ordering::Relaxed)))
    }

    /// Encrypted messages that could not be read, for want of a key.
    pub fn unread(&self) -> u64 {
        self.unread.load(Ordering::Relaxed)
    }

    /// Messages that were replied to.
    pub fn replies(&self) -> u64 {
        self.replies.load(Ordering::Relaxed)
    }

    /// Messages that got no reply, but `success`.
    pub fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    /// Retries that waited for the work of an earlier one, and whose sender was gone before there was an answer.
    pub fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }

    /// When the last message came, in seconds since 1970.
    pub fn last_message(&self) -> Option<u64> {
        let last = self.last_message.load(Ordering::Relaxed);
        (last > 0).then_some(last)
    }

    /// Token checks that passed.
    pub fn token_checks(&self) -> u64 {
        self.token_checks.load(Ordering::Relaxed)
    }

    /// Counts a message, and returns whether its mode is news: none came in it before, and either it is
    /// encrypted or others were.
    pub(super) fn count_message(&self, message: &Message<'_>, mode: Mode) -> bool {
        let msg_type = message.msg_type();
        let kinds = KINDS.iter().zip(&self.messages);
        let mut of_kind = kinds.filter(|(kind, _)| **kind == msg_type);
        self.last_message
            .store(message.received(), Ordering::Relaxed);
        one_more(of_kind.next().map_or(&self.others, |(_, count)| count));
        self.count_mode(mode)
    }

    fn count_mode(&self, mode: Mode) -> bool {
        let [plain, compatible, safe] = &self.modes;
        let count = match mode {
            Mode::Plain => plain,
            Mode::Compatible => compatible,
            Mode::Safe => safe,
        };
        let is_there = |count: &AtomicU64| count.load(Ordering::Relaxed) > 0;
        count.fetch_add(1, Ordering::Relaxed) == 0
            && (mode != Mode::Plain || is_there(compatible) || is_there(safe))
    }

    pub(super) fn count_unread(&self, now: u64) {
        self.count_mode(Mode::Safe);
        self.last_message.store(now, Ordering::Relaxed);
        one_more(&self.unread);
        one_more(&self.successes);
    }

    pub(super) fn count_reply(&self, is_reply: bool) {
        one_more(match is_reply {
            true => &self.replies,
            false => &self.successes,
        });
    }

    pub(super) fn count_gone(&self) {
        one_more(&self.given_up);
    }

    pub(super) fn count_token_check(&self) {
        one_more(&self.token_checks);
    }
}

fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
