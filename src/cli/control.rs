//! The control socket of `wechat serve`: its path, and how the other commands ask the server through it.

use std::io;
use std::path::{Path, PathBuf};

use super::arguments::Args;
use super::error::{Error, UsageError};
use super::flags::CONTROL;
use crate::control;

/// The folder of the control socket of a server that systemd did not start. The unit's runtime directory is this
/// folder too, so `wechat status` finds both.
const FOLDER: &str = "/run/wechat";

/// Where the control socket of a server is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ControlPath {
    pub(super) path: PathBuf,
    /// Whether the path was given, so that a server that cannot use it must fail.
    pub(super) is_explicit: bool,
}

impl ControlPath {
    /// The path that was given, else `control` in the runtime directory of a systemd unit, else in `/run/wechat`.
    pub(super) fn from_args(args: &Args<'_>) -> Result<Self, UsageError> {
        if let Some(path) = args.path(&CONTROL)? {
            return Ok(Self { path, is_explicit: true });
        }
        // systemd separates several folders by colons.
        let folders = args.variable("RUNTIME_DIRECTORY").unwrap_or_default();
        let first = folders.to_str().and_then(|text| text.split(':').next());
        let folder = first.filter(|first| !first.is_empty()).unwrap_or(FOLDER);
        Ok(Self { path: Path::new(folder).join("control"), is_explicit: false })
    }
}

/// Asks the server that listens on this control socket, and returns its answer.
///
/// # Errors
/// `Control`, `ControlClosed` or `ControlAnswer`.
pub(super) fn ask(control: ControlPath, question: &str) -> Result<String, Error> {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    let path = control.path;
    match control::ask(&path, question) {
        Ok(answer) if answer.is_empty() => Err(Error::ControlClosed(path)),
        Ok(answer) => match answer.strip_prefix(control::OK) {
            Some(text) => Ok(text.to_owned()),
            None => {
                let answer = answer.trim_end().escape_debug().to_string();
                Err(Error::ControlAnswer { path, answer })
            }
        },
        // The server ended before it read the question.
        Err(error) if [ConnectionReset, BrokenPipe].contains(&error.kind()) => {
            Err(Error::ControlClosed(path))
        }
        Err(error) => Err(Error::Control { path, error }),
    }
}
