//! The process that sends signals: a shell that is started before the first program and reads orders from a socket.
//!
//! Safe Rust can only kill its own children, but the `kill` of a shell is built in and works for any process. The shell
//! is started early because a program may use up all tasks that the system allows (a fork bomb): nothing can be
//! started then.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::process::Process;

/// Waits for its turn, and then reads orders `SIGNAL ID START`. Checks the start right before the kill, because the id
/// may belong to another process by then. If the process leads a group, the group gets the signal too: at once, so that
/// no process of the group can start another one in between. A shell may be killed within an order; the rest of this
/// order does not begin with a signal, so the next shell skips it. The name in `stat` may contain line ends.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
read -r turn <&1 || exit
set -f
while read -r signal id start; do
  case $signal in STOP | CONT | KILL) ;; *) continue ;; esac
  stat=
  while read -r line; do stat=$line; done < /proc/$id/stat
  set -- ${stat##*) }
  case $start in "${20}" | hidden) kill -$signal -$id $id ;; esac
done"#;

/// The number of shells. One reads orders, the other one is a reserve that already exists if the first is killed when no
/// other process can be started.
const SHELLS: usize = 2;

/// The pause between two checks whether the shells work.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Maximum orders in a write. They have at most 4 KiB, so those of several supervisors do not mix.
const ORDERS_MAX: usize = 64;

/// Starts the shells. Returns the end of a socket to which orders are written. A shell that cannot be started, that ends
/// or that is stopped is started again. The shells end when nothing can write orders any more.
///
/// # Errors
/// The errors of `socketpair(2)` and of starting a thread, but not those of starting a shell.
pub(super) fn start() -> io::Result<UnixStream> {
    let (orders, input) = UnixStream::pair()?;
    // An order that does not fit is sent again later.
    orders.set_nonblocking(true)?;
    let mut shells = Vec::new();
    keep(&mut shells, &input);
    thread::Builder::new().spawn(move || {
        loop {
            thread::sleep(CHECK_INTERVAL);
            keep(&mut shells, &input);
        }
    })?;
    Ok(orders)
}

/// Replaces the shells that do not work. The first one has the turn, the others are the reserve.
fn keep(shells: &mut Vec<Shell>, input: &UnixStream) {
    shells.retain_mut(Shell::works);
    while shells.len() < SHELLS
        && let Ok(shell) = Shell::start(input)
    {
        shells.push(shell);
    }
    if let Some(mut turn) = shells.first_mut().and_then(|shell| shell.turn.take()) {
        drop(turn.write_all(b"\n"));
    }
}

/// Orders a signal for these processes. If the shell does not work, some of them may get no signal.
pub(super) fn send(orders: &mut dyn Write, signal: &str, processes: &[Process]) {
    let order = |process: &Process| {
        let start = process.start.map_or("hidden".to_owned(), |start| start.to_string());
        format!("{signal} {} {start}\n", process.id)
    };
    for part in processes.chunks(ORDERS_MAX) {
        let part: String = part.iter().map(order).collect();
        drop(orders.write_all(part.as_bytes()));
    }
}

/// A shell. Before it reads orders, it waits for a line on `turn`.
struct Shell {
    child: Child,
    turn: Option<UnixStream>,
}

impl Shell {
    fn start(input: &UnixStream) -> io::Result<Self> {
        let (turn, its_turn) = UnixStream::pair()?;
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .env_clear()
            // Not the server's group, because Ctrl-C in a terminal must not end the shell.
            .process_group(0)
            .stdin(OwnedFd::from(input.try_clone()?))
            .stdout(OwnedFd::from(its_turn))
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, turn: Some(turn) })
    }

    /// Whether the shell can read orders. It cannot if it has ended or is stopped.
    fn works(&mut self) -> bool {
        let is_running = matches!(self.child.try_wait(), Ok(None));
        is_running && Process::read(self.child.id()).is_some_and(|shell| !shell.is_stopped())
    }
}

/// Ends the shell. A shell that is not waited for would remain as a task until the server ends.
impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn sleep() -> (Child, Process) {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let process = Process::read(child.id()).unwrap();
        (child, process)
    }

    /// The shells are dropped if the thread that keeps them cannot be started.
    #[test]
    fn a_shell_that_is_dropped_is_no_task_any_more() {
        let (_orders, input) = UnixStream::pair().unwrap();
        let shell = Shell::start(&input).unwrap();
        let id = shell.child.id();
        assert!(Process::read(id).is_some());
        drop(shell);
        assert!(Process::read(id).is_none());
    }

    /// The id of a process that has ended may belong to another process when the order is read.
    #[test]
    fn kills_only_the_process_that_started_at_the_given_time() {
        let mut orders = start().unwrap();
        let ((mut first, mut with_other_start), (mut second, process)) = (sleep(), sleep());
        with_other_start.start = with_other_start.start.map(|start| start + 1);
        send(&mut orders, "KILL", &[with_other_start, process]);
        // The rest of an order, of which a killed shell has read the beginning.
        orders.write_all(format!("LL {} hidden\n", first.id()).as_bytes()).unwrap();
        assert!(!second.wait().unwrap().success());
        let (mut third, process) = sleep();
        send(&mut orders, "KILL", &[process]);
        assert!(!third.wait().unwrap().success());
        assert!(first.try_wait().unwrap().is_none());
        first.kill().unwrap();
        first.wait().unwrap();
    }
}
