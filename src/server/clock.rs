//! The system clock, and a clock that measures durations.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

/// The time in seconds since 1970; 0 if the clock is set to an earlier time.
pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs())
}

/// The seconds since the first call. Setting the system clock has no effect on them.
pub fn uptime() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs()
}
