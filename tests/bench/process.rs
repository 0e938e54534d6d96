//! Servers as processes, with their memory and processor time as the kernel reports them. A server ends when its [`Server`]
//! is dropped, and when the bench is killed.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::canned;
use crate::messages::TOKEN;

/// The maximum time until a server prints its address.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A server on a free port. It ends when this value is dropped.
pub(crate) struct Server {
    /// The server, or the shell that started it. It ends when its standard input ends. Standard input ends when the bench
    /// is killed.
    child: Child,
    /// The process id of the server.
    process: u32,
    pub(crate) address: SocketAddr,
}

/// A shell script that starts a program, prints its process id, and kills the program when standard input ends.
const SHELL: &str = r#""$@" & echo $!; read -r nothing; kill $!"#;

impl Server {
    /// Starts the real server with these flags and otherwise default settings and rules.
    pub(crate) fn real(flags: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SHELL, "sh", env!("CARGO_BIN_EXE_wechat")])
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .env_clear()
            .env("WECHAT_TOKEN", TOKEN)
            // Without this, the control socket of another server on this machine would be in the way.
            .env("RUNTIME_DIRECTORY", "/nonexistent")
            .stdin(Stdio::piped());
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        Self::wait_for_lines(child, None)
    }

    /// Starts the canned server. `kept` is its response to a request that keeps the connection, and `last` its response to
    /// a request with `Connection: close`.
    pub(crate) fn canned(kept: &[u8], last: &[u8]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg(canned::ARGUMENT)
            .args([kept, last].map(|response| response.len().to_string()))
            .stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.as_mut().unwrap();
        stdin.write_all(&[kept, last].concat()).unwrap();
        let process = child.id();
        Self::wait_for_lines(child, Some(process))
    }

    /// Waits for the line that ends with the address, and if the process id is not known, also for the line of the shell
    /// with the process id. The lines may come in any order.
    fn wait_for_lines(mut child: Child, process: Option<u32>) -> Self {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut is_known = process.is_some();
        let process = process.unwrap_or(child.id());
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        // From here on, dropping `server` ends the process.
        let mut server = Self { child, process, address };
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            while let Some(Ok(line)) = lines.next()
                && sender.send(line).is_ok()
            {}
        });
        while server.address.port() == 0 || !is_known {
            let line = receiver.recv_timeout(START_TIMEOUT);
            let line = line.unwrap_or_else(|error| panic!("a server did not start: {error}"));
            if let Ok(process) = line.parse() {
                server.process = process;
                is_known = true;
            }
            let last = line.rsplit(' ').next().and_then(|last| last.parse().ok());
            server.address = last.unwrap_or(server.address);
        }
        server
    }

    /// The resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next());
        kib.and_then(|kib| kib.parse().ok()).unwrap()
    }

    /// The processor time since the start. It is exact only while the server is idle.
    pub(crate) fn cpu(&self) -> Cpu {
        let process = self.process;
        let [user_ticks, system_ticks] = ticks(process);
        Cpu { threads: nanos_by_thread(process), user_ticks, system_ticks }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // The process may have ended already.
        let _ = self.child.wait();
    }
}

/// A reading of the processor time of a process.
///
/// The amount is the sum of the `schedstat` of all threads, in nanoseconds. The time of a thread that ends between two
/// readings is lost, but only idle threads end. `/proc/PID/stat` includes ended threads, but counts in ticks of 10 ms, which
/// are only about forty in a round, so it is used only for the shares of user and system time over all rounds.
pub(crate) struct Cpu {
    /// Nanoseconds by thread id. Empty if the kernel does not count them.
    threads: HashMap<String, u64>,
    user_ticks: u64,
    system_ticks: u64,
}

/// The processor time between two readings.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) nanos: u64,
    pub(crate) user_ticks: u64,
    pub(crate) system_ticks: u64,
}

impl Cpu {
    pub(crate) fn spent_since(&self, before: &Self) -> Spent {
        let spent = |(thread, nanos): (&String, &u64)| {
            nanos.saturating_sub(before.threads.get(thread).copied().unwrap_or(0))
        };
        Spent {
            nanos: self.threads.iter().map(spent).sum(),
            user_ticks: self.user_ticks - before.user_ticks,
            system_ticks: self.system_ticks - before.system_ticks,
        }
    }
}

/// The ticks of a process in user mode and in system mode.
fn ticks(process: u32) -> [u64; 2] {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name in parentheses may contain any character. Counted from the `)`, the ticks have the indexes 12 and 13.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split(' ').collect();
    [12, 13].map(|at| fields[at].parse().unwrap())
}

fn nanos_by_thread(process: u32) -> HashMap<String, u64> {
    let mut threads = HashMap::new();
    for entry in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        // The thread may have ended.
        let Ok(entry) = entry else { continue };
        let schedstat = fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default();
        let nanos = schedstat.split(' ').next().and_then(|text| text.parse().ok());
        let thread = entry.file_name().into_string().unwrap();
        threads.extend(nanos.map(|nanos| (thread, nanos)));
    }
    threads
}

/// The limit of open file descriptors of this process and of the processes that it starts.
pub(crate) fn descriptors_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let open_files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = open_files.and_then(|line| line.split_ascii_whitespace().next());
    // The limit may be `unlimited`.
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(usize::MAX)
}
