//! The control socket of `wechat serve`: where it is, what can be asked there, and who answers.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::Error;
use super::arguments::{Args, Flag};
use super::usage::UsageError;
use crate::control::{self, ControlSocket};

/// Where it is for a server that was started by hand; the systemd unit's directory is the same one.
const DIRECTORY: &str = "/run/wechat";

pub(super) const CONTROL: Flag = Flag {
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
    pub(super) fn of(given: &Args<'_>) -> Result<Self, UsageError> {
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

/// Asks the server whose control socket this is.
///
/// # Errors
/// `Control` where it is not to be reached, `Unanswered` where it does not answer this.
pub(super) fn ask(control: ControlPath, question: &str) -> Result<String, Error> {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    let path = control.path;
    match control::ask(&path, question) {
        Ok(answer) => match answer.strip_prefix(control::OK) {
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
