//! Deadlines of sockets, which std knows only for a single read or write.

use std::time::{Duration, Instant};

/// The time left until the deadline, at least a millisecond, since a socket's time-out of zero means none;
/// `None` when it has passed.
pub(crate) fn remaining(deadline: Instant) -> Option<Duration> {
    let left = deadline.checked_duration_since(Instant::now())?;
    Some(left.max(Duration::from_millis(1)))
}
