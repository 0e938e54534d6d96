//! Counts the starts of programs, for the limits of users. Memory is limited: users who start no program for a long
//! time are forgotten first.

use std::collections::{BinaryHeap, HashMap};

use crate::rules::Limit;

/// Maximum bytes used by all counts. This is enough for 60,000 users with one start each, or for 29,000 users with 20
/// starts each.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of memory that a count uses besides its starts (an estimate).
const OVERHEAD: usize = 128;

/// The maximum number of times that a count stores. For a limit of more starts, several starts share a time.
const TIMES_MAX: u32 = 64;

/// The recent starts for each key, which stands for a `<run>` element and a user.
#[derive(Debug, Default)]
pub(super) struct StartCounts {
    counts: HashMap<u64, StartCount>,
    /// Bytes used by `counts`.
    bytes: usize,
    /// The number of all starts so far.
    total: u64,
}

/// The recent starts for one key.
#[derive(Debug, Default)]
struct StartCount {
    /// Times in seconds, in ascending order, and the number of starts at each time.
    starts: Vec<(u32, u32)>,
    /// The length of the limit's period at the last start.
    seconds: u32,
    /// `StartCounts::total` at the last start. It orders the counts.
    last: u64,
}

impl StartCount {
    const fn bytes(&self) -> usize {
        OVERHEAD + self.starts.len() * size_of::<(u32, u32)>()
    }

    /// Whether the period of each start has ended.
    fn is_over(&self, now: u32) -> bool {
        self.starts.last().is_none_or(|(at, _)| !is_recent(*at, self.seconds, now))
    }
}

/// The stored time of a start at the time `now`. It is rounded up, so that a start never leaves the period too early.
fn time_of_start(limit: Limit, now: u32) -> u32 {
    match limit.count <= TIMES_MAX {
        true => now,
        false => now.next_multiple_of(limit.seconds.div_ceil(TIMES_MAX)),
    }
}

/// Whether a start belongs to the current period.
const fn is_recent(at: u32, seconds: u32, now: u32) -> bool {
    // The time of a start is rounded up, so it may be later than `now`.
    now.saturating_sub(at) < seconds
}

impl StartCounts {
    /// Whether the limit allows no start at the time `now`.
    pub(super) fn is_reached(&self, key: u64, limit: Limit, now: u32) -> bool {
        let starts = self.counts.get(&key).map_or(&[][..], |count| &count.starts);
        let recent = starts.iter().filter(|(at, _)| is_recent(*at, limit.seconds, now));
        recent.map(|(_, number)| *number).sum::<u32>() >= limit.count
    }

    /// Adds a start at the time `now`. Returns the number of other keys whose recent starts were deleted to make space.
    pub(super) fn add(&mut self, key: u64, limit: Limit, now: u32) -> usize {
        self.total += 1;
        let count = self.counts.entry(key).or_insert_with(|| {
            self.bytes += OVERHEAD;
            StartCount::default()
        });
        self.bytes -= count.bytes();
        count.seconds = limit.seconds;
        count.last = self.total;
        count.starts.retain(|(at, _)| is_recent(*at, limit.seconds, now));
        let at = time_of_start(limit, now);
        match count.starts.last_mut() {
            Some((last, number)) if *last >= at => *number += 1,
            _ => {
                count.starts.reserve_exact(1);
                count.starts.push((at, 1));
            }
        }
        self.bytes += count.bytes();
        if self.bytes > BYTES_MAX { self.make_space(now) } else { 0 }
    }

    /// Removes a start that was added at the time `now`, if it has not been deleted since then.
    pub(super) fn remove(&mut self, key: u64, limit: Limit, now: u32) {
        let Some(count) = self.counts.get_mut(&key) else {
            return;
        };
        let at = time_of_start(limit, now);
        let Some(index) = count.starts.iter().position(|(time, _)| *time >= at) else {
            return;
        };
        self.bytes -= count.bytes();
        let (_, number) = &mut count.starts[index];
        *number -= 1;
        if *number == 0 {
            count.starts.remove(index);
        }
        self.bytes += count.bytes();
    }

    /// Deletes the counts whose starts are no longer recent. If less than an eighth of the space is free then, deletes
    /// the eighth of the counts whose last start is the longest ago. Returns the number of these counts.
    fn make_space(&mut self, now: u32) -> usize {
        self.counts.retain(|_, count| !count.is_over(now));
        let bytes_of =
            |counts: &HashMap<u64, StartCount>| counts.values().map(StartCount::bytes).sum();
        self.bytes = bytes_of(&self.counts);
        if self.bytes <= BYTES_MAX / 8 * 7 {
            return 0;
        }
        let lost_counts = self.counts.len() / 8;
        let last: Vec<u64> = self.counts.values().map(|count| count.last).collect();
        // Sorted by a heap, because `sort` would add 4 KiB to the binary.
        let last = BinaryHeap::from(last).into_sorted_vec();
        self.counts.retain(|_, count| count.last >= last[lost_counts]);
        self.bytes = bytes_of(&self.counts);
        lost_counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 24 * 3600;

    /// Starts as often as the limit allows at one time. Returns the number of starts.
    fn start_all(counts: &mut StartCounts, key: u64, limit: Limit, now: u32) -> u32 {
        let mut started = 0;
        while !counts.is_reached(key, limit, now) {
            assert_eq!(counts.add(key, limit, now), 0);
            started += 1;
        }
        started
    }

    /// Checks that no period has more starts than allowed, for a user who tries at each of these times.
    #[track_caller]
    fn assert_limits(limit: Limit, times: impl Iterator<Item = u32>) -> u32 {
        let (mut counts, mut started) = (StartCounts::default(), Vec::new());
        for now in times {
            if !counts.is_reached(7, limit, now) {
                counts.add(7, limit, now);
                started.push(now);
            }
            let recent = started.iter().rev().take_while(|at| now - **at < limit.seconds);
            assert!(recent.count() <= limit.count as usize, "{limit:?} at {now}");
            assert!(counts.counts[&7].starts.len() <= 65, "{limit:?} at {now}");
            assert_eq!(counts.bytes, counts.counts[&7].bytes());
        }
        u32::try_from(started.len()).unwrap_or_default()
    }

    #[test]
    fn no_period_has_more_starts_than_the_limit() {
        let limit = |count, seconds| Limit { count, seconds };
        assert_eq!(assert_limits(limit(1, 1), 0..100), 100);
        assert_eq!(assert_limits(limit(2, 3600), (0..DAY).step_by(60)), 48);
        assert_eq!(assert_limits(limit(64, 3600), 0..2 * 3600), 128);
        assert_eq!(assert_limits(limit(1000, 3600), 5..3 * 3600), 3000);
        // Starts share a time, so up to a 64th of the period passes before they are allowed again.
        let allowed = assert_limits(limit(1000, DAY), (0..7 * DAY).step_by(20));
        assert!((6800..=7000).contains(&allowed), "{allowed}");
        assert_eq!(assert_limits(limit(1000, 1), (0..5000).map(|n| n / 1500)), 3500);
    }

    #[test]
    fn a_limit_by_day_holds_for_twenty_thousand_active_users() {
        const USERS: u64 = 20_000;
        let limit = Limit { count: 20, seconds: DAY };
        let mut counts = StartCounts::default();
        for now in 0..20 {
            for user in 0..USERS {
                assert!(!counts.is_reached(user, limit, now * 60));
                assert_eq!(counts.add(user, limit, now * 60), 0);
            }
        }
        assert!((0..USERS).all(|user| counts.is_reached(user, limit, DAY - 1)));
        assert!((0..USERS).all(|user| !counts.is_reached(user, limit, DAY)));
        assert!(counts.bytes <= BYTES_MAX);
    }

    #[test]
    fn a_removed_start_is_not_counted() {
        for limit in [Limit { count: 3, seconds: 60 }, Limit { count: 100, seconds: 60 }] {
            let mut counts = StartCounts::default();
            assert_eq!(start_all(&mut counts, 1, limit, 10), limit.count);
            counts.remove(1, limit, 10);
            assert!(!counts.is_reached(1, limit, 10));
            assert_eq!(start_all(&mut counts, 1, limit, 20), 1);
            counts.remove(1, limit, 10);
            counts.remove(1, limit, 20);
            assert_eq!(counts.bytes, counts.counts[&1].bytes());
            assert_eq!(start_all(&mut counts, 1, limit, 20), 2);
            // Starts that were deleted in the meantime, and users that were forgotten.
            counts.remove(1, limit, 100);
            counts.remove(2, limit, 10);
            assert!(counts.is_reached(1, limit, 20));
        }
    }

    #[test]
    fn a_changed_limit_keeps_the_starts() {
        let mut counts = StartCounts::default();
        let limit = |count, seconds| Limit { count, seconds };
        assert_eq!(start_all(&mut counts, 1, limit(5, 3600), 10), 5);
        assert_eq!(start_all(&mut counts, 1, limit(100, DAY), 20), 95);
        assert_eq!(start_all(&mut counts, 1, limit(101, 7200), 30), 1);
        assert!(counts.is_reached(1, limit(20, 3600), 40));
    }

    #[test]
    fn the_users_who_were_inactive_longest_are_forgotten() {
        let (hour, day) = (Limit { count: 1, seconds: 3600 }, Limit { count: 1, seconds: DAY });
        let (mut counts, mut lost_counts) = (StartCounts::default(), 0);
        // 10,000 starts in the last hour do not count any more when space is needed.
        (0..10_000).for_each(|user| assert_eq!(counts.add(user, hour, 0), 0));
        let mut user = 10_000;
        while lost_counts == 0 {
            lost_counts =
                counts.add(user, day, 4000 + u32::try_from(user / 100).unwrap_or_default());
            user += 1;
            assert!(counts.bytes <= BYTES_MAX);
        }
        let is_known = |user: &u64| counts.is_reached(*user, day, 4000);
        assert!((0..10_000).all(|user| !counts.counts.contains_key(&user)));
        let known: Vec<u64> = (0..user).filter(is_known).collect();
        assert!(known.len() > 50_000, "{}", known.len());
        let first = 10_000 + lost_counts as u64;
        assert!(known.into_iter().eq(first..user), "{lost_counts}");
    }
}
