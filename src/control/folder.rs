//! An open folder.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// An open folder. If another user replaces a folder on its path, perhaps by a symbolic link, this stays the folder that
/// was opened, so nothing is created or deleted elsewhere.
#[derive(Debug)]
pub(super) struct Folder(File);

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// The errors of `open(2)`; `NotADirectory` if it is a file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // To open a pipe would block, but a path that ends with `/.` can only be a folder.
        File::open(path.join(".")).map(Self)
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// The path of a file in this folder (proc(5)). std has no `openat`.
    pub(super) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        Path::new("/proc/self/fd").join(self.0.as_raw_fd().to_string()).join(name)
    }
}
