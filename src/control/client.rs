//! The client's side of the control socket.
//!
//! The server is not trusted: root runs `wechat status`, and a program of the service may listen in the server's place.
//! So the size and the time of an exchange are limited, and the caller escapes what it prints.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::protocol::{CHINESE, STOP};
use crate::deadline::Deadline;
use crate::text::language::{Language, language};

/// Maximum time until the first byte of the response, which a server that is not stuck sends at once. For commands
/// other than `stop`, the maximum time of the whole exchange.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum time of the exchange of a `stop`. The server finishes its requests before it sends the rest of the response.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum bytes of a response.
pub(crate) const RESPONSE_MAX: usize = 64 * 1024;

/// Sends a command to the server that listens at this path, and returns the complete response.
///
/// # Errors
/// The errors of `connect(2)`, `write(2)` and `read(2)`; `TimedOut` or `WouldBlock` if the exchange takes too long;
/// `FileTooLarge` if the response has more than [`RESPONSE_MAX`] bytes.
pub(crate) fn ask(path: &Path, command: &str) -> io::Result<Vec<u8>> {
    let start = Deadline::after(START_TIMEOUT);
    let end = if command == STOP { Deadline::after(STOP_TIMEOUT) } else { start };
    let request = match language() {
        Language::English => format!("{command}\n"),
        Language::Chinese => format!("{command}\n{CHINESE}\n"),
    };
    let mut stream = connect(path, &request)?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let deadline = if answer.is_empty() { start } else { end };
        stream.set_read_timeout(Some(deadline.remaining().ok_or(io::ErrorKind::TimedOut)?))?;
        match stream.read(&mut part) {
            Ok(0) => return Ok(answer),
            Ok(count) if answer.len() + count > RESPONSE_MAX => {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            Ok(count) => answer.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Connects and sends the text within [`START_TIMEOUT`]. `connect(2)` blocks if the server is stuck and its backlog is
/// full, and std has no timeout for it. So another thread connects. If that takes too long, the thread is left blocked.
pub(super) fn connect(path: &Path, text: &str) -> io::Result<UnixStream> {
    let (path, text) = (path.to_owned(), text.to_owned());
    // The text is sent at once, because a server with many clients disconnects those that are silent.
    let connect = move || {
        let mut stream = UnixStream::connect(&path)?;
        stream.write_all(text.as_bytes()).map(|()| stream)
    };
    // A channel of std would also work, but would add 17 KB to the binary.
    let connected = Arc::new((Mutex::new(None), Condvar::new()));
    let (sender, connect_in_thread) = (Arc::clone(&connected), connect.clone());
    let thread = thread::Builder::new().spawn(move || {
        *lock(&sender.0) = Some(connect_in_thread());
        sender.1.notify_one();
    });
    if thread.is_err() {
        // The process may start no thread, for example as `ExecStop=` of a service that has reached its `TasksMax=`.
        return connect();
    }
    let (result, changed) = &*connected;
    let waited = changed.wait_timeout_while(lock(result), START_TIMEOUT, |result| result.is_none());
    let (mut result, _) = waited.unwrap_or_else(PoisonError::into_inner);
    result.take().unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
