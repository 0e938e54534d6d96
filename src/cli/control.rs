//! The control socket of `wechat serve`: where it is, what can be asked there, and who answers.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::arguments::{Given, Name};
use super::status::Status;
use super::usage::UsageError;
use super::{Error, version};
use crate::net::{self, ControlSocket, Ended, Question};
use crate::platform::seconds;

/// Where it is for a server that was started by hand; the systemd unit's directory is the same one.
const DIRECTORY: &str = "/run/wechat";

/// What can be asked.
pub(super) const STATUS: &str = "status";
pub(super) const STATUS_JSON: &str = "status json";
pub(super) const STOP: &str = "stop";

/// How an answer begins that is one.
const OK: &str = "ok\n";

pub(super) const CONTROL: Name = Name {
    flag: "--control",
    variable: Some("WECHAT_CONTROL"),
};

/// Where a server's control socket is.
#[derive(Debug, PartialEq, Eq)]
pub struct ControlPath {
    /// Its file.
    pub path: PathBuf,
    /// Whether somebody named it.
    pub is_given: bool,
}

impl ControlPath {
    /// The one that was given, else `control` in the runtime directory of a systemd unit, else in
    /// `/run/wechat`.
    pub(super) fn of(given: &Given<'_>) -> Result<Self, UsageError> {
        if let Some(path) = given.path(&CONTROL)? {
            let is_given = true;
            return Ok(Self { path, is_given });
        }
        let directories = given.variable("RUNTIME_DIRECTORY").unwrap_or_default();
        // There may be several, with colons between them.
        let first = directories.to_str().and_then(|text| text.split(':').next());
        let directory = first.filter(|first| !first.is_empty()).unwrap_or(DIRECTORY);
        Ok(Self {
            path: Path::new(directory).join("control"),
            is_given: false,
        })
    }

    /// Listens there. Where nobody asked for it a server does without, and this says why and what it
    /// means.
    pub(super) fn bind(&self) -> Result<Result<ControlSocket, String>, Error> {
        let path = self.path.display();
        match ControlSocket::bind(&self.path) {
            Ok(socket) => Ok(Ok(socket)),
            Err(error) if self.is_given => Err(Error::ControlSocket {
                path: self.path.clone(),
                error,
            }),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(Err(format!(
                "{path} is another server's, so wechat status and stop reach that one"
            ))),
            Err(error) => {
                let reason = match error.kind() == io::ErrorKind::NotFound {
                    true => format!("there is no {}", parent(&self.path).display()),
                    false => format!("{path}: {error}"),
                };
                Ok(Err(format!(
                    "{reason}, so wechat status and stop cannot reach this server"
                )))
            }
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Who are answered at once; the others are not, and may ask again.
const CLERKS_MAX: usize = 128;

/// Who answers at a control socket.
pub(super) struct Desk {
    socket: ControlSocket,
    status: Status,
    stopping: Box<dyn Fn() + Send + Sync>,
    /// Threads that answer.
    clerks: AtomicUsize,
    end: Mutex<End>,
}

/// What became of those who asked for the end.
enum End {
    /// They wait.
    Awaited(Vec<Question>),
    /// This is what they, and all who come later, are told.
    Told(String),
}

impl Desk {
    /// Answers everybody from now on, each on a thread of its own. `stopping` is called by who stops the
    /// server.
    pub(super) fn open(
        socket: ControlSocket,
        status: Status,
        stopping: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        let desk = Arc::new(Self {
            socket,
            status,
            stopping: Box::new(stopping),
            clerks: AtomicUsize::new(0),
            end: Mutex::new(End::Awaited(Vec::new())),
        });
        let porter = Arc::clone(&desk);
        thread::Builder::new().spawn(move || {
            loop {
                let stream = porter.socket.accept();
                if porter.clerks.load(Ordering::Acquire) >= CLERKS_MAX {
                    continue;
                }
                let clerk = Arc::clone(&porter);
                clerk.clerks.fetch_add(1, Ordering::AcqRel);
                let started = thread::Builder::new().spawn(move || {
                    // Who does not ask gets no answer.
                    if let Ok(question) = Question::read(stream) {
                        clerk.answer(question);
                    }
                    clerk.clerks.fetch_sub(1, Ordering::AcqRel);
                });
                if started.is_err() {
                    porter.clerks.fetch_sub(1, Ordering::AcqRel);
                }
            }
        })?;
        Ok(desk)
    }

    fn answer(&self, mut question: Question) {
        let answer = match question.text() {
            STATUS => format!("{OK}{}", self.status.text()),
            STATUS_JSON => format!("{OK}{}", self.status.json()),
            STOP => {
                question.answer(OK);
                match &mut *self.end() {
                    End::Awaited(waiting) => waiting.push(question),
                    End::Told(text) => question.answer(text),
                }
                return (self.stopping)();
            }
            other => {
                let other = other.escape_debug();
                let version = version();
                format!("\"{other}\" is not known to the server, which is wechat {version}")
            }
        };
        question.answer(&answer);
    }

    /// The server has ended: removes the socket, and tells everybody who waits for that.
    pub(super) fn close(&self, ended: Ended) {
        self.socket.remove();
        let took = seconds(ended.took);
        let text = match ended.cut {
            0 => format!("stopped after {took}\n"),
            1 => format!("stopped after {took}, 1 request without an answer\n"),
            cut => format!("stopped after {took}, {cut} requests without an answer\n"),
        };
        let mut end = self.end();
        if let End::Awaited(waiting) = &mut *end {
            waiting
                .iter_mut()
                .for_each(|question| question.answer(&text));
        }
        *end = End::Told(text);
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the server whose control socket this is.
///
/// # Errors
/// `Control` where it is not to be reached, `Unanswered` where it does not answer this.
pub(super) fn ask(control: ControlPath, question: &str) -> Result<String, Error> {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    let path = control.path;
    match net::ask(&path, question) {
        Ok(answer) => match answer.strip_prefix(OK) {
            Some(text) => Ok(text.to_owned()),
            None => Err(Error::Unanswered {
                path,
                said: answer.trim_end().escape_debug().to_string(),
            }),
        },
        // It ended before it could read the question.
        Err(error) if [ConnectionReset, BrokenPipe].contains(&error.kind()) => {
            let said = String::new();
            Err(Error::Unanswered { path, said })
        }
        Err(error) => Err(Error::Control { path, error }),
    }
}

/// Why a server cannot be asked, and what may help.
pub(super) fn unreachable(
    path: &Path,
    error: &io::Error,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    use io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied, TimedOut, WouldBlock};
    let kind = error.kind();
    let is_socket = |metadata: fs::Metadata| metadata.file_type().is_socket();
    if kind == NotFound {
        write!(f, "no server at {path:?}; --control PATH says where one is")
    } else if kind == ConnectionRefused && fs::metadata(path).is_ok_and(is_socket) {
        write!(f, "the server at {path:?} is gone")
    } else if kind == ConnectionRefused {
        write!(f, "{path:?} is no server's control socket")
    } else if kind == PermissionDenied {
        write!(f, "{path:?} is for root and the server's own user alone")
    } else if kind == WouldBlock || kind == TimedOut {
        write!(
            f,
            "the server at {path:?} does not answer; it may be stuck or suspended"
        )
    } else {
        write!(f, "cannot ask at {path:?}: {error}")
    }
}

/// Why a control socket cannot be made.
pub(super) fn impossible(
    path: &Path,
    error: &io::Error,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "cannot make the control socket {path:?}: ")?;
    match error.kind() == io::ErrorKind::NotFound {
        true => write!(f, "there is no {:?}", parent(path)),
        false => write!(f, "{error}"),
    }
}
