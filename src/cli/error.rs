//! The errors of commands, as facts. Their texts are in `wording.rs`.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::http::{Url, UrlError};
use crate::rules::RulesError;
use crate::server::NotListening;
use crate::simulator::{CaptureError, TestMessageError};
use crate::text::file::ReadError;
use crate::wechat::{AesKeyError, TokenError};

/// Why a command failed.
#[derive(Debug)]
#[rustfmt::skip]
pub(super) enum Error {
    /// Invalid arguments or settings.
    Usage(UsageError),
    /// A file or folder cannot be read.
    File { path: PathBuf, error: ReadError },
    /// A captured request is empty.
    CaptureEmpty(PathBuf),
    /// A captured request cannot be sent, or cannot be signed again.
    Capture { path: PathBuf, error: CaptureError },
    /// A folder contains no captured request.
    NoRequest(PathBuf),
    /// `failed` of `all` captured requests did not get the required answer. The reasons have been printed.
    Replay { failed: usize, all: usize },
    /// The system provides no random bytes.
    Random(io::Error),
    /// The server cannot listen on the address.
    Listen { address: SocketAddr, error: io::Error },
    /// The server cannot run.
    Serve(io::Error),
    /// The control socket cannot be created at the given path.
    ControlSocket { path: PathBuf, error: io::Error },
    /// The control socket of a running server cannot be reached.
    Control { path: PathBuf, error: io::Error },
    /// The running server ended without an answer.
    ControlClosed(PathBuf),
    /// The running server sent this text instead of the requested response.
    ControlAnswer { path: PathBuf, answer: String },
    /// The backend at this URL fails the token check. The reasons have been printed.
    NotReady(Url),
    /// The backend at this https URL has not been checked. A command that checks it has been printed.
    NotChecked(String),
    /// WeChat would not deliver the answer. The reasons have been printed.
    NotDelivered,
    /// The only try of a message got no answer in time.
    NotInTime,
    /// Standard output cannot be written.
    Output(io::Error),
    /// The rules file cannot be used. If it has errors in its content, they have been printed.
    Rules { path: PathBuf, error: RulesError },
}

impl Error {
    /// The exit code of the process: 2 for invalid arguments or settings, 1 for everything else.
    pub(super) const fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }
}

impl From<UsageError> for Error {
    fn from(error: UsageError) -> Self {
        Self::Usage(error)
    }
}

/// A sign that a server is not only for a trial, so that it must not generate its token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ServiceSign {
    /// A service manager has set this variable.
    Variable(&'static str),
    /// Others than this machine can reach the address.
    Address(SocketAddr),
    /// The listening socket was passed as standard input.
    Socket,
}

/// A mistake in how a secret was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretFlaw {
    /// A byte order mark precedes the secret.
    ByteOrderMark,
    /// The text is UTF-16, as `>` of Windows PowerShell writes it.
    Utf16,
    /// The secret is in quotes.
    Quotes,
    /// White space precedes or follows the secret.
    Space,
    /// A name and `=` precede the secret.
    Assignment,
}

/// Invalid arguments or settings.
#[derive(Debug)]
#[rustfmt::skip]
pub(super) enum UsageError {
    /// No command has this name. `similar` is a command with a similar name.
    UnknownCommand { name: OsString, similar: Option<&'static str> },
    /// No command and no chapter of the manual has this name. `similar` is a similar name.
    NoHelp { name: OsString, similar: Option<&'static str> },
    /// The command has no flag with this name. `similar` is a flag with a similar name.
    UnknownFlag { name: OsString, similar: Option<&'static str>, command: &'static str },
    /// The command has no flag with this name, which a flag for a secret would have. Instead, `variable` has the secret.
    SecretFlag { name: OsString, variable: &'static str },
    /// The command accepts no more operands.
    UnexpectedArgument { argument: OsString, command: &'static str },
    /// A flag lacks its value.
    MissingValue { flag: &'static str, placeholder: &'static str },
    /// A switch was given a value.
    UnexpectedValue(&'static str),
    /// A flag was given twice.
    Repeated(&'static str),
    /// Two switches exclude each other.
    Conflict(&'static str, &'static str),
    /// The value of the flag or variable `name` is invalid.
    Value { name: &'static str, value: OsString, expected: &'static str },
    /// The value of the flag or variable `name` is not the URL of a backend.
    Url { name: &'static str, value: OsString, error: UrlError },
    /// The given fields do not form a message.
    TestMessage(TestMessageError),
    /// An operand is not UTF-8.
    NotUtf8(OsString),
    /// `replay` was given no file.
    NothingToReplay,
    /// `serve` was given a socket as standard input that does not listen.
    StandardInput(NotListening),
    /// There is no token to sign with.
    NoToken,
    /// A server that is not only for a trial has no token, and `reason` says why it is not. `credential` is the file that
    /// was looked for; `None` if there are no credentials.
    NoTokenForService { credential: Option<PathBuf>, reason: ServiceSign },
    /// The variable or file `origin` was saved with this mistake.
    Secret { origin: String, flaw: SecretFlaw },
    /// The variable or file `origin` contains no valid token.
    Token { origin: String, error: TokenError },
    /// The variable or file `origin` contains no valid EncodingAESKey.
    AesKey { origin: String, error: AesKeyError },
    /// This flag or variable needs an EncodingAESKey.
    NoAesKey(&'static str),
    /// A previous EncodingAESKey is given, but no current EncodingAESKey.
    PreviousAesKeyAlone,
    /// An EncodingAESKey is given, but no appid.
    NoAppId,
    /// This flag or variable needs a build with the feature `secure`.
    NotSecure(&'static str),
}
