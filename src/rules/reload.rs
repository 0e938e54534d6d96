//! Rules that follow their file: a change counts within a second, and nobody has to restart anything.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use super::rule_set::{Action, Diagnostic, Rules};
use crate::text::log_note::Report;
use crate::wechat::Message;

/// The rules of a file, as it is now.
///
/// No thread watches it. When a message comes, and at most once a second, the file is looked at; a
/// message is answered by the rules of before or by those after a change, never by some of each.
#[derive(Debug)]
pub struct ReloadableRules {
    path: PathBuf,
    current: RwLock<Arc<Rules>>,
    looked: AtomicU64,
    seen: Mutex<Option<FileVersion>>,
    is_current: AtomicBool,
    report: Report,
}

/// What tells one state of a file from another, also where an editor renames a new one over it, or a
/// link comes to point elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileVersion {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    /// Also changed by what leaves the modification time alone, or sets it back.
    changed: (i64, i64),
}

impl FileVersion {
    fn of(path: &Path) -> Option<Self> {
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

/// Why a file has no rules.
#[derive(Debug)]
pub enum RulesError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// There are mistakes in it, at least one.
    Mistakes(Vec<Diagnostic>),
}

impl RulesError {
    /// A line for each thing that is wrong: `file:line:column: message`.
    pub fn lines(&self, path: &Path) -> Vec<String> {
        let path = path.display();
        match self {
            Self::Unreadable(error) => vec![format!("{path}: cannot be read: {error}")],
            Self::Mistakes(mistakes) => mistakes
                .iter()
                .map(
                    |Diagnostic {
                         line,
                         column,
                         message,
                     }| format!("{path}:{line}:{column}: {message}"),
                )
                .collect(),
        }
    }
}

/// Mistakes that a running server reports of a file.
const REPORTED: usize = 20;

/// Bytes of a rules file: ten thousand rules and more.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Reads a file of rules.
///
/// # Errors
/// [`RulesError`]
pub fn read_rules(path: &Path) -> Result<Rules, RulesError> {
    let bytes = read_file(path).map_err(RulesError::Unreadable)?;
    Rules::parse(&bytes).map_err(RulesError::Mistakes)
}

/// Reads a file, but nothing that merely has a name like one: opening a pipe would wait for whoever
/// writes to it, and a device may never end.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if metadata.len() > FILE_MAX {
        let length = metadata.len();
        return Err(io::Error::other(format!(
            "{length} bytes, at most {FILE_MAX} allowed"
        )));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl ReloadableRules {
    /// Reads the file, and keeps to it from now on. What becomes of later changes is reported in
    /// lines, once each.
    ///
    /// # Errors
    /// [`RulesError`], where there are no rules to begin with.
    pub fn open(path: &Path, report: Report) -> Result<Self, RulesError> {
        // Looked at before it is read: a change in between is seen the next time.
        let seen = FileVersion::of(path);
        let rules = read_rules(path)?;
        Ok(Self {
            path: path.to_owned(),
            current: RwLock::new(Arc::new(rules)),
            looked: AtomicU64::new(0),
            seen: Mutex::new(seen),
            is_current: AtomicBool::new(true),
            report,
        })
    }

    /// What a message is answered with, by the file as it is now.
    pub fn answer<'m>(&self, message: &'m Message<'m>) -> Action<'m> {
        let now = message.received();
        if self.looked.swap(now, Ordering::Relaxed) != now {
            self.look();
        }
        let rules = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        rules.answer(message)
    }

    /// Looks at the file, and says whether its rules are the ones that count.
    pub fn are_current(&self) -> bool {
        self.look();
        self.is_current.load(Ordering::Relaxed)
    }

    fn look(&self) {
        let stamp = FileVersion::of(&self.path);
        // Where somebody is reading the file already, nobody else waits for that.
        let mut seen = match self.seen.try_lock() {
            Ok(seen) => seen,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if *seen == stamp {
            return;
        }
        *seen = stamp;
        let path = self.path.display();
        let read = read_rules(&self.path);
        self.is_current.store(read.is_ok(), Ordering::Relaxed);
        match read {
            Ok(rules) => {
                let count = rules.summary().count();
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
                (self.report)(&format!(
                    "cause=rules-changed reason=\"{count} rules of {path} count from now on\""
                ));
            }
            Err(error) => {
                let lines = error.lines(&self.path);
                for line in lines.iter().take(REPORTED) {
                    (self.report)(line);
                }
                if let Some(more @ 1..) = lines.len().checked_sub(REPORTED) {
                    (self.report)(&format!("{path}: and {more} more, see wechat check"));
                }
                (self.report)(&format!(
                    "cause=rules-kept reason=\"{path} cannot be used, the rules of before stay\""
                ));
            }
        }
    }
}
