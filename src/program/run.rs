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
        let is_busy = || Process::read(process.id).is_some_and(|process| process.is_busy());
        let is_equal = match process.core_dump_filter() {
            Some(filter) => {
                let is_equal = filter == self.filter;
                let is_other = filter & FIXED_BITS_MASK == FIXED_BITS && !is_equal;
                // Reading an environment waits while the process is being copied, as the processes of a fork bomb always
                // are. Such a process is stopped first.
                if is_other || is_busy() {
                    return is_equal;
                }
                is_equal
            }
            None => false,
        };
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
            let mut members = members(&supervisor, |process| {
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

/// The processes that belong to a process: its descendants, those with a mark, their descendants, and the members of
/// the groups and sessions that these lead. Does not include the process itself, nor any process that is older.
fn members(of: &Process, has_mark: impl Fn(&Process) -> bool) -> Vec<Process> {
    let mut rest = processes::all();
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

/// The number of processes that programs of this server have left running, and that belong to none of these runs. In a
/// service, these are all processes of the service that the server does not know.
pub(super) fn count_left(runs: &[Run], service: Option<&ServiceGroup>) -> usize {
    let own = process::id();
    let is_own = |process: &Process| {
        let marker = process.variable(VARIABLE);
        marker.is_some_and(|marker| marker.split('-').nth(1) == Some(&own.to_string()))
    };
    let candidates = || match service {
        Some(service) => service.ids(),
        None => processes::all().into_iter().filter(is_own).map(|process| process.id).collect(),
    };
    // A process that has started or ended meanwhile does not count.
    let before: BTreeSet<u32> = candidates().into_iter().collect();
    let Some(server) = Process::read(own) else { return 0 };
    let known = members(&server, |process| runs.iter().any(|run| run.has_marked(process)));
    let known: BTreeSet<u32> = known.iter().map(|process| process.id).collect();
    let is_left = |id: &u32| *id != own && before.contains(id) && !known.contains(id);
    candidates().iter().filter(|id| is_left(id)).count()
}
