//! The server when it can start no more threads (`TasksMax=`, `ulimit -u`).

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::control_socket::*;
use crate::support::tools::finish;
use crate::support::*;

/// Threads that the server may have. Some of them are the main thread and other threads that serve no connections.
const TASKS: u32 = 12;

/// A folder with the program, and a user who runs it with a limited number of tasks.
struct Limited {
    folder: ShortFolder,
    program: String,
    control: String,
    /// Tasks of other processes must not count. So root runs the program as an unused user, and another user runs it in
    /// a user namespace, which has its own count.
    user: Option<String>,
}

impl Limited {
    fn new(name: &str) -> Self {
        static USERS: AtomicU32 = AtomicU32::new(0);
        let folder = ShortFolder::new(name);
        let (program, control) = (folder.path("wechat"), folder.path("control"));
        fs::copy(env!("CARGO_BIN_EXE_wechat"), &program).unwrap();
        fs::set_permissions(&folder.0, Permissions::from_mode(0o777)).unwrap();
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let user = || {
            let number = USERS.fetch_add(1, Ordering::Relaxed);
            (1_000_000 + std::process::id() * 10 + number).to_string()
        };
        Self { folder, program, control, user: is_root.then(user) }
    }

    /// A command that runs the program with at most this many tasks of its user.
    fn command(&self, tasks: u32) -> Command {
        let mut command = match &self.user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
                command
            }
            None => {
                let mut command = Command::new("unshare");
                command.arg("--user");
                command
            }
        };
        // The shell starts no other process.
        let script = format!("ulimit -u {tasks} && exec \"$0\" \"$@\"");
        command
            .args(["bash", "-c", &script, &self.program])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("WECHAT_CONTROL", &self.control)
            .current_dir(&self.folder.0)
            .stdin(Stdio::null());
        command
    }

    fn start(&self) -> Program {
        let mut command = self.command(TASKS);
        Program::spawn(command.env("WECHAT_TOKEN", TOKEN).args(["--listen", "127.0.0.1:0"]))
    }
}

/// Holds this many connections that send `bytes` and nothing else, and opens a new one for each that is closed, until
/// the flag is set.
fn hold(address: SocketAddr, count: usize, bytes: &[u8], is_over: &AtomicBool) {
    let open = || {
        let mut stream = TcpStream::connect(address).ok()?;
        let _ = std::io::Write::write_all(&mut stream, bytes);
        stream.set_nonblocking(true).unwrap();
        Some(stream)
    };
    let is_open = |mut stream: &TcpStream| {
        stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    let mut streams: Vec<_> = (0..count).map(|_| open()).collect();
    while !is_over.load(Ordering::Relaxed) {
        for stream in &mut streams {
            if !stream.as_ref().is_some_and(is_open) {
                *stream = open();
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Ends the clients, also if the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends messages while clients that send only `bytes` reconnect at once.
fn answers_during(name: &str, bytes: &[u8]) {
    let limited = Limited::new(name);
    let (program, control) = (limited.start(), &limited.control);
    let address = program.address;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = Over(&is_over);
        scope.spawn(|| hold(address, 60, bytes, &is_over));
        until("connections wait", || number(control, "connections") > u64::from(TASKS));
        for number in 0..20 {
            let answer = ask(&mut connect(address), &post(&text_of("oUser1", number, "x")));
            assert_eq!(answer.status, 200);
        }
        let threads = fs::read_dir(format!("/proc/{}/task", program.id())).unwrap().count();
        assert_eq!(threads, TASKS as usize);
        if bytes.is_empty() {
            // The clients reconnect during the stop too. If that delays it, it takes 15 seconds.
            let stopped = run(control, &["stop"]);
            assert_eq!((stopped.code, stopped.out.contains("after 15.")), (0, false));
        }
    });
    if !bytes.is_empty() {
        assert_eq!(run(control, &["stop"]).code, 0);
    }
    let (code, lines) = program.ended();
    assert_eq!(code, Some(0));
    assert!(lines.iter().any(|line| line.starts_with("cause=thread ")), "{lines:#?}");
}

#[test]
fn answers_messages_while_silent_clients_take_all_threads() {
    answers_during("tasks-silent", b"");
}

#[test]
fn answers_messages_while_slow_clients_take_all_threads() {
    answers_during("tasks-slow", b"POST /wx");
}

/// `ExecStop=` runs with the limit of the service.
#[test]
fn status_and_stop_need_no_thread_of_their_own() {
    let limited = Limited::new("tasks-stop");
    let program = limited.start();
    for command in ["status", "stop"] {
        let output = finish(limited.command(1).arg(command));
        assert_eq!((output.code, output.err.as_str()), (0, ""), "{command}");
    }
    assert_eq!(program.ended().0, Some(0));
}
