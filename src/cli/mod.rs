//! The command line: arguments and environment to a command, and what became of it.

mod check;
mod guard;
mod serve;
mod settings;
mod usage;

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::bot;

pub use settings::{Settings, TokenSource};
pub use usage::UsageError;

const HELP: &str = "\
wechat: the whole backend of a WeChat Official Account (公众号)

usage: wechat [serve] [FLAG VALUE]...   the server
       wechat check [RULES]             says what is wrong in a rules file, or lists its rules
       wechat rules                     prints a sample that shows every element of one
       wechat help | --help | --version

flags of serve          environment             default
  --listen ADDR:PORT    WECHAT_LISTEN           127.0.0.1:8000; a listening socket as standard input is used instead
  --rules FILE          WECHAT_RULES            the embedded ones, which echo text
  --token-file FILE     WECHAT_TOKEN (itself)   $CREDENTIALS_DIRECTORY/token, else one made up for this run
  --path PATH           WECHAT_PATH             any path is served
  --max-age SECONDS     WECHAT_MAX_AGE          600; 0 accepts any timestamp
  --max-connections N   WECHAT_MAX_CONNECTIONS  1024

exit status: 0 done, 1 failed, 2 wrong usage
";

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Error {
    /// It was asked for the impossible.
    Usage(UsageError),
    /// The token file cannot be read.
    TokenFile {
        /// Its path.
        path: OsString,
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
    /// A program that was run for the server failed, for this reason.
    Guarded(String),
    /// The rules file cannot be used; a report has been printed.
    Rules {
        /// Its path.
        path: PathBuf,
        /// How many lines the report has.
        count: usize,
    },
}

impl Error {
    /// 2 for wrong usage, 1 for everything else.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::TokenFile { .. }
            | Self::Random(_)
            | Self::Listen { .. }
            | Self::Serve(_)
            | Self::Guarded(_)
            | Self::Rules { .. } => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::TokenFile { path, error } => {
                write!(f, "cannot read the token file {path:?}: {error}")
            }
            Self::Random(error) => write!(f, "cannot read /dev/urandom: {error}"),
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Serve(error) => write!(f, "cannot serve: {error}"),
            Self::Guarded(reason) => f.write_str(reason),
            Self::Rules { path, count: 1 } => write!(f, "1 mistake in {path:?}"),
            Self::Rules { path, count } => write!(f, "{count} mistakes in {path:?}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<UsageError> for Error {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

/// Runs the command that the arguments name (without the program's own), with the given
/// environment.
///
/// # Errors
/// [`Error`], of which `main` makes a line and an exit code.
pub fn run(
    arguments: impl Iterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(), Error> {
    let mut arguments = arguments.peekable();
    // What is behind it belongs to another program.
    if arguments.next_if(|name| name == bot::GUARD).is_some() {
        return guard::run(arguments);
    }
    let arguments: Vec<OsString> = arguments.collect();
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        print(HELP);
        return Ok(());
    }
    let mut arguments = arguments.into_iter().peekable();
    match arguments.peek().map(|argument| argument.as_encoded_bytes()) {
        Some(b"help") => {
            no_more(arguments.skip(1))?;
            print(HELP);
            Ok(())
        }
        Some(b"--version" | b"-V") => {
            no_more(arguments.skip(1))?;
            print(concat!("wechat ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(())
        }
        Some(b"check") => check::run(arguments.skip(1), &environment),
        Some(b"rules") => {
            no_more(arguments.skip(1))?;
            print(bot::SAMPLE);
            Ok(())
        }
        Some(b"serve") => {
            arguments.next();
            serve::run(Settings::read(arguments, &environment)?)
        }
        Some([b'-', ..]) | None => serve::run(Settings::read(arguments, &environment)?),
        Some(_) => Err(UsageError::Command(arguments.next().unwrap_or_default()).into()),
    }
}

/// Refuses an argument that a command has no use for.
fn no_more(mut arguments: impl Iterator<Item = OsString>) -> Result<(), UsageError> {
    arguments
        .next()
        .map_or(Ok(()), |argument| Err(UsageError::Argument(argument)))
}

/// Prints for the person who started the program. Where nobody reads it, nothing is lost.
fn print(text: &str) {
    let _: io::Result<()> = io::stdout().write_all(text.as_bytes());
}
