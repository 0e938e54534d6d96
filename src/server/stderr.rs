//! Standard error, to which the log is written. The log never waits for standard error: its reader may be stuck (a
//! hung journal, a terminal after Ctrl-S), and a server that waits for its log no longer answers.
//!
//! Lines are kept in a queue, and a thread writes them. If the queue is full, lines are lost. They are counted, and the
//! log says so when standard error accepts lines again. While the queue is empty, lines are written directly if
//! standard error can be written without blocking, which saves waking the thread. Then each line is also written before
//! the response that it is about is sent, so it is not lost if the server is killed.

use std::io::{self, IoSlice, PipeWriter, Write};
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::log::LogEvent;

/// Maximum bytes in the queue.
const QUEUE_MAX: usize = 128 * 1024;

/// Bytes of memory that the buffers keep when they are empty.
const CAPACITY_KEPT: usize = 8 * 1024;

/// Maximum bytes that a pipe takes as a whole (PIPE_BUF, pipe(7)). Lines of several processes do not mix if no write is
/// longer.
const WRITE_MAX: usize = 4096;

/// How long the thread collects lines before it writes them, so that many lines do not wake it for each.
const COLLECT: Duration = Duration::from_millis(1);

/// The pause after a write to a non-blocking standard error that is full.
const BACKOFF: Duration = Duration::from_millis(100);

/// How long [`flush_log`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

static LOG: Log = Log {
    queue: Mutex::new(Queue {
        lines: Vec::new(),
        lost: 0,
        lost_reported: 0,
        thread: WriterThread::NotStarted,
        nonblocking: None,
    }),
    has_lines: Condvar::new(),
};

struct Log {
    queue: Mutex<Queue>,
    has_lines: Condvar,
}

struct Queue {
    lines: Vec<u8>,
    /// Number of lines that were not written.
    lost: u64,
    /// The part of `lost` that the log has reported.
    lost_reported: u64,
    thread: WriterThread,
    /// Standard error, if it can be written without blocking.
    nonblocking: Option<PipeWriter>,
}

#[derive(PartialEq, Eq)]
enum WriterThread {
    NotStarted,
    /// It waits until the queue has lines.
    Waiting,
    Writing,
}

/// Prepares the log. `nonblocking` is standard error opened once more without blocking, if that is possible. Otherwise
/// the thread that writes the log is started now, because later the process may not be allowed to start a thread.
///
/// # Errors
/// The thread cannot be started.
pub fn start_log(nonblocking: Option<OwnedFd>) -> io::Result<()> {
    let mut queue = LOG.queue();
    queue.nonblocking = nonblocking.map(PipeWriter::from);
    if queue.nonblocking.is_some() { Ok(()) } else { queue.start_thread() }
}

/// Writes a line to standard error, or adds it to the queue. The line is passed without a line end. This never waits.
pub fn report(line: &str) {
    let mut queue = LOG.queue();
    let length = line.len() + 1;
    let mut written = 0;
    if queue.is_flowing()
        && length <= WRITE_MAX
        && let Some(stderr) = &mut queue.nonblocking
    {
        // After any error, the thread tries again.
        let parts = [IoSlice::new(line.as_bytes()), IoSlice::new(b"\n")];
        written = stderr.write_vectored(&parts).unwrap_or(0);
    }
    if written == length {
        return;
    }
    if queue.lines.len() + length > QUEUE_MAX {
        queue.lost += 1;
        return;
    }
    queue.lines.extend_from_slice(&line.as_bytes()[written..]);
    queue.lines.push(b'\n');
    match queue.thread {
        WriterThread::Writing => {}
        WriterThread::Waiting => {
            queue.thread = WriterThread::Writing;
            LOG.has_lines.notify_one();
        }
        // If this fails, the next line tries again.
        WriterThread::NotStarted => drop(queue.start_thread()),
    }
}

/// Number of lines of the log that were lost, because standard error did not accept them.
pub fn lost_log_lines() -> u64 {
    LOG.queue().lost
}

/// Waits until all lines are written, but at most for a second.
pub fn flush_log() {
    let start = Instant::now();
    while !LOG.queue().is_flowing() && start.elapsed() < FLUSH_TIMEOUT {
        thread::sleep(Duration::from_millis(1));
    }
}

impl Queue {
    /// Whether all lines are written.
    fn is_flowing(&self) -> bool {
        self.lines.is_empty() && self.thread != WriterThread::Writing
    }

    fn start_thread(&mut self) -> io::Result<()> {
        if self.thread == WriterThread::NotStarted {
            thread::Builder::new().spawn(|| LOG.run())?;
            self.thread = WriterThread::Writing;
        }
        Ok(())
    }
}

impl Log {
    fn run(&self) {
        let mut lines = Vec::new();
        let mut queue = self.queue();
        loop {
            while queue.lines.is_empty() {
                queue.thread = WriterThread::Waiting;
                let woken = self.has_lines.wait(queue);
                queue = woken.unwrap_or_else(PoisonError::into_inner);
            }
            drop(queue);
            thread::sleep(COLLECT);
            queue = self.queue();
            mem::swap(&mut queue.lines, &mut lines);
            let (lost, count) = (queue.lost, queue.lost - queue.lost_reported);
            drop(queue);
            let mut unwritten = write(&lines);
            let mut has_reported = false;
            if count > 0 && unwritten == 0 {
                let note = LogEvent::LinesLost { count }.note();
                unwritten = write(format!("{note}\n").as_bytes());
                has_reported = unwritten == 0;
            }
            lines.clear();
            lines.shrink_to(CAPACITY_KEPT);
            queue = self.queue();
            queue.lost += unwritten;
            if has_reported {
                queue.lost_reported = lost;
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes lines to standard error. Returns how many lines could not be written.
fn write(mut lines: &[u8]) -> u64 {
    let is_end = |octet: &u8| *octet == b'\n';
    while !lines.is_empty() {
        let part = &lines[..lines.len().min(WRITE_MAX)];
        let length = part.iter().rposition(is_end).map_or(part.len(), |end| end + 1);
        match io::stderr().write(&part[..length]) {
            Ok(count @ 1..) => lines = &lines[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(BACKOFF),
            Ok(0) | Err(_) => return lines.iter().filter(|octet| is_end(octet)).count() as u64,
        }
    }
    0
}
