//! The texts of the command line, each once: headings of help, errors, the greeting of the server, log lines, and the
//! output of `verify`, `send` and `replay`.

use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{Error, SecretFlaw, ServiceSign, UsageError};
use crate::callback::{Callback, EncryptionPolicy};
use crate::control::RESPONSE_MAX;
use crate::http::Url;
use crate::server::NotListening;
use crate::service::version;
use crate::simulator::{Difference, FAULT_PROMPT, Severity};
use crate::text::display::format_duration;
use crate::text::log_note::LogNote;
use crate::text::wording::say;
use crate::wechat::{AesKeyError, AppId, Cipher};

pub(super) const TITLE: &str = "wechat: the whole backend of a WeChat Official Account (公众号)";
pub(super) const USAGE: &str = "usage:";
pub(super) const FLAG: &str = "flag";
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const DEFAULT: &str = "default";
pub(super) const EXIT_STATUS: &str =
    "exit status: 0 success, 1 failure, 2 invalid arguments or settings";

pub(super) const COLOUR: &str = "colour: on a terminal, unless NO_COLOR is set";

/// The heading of the commands.
pub(super) const COMMANDS: &str = "usage: wechat [COMMAND]; the default is serve";

/// The heading of the chapters of the manual.
pub(super) const MANUAL: &str = "manual: wechat help CHAPTER";

/// The heading of the flags of a command.
pub(super) fn flags_of(command: &str) -> String {
    format!("flags of {command}")
}

/// The last line of a list of sections if there are more.
pub(super) fn more_sections(count: usize) -> String {
    format!("… {count} more; search for a longer word\n")
}

/// Shown instead of the path of the rules file if there is none.
pub(super) const EMBEDDED_RULES: &str = "the embedded rules";

// Not formatted by rustfmt, so that most variants and their texts take one line each.
#[rustfmt::skip]
impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(f),
            Self::File { path, error } => write!(f, "cannot read {path:?}: {error}"),
            Self::CaptureEmpty(path) => write!(f, "{path:?} is empty; expected an HTTP request"),
            Self::Capture { path, error } => write!(f, "{path:?}: {error}"),
            Self::NoRequest(path) => write!(f, "no .request file in {path:?}"),
            Self::Replay { failed, all } => write!(f, "{failed} of {all} failed"),
            Self::Random(error) => write!(f, "cannot read /dev/urandom: {error}"),
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Serve(error) => write!(f, "cannot serve: {error}"),
            Self::ControlSocket { path, error } => write!(f, "cannot create the control socket {path:?}: {error}"),
            Self::Control { path, error } => control_failure(path, error, f),
            Self::ControlClosed(path) => write!(f, "the server at {path:?} ended without an answer"),
            Self::ControlAnswer { path, answer } => write!(f, "the server at {path:?} answered: {answer}"),
            Self::NotReady(url) => write!(f, "{url} is not ready for WeChat"),
            Self::NotChecked(url) => write!(f, "{url:?} is not checked yet; run the command above"),
            Self::NotDelivered => write!(f, "WeChat would not deliver this answer; the user may see {FAULT_PROMPT}"),
            Self::NotInTime => write!(f, "no answer in time; WeChat would try twice more, as --tries does"),
            Self::Output(error) => write!(f, "cannot print: {error}"),
            Self::Rules { path, error } => f.write_str(&error.summary(path)),
        }
    }
}

/// Writes why the server cannot be reached through this control socket.
#[rustfmt::skip]
#[allow(clippy::wildcard_enum_match_arm, reason = "there are many kinds of I/O errors")]
fn control_failure(path: &Path, error: &io::Error, f: &mut Formatter<'_>) -> fmt::Result {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused =>
            say!(f, en: "no server at {path:?}; if it is at another path, pass --control PATH; \
                if the service has failed, journalctl -u wechat -e says why",
                zh: "{path:?} 处没有服务器；如在别的路径，请用 --control PATH 指定；\
                如果服务启动失败，原因见 journalctl -u wechat -e"),
        ErrorKind::PermissionDenied => say!(f, en: "cannot open {path:?}; only root and the server's own user can",
            zh: "无法打开 {path:?}；只有 root 和服务器自己的用户可以"),
        ErrorKind::WouldBlock | ErrorKind::TimedOut =>
            write!(f, "the server at {path:?} does not answer; it may be stuck or suspended"),
        ErrorKind::FileTooLarge =>
            write!(f, "the answer at {path:?} has more than {RESPONSE_MAX} bytes, so it is not from wechat serve"),
        _ => write!(f, "cannot reach the server at {path:?}: {error}"),
    }
}

#[rustfmt::skip]
impl Display for UsageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand { name, similar } => match similar {
                Some(similar) => write!(f, "unknown command {name:?}; did you mean {similar}?"),
                None => write!(f, "unknown command {name:?}; see wechat help"),
            },
            Self::NoHelp { name, similar } => match similar {
                Some(similar) => write!(f, "no help on {name:?}; did you mean {similar}?"),
                None => write!(f, "no help on {name:?}; see wechat help"),
            },
            Self::UnknownFlag { name, similar, command } => match similar {
                Some(similar) => write!(f, "unknown flag {name:?}; did you mean {similar}?"),
                None => write!(f, "unknown flag {name:?}; see wechat help {command}"),
            },
            Self::SecretFlag { name, variable } => write!(f,
                "unknown flag {name:?}; secrets are never flags, because every user of a machine can read them: \
                 {}set {variable}",
                if *variable == "WECHAT_TOKEN" { "pass --token-file FILE or " } else { "" }),
            Self::UnexpectedArgument { argument, command } =>
                write!(f, "unexpected argument {argument:?}; see wechat help {command}"),
            Self::MissingValue { flag, placeholder } => write!(f, "{flag} has no value; expected {flag} {placeholder}"),
            Self::UnexpectedValue(flag) => write!(f, "{flag} takes no value"),
            Self::Repeated(flag) => write!(f, "{flag} is given twice; pass it once"),
            Self::Conflict(one, other) => write!(f, "{one} and {other} exclude each other; pass one of them"),
            Self::Value { name, value, expected } => write!(f, "{name} is {value:?}; expected {expected}"),
            Self::Url { name, value, error } => write!(f, "{name} is {value:?}: {error}"),
            Self::TestMessage(error) => error.fmt(f),
            Self::NotUtf8(text) => write!(f, "{text:?} is not UTF-8"),
            Self::NothingToReplay => write!(f, "nothing to replay; expected a .request file or a folder of them"),
            Self::StandardInput(socket) => {
                let socket = match socket {
                    NotListening::Tcp => "a TCP socket that does not listen",
                    NotListening::OtherProtocol => "a socket of another protocol than TCP, such as UDP",
                };
                write!(f, "standard input is {socket}; expected a listening TCP socket or no socket")
            }
            Self::NoToken => write!(f, "no token; set WECHAT_TOKEN or pass --token-file FILE"),
            Self::NoTokenForService { credential, reason } => {
                write!(f, "no token; set WECHAT_TOKEN or pass --token-file FILE; looked for WECHAT_TOKEN and ")?;
                match credential {
                    Some(file) => write!(f, "the file {file:?}, which does not exist")?,
                    None => write!(f, "$CREDENTIALS_DIRECTORY/token, but CREDENTIALS_DIRECTORY is not set")?,
                }
                write!(f, " (systemd before 247 ignores LoadCredential=); a server generates a token only for a trial, and ")?;
                match reason {
                    ServiceSign::Variable(name) => write!(f, "{name} is set, as in a service"),
                    ServiceSign::Address(address) => write!(f, "other machines can reach {address}"),
                    ServiceSign::Socket => write!(f, "a listening socket was passed as standard input"),
                }
            }
            Self::Secret { origin, flaw } => write!(f, "{origin}: {flaw}"),
            Self::Token { origin, error } => write!(f, "{origin}: {error}"),
            Self::AesKey { origin, error } => write!(f, "{origin}: {error}"),
            Self::NoAesKey(name) =>
                write!(f, "{name} needs the EncodingAESKey; set WECHAT_AES_KEY or the credential aes-key"),
            Self::PreviousAesKeyAlone => write!(f,
                "the previous EncodingAESKey needs the current one; set WECHAT_AES_KEY or the credential aes-key"),
            Self::NoAppId => write!(f,
                "the EncodingAESKey needs the appid of the account; pass --app-id APPID or set WECHAT_APP_ID"),
            Self::NotSecure(name) => write!(f, "{name}: {}", AesKeyError::FeatureMissing),
        }
    }
}

impl Display for SecretFlaw {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByteOrderMark => "begins with a byte order mark (EF BB BF); save it as UTF-8 without BOM",
            Self::Utf16 => "is UTF-16; save it as UTF-8 without BOM",
            Self::Quotes => "the secret is in quotes; write it without quotes",
            Self::Space => "white space or an empty line before or after the secret; write one line with the secret alone",
            Self::Assignment => "a name and = before the secret; write the secret alone",
        })
    }
}

/// The text that the server prints when it starts. Scripts read the address from the end of the first line.
pub(super) struct Greeting<'g> {
    pub(super) address: SocketAddr,
    pub(super) callback: &'g Callback,
    pub(super) app_id: Option<AppId>,
    pub(super) generated_token: Option<GeneratedToken>,
    /// The default path of the control socket and the error, if the socket could not be created.
    pub(super) no_control_socket: Option<&'g (PathBuf, io::Error)>,
}

/// A token that the server generated because there was none.
pub(super) struct GeneratedToken {
    pub(super) token: String,
    /// The name or path of this program, to be typed in a shell.
    pub(super) program: String,
    /// The URL of the server; `None` if it is the default of `--url`.
    pub(super) url: Option<String>,
}

#[rustfmt::skip]
impl Display for Greeting<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "wechat {} listening on {}", version(), self.address)?;
        let encryption = &self.callback.encryption;
        if let Some(id) = self.app_id.as_ref().map(AppId::as_str) {
            match encryption {
                EncryptionPolicy::NoKey => writeln!(f, "note: no EncodingAESKey; cannot read encrypted messages of {id}"),
                EncryptionPolicy::Allowed(_) => writeln!(f, "accepting encrypted and plain messages of {id}"),
                EncryptionPolicy::Required(_) => writeln!(f, "accepting only encrypted messages of {id}"),
            }?;
        }
        if self.callback.previous_token.is_some() {
            writeln!(f, "also accepting the previous token")?;
        }
        if encryption.cipher().is_some_and(Cipher::has_previous) {
            writeln!(f, "also accepting the previous EncodingAESKey")?;
        }
        if let Some(GeneratedToken { token, program, url }) = &self.generated_token {
            let url = url.as_ref().map_or(String::new(), |url| format!(" --url '{url}'"));
            writeln!(f, "no token given; generated one for this run: {token}")?;
            writeln!(f, "try it in another terminal:")?;
            writeln!(f, "  WECHAT_TOKEN={token} {program} verify{url}")?;
            writeln!(f, "  WECHAT_TOKEN={token} {program} send{url} 你好")?;
        }
        if let Some((path, error)) = self.no_control_socket {
            match error.kind() == ErrorKind::NotFound {
                true => writeln!(f,
                    "note: no control socket ({} does not exist); for status and stop, pass --control PATH",
                    path.parent().unwrap_or(path).display()),
                false => writeln!(f,
                    "note: no control socket ({}: {error}); for status and stop, pass --control PATH",
                    path.display()),
            }?;
        }
        Ok(())
    }
}

/// The log line if the service manager cannot be notified that the server is ready or stopping.
pub(super) fn notify_failed(error: &io::Error) -> LogNote {
    LogNote {
        cause: "notify",
        reason: error.to_string().into(),
        hint: "NOTIFY_SOCKET must be the socket of the service manager",
    }
}

/// The log line of a panic in any thread: where it happened. If the handler panicked, a second line with this cause
/// follows, in which the server states that it closed the connection. The text of the panic is left out, because it may
/// contain what a user wrote.
pub(super) fn panicked(location: Option<&Location<'_>>) -> LogNote {
    let place = location.map_or_else(String::new, ToString::to_string);
    LogNote { cause: "panic", reason: format!("at {place}").into(), hint: "" }
}

/// The first word of the line that shows a check.
pub(super) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Warning => "warning",
        Severity::Error => "failed",
    }
}

/// The last line of `verify` if the backend passes the token check.
pub(super) fn accepted(url: &Url) -> String {
    format!("WeChat would accept {url} with this token\n")
}

/// The output of `verify` for an https URL. `signed` can be pasted between single quotes.
pub(super) fn curl_check(signed: &str, echostr: &str) -> String {
    format!(
        "\
wechat does not speak https. Let curl send the token check:

  curl -i '{signed}'

WeChat accepts the URL if the status is 200 and the content is this and nothing else:

  {echostr}

Other answers:
  301, 302, 307, 308    WeChat follows no redirects; enter the other URL in the console
  403                   the tokens differ, or the signature is older than 10 minutes; print it again
  404                   no location of the proxy passes this URL on; check server_name and location
  502, 504              the proxy does not reach the program; check that it runs, and its address
  curl: (60)            the certificate; WeChat needs the whole chain (fullchain.pem)
  curl: (6), (7), (28)  the DNS record, the port or the firewall

"
    )
}

/// The last line of `send` if the user would see the answer.
pub(super) const DELIVERED: &str = "WeChat would deliver this\n";

/// The last line of `send` if the answer asks for no reply.
pub(super) const SHOWN_NOTHING: &str = "WeChat would show the user nothing\n";

/// The beginning of the line about a try.
pub(super) fn try_number(number: usize) -> String {
    format!("try {number}: ")
}

/// The end of the line about a try that got no answer within this time.
pub(super) fn no_answer(within: Duration) -> String {
    format!("no answer within {}\n", format_duration(within))
}

/// The first line about an answer to `send`: its kind, and how long it took.
pub(super) fn answer(kind: &str, took: Duration) -> String {
    format!("{kind} after {}\n", format_duration(took))
}

/// The line after the content of an answer that was not received completely.
pub(super) fn raw_is_incomplete(length: usize) -> String {
    format!("--raw shows the first {length} bytes of the content; the rest was not received\n")
}

/// The last line of a difference: the first byte that differs, counted from 1.
pub(super) fn first_difference(difference: &Difference) -> String {
    format!("  byte {}: {}\n", difference.position, difference.byte)
}
