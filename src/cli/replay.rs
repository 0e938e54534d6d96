//! `wechat replay`: captured requests byte for byte, and whether the answers are the captured ones.

use std::collections::BinaryHeap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Error;
use super::arguments::{Args, CommandSpec, Environment};
use super::client::{URL, token_of, url_of};
use super::output::{Colour, Style, print};
use super::secrets::TOKEN_FILE;
use super::usage::UsageError;
use crate::client::Client;
use crate::http::Url;
use crate::server;
use crate::simulator::{
    Capture, CaptureError, Check, Difference, Fault, Severity, WECHAT_TIMEOUT, compare_with_capture,
};
use crate::text::display::escape_for_terminal;

/// Bytes of a captured file that are read: the longest request, and some more.
const FILE_MAX: u64 = 1024 * 1024;

const RESIGN: &str = "--resign";
const SPEC: CommandSpec = CommandSpec {
    flags: &[&URL, &TOKEN_FILE],
    switches: &[RESIGN],
    operands: usize::MAX,
};

/// A captured request, and the response that was captured with it.
struct Exchange {
    path: PathBuf,
    request: Capture,
    response: Option<Vec<u8>>,
}

impl Exchange {
    fn error(&self, error: CaptureError) -> Error {
        let path = self.path.clone();
        Error::Capture { path, error }
    }
}

pub(super) fn run(arguments: &[OsString], environment: Environment<'_>) -> Result<(), Error> {
    let given = Args::read(arguments, &SPEC, environment)?;
    let url = url_of(&given)?;
    if given.operands.is_empty() {
        return Err(UsageError::NoFile.into());
    }
    let mut exchanges = Vec::new();
    for path in requests(&given.operands)? {
        exchanges.push(read(path)?);
    }
    if given.has(RESIGN) {
        let token = token_of(&given)?;
        for exchange in &mut exchanges {
            let resigned = exchange.request.sign_anew(&token, server::now());
            exchange.request = resigned.map_err(|error| exchange.error(error))?;
        }
    }
    let style = Style::of(environment);
    let client = match Client::of(&url) {
        Ok(client) => client,
        Err(error) => {
            print(style.check(&Check::from(Fault::from_exchange(error, &url))))?;
            return Err(all_failed(&exchanges));
        }
    };
    compare(&exchanges, &client, &url, style)
}

fn all_failed(exchanges: &[Exchange]) -> Error {
    Error::Replay {
        failed: exchanges.len(),
        all: exchanges.len(),
    }
}

/// The files that are meant: each as named, of a folder all `.request` in it.
fn requests(named: &[OsString]) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for name in named {
        let path = Path::new(name);
        if !path.is_dir() {
            paths.push(path.to_owned());
            continue;
        }
        let unreadable = |error| unreadable("the folder", path, error);
        // Less code than a sort.
        let mut found = BinaryHeap::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension() == Some(OsStr::new("request")) {
                found.push(path);
            }
        }
        if found.is_empty() {
            return Err(Error::NoRequest(path.to_owned()));
        }
        paths.append(&mut found.into_sorted_vec());
    }
    Ok(paths)
}

fn read(path: PathBuf) -> Result<Exchange, Error> {
    let request = match read_file(&path) {
        Ok(bytes) if bytes.is_empty() => Err(io::Error::other("it is empty")),
        read => read,
    };
    let request = request.map_err(|error| unreadable("the captured request", &path, error))?;
    let request = Capture::new(request).map_err(|error| Error::Capture {
        path: path.clone(),
        error,
    })?;
    let beside = path.with_extension("response");
    let response = match read_file(&beside) {
        Ok(bytes) if beside != path => Some(bytes),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable("the captured response", &beside, error)),
    };
    Ok(Exchange {
        path,
        request,
        response,
    })
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = FILE_MAX.saturating_add(1);
    match File::open(path)?.take(most).read_to_end(&mut bytes)? {
        length if u64::try_from(length).is_ok_and(|length| length <= FILE_MAX) => Ok(bytes),
        _ => Err(io::Error::other(format!("over {FILE_MAX} bytes"))),
    }
}

fn unreadable(what: &'static str, path: &Path, error: io::Error) -> Error {
    Error::File {
        what,
        path: path.to_owned(),
        error,
    }
}

/// Sends each once, on a connection of its own, and says what became of it.
fn compare(exchanges: &[Exchange], client: &Client, url: &Url, style: Style) -> Result<(), Error> {
    let mut failed = 0_usize;
    for exchange in exchanges {
        let path = escape_for_terminal(exchange.path.as_os_str().as_encoded_bytes(), usize::MAX);
        let mut client = client.another();
        let (check, difference) = match client.exchange(&exchange.request.0, WECHAT_TIMEOUT) {
            Ok(answer) => compare_with_capture(&answer, exchange.response.as_deref()),
            Err(error) => (Check::from(Fault::from_exchange(error, url)), None),
        };
        failed += usize::from(check.severity == Severity::Error);
        let text = format!("{path}: {}", check.finding);
        print(style.with_severity(check.severity, &text))?;
        if let Some(difference) = difference {
            print(report(&difference, style))?;
        }
    }
    match failed {
        0 => Ok(()),
        failed => Err(Error::Replay {
            failed,
            all: exchanges.len(),
        }),
    }
}

/// The lines that differ, and the first byte that does.
fn report(difference: &Difference, style: Style) -> String {
    let mut text = String::new();
    for line in &difference.captured {
        text.push_str(&style.paint(Colour::Red, &format!("  - {line}\n")));
    }
    for line in &difference.received {
        text.push_str(&style.paint(Colour::Green, &format!("  + {line}\n")));
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  byte {}: {}", difference.position, difference.byte);
    text
}
