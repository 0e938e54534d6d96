//! Kills a program and all processes that it has started, including processes that have detached themselves.

use std::fs;
use std::process::{self, Child, Command};
use std::time::SystemTime;

use crate::text::digits;

/// The environment variable whose value is the marker.
pub(super) const VARIABLE: &str = "WECHAT_RUN";

/// Maximum number of rounds of killing. Processes that are started during a round are killed in the next
/// round. Only a fork bomb would need more rounds.
const ROUNDS_MAX: usize = 4;

/// A value in the environment of the processes of one run, and of no other process. It also finds processes that
/// have left the program's process group (`timeout`, `setsid`) or whose parent has ended.
pub(super) struct RunMarker(pub(super) String);

impl RunMarker {
    pub(super) fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self(format!("{}-{}", process::id(), now.as_nanos()))
    }

    /// Kills the program, its process group, and all processes with this marker. The program must be running or a
    /// zombie.
    pub(super) fn kill_with(&self, program: &mut Child) {
        let mut targets = self.process_ids();
        targets.push(format!("-{}", program.id()));
        kill(&targets);
        // This works even without /bin/sh. If it fails, the program has ended.
        drop(program.kill());
        self.kill_rest();
    }

    /// Kills all processes with this marker. Does not kill the program's process group. The program has ended, so
    /// the group's id may belong to another group now.
    pub(super) fn kill_rest(&self) {
        for _ in 0..ROUNDS_MAX {
            let targets = self.process_ids();
            if targets.is_empty() {
                return;
            }
            kill(&targets);
        }
    }

    /// The ids of the processes with this marker.
    fn process_ids(&self) -> Vec<String> {
        let entry = format!("{VARIABLE}={}", self.0);
        let is_marked = |process: &fs::DirEntry| {
            // If the file cannot be read, the process belongs to another user or has ended.
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

/// Sends SIGKILL to processes; a negative id means a process group. A shell does this, because std can only kill
/// child processes of this process.
fn kill(targets: &[String]) {
    let status = Command::new("/bin/sh")
        .args(["-c", "kill -9 \"$@\" 2> /dev/null", "sh"])
        .args(targets)
        .status();
    // `kill` fails if one of the targets has already ended.
    drop(status);
}
