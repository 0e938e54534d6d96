//! Reloads a changed rules file. A change takes effect within a second, without a restart.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Display, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use super::problem::{FILE_MAX, RulesError};
use super::rule_set::{Action, Rules};
use crate::text::file::read_file;
use crate::text::log_note::Report;
use crate::wechat::Message;

/// The rules of a file, which are read again when the file changes.
///
/// No thread watches the file. Instead, the file is checked when a message arrives, at most once a second. The rules for
/// a message always come from one version of the file, never from parts of two.
#[derive(Debug)]
pub struct ReloadableRules {
    path: PathBuf,
    current: RwLock<Arc<Rules>>,
    /// Time of the last check that a message caused, in seconds since 1970.
    last_check: AtomicU64,
    /// The version found by the last check; `None` if there was no file.
    version: Mutex<Option<FileVersion>>,
    /// Whether `current` has the rules of `version`. If not, the last reload failed.
    is_current: AtomicBool,
    report: Report,
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
        Ok(Self {
            path: path.to_owned(),
            current: RwLock::new(Arc::new(rules)),
            last_check: AtomicU64::new(0),
            version: Mutex::new(version),
            is_current: AtomicBool::new(true),
            report,
        })
    }

    /// Finds the reply or the program for a message by the current rules.
    pub fn find_action<'m>(&self, message: &'m Message<'m>) -> Action<'m> {
        let now = message.received();
        if self.last_check.swap(now, Ordering::Relaxed) != now {
            self.check_for_change();
        }
        let rules = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        rules.find_action(message)
    }

    /// Checks the file for a change, and returns whether the current rules are the rules in the file.
    pub fn are_current(&self) -> bool {
        self.check_for_change();
        self.is_current.load(Ordering::Relaxed)
    }

    fn check_for_change(&self) {
        let found = FileVersion::read(&self.path);
        let mut version = match self.version.try_lock() {
            Ok(version) => version,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another thread is reading the file. This thread continues with the previous rules.
            Err(TryLockError::WouldBlock) => return,
        };
        if *version == found {
            return;
        }
        *version = found;
        let file = self.path.display();
        let event = match read_rules(&self.path) {
            Ok(new) => {
                let rules = new.count();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                self.is_current.store(true, Ordering::Relaxed);
                ReloadEvent::Reloaded { file, rules }
            }
            Err(error) => {
                self.is_current.store(false, Ordering::Relaxed);
                for line in error.lines_up_to(LOGGED_MAX, &self.path) {
                    (self.report)(&line);
                }
                ReloadEvent::Failed { file }
            }
        };
        (self.report)(&event.note().to_string());
    }
}
