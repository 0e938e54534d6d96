//! The command line: arguments and environment to a command, and what became of it.

mod arguments;
mod check;
mod client;
mod control;
mod help;
mod output;
mod replay;
mod secrets;
mod send;
mod serve;
mod settings;
mod status;
mod stop;
mod usage;
mod verify;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::PathBuf;

use arguments::{Args, CommandSpec, Environment};
use output::print;

use crate::http::Url;
use crate::program::{SupervisorError, supervisor};
use crate::rules::{self, RulesError};
use crate::service::version;
use crate::simulator::FAULT_PROMPT;

pub use crate::simulator::{CaptureError, TestMessageError};
pub use control::ControlPath;
pub use secrets::{Keys, Source};
pub use settings::Settings;
pub use usage::UsageError;

/// The unit file that the binary carries.
const UNIT: &str = include_str!("../../wechat.service");

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Error {
    /// It was asked for the impossible.
    Usage(UsageError),
    /// A file cannot be read.
    File {
        /// What it is for.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no randomness to make a token of.
    Random(io::Error),
    /// The address cannot be listened at.
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The server cannot run.
    Serve(io::Error),
    /// The control socket that was asked for cannot be made.
    ControlSocket {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// No server can be asked at this control socket.
    Control {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The server there does not answer what it was asked.
    Unanswered {
        /// The control socket's path.
        path: PathBuf,
        /// What it says instead; nothing where it has ended.
        said: String,
    },
    /// A program that was run for the server failed, for this reason.
    Supervisor(SupervisorError),
    /// The backend at this URL fails the token check; why has been printed.
    NotReady(Url),
    /// WeChat would not deliver the answer; why has been printed.
    NotDelivered,
    /// No answer came in time, and it was not asked for again.
    NotInTime,
    /// A captured request cannot be sent, or signed anew.
    Capture {
        /// Its file's path.
        path: PathBuf,
        /// Why.
        error: CaptureError,
    },
    /// A folder without captured requests.
    NoRequest(PathBuf),
    /// Requests that were not answered as captured, or not usably; why has been printed.
    Replay {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
    },
    /// What was asked for cannot be printed.
    Output(io::Error),
    /// The rules file cannot be used. The errors in its text have been printed.
    Rules {
        /// Its path.
        path: PathBuf,
        /// Why.
        error: RulesError,
    },
}

impl Error {
    /// 2 for wrong usage, 1 for everything else.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::File { .. }
            | Self::NotReady(_)
            | Self::NotDelivered
            | Self::NotInTime
            | Self::Capture { .. }
            | Self::NoRequest(_)
            | Self::Replay { .. }
            | Self::Output(_)
            | Self::Random(_)
            | Self::Listen { .. }
            | Self::Serve(_)
            | Self::ControlSocket { .. }
            | Self::Control { .. }
            | Self::Unanswered { .. }
            | Self::Supervisor(_)
            | Self::Rules { .. } => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::File { what, path, error } => write!(f, "cannot read {what} {path:?}: {error}"),
            Self::NotReady(url) => write!(f, "{url} is not ready for WeChat"),
            Self::NotDelivered => write!(
                f,
                "WeChat would not deliver this as it is, the user may see {FAULT_PROMPT}"
            ),
            Self::NotInTime => {
                f.write_str("no answer in time; WeChat would ask twice more, and --tries does")
            }
            Self::Capture { path, error } => write!(f, "{path:?}: {error}"),
            Self::NoRequest(path) => write!(f, "no .request file in {path:?}"),
            Self::Replay { failed, all } => write!(f, "{failed} of {all} failed"),
            Self::Random(error) => write!(f, "cannot read /dev/urandom: {error}"),
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Serve(error) => write!(f, "cannot serve: {error}"),
            Self::ControlSocket { path, error } => control::impossible(path, error, f),
            Self::Control { path, error } => control::unreachable(path, error, f),
            Self::Unanswered { path, said } if said.is_empty() => {
                write!(f, "the server at {path:?} ended without an answer")
            }
            Self::Unanswered { path, said } => write!(f, "{path:?}: {said}"),
            Self::Supervisor(error) => error.fmt(f),
            Self::Output(error) => write!(f, "cannot print: {error}"),
            Self::Rules { path, error } => f.write_str(&error.summary(path)),
        }
    }
}

impl std::error::Error for Error {}

impl From<UsageError> for Error {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

/// Runs the command that the arguments name, with the given environment. `program` is the name that
/// it was called by.
///
/// # Errors
/// [`Error`], of which `main` makes a line and an exit code.
pub fn run(
    program: &OsStr,
    arguments: impl Iterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(), Error> {
    let mut arguments = arguments.peekable();
    // What is behind it belongs to another program.
    if arguments
        .next_if(|name| name == supervisor::COMMAND)
        .is_some()
    {
        return supervisor::run(arguments).map_err(Error::Supervisor);
    }
    let arguments: Vec<OsString> = arguments.collect();
    let (name, behind) = match arguments.split_first() {
        Some((name, behind)) if !name.as_encoded_bytes().starts_with(b"-") => {
            (name.to_str().unwrap_or(""), behind)
        }
        // The flags of the server without its name, or those that are commands themselves.
        _ => ("serve", arguments.as_slice()),
    };
    let asks_for_help = |argument: &OsString| argument == "--help" || argument == "-h";
    let is_named = behind.len() < arguments.len();
    if behind
        .iter()
        .take_while(|argument| *argument != "--")
        .any(asks_for_help)
    {
        let of_command = help::of(if is_named { name } else { "help" });
        return print(of_command.ok_or_else(|| UsageError::Command(name.into()))?);
    }
    match (name, behind.first().and_then(|argument| argument.to_str())) {
        ("help", Some(command)) => {
            nothing_else(behind.get(1..).unwrap_or(&[]))?;
            let text = help::of(command).ok_or_else(|| UsageError::Command(command.into()))?;
            print(text)?;
        }
        ("help", None) => {
            nothing_else(behind)?;
            print(help::ALL)?;
        }
        ("serve", Some("--version" | "-V")) if !is_named => {
            nothing_else(behind.get(1..).unwrap_or(&[]))?;
            print(format!("wechat {}\n", version()))?;
        }
        ("serve", _) => serve::run(program, Settings::read(behind, &environment)?)?,
        ("check", _) => check::run(behind, &environment)?,
        ("send", _) => send::run(behind, &environment)?,
        ("verify", _) => verify::run(behind, &environment)?,
        ("replay", _) => replay::run(behind, &environment)?,
        ("status", _) => status::run(behind, &environment)?,
        ("stop", _) => stop::run(behind, &environment)?,
        ("rules", _) => {
            nothing_else(behind)?;
            print(rules::SAMPLE)?;
        }
        ("unit", _) => {
            nothing_else(behind)?;
            print(UNIT)?;
        }
        _ => {
            return Err(
                UsageError::Command(arguments.into_iter().next().unwrap_or_default()).into(),
            );
        }
    }
    Ok(())
}

/// Refuses an argument that a command has no use for.
fn nothing_else(arguments: &[OsString]) -> Result<(), UsageError> {
    let environment: Environment<'_> = &|_| None;
    Args::read(arguments, &CommandSpec::default(), environment).map(|_| ())
}
