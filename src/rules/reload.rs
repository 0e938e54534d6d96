//! Reloads a changed rules file. A change takes effect within a second, without a restart.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Display, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use super::problem::{FILE_MAX, RulesError};
use super::rule_set::{Action, Rules};
use crate::text::file::read_file;
use crate::text::log_note::Report;
use crate::wechat::Message;

/// How long the message that notices a change waits for the new rules. Even a file of 4 MiB takes less than half a second.
const RELOAD_WAIT: Duration = Duration::from_secs(1);

/// The rules of a file, which are read again when the file changes.
///
/// No thread watches the file. Instead, the file is checked when a message arrives, at most once a second. A new thread
/// reads a changed file, so that messages continue with the previous rules if this takes long. The rules for a message
/// always come from one version of the file, never from parts of two.
#[derive(Debug)]
pub struct ReloadableRules {
    shared: Arc<Shared>,
    /// Time of the last check that a message caused, in seconds since 1970.
    last_check: AtomicU64,
}

/// What the thread that reads the file shares with all others.
#[derive(Debug)]
struct Shared {
    path: PathBuf,
    current: RwLock<Arc<Rules>>,
    progress: Mutex<Progress>,
    /// Notified when a reload has ended.
    ended: Condvar,
    report: Report,
}

#[derive(Debug)]
struct Progress {
    /// The version found by the last check; `None` if there was no file.
    version: Option<FileVersion>,
    /// Whether a thread reads this version now.
    is_reading: bool,
    /// Whether the current rules are the rules of this version. If not, it is being read, or the last reload failed.
    is_current: bool,
}

/// Identifies a version of a file. It also differs after an editor has renamed a new file over the old file, and after a
/// symbolic link has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileVersion {
    device: u64,
    inode: u64,
    length: u64,
    /// Time of the last modification: seconds and nanoseconds.
    modified: (i64, i64),
    /// Time of the last status change (`st_ctime`), which no program can set. A program can restore the modification
    /// time.
    changed: (i64, i64),
}

impl FileVersion {
    fn read(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// The result of a reload.
pub(super) enum ReloadEvent<'p> {
    Reloaded { file: Display<'p>, rules: usize },
    Failed { file: Display<'p> },
}

/// The maximum number of errors that a running server logs for a version of a file.
const LOGGED_MAX: usize = 20;

/// Reads a rules file.
///
/// # Errors
/// [`RulesError`]
pub fn read_rules(path: &Path) -> Result<Rules, RulesError> {
    let content = read_file(path, FILE_MAX).map_err(RulesError::Unreadable)?;
    Rules::parse(&content).map_err(RulesError::Invalid)
}

impl ReloadableRules {
    /// Reads the file. Later, `report` gets log lines about each reload.
    ///
    /// # Errors
    /// [`RulesError`], if the first version cannot be used.
    pub fn open(path: &Path, report: Report) -> Result<Self, RulesError> {
        // Read before the content, so that the next check notices a change between the two reads.
        let version = FileVersion::read(path);
        let rules = read_rules(path)?;
        let shared = Shared {
            path: path.to_owned(),
            current: RwLock::new(Arc::new(rules)),
            progress: Mutex::new(Progress { version, is_reading: false, is_current: true }),
            ended: Condvar::new(),
            report,
        };
        Ok(Self { shared: Arc::new(shared), last_check: AtomicU64::new(0) })
    }

    /// Finds the reply or the program for a message by the current rules.
    pub fn find_action<'m>(&self, message: &'m Message<'m>) -> Action<'m> {
        let now = message.received();
        if self.last_check.swap(now, Ordering::Relaxed) != now && self.start_reload() {
            drop(self.shared.wait_for_reload());
        }
        let current = &self.shared.current;
        let rules = Arc::clone(&current.read().unwrap_or_else(PoisonError::into_inner));
        rules.find_action(message)
    }

    /// Checks the file for a change, and returns whether the current rules are the rules in the file.
    pub fn are_current(&self) -> bool {
        self.start_reload();
        self.shared.wait_for_reload().is_current
    }

    /// Reads the file again if it has changed. Returns `false` if it has not, or if another thread is reading it.
    fn start_reload(&self) -> bool {
        let found = FileVersion::read(&self.shared.path);
        let mut progress = self.shared.progress();
        if progress.is_reading || progress.version == found {
            return false;
        }
        *progress = Progress { version: found, is_reading: true, is_current: false };
        drop(progress);
        let shared = Arc::clone(&self.shared);
        if thread::Builder::new().spawn(move || shared.reload()).is_err() {
            // The system has no thread left.
            self.shared.reload();
        }
        true
    }
}

impl Shared {
    fn reload(&self) {
        let _reload = Reload(self);
        let file = self.path.display();
        let event = match read_rules(&self.path) {
            Ok(new) => {
                let rules = new.count();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                self.progress().is_current = true;
                ReloadEvent::Reloaded { file, rules }
            }
            Err(error) => {
                for line in error.lines_up_to(LOGGED_MAX, &self.path) {
                    (self.report)(&line);
                }
                ReloadEvent::Failed { file }
            }
        };
        (self.report)(&event.note().to_string());
    }

    /// Waits until no thread reads the file, but not longer than [`RELOAD_WAIT`].
    fn wait_for_reload(&self) -> MutexGuard<'_, Progress> {
        let is_reading = |progress: &mut Progress| progress.is_reading;
        let waited = self.ended.wait_timeout_while(self.progress(), RELOAD_WAIT, is_reading);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reload, which ends when this is dropped, even by a panic.
struct Reload<'s>(&'s Shared);

impl Drop for Reload<'_> {
    fn drop(&mut self) {
        self.0.progress().is_reading = false;
        self.0.ended.notify_all();
    }
}
