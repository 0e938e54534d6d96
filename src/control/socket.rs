//! The control socket: a Unix socket through which the people of this machine ask a running server a
//! question, one line, and read the answer to its end. Only its owner and root may, by the mode of its file.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use crate::deadline::remaining;

/// How long somebody who connects may take to ask, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long whoever asks waits for the answer to begin; a server that is not stuck begins at once.
const BEGINNING: Duration = Duration::from_secs(5);

/// How long they then wait for its end: a server that ends may finish what is under way first.
const END: Duration = Duration::from_secs(30);

/// How often to look whether a connection has come about.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// How long to hold off after an `accept` that failed.
const BACKOFF: Duration = Duration::from_millis(100);

/// Bytes of a question.
const QUESTION_MAX: usize = 64;

/// Bytes of a Unix socket's path (unix(7)), without the zero behind it.
const PATH_MAX: usize = 107;

/// A server's end of the socket.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// By which its file is known: device and inode.
    file: (u64, u64),
}

/// Somebody who asks, and waits for the answer.
#[derive(Debug)]
pub(crate) struct Question {
    text: String,
    stream: UnixStream,
}

impl ControlSocket {
    /// Listens at this path. What a server that is gone has left there is replaced.
    ///
    /// # Errors
    /// `AddrInUse` where another server listens there, `AlreadyExists` where something else is,
    /// `InvalidFilename` where the path is too long, else those of `connect(2)`, `mkdir(2)`, `bind(2)`,
    /// `chmod(2)` and `rename(2)`.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                let error = "something else than a socket is there";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, error));
            }
            match connect(path) {
                Ok(_) => {
                    let error = "another server listens there";
                    return Err(io::Error::new(io::ErrorKind::AddrInUse, error));
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
        // A socket can be connected to from the moment it is bound, so that happens where nobody else
        // gets to. It is no other socket under its later name.
        let mut folder = path.as_os_str().to_owned();
        folder.push(format!(".{}", process::id()));
        let private = Path::new(&folder).join("s");
        let (length, most) = (path.as_os_str().len(), private.as_os_str().len());
        let most = PATH_MAX.saturating_sub(most.saturating_sub(length));
        if length > most {
            let error = format!("path of {length} bytes, at most {most} allowed");
            return Err(io::Error::new(io::ErrorKind::InvalidFilename, error));
        }
        // One that had this number before, and was killed in between, may have left it.
        remove(&private, &folder);
        DirBuilder::new().mode(0o700).create(&folder)?;
        let bound = UnixListener::bind(&private).and_then(|listener| {
            fs::set_permissions(&private, Permissions::from_mode(0o600))?;
            let file = file(&fs::symlink_metadata(&private)?);
            fs::rename(&private, path)?;
            Ok((listener, file))
        });
        remove(&private, &folder);
        let (listener, file) = bound?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            file,
        })
    }

    /// Removes its file, so that nobody else asks.
    pub(crate) fn remove(&self) {
        let is_ours = |metadata| file(&metadata) == self.file;
        if fs::symlink_metadata(&self.path).is_ok_and(is_ours) {
            // Where it is gone already, nothing is left to remove.
            let _: io::Result<()> = fs::remove_file(&self.path);
        }
    }

    /// Waits for the next one who wants to ask.
    pub(crate) fn accept(&self) -> UnixStream {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return stream,
                // Out of descriptors, say.
                Err(_) => thread::sleep(BACKOFF),
            }
        }
    }
}

fn file(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Removes what was needed to make the socket; mostly some of it is not there.
fn remove(private: &Path, folder: impl AsRef<Path>) {
    let _: io::Result<()> = fs::remove_file(private);
    let _: io::Result<()> = fs::remove_dir(folder);
}

impl Question {
    /// Reads what somebody asks: a line of at most 64 bytes, within a second.
    ///
    /// # Errors
    /// Those of `read(2)`; `InvalidData` for anything else.
    pub(crate) fn read(mut stream: UnixStream) -> io::Result<Self> {
        let deadline = Instant::now().checked_add(PATIENCE);
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = Vec::new();
        let mut octet = [0];
        loop {
            let left = deadline.and_then(remaining);
            stream.set_read_timeout(Some(left.ok_or(io::ErrorKind::TimedOut)?))?;
            let count = stream.read(&mut octet)?;
            if count == 0 || octet == *b"\n" {
                let text = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
                return Ok(Self { text, stream });
            }
            if line.len() == QUESTION_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            line.extend_from_slice(&octet);
        }
    }

    /// The line, without its end.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Says a part of the answer, which ends where this is dropped. Where nobody is there any more, there
    /// is nobody to tell.
    pub(crate) fn answer(&mut self, text: &str) {
        let _: io::Result<()> = self.stream.write_all(text.as_bytes());
    }
}

/// Asks the server that listens at this path, and waits for the whole answer.
///
/// # Errors
/// Those of `connect(2)`, `write(2)` and `read(2)`; `TimedOut` or `WouldBlock` where the answer does not
/// begin within 5 seconds, or is not whole 30 seconds later.
pub(crate) fn ask(path: &Path, question: &str) -> io::Result<String> {
    let mut stream = connect(path)?;
    stream.set_read_timeout(Some(BEGINNING))?;
    stream.write_all(format!("{question}\n").as_bytes())?;
    let mut answer = vec![0; 1];
    let count = stream.read(&mut answer)?;
    answer.truncate(count);
    stream.set_read_timeout(Some(END))?;
    stream.read_to_end(&mut answer)?;
    String::from_utf8(answer).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Connects within the time in which an answer begins. std has no such limit, and a server that is stuck
/// lets everybody wait once its queue is full; so a thread waits, and stays where it waits in vain.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let path = path.to_owned();
    let connecting = thread::Builder::new().spawn(move || UnixStream::connect(path))?;
    let begun = Instant::now();
    while !connecting.is_finished() {
        if begun.elapsed() >= BEGINNING {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(LOOK_AGAIN);
    }
    let panicked = |_| Err(io::Error::other("cannot connect"));
    connecting.join().unwrap_or_else(panicked)
}
