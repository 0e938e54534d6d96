//! Reloads a changed rules file. A change takes effect within a second, without a restart.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Display, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use super::problem::{Diagnostic, FILE_MAX, RulesError};
use super::rule_set::{Action, Rules};
use crate::text::file::{self, ClosedToOthers, read_file};
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
    /// Whether the current rules are the rules of this version. If not, it is being read, the last reload failed, or the
    /// file was replaced outside of its mount.
    is_current: bool,
    /// The hash of the content that the current rules were read from; `None` if the last reload failed.
    content: Option<u64>,
    /// Whether the file has lost its last link since it was opened, but can still be read. This happens if the file alone
    /// is mounted, as in a container, and is replaced or deleted outside of the mount.
    is_detached: bool,
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
    /// Whether a folder has the file.
    is_linked: bool,
}

impl FileVersion {
    fn read(path: &Path) -> Option<Self> {
        let mut metadata = fs::metadata(path).ok()?;
        if metadata.nlink() == 0 {
            // Perhaps a new file was renamed over it just now.
            metadata = fs::metadata(path).ok()?;
        }
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            is_linked: metadata.nlink() > 0,
        })
    }
}

/// The result of a reload.
pub(super) enum ReloadEvent<'p> {
    Reloaded {
        file: Display<'p>,
        rules: usize,
    },
    Failed {
        file: Display<'p>,
    },
    /// The file was replaced or deleted outside of its mount. Its content is the previous one.
    Detached {
        file: Display<'p>,
    },
}

/// The maximum number of errors that a running server logs for a version of a file.
const LOGGED_MAX: usize = 20;

/// Finds out why a server that is not root's may be unable to read a rules file. `None` if all users can read it, or if
/// this process is not root's, because then the file may be meant for its user.
pub fn find_closed_rules(path: &Path) -> Option<ClosedToOthers> {
    (file::user_id() == Some(0)).then(|| file::find_closed_to_others(path, 0o004)).flatten()
}

/// Reads a rules file. Returns the rules and the warnings.
///
/// # Errors
/// [`RulesError`]
pub fn check_rules(path: &Path) -> Result<(Rules, Vec<Diagnostic>), RulesError> {
    Rules::check(&read_content(path)?).map_err(RulesError::Invalid)
}

fn read_content(path: &Path) -> Result<Vec<u8>, RulesError> {
    read_file(path, FILE_MAX).map_err(RulesError::Unreadable)
}

fn parse(content: &[u8]) -> Result<Rules, RulesError> {
    Rules::parse(content).map_err(RulesError::Invalid)
}

fn hash(content: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    hasher.finish()
}

impl ReloadableRules {
    /// Reads the file. Later, `report` gets log lines about each reload.
    ///
    /// # Errors
    /// [`RulesError`], if the first version cannot be used.
    pub fn open(path: &Path, report: Report) -> Result<Self, RulesError> {
        // Read before the content, so that the next check notices a change between the two reads.
        let version = FileVersion::read(path);
        let content = read_content(path)?;
        let shared = Shared {
            path: path.to_owned(),
            current: RwLock::new(Arc::new(parse(&content)?)),
            progress: Mutex::new(Progress {
                version,
                is_reading: false,
                is_current: true,
                content: Some(hash(&content)),
                is_detached: false,
            }),
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
        let was_linked = progress.version.is_some_and(|version| version.is_linked);
        progress.is_detached = match found {
            Some(found) => !found.is_linked && (was_linked || progress.is_detached),
            None => false,
        };
        progress.version = found;
        (progress.is_reading, progress.is_current) = (true, false);
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
        let (previous, is_detached) = {
            let progress = self.progress();
            (progress.content, progress.is_detached)
        };
        let file = self.path.display();
        let read = read_content(&self.path).and_then(|content| {
            let hash = hash(&content);
            let is_new = previous != Some(hash);
            Ok((hash, if is_new { Some(parse(&content)?) } else { None }))
        });
        let event = match read {
            Ok((hash, new)) => {
                let rules = new.as_ref().map(Rules::count);
                if let Some(new) = new {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                }
                let mut progress = self.progress();
                progress.content = Some(hash);
                progress.is_current = rules.is_some() || !is_detached;
                match rules {
                    Some(rules) => ReloadEvent::Reloaded { file, rules },
                    None if is_detached => ReloadEvent::Detached { file },
                    // Only the metadata of the file has changed.
                    None => return,
                }
            }
            Err(error) => {
                self.progress().content = None;
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
