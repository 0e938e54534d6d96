//! The client's side of the control socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long the client waits for a connection, and then for the first byte of the answer. A server that is not stuck
/// sends it at once.
const START_TIMEOUT: Duration = Duration::from_secs(5);

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
    // A channel of std would do the same with 17 KB more of binary.
    let connected = Arc::new((Mutex::new(None), Condvar::new()));
    let sender = Arc::clone(&connected);
    thread::Builder::new().spawn(move || {
        let stream = UnixStream::connect(path);
        *lock(&sender.0) = Some(stream);
        sender.1.notify_one();
    })?;
    let (result, changed) = &*connected;
    let waited = changed.wait_timeout_while(lock(result), START_TIMEOUT, |result| result.is_none());
    let (mut result, _) = waited.unwrap_or_else(PoisonError::into_inner);
    result.take().unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
