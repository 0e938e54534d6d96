//! The control socket: a Unix socket through which the people of this machine ask a running server a
//! question, one line, and read the answer to its end. Only its owner and root may.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use super::connection::left_until;

/// How long somebody who connects may take to ask, and to read the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long to hold off after an `accept` that failed.
const BACKOFF: Duration = Duration::from_millis(100);

/// How long whoever asks waits: a server that ends may finish what is under way first.
const ANSWER: Duration = Duration::from_secs(30);

/// Bytes of a question.
const QUESTION_MAX: usize = 64;

/// A server's end of the socket.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// Somebody who asks, and waits for the answer.
#[derive(Debug)]
pub struct Question {
    text: String,
    stream: UnixStream,
}

impl ControlSocket {
    /// Listens at this path. What a server that is gone has left there is replaced.
    ///
    /// # Errors
    /// `AddrInUse` where another server listens there, `AlreadyExists` where something else is, else
    /// those of `mkdir(2)`, `bind(2)`, `chmod(2)` and `rename(2)`.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Ok(metadata) = fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                let error = "something else than a socket is there";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, error));
            }
            if UnixStream::connect(path).is_ok() {
                return Err(io::Error::new(
                    io::ErrorKind::AddrInUse,
                    "another server listens there",
                ));
            }
        }
        // A socket can be connected to from the moment it is bound, so that happens where nobody else
        // gets to. It is no other socket under its later name.
        let mut folder = path.as_os_str().to_owned();
        folder.push(format!(".{}", process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let private = Path::new(&folder).join("s");
        let bound = UnixListener::bind(&private).and_then(|listener| {
            fs::set_permissions(&private, Permissions::from_mode(0o600))?;
            fs::rename(&private, path)?;
            Ok(listener)
        });
        if bound.is_err() {
            // Most likely it is not there.
            let _: io::Result<()> = fs::remove_file(&private);
        }
        fs::remove_dir(&folder)?;
        Ok(Self {
            listener: bound?,
            path: path.to_owned(),
        })
    }

    /// Removes its file, so that nobody else asks.
    pub fn remove(&self) {
        // Where it is gone already, nothing is left to remove.
        let _: io::Result<()> = fs::remove_file(&self.path);
    }

    /// Waits for the next question.
    pub fn next(&self) -> Question {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    // Who does not ask gets no answer.
                    if let Ok(text) = read_line(&stream) {
                        return Question { text, stream };
                    }
                }
                // Out of descriptors, say.
                Err(_) => thread::sleep(BACKOFF),
            }
        }
    }
}

impl Question {
    /// The line, without its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Answers, and hangs up. Where nobody is there any more, there is nobody to tell.
    pub fn answer(mut self, text: &str) {
        let _: io::Result<()> = self
            .stream
            .set_write_timeout(Some(PATIENCE))
            .and_then(|()| self.stream.write_all(text.as_bytes()));
    }
}

/// Asks the server that listens at this path, and waits for the whole answer; there is none where the
/// server ends.
///
/// # Errors
/// Those of `connect(2)`, `write(2)` and `read(2)`; `WouldBlock` without an answer within 30 seconds.
pub fn ask(path: &Path, question: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(format!("{question}\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn read_line(mut stream: &UnixStream) -> io::Result<String> {
    let deadline = Instant::now().checked_add(PATIENCE);
    let mut line = Vec::new();
    let mut octet = [0];
    loop {
        let left = deadline.and_then(left_until);
        stream.set_read_timeout(Some(left.ok_or(io::ErrorKind::TimedOut)?))?;
        let count = stream.read(&mut octet)?;
        if count == 0 || octet == *b"\n" {
            return String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into());
        }
        if line.len() == QUESTION_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        line.extend_from_slice(&octet);
    }
}
