//! The wall clock.

use std::time::SystemTime;

/// The time in seconds since 1970; 0 if the clock is set to an earlier time.
pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs())
}
