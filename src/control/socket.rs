//! The Unix socket of the server. The mode of its file (0600) allows only its owner and root to connect.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::Duration;

use super::client::connect;
use super::wording;

/// The pause after an `accept` that failed.
const BACKOFF: Duration = Duration::from_millis(100);

/// Bytes of the path of a Unix socket, without the terminating zero byte (unix(7)).
const PATH_MAX: usize = 107;

/// The control socket of a server.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the socket's file.
    file_id: (u64, u64),
}

impl ControlSocket {
    /// Listens at this path. The socket of a server that has exited is replaced.
    ///
    /// # Errors
    /// `AddrInUse` if another server listens at this path, `AlreadyExists` if the file is not a socket,
    /// `InvalidFilename` if the path is too long, else the errors of `connect(2)`, `mkdir(2)`, `bind(2)`, `chmod(2)`
    /// and `rename(2)`.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        use io::ErrorKind::{AddrInUse, AlreadyExists, ConnectionRefused, InvalidFilename};
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(io::Error::new(AlreadyExists, wording::NOT_A_SOCKET));
            }
            match connect(path) {
                Ok(_) => return Err(io::Error::new(AddrInUse, wording::SOCKET_IN_USE)),
                Err(error) if error.kind() == ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
        // `bind` makes the file with the mode of the umask, and clients can connect at once. So the socket is bound in
        // a private directory, and moved to its path after its mode is set.
        let mut directory = path.as_os_str().to_owned();
        directory.push(format!(".{}", process::id()));
        let private = Path::new(&directory).join("s");
        let (length, private_length) = (path.as_os_str().len(), private.as_os_str().len());
        if private_length > PATH_MAX {
            let max = PATH_MAX - (private_length - length);
            let reason = wording::path_too_long(length, max);
            return Err(io::Error::new(InvalidFilename, reason));
        }
        // A killed process with the same process id may have left this file and directory.
        remove(&private, &directory);
        DirBuilder::new().mode(0o700).create(&directory)?;
        let bound = UnixListener::bind(&private).and_then(|listener| {
            fs::set_permissions(&private, Permissions::from_mode(0o600))?;
            let file_id = file_id(&fs::symlink_metadata(&private)?);
            fs::rename(&private, path)?;
            Ok(Self { listener, path: path.to_owned(), file_id })
        });
        remove(&private, &directory);
        bound
    }

    /// Removes the socket's file, unless another server has replaced it.
    pub(crate) fn remove(&self) {
        let is_own = |metadata| file_id(&metadata) == self.file_id;
        if fs::symlink_metadata(&self.path).is_ok_and(is_own) {
            // This fails if the file has just been removed.
            let _: io::Result<()> = fs::remove_file(&self.path);
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

/// Removes the private file and directory of [`ControlSocket::bind`]. Errors are ignored, because they may not exist.
fn remove(private: &Path, directory: impl AsRef<Path>) {
    let _: io::Result<()> = fs::remove_file(private);
    let _: io::Result<()> = fs::remove_dir(directory);
}
