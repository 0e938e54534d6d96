//! Reads a file that a user names, and finds out who cannot read it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::system_error::SystemError;
use super::wording::wording;

/// The reason why a file cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// The system reports an error.
    System(io::Error),
    /// The user of this process may not read the file.
    NoPermission {
        /// The user, if the system says who it is.
        user_id: Option<u32>,
        /// The file, or the first folder above it that the user may not enter.
        closed: PathBuf,
        /// Whether it is a folder.
        is_folder: bool,
    },
    /// The file is a folder, a pipe, a socket or a device.
    NotRegularFile,
    /// The file is too long.
    TooLong {
        /// Bytes of the file.
        bytes: u64,
        /// Maximum bytes.
        max: u64,
    },
}

wording! { ReadError {
    Self::System(error) => en: "{}", zh: "{}", SystemError(error);
    Self::NoPermission { user_id: Some(id), closed, is_folder: false } =>
        en: "permission denied; the user of this process (uid {id}) must be able to read {closed:?}",
        zh: "权限不足；运行本进程的用户（uid {id}）必须能读取 {closed:?}";
    Self::NoPermission { user_id: None, closed, is_folder: false } =>
        en: "permission denied; the user of this process must be able to read {closed:?}",
        zh: "权限不足；运行本进程的用户必须能读取 {closed:?}";
    Self::NoPermission { user_id: Some(id), closed, is_folder: true } =>
        en: "permission denied; the user of this process (uid {id}) must be able to enter the folder {closed:?}",
        zh: "权限不足；运行本进程的用户（uid {id}）必须能进入目录 {closed:?}";
    Self::NoPermission { user_id: None, closed, is_folder: true } =>
        en: "permission denied; the user of this process must be able to enter the folder {closed:?}",
        zh: "权限不足；运行本进程的用户必须能进入目录 {closed:?}";
    Self::NotRegularFile => en: "not a regular file", zh: "不是普通文件";
    Self::TooLong { bytes, max } => en: "{bytes} bytes, at most {max} allowed", zh: "{bytes} 字节，最多 {max} 字节";
} }

/// Reads a regular file of at most `max` bytes. Nothing else is opened, because opening a pipe waits for a writer, and a
/// device may have no end.
///
/// # Errors
/// [`ReadError`]
pub(crate) fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, ReadError> {
    let metadata = fs::metadata(path).map_err(|error| system_error(path, error))?;
    if !metadata.is_file() {
        return Err(ReadError::NotRegularFile);
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(max + 1).read_to_end(&mut content))
        .map_err(|error| system_error(path, error))?;
    match content.len() as u64 {
        read if read > max => Err(ReadError::TooLong { bytes: metadata.len().max(read), max }),
        _ => Ok(content),
    }
}

pub(super) fn system_error(path: &Path, error: io::Error) -> ReadError {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return ReadError::System(error);
    }
    let closed =
        std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| find_closed(&path, 0));
    let is_folder = closed.is_dir();
    ReadError::NoPermission { user_id: user_id(), closed, is_folder }
}

/// Finds the folder that this process may not enter on the way to a file; the file itself if there is no such folder.
fn find_closed(path: &Path, links: usize) -> PathBuf {
    // Linux follows at most 40 links (path_resolution(7)).
    const LINKS_MAX: usize = 40;
    let is_unreachable = |path: &&Path| fs::metadata(path).is_err();
    let Some(first) = path.ancestors().take_while(is_unreachable).last() else {
        return path.to_owned();
    };
    let folder = first.parent().unwrap_or(path);
    match (fs::read_link(first), path.strip_prefix(first)) {
        (Ok(target), Ok(rest)) if links < LINKS_MAX => {
            // `join` would add a slash after a file.
            let mut target = folder.join(target);
            target.extend(rest);
            find_closed(&target, links + 1)
        }
        _ => folder.to_owned(),
    }
}

/// The effective user id of this process; `None` without `/proc`.
pub(crate) fn user_id() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|metadata| metadata.uid())
}

/// Whether a folder is in the home of a user. The systemd unit hides these folders (`ProtectHome=`), whatever their mode is.
pub(crate) fn is_home(folder: &Path) -> bool {
    ["/home", "/root", "/run/user"].iter().any(|home| folder.starts_with(home))
}

/// A file or folder whose mode keeps users out who are neither its owner nor in its group.
#[derive(Debug)]
pub struct ClosedToOthers {
    /// The file, or the first folder above it with such a mode.
    pub closed: PathBuf,
    /// The permission bits.
    pub mode: u32,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Finds out why other users cannot use a file. `needed` are the permission bits of other users that it must have. `None`
/// if they can use it, as far as modes say.
pub(crate) fn find_closed_to_others(path: &Path, needed: u32) -> Option<ClosedToOthers> {
    // A link may lead out of a closed folder, or into one.
    let paths = [std::path::absolute(path).ok()?, fs::canonicalize(path).ok()?];
    let needed = |metadata: &Metadata| if metadata.is_dir() { 0o001 } else { needed };
    // From the root on: the folder to open first is named first.
    let depth = paths.iter().map(|path| path.ancestors().count()).max()?;
    let at_depth = |depth| {
        paths.iter().filter_map(move |path| {
            let count = path.ancestors().count();
            path.ancestors().nth(count.checked_sub(depth)?)
        })
    };
    (1..=depth).flat_map(at_depth).find_map(|path| {
        let metadata = fs::metadata(path).ok()?;
        let (mode, is_folder) = (metadata.mode() & 0o7777, metadata.is_dir());
        let needed = needed(&metadata);
        let is_closed = mode & needed != needed;
        is_closed.then(|| ClosedToOthers { closed: path.to_owned(), mode, is_folder })
    })
}

#[cfg(test)]
mod samples;
