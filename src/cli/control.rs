//! The control socket of `wechat serve`: where it is, what can be asked there, and who answers.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Error;
use super::arguments::{Given, Name};
use super::status::Status;
use super::usage::UsageError;
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

    /// Listens there. Where nobody asked for it a server does without, and this says why.
    pub(super) fn bind(&self) -> Result<Result<ControlSocket, String>, Error> {
        match ControlSocket::bind(&self.path) {
            Ok(socket) => Ok(Ok(socket)),
            Err(error) if self.is_given => Err(Error::ControlSocket {
                path: self.path.clone(),
                error,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let directory = self.path.parent().unwrap_or(&self.path);
                Ok(Err(format!("there is no {}", directory.display())))
            }
            Err(error) => Ok(Err(format!("{}: {error}", self.path.display()))),
        }
    }
}

/// Who answers at a control socket.
pub(super) struct Desk {
    socket: ControlSocket,
    /// Those who wait for the server to end.
    waiting: Mutex<Vec<Question>>,
}

impl Desk {
    /// Answers everybody from now on, on a thread of its own. `stopping` is called by who stops it.
    pub(super) fn open(
        socket: ControlSocket,
        status: Status,
        stopping: impl Fn() + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let desk = Arc::new(Self {
            socket,
            waiting: Mutex::default(),
        });
        let clerk = Arc::clone(&desk);
        thread::Builder::new().spawn(move || {
            loop {
                let question = clerk.socket.next();
                match question.text() {
                    STATUS => question.answer(&format!("{OK}{}", status.text())),
                    STATUS_JSON => question.answer(&format!("{OK}{}", status.json())),
                    STOP => {
                        clerk.waiting().push(question);
                        stopping();
                    }
                    other => {
                        let other = other.escape_debug();
                        let answer =
                            format!("\"{other}\" is not known to the server, which is wechat ");
                        question.answer(&(answer + env!("CARGO_PKG_VERSION")));
                    }
                }
            }
        })?;
        Ok(desk)
    }

    /// The server has ended: removes the socket, and tells everybody who waits for that.
    pub(super) fn close(&self, ended: Ended) {
        self.socket.remove();
        let took = seconds(ended.took);
        let cut = match ended.cut {
            0 => String::new(),
            1 => ", 1 request without an answer".to_owned(),
            cut => format!(", {cut} requests without an answer"),
        };
        for question in self.waiting().drain(..) {
            question.answer(&format!("{OK}stopped after {took}{cut}\n"));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Question>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the server whose control socket this is.
///
/// # Errors
/// `Control` where it is not to be reached, `Unanswered` where it does not answer this.
pub(super) fn ask(control: ControlPath, question: &str) -> Result<String, Error> {
    let path = control.path;
    match net::ask(&path, question) {
        Ok(answer) => match answer.strip_prefix(OK) {
            Some(text) => Ok(text.to_owned()),
            None => Err(Error::Unanswered {
                path,
                said: answer.trim_end().escape_debug().to_string(),
            }),
        },
        Err(error) => Err(Error::Control { path, error }),
    }
}

/// Why a server cannot be asked, and what may help.
pub(super) fn unreachable(
    path: &Path,
    error: &io::Error,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    use io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied, WouldBlock};
    let kind = error.kind();
    if kind == NotFound || kind == ConnectionRefused {
        write!(f, "no server at {path:?}; --control PATH says where one is")
    } else if kind == PermissionDenied {
        write!(f, "{path:?} is for root and the server's own user alone")
    } else if kind == WouldBlock {
        write!(f, "the server at {path:?} does not answer")
    } else {
        write!(f, "cannot ask at {path:?}: {error}")
    }
}
