//! A time limit for a series of socket reads or writes. The socket timeouts of std limit only a single read or write.

use std::time::{Duration, Instant};

/// The time at which an operation times out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    start: Instant,
    limit: Duration,
}

impl Deadline {
    /// The deadline that is `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self::since(Instant::now(), limit)
    }

    /// The deadline that is `limit` after `start`.
    pub(crate) const fn since(start: Instant, limit: Duration) -> Self {
        Self { start, limit }
    }

    /// The time left; `None` when the deadline has passed. It is at least a millisecond, because sockets refuse a
    /// timeout of zero.
    pub(crate) fn remaining(self) -> Option<Duration> {
        let remaining = self.limit.checked_sub(self.start.elapsed())?;
        Some(remaining.max(Duration::from_millis(1)))
    }
}
