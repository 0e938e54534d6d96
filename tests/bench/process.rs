//! Servers as processes, and their memory and processor time as the kernel reports them. A server ends with its
//! [`Server`], also when the bench is killed.

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

/// How long a server may take to print its address.
const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// A server on a free port. It ends when this value is dropped.
pub(crate) struct Server {
    /// The server, or the shell that started it. Both end when their standard input ends, as it does when the bench is
    /// killed.
    child: Child,
    /// The process id of the server.
    process: u32,
    pub(crate) address: SocketAddr,
}

/// Starts a program, prints its process id, and ends it when standard input ends.
const SHELL: &str = r#""$@" & echo $!; read -r nothing; kill $!"#;

impl Server {
    /// Starts the program of this package with the default settings and rules and these flags.
    pub(crate) fn real(flags: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SHELL, "sh", env!("CARGO_BIN_EXE_wechat")])
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .env_clear()
            .env("WECHAT_TOKEN", TOKEN)
            // The default control socket may belong to another server on this machine.
            .env("RUNTIME_DIRECTORY", "/nonexistent")
            .stdin(Stdio::piped());
        Self::listening(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    /// Starts the canned server. `kept` is its response to a request that keeps the connection, `last` to one that closes it.
    pub(crate) fn canned(kept: &[u8], last: &[u8]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg(canned::ARGUMENT)
            .args([kept, last].map(|answer| answer.len().to_string()))
            .stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.as_mut().unwrap();
        stdin.write_all(&[kept, last].concat()).unwrap();
        Self::listening(child)
    }

    /// Waits for the line that ends with the address. The shell prints the process id in another line.
    fn listening(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let process = child.id();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        // From here on, dropping `server` ends the process.
        let mut server = Self { child, process, address };
        let (said, line) = mpsc::channel();
        thread::spawn(move || {
            while let Some(Ok(line)) = lines.next()
                && said.send(line).is_ok()
            {}
        });
        while server.address.port() == 0 {
            let line = line.recv_timeout(STARTS_WITHIN);
            let line = line.unwrap_or_else(|error| panic!("a server did not start: {error}"));
            if let Ok(process) = line.parse() {
                server.process = process;
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

    /// The processor time used so far. Exact while the server is idle.
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

/// The processor time of a process at some instant.
///
/// `/proc/PID/stat` includes ended threads, but counts in ticks of 10 ms, about forty in a round; it only gives the shares
/// of user and system time over all rounds. The amount comes from the `schedstat` of each thread, in nanoseconds. The time of
/// a thread that ends between two readings is lost; only idle threads end.
pub(crate) struct Cpu {
    /// `None` if the kernel does not count it.
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
        let of_thread = |(thread, nanos): (&String, &u64)| {
            nanos.saturating_sub(before.threads.get(thread).copied().unwrap_or(0))
        };
        Spent {
            nanos: self.threads.iter().map(of_thread).sum(),
            user_ticks: self.user_ticks - before.user_ticks,
            system_ticks: self.system_ticks - before.system_ticks,
        }
    }
}

/// The ticks of a process in user mode and in the kernel.
fn ticks(process: u32) -> [u64; 2] {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name in parentheses may hold any character. After it, they are the 12th and 13th fields.
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

/// The limit of open file descriptors of this process and of those it starts.
pub(crate) fn descriptors_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let open_files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = open_files.and_then(|line| line.split_ascii_whitespace().next());
    // It may be `unlimited`.
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(usize::MAX)
}
