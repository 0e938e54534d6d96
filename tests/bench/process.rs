//! Servers as processes, and what the kernel says of them. None outlives its [`Server`], whatever the bench
//! ends with.

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

/// How long a server may take to say where it listens.
const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// A server on a port of its own, ended with this value.
pub(crate) struct Server {
    /// The server, or the shell that it was started by. Either ends with its standard input, so that no server
    /// is left where the bench is killed.
    child: Child,
    /// The server itself.
    process: u32,
    pub(crate) address: SocketAddr,
}

/// Starts a program, says which process it is, and ends it when nobody is there any more.
const SHELL: &str = r#""$@" & echo $!; read -r nothing; kill $!"#;

impl Server {
    /// The program of this package, with its usual settings and rules, and these flags.
    pub(crate) fn real(flags: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SHELL, "sh", env!("CARGO_BIN_EXE_wechat")])
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .env_clear()
            .env("WECHAT_TOKEN", TOKEN)
            // Its control socket would be that of a server that this machine has.
            .env("RUNTIME_DIRECTORY", "/nonexistent")
            .stdin(Stdio::piped());
        Self::listening(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    /// One that says this to every request that keeps its connection, and that to every other.
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

    /// Waits for the line that says where it listens, with which that of each server ends. The shell says
    /// which process it is in a line of its own.
    fn listening(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let process = child.id();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        // From here on it is ended, whatever happens.
        let mut server = Self {
            child,
            process,
            address,
        };
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

    /// KiB of its memory that are resident.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next());
        kib.and_then(|kib| kib.parse().ok()).unwrap()
    }

    /// What it has used of the processor so far. Exact while it waits for its clients.
    pub(crate) fn cpu(&self) -> Cpu {
        let process = self.process;
        let [user_ticks, system_ticks] = ticks(process);
        Cpu {
            threads: nanos_by_thread(process),
            user_ticks,
            system_ticks,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It may be gone already; then there is nothing to end.
        let _ = self.child.wait();
    }
}

/// Processor time of a process up to some moment.
///
/// `/proc/PID/stat` counts ended threads too, but in ticks of 10 ms, of which a round here has some forty;
/// so it only says how the time is shared between user and system, over all rounds. How much it is comes
/// from `schedstat`, which is in nanoseconds, of each thread. Of a thread that ends between two readings,
/// what it ran since the first one is missed: those that end are the ones that had nothing to do.
pub(crate) struct Cpu {
    /// Nothing where the kernel keeps no such count.
    threads: HashMap<String, u64>,
    user_ticks: u64,
    system_ticks: u64,
}

/// Processor time between two moments.
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
    // The name in parentheses may hold anything. Of what is behind it they are the 12th and the 13th.
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split(' ').collect();
    [12, 13].map(|at| fields[at].parse().unwrap())
}

fn nanos_by_thread(process: u32) -> HashMap<String, u64> {
    let mut threads = HashMap::new();
    for entry in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        // A thread may end while this looks.
        let Ok(entry) = entry else { continue };
        let schedstat = fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default();
        let nanos = schedstat
            .split(' ')
            .next()
            .and_then(|text| text.parse().ok());
        let thread = entry.file_name().into_string().unwrap();
        threads.extend(nanos.map(|nanos| (thread, nanos)));
    }
    threads
}

/// How many descriptors this process, and what it starts, may have open at once.
pub(crate) fn descriptors_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let open_files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = open_files.and_then(|line| line.split_ascii_whitespace().next());
    // `unlimited` is no number.
    soft.and_then(|soft| soft.parse().ok())
        .unwrap_or(usize::MAX)
}
