//! The Unix socket of the server. The mode of its file (0600) allows only its owner and root to connect.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process;
use std::thread;
use std::time::Duration;

use super::client::connect;
use super::folder::Folder;
use super::wording;

/// The pause after an `accept` that failed.
const BACKOFF: Duration = Duration::from_millis(100);

/// Bytes of the path of a Unix socket, without the terminating zero byte (unix(7)).
const PATH_MAX: usize = 107;

/// The control socket of a server.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    folder: Folder,
    name: OsString,
    /// Device and inode of the socket's file.
    file_id: (u64, u64),
}

impl ControlSocket {
    /// Listens at this path. The socket of a server that has exited is replaced.
    ///
    /// Another user may be allowed to write to the folder, or to replace it. That user can stop this server from
    /// listening there, but cannot make it delete or change a file elsewhere.
    ///
    /// # Errors
    /// `AddrInUse` if another server listens at this path, `AlreadyExists` if the file is not a socket,
    /// `InvalidFilename` if the path is too long, else the errors of `open(2)`, `connect(2)`,
    /// `mkdir(2)`, `bind(2)`, `chmod(2)` and `rename(2)`.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        use io::ErrorKind::{AddrInUse, AlreadyExists, ConnectionRefused, InvalidFilename};
        let length = path.as_os_str().len();
        if length > PATH_MAX {
            return Err(io::Error::new(InvalidFilename, wording::path_too_long(length, PATH_MAX)));
        }
        let no_socket = || io::Error::new(AlreadyExists, wording::NOT_A_SOCKET.get());
        // A path without a name, such as `/` or `..`, is a folder.
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(no_socket());
        };
        let folder = Folder::open(parent)?;
        let target = folder.path(name);
        if let Ok(metadata) = fs::symlink_metadata(&target) {
            if !metadata.file_type().is_socket() {
                return Err(no_socket());
            }
            match connect(&target, "") {
                Ok(_) => return Err(io::Error::new(AddrInUse, wording::SOCKET_IN_USE.get())),
                Err(error) if error.kind() == ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
        // `bind` makes the file with the mode of the umask, and clients can connect at once. So the socket is bound in
        // a private directory, and moved to its path after its mode is set. The directory's name is random, so that
        // another user cannot create it first.
        let random = RandomState::new().hash_one(process::id());
        let mut directory = name.to_owned();
        directory.push(format!(".{random:016x}"));
        let directory = folder.path(directory);
        DirBuilder::new().mode(0o700).create(&directory)?;
        let bound = bind_in(&directory, &target);
        // Removes only an empty directory.
        let _: io::Result<()> = fs::remove_dir(&directory);
        let (listener, file_id) = bound?;
        Ok(Self { listener, folder, name: name.to_owned(), file_id })
    }

    /// Removes the socket's file, unless another server has replaced it.
    pub(crate) fn remove(&self) {
        let path = self.folder.path(&self.name);
        let is_own = |metadata| file_id(&metadata) == self.file_id;
        if fs::symlink_metadata(&path).is_ok_and(is_own) {
            // This fails if the file has just been removed.
            let _: io::Result<()> = fs::remove_file(path);
        }
    }

    /// Accepts a connection. Returns `None` after an error, or if `waits` is false and no client is connecting.
    pub(super) fn accept(&self, waits: bool) -> Option<UnixStream> {
        let ready = self.listener.set_nonblocking(!waits);
        match ready.and_then(|()| self.listener.accept()) {
            Ok((stream, _)) => Some(stream),
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    // The process may have no free descriptor. An immediate retry would fail again.
                    thread::sleep(BACKOFF);
                }
                None
            }
        }
    }
}

fn file_id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Binds a socket in the private directory, and moves it to its path. Returns it with the id of its file.
fn bind_in(directory: &Path, target: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    let private = Folder::open(directory)?;
    // Another user may have replaced the directory.
    let metadata = private.metadata()?;
    if (metadata.uid(), metadata.mode() & 0o777) != (own_user()?, 0o700) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, wording::FOLDER_CHANGED.get()));
    }
    let socket = private.path("s");
    let listener = UnixListener::bind(&socket)?;
    let moved = fs::set_permissions(&socket, Permissions::from_mode(0o600))
        .and_then(|()| fs::symlink_metadata(&socket))
        .and_then(|metadata| fs::rename(&socket, target).map(|()| file_id(&metadata)));
    if moved.is_err() {
        let _: io::Result<()> = fs::remove_file(&socket);
    }
    Ok((listener, moved?))
}

/// The user id that new files get (std has no `geteuid`).
fn own_user() -> io::Result<u32> {
    let (socket, _) = UnixStream::pair()?;
    Ok(File::from(OwnedFd::from(socket)).metadata()?.uid())
}
