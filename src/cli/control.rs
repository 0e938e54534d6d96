//! The control socket of `wechat serve`: its path, and the requests that `status` and `stop` send through it.

use std::io;
use std::path::{Path, PathBuf};

use super::arguments::Args;
use super::error::{Error, UsageError};
use super::flags::CONTROL;
use super::output::escape_lines;
use crate::control;
use crate::text::display::escape_for_terminal;

/// The folder of the control socket if systemd did not start the server. The runtime directory of the systemd unit is
/// the same folder, so `wechat status` finds the server in both cases.
const FOLDER: &str = "/run/wechat";

/// Maximum characters of an unexpected response in an error.
const ANSWER_MAX: usize = 200;

/// The path of the control socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ControlPath {
    pub(super) path: PathBuf,
    /// Whether a flag or variable gave the path. If so, `serve` fails if it cannot create the socket there.
    pub(super) is_explicit: bool,
}

impl ControlPath {
    /// The given path, else `control` in `$RUNTIME_DIRECTORY` (set by systemd), else `/run/wechat/control`.
    pub(super) fn from_args(args: &Args<'_>) -> Result<Self, UsageError> {
        if let Some(path) = args.path(&CONTROL)? {
            return Ok(Self { path, is_explicit: true });
        }
        // systemd separates several directories by colons; the first is used.
        let folders = args.variable("RUNTIME_DIRECTORY").unwrap_or_default();
        let first = folders.to_str().and_then(|text| text.split(':').next());
        let folder = first.filter(|first| !first.is_empty()).unwrap_or(FOLDER);
        Ok(Self { path: Path::new(folder).join("control"), is_explicit: false })
    }
}

/// Sends a request to the server that listens on this control socket, and returns the text of the response. The text is
/// safe to print, because a program of the service may listen in the server's place.
///
/// # Errors
/// `Control` if the server cannot be reached, `ControlClosed` if it ends without a response, and `ControlAnswer` if the
/// response does not begin with [`control::OK`].
pub(super) fn ask(control: ControlPath, request: &str) -> Result<String, Error> {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    let path = control.path;
    match control::ask(&path, request) {
        Ok(answer) if answer.is_empty() => Err(Error::ControlClosed(path)),
        Ok(answer) => match answer.strip_prefix(control::OK.as_bytes()) {
            Some(text) => Ok(escape_lines(text)),
            None => {
                let answer = escape_for_terminal(answer.trim_ascii_end(), ANSWER_MAX);
                Err(Error::ControlAnswer { path, answer })
            }
        },
        // The server ended before it read the request.
        Err(error) if [ConnectionReset, BrokenPipe].contains(&error.kind()) => {
            Err(Error::ControlClosed(path))
        }
        Err(error) => Err(Error::Control { path, error }),
    }
}
