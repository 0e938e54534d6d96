//! Kills a program with all processes that it has started, however they detached themselves.

use std::fs;
use std::process::{self, Child, Command};
use std::time::SystemTime;

use crate::text::digits;

/// The environment variable that holds the marker.
pub(super) const VARIABLE: &str = "WECHAT_RUN";

/// Rounds of killing. Processes started during a round are killed in the next one; more rounds would be
/// needed for a fork bomb only.
const ROUNDS: usize = 4;

/// A value that only the processes of one run have in their environment, also those that have left the
/// program's process group (`timeout`, `setsid`) or lost their parent.
pub(super) struct RunMarker(pub(super) String);

impl RunMarker {
    pub(super) fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self(format!("{}-{}", process::id(), now.as_nanos()))
    }

    /// Kills the running program, its process group, and all processes with this marker.
    pub(super) fn kill_with(&self, program: &mut Child) {
        let mut targets = self.processes();
        targets.push(format!("-{}", program.id()));
        kill(&targets);
        // This also works without a shell. If it fails, the program has ended.
        drop(program.kill());
        self.kill_rest();
    }

    /// Kills all processes with this marker. The program itself must have ended: its process group is
    /// left alone, because the group's number may belong to another one by now.
    pub(super) fn kill_rest(&self) {
        for _ in 0..ROUNDS {
            let targets = self.processes();
            if targets.is_empty() {
                return;
            }
            kill(&targets);
        }
    }

    /// The numbers of the live processes with this marker.
    fn processes(&self) -> Vec<String> {
        let entry = format!("{VARIABLE}={}", self.0);
        let is_marked = |process: &fs::DirEntry| {
            // Without permission it is another user's process.
            let environment = fs::read(process.path().join("environ")).unwrap_or_default();
            environment.split(|octet| *octet == 0).any(|variable| variable == entry.as_bytes())
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter(is_marked)
            .filter_map(|process| process.file_name().into_string().ok())
            .filter(|name| digits::parse_decimal(name).is_ok())
            .collect()
    }
}

/// Sends SIGKILL to processes, or to process groups where the number is negative. std cannot do that for
/// processes other than its own children, so a shell does.
fn kill(targets: &[String]) {
    let status = Command::new("/bin/sh")
        .args(["-c", "kill -9 \"$@\" 2> /dev/null", "sh"])
        .args(targets)
        .status();
    // It fails where one of the targets has ended in the meantime.
    drop(status);
}
