//! The messages whose reply is not delivered yet.

use std::collections::{HashMap, VecDeque};

use super::recent_message::{MessageKey, UserKey};

/// Messages whose reply is not delivered yet. Their state is `Deferred`, `Undelivered` or `Late`.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// All pending messages, oldest first.
    pub(super) queue: VecDeque<MessageKey>,
    /// The pending messages of each user, oldest first.
    pub(super) by_user: HashMap<UserKey, Vec<MessageKey>>,
    /// Bytes used by the finished messages in `queue`.
    pub(super) bytes: usize,
}

impl Pending {
    pub(super) fn push(&mut self, key: MessageKey, user: UserKey) {
        self.queue.push_back(key);
        self.by_user.entry(user).or_default().push(key);
    }

    pub(super) fn replace(&mut self, key: MessageKey, new: MessageKey, user: UserKey) {
        let of_user = self.by_user.get_mut(&user).into_iter().flatten();
        of_user
            .chain(&mut self.queue)
            .filter(|other| **other == key)
            .for_each(|other| *other = new);
    }

    pub(super) fn remove(&mut self, key: MessageKey, user: UserKey) {
        remove(&mut self.queue, key);
        if let Some(keys) = self.by_user.get_mut(&user) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_user.remove(&user);
            }
        }
    }
}

/// Removes a key from a queue. The search is short, because the key is usually the first.
pub(super) fn remove(queue: &mut VecDeque<MessageKey>, key: MessageKey) {
    if let Some(position) = queue.iter().position(|other| *other == key) {
        queue.remove(position);
    }
}
