//! The client's side of the control socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::deadline::Deadline;

/// How long the client waits for a connection, and then for the first byte of the answer. A server that is not stuck
/// sends it at once.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// How often the client checks whether it is connected. Waiting on a channel of std would add 17 KB to the binary.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// How long the client then waits for the next part of the answer. A server that stops finishes its requests first.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends a command to the server that listens at this path, and returns the complete answer.
///
/// # Errors
/// Those of `connect(2)`, `write(2)` and `read(2)`; `TimedOut` or `WouldBlock` if the answer does not begin within
/// 5 seconds, or does not end 30 seconds later.
pub(crate) fn ask(path: &Path, command: &str) -> io::Result<String> {
    let mut stream = connect(path)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    let mut answer = vec![0; 1];
    let count = stream.read(&mut answer)?;
    answer.truncate(count);
    stream.set_read_timeout(Some(END_TIMEOUT))?;
    stream.read_to_end(&mut answer)?;
    String::from_utf8(answer).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Connects within a time limit, which std does not offer for Unix sockets: if the server is stuck and its backlog is
/// full, `connect` blocks. A thread calls it, and is abandoned if it takes too long.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let path = path.to_owned();
    let deadline = Deadline::after(START_TIMEOUT);
    let connecting = thread::Builder::new().spawn(move || UnixStream::connect(path))?;
    while !connecting.is_finished() {
        deadline.remaining().ok_or(io::ErrorKind::TimedOut)?;
        thread::sleep(POLL_INTERVAL);
    }
    connecting.join().expect("connect does not panic")
}
