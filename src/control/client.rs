//! The client's side of the control socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Maximum time to connect, and maximum time until the first byte of the response. A server that is not stuck sends
/// this byte at once.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum time of each later read. After `stop`, the server finishes its requests before it sends the rest.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends a command to the server that listens at this path, and returns the complete response.
///
/// # Errors
/// The errors of `connect(2)`, `write(2)` and `read(2)`; `TimedOut` if connecting takes more than 5 seconds;
/// `WouldBlock` if the first byte takes more than 5 seconds, or a later read more than 30 seconds; `InvalidData` if the
/// response is not UTF-8.
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

/// Connects within [`START_TIMEOUT`]. `connect(2)` blocks if the server is stuck and its backlog is full, and std has
/// no timeout for it. So another thread connects. If connecting takes too long, that thread is left blocked.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let path = path.to_owned();
    // A channel of std would also work, but would add 17 KB to the binary.
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
