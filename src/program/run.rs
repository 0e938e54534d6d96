//! A run of a program: the marks of its processes, and how all of them are killed.

use std::collections::BTreeSet;
use std::io::Write;
use std::process;
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use super::killer;
use super::process::{self as processes, Process, ServiceGroup};
use crate::text::digits;

/// The environment variable whose value is the marker.
pub(super) const VARIABLE: &str = "WECHAT_RUN";

/// How long to try to kill the processes of a run. A fork bomb leaves little time for other processes.
pub(super) const KILL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait for the effect of an order before it is repeated.
const ORDER_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum rounds of stopping processes before all of them are killed. A stopped process starts no others.
const STOPS_MAX: usize = 10;

/// The shortest and the longest pause between two looks at the processes. Each pause is twice as long as the previous.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// For how long the number of processes left is used again.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);

/// What the processes of one run have in common, and no other process. They inherit two marks from the supervisor:
///
/// - the variable [`VARIABLE`] in the environment;
/// - the filter of core dumps (core(5)), a number with nine bits. A process keeps it when it overwrites its environment,
///   starts another process without one, or may not be traced. Runs of another server may have the same filter, so it
///   counts only for a process without the variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// `FILTER-SERVER-TIME`: the filter in hexadecimal digits, the server's process id, nanoseconds since 1970.
    pub(super) marker: String,
    filter: u64,
}

/// The fixed bits of a filter. Bit 0 as usual: dumps contain private memory. Bit 8 without bit 1 is a choice that only
/// this program makes. The other six bits are the number of the run.
const FIXED_BITS: u64 = 0x101;
const FIXED_BITS_MASK: u64 = 0x103;

impl Run {
    /// A new run. Its number is below 64, and no other run in progress has this number.
    pub(super) fn new(number: u64) -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let filter = FIXED_BITS | number << 2;
        Self { marker: format!("{filter:x}-{}-{now}", process::id()), filter }
    }

    /// The number of the run.
    pub(super) const fn number(&self) -> u64 {
        (self.filter & !FIXED_BITS_MASK) >> 2
    }

    /// The run of this supervisor, by its environment. Marks this process, so that all that it starts is marked.
    pub(super) fn inherit() -> Self {
        let marker = env::var(VARIABLE).unwrap_or_default();
        let filter = marker.split('-').next().unwrap_or_default();
        let filter = digits::parse_hex(filter).unwrap_or(u64::MAX);
        // Some systems have no core dumps. The other mark remains.
        drop(fs::write("/proc/self/coredump_filter", format!("{filter:#x}")));
        Self { marker, filter }
    }

    /// Whether the process has a mark of this run.
    fn has_marked(&self, process: &Process) -> bool {
        let filter = process.core_dump_filter();
        let is_equal = filter == Some(self.filter);
        let is_other = |filter| filter & FIXED_BITS_MASK == FIXED_BITS && !is_equal;
        // Reading the environment of a process waits while this process forks, and the processes of a fork bomb always do.
        // Such a process is stopped first.
        let is_busy = || Process::read(process.id).is_some_and(|process| process.is_busy());
        if filter.is_some_and(|filter| is_other(filter) || is_busy()) {
            return is_equal;
        }
        process.variable(VARIABLE).map_or(is_equal, |marker| marker == self.marker)
    }

    /// Kills all processes of the run but the supervisor, which has this id and has not been waited for. Repeats this
    /// until none is left, but not longer than `timeout`.
    ///
    /// All processes are stopped before they are killed. A process that is killed makes room for another one, so a
    /// fork bomb would start new ones as fast as they are killed.
    pub(super) fn kill(&self, supervisor: u32, orders: &mut dyn Write, timeout: Duration) {
        // If there is no such process, this process was started with SIGCHLD ignored.
        let supervisor = Process::read(supervisor).unwrap_or(Process::hidden(supervisor));
        // An earlier run with this number may have left a process that starts others.
        let is_earlier = |parent: Process| {
            parent.start < supervisor.start && parent.core_dump_filter() == Some(self.filter)
        };
        let find = || {
            let mut members = members(processes::all(), &supervisor, |process| {
                self.has_marked(process) && !Process::read(process.parent).is_some_and(is_earlier)
            });
            members.retain(|member| !member.is_zombie());
            members
        };
        let begun = Instant::now();
        let (mut pause, mut stops, mut is_kill) = (PAUSE_MIN, 0, false);
        // The processes that get a signal by the latest order, and the time of this order.
        let (mut ordered, mut ordered_at) = (BTreeSet::new(), begun);
        let mut stopped = Vec::new();
        let mut members = find();
        while !members.is_empty() && begun.elapsed() < timeout {
            let awaits = |member: &Process| {
                ordered.contains(&member.id) && (is_kill || !member.is_stopped())
            };
            if !members.iter().any(awaits) || ordered_at.elapsed() > ORDER_TIMEOUT {
                is_kill = stops == STOPS_MAX || members.iter().all(Process::is_stopped);
                stops = if is_kill { 0 } else { stops + 1 };
                members.retain(|member| is_kill || !member.is_stopped());
                killer::send(orders, if is_kill { "KILL" } else { "STOP" }, &members);
                (ordered, ordered_at) =
                    (members.iter().map(|member| member.id).collect(), Instant::now());
                stopped.append(&mut members);
            }
            thread::sleep(pause);
            pause = PAUSE_MAX.min(pause * 2);
            members = find();
        }
        // A stopped process may turn out to belong to another server.
        stopped.retain(|process| members.iter().all(|member| member.id != process.id));
        killer::send(orders, "CONT", &stopped);
    }
}

/// The processes of `all` that belong to a process: its descendants, those with a mark, their descendants, and the members of
/// the groups and sessions that these lead. Does not include the process itself, nor any process that is older.
fn members(
    mut rest: Vec<Process>,
    of: &Process,
    has_mark: impl Fn(&Process) -> bool,
) -> Vec<Process> {
    rest.retain(|process| process.id != of.id && process.start >= of.start);
    let are_hidden = processes::are_hidden();
    let mut members = Vec::new();
    let mut ids = BTreeSet::new();
    let mut found = if are_hidden { of.hidden_children() } else { Vec::new() };
    let mut were_marks_read = false;
    loop {
        if are_hidden {
            found.extend(found.iter().flat_map(Process::hidden_children).collect::<Vec<_>>());
        }
        ids.extend(found.iter().map(|process| process.id));
        members.append(&mut found);
        (found, rest) = rest.into_iter().partition(|process| {
            let leaders = [process.parent, process.group, process.session];
            process.parent == of.id || leaders.iter().any(|leader| ids.contains(leader))
        });
        if found.is_empty() && !were_marks_read {
            were_marks_read = true;
            (found, rest) = rest.into_iter().partition(&has_mark);
        }
        if found.is_empty() {
            return members;
        }
    }
}

/// The number of processes left, as it was counted last.
#[derive(Debug, Default)]
pub(super) struct LeftCount(Option<(Instant, usize)>);

impl LeftCount {
    /// Counts again if a second has passed since the end of the last count. With many processes, a count takes long, and
    /// a request for the status would wait for the counts of all earlier requests. `now` returns the current time.
    pub(super) fn get(
        &mut self,
        now: impl Fn() -> Instant,
        count: impl FnOnce() -> usize,
    ) -> usize {
        match self.0 {
            Some((at, count)) if now().saturating_duration_since(at) < COUNT_INTERVAL => count,
            _ => {
                let count = count();
                self.0 = Some((now(), count));
                count
            }
        }
    }
}

/// The number of processes that programs of this server have left running, and that belong to none of these runs. In a
/// service, these are all processes of the service that the server does not know.
pub(super) fn count_left(runs: &[Run], service: Option<&ServiceGroup>) -> usize {
    let own = process::id();
    let Some(server) = Process::read(own) else { return 0 };
    let is_own = |process: &Process| {
        let marker = || process.variable(VARIABLE);
        process.start >= server.start
            && marker().is_some_and(|marker| marker.split('-').nth(1) == Some(&own.to_string()))
    };
    let mut left = service.map(ServiceGroup::ids).unwrap_or_default();
    let all = processes::all();
    if service.is_none() {
        left.extend(all.iter().filter(|process| is_own(process)).map(|process| process.id));
    }
    let known = members(all, &server, |process| runs.iter().any(|run| run.has_marked(process)));
    let known: BTreeSet<u32> = known.iter().map(|process| process.id).collect();
    left.retain(|id| *id != own && !known.contains(id));
    // A process that has ended meanwhile does not count.
    match service.map(ServiceGroup::ids) {
        Some(ids) => left.retain(|id| ids.contains(id)),
        None => left.retain(|id| Process::read(*id).as_ref().is_some_and(is_own)),
    }
    left.len()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn processes_left_are_counted_once_a_second() {
        let clock = Cell::new(Instant::now());
        let counts = Cell::new(0);
        let mut left = LeftCount::default();
        let mut get_after = |pause: Duration| {
            clock.set(clock.get() + pause);
            left.get(
                || clock.get(),
                || {
                    // A count that takes longer than the interval does not cause the next one.
                    clock.set(clock.get() + 5 * COUNT_INTERVAL);
                    counts.set(counts.get() + 1);
                    counts.get()
                },
            )
        };
        let almost = COUNT_INTERVAL - Duration::from_nanos(1);
        assert_eq!(get_after(Duration::ZERO), 1);
        assert_eq!(get_after(almost), 1);
        assert_eq!(get_after(Duration::from_nanos(1)), 2);
        assert_eq!(get_after(Duration::ZERO), 2);
        assert_eq!(get_after(almost), 2);
    }
}
