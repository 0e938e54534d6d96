//! `wechat replay`: sends captured requests byte for byte and compares the answers with the captured responses.

use std::collections::BinaryHeap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::arguments::{Args, CommandSpec};
use super::error::{Error, UsageError};
use super::flags::{RESIGN, TOKEN_FILE, URL};
use super::output::{Colour, Style, print};
use super::simulator_settings::{backend_url, required_token};
use super::wording;
use crate::client::Client;
use crate::http::Url;
use crate::server;
use crate::simulator::{
    Capture, Check, Difference, Fault, Severity, WECHAT_TIMEOUT, compare_with_capture,
};
use crate::text::display::escape_for_terminal;
use crate::text::file::{ReadError, read_file};
use crate::text::language::Text;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "replay",
    usage: "replay FILE...",
    operands_max: usize::MAX,
    flags: &[&URL, &TOKEN_FILE, &RESIGN],
    summary: Text { en: "send captured requests and compare the answers", zh: "重新发送保存的请求，并比较响应" },
    description: Text { en: "\
Sends captured requests byte for byte: each FILE, or each NAME.request if FILE
is a folder. If there is a file NAME.response beside a request, the answer must
be equal to it, except for the values of Date and CreateTime. Otherwise the
answer must be complete and have status 200. Exits with 0 if all answers are as
required.
", zh: "\
逐字节重新发送保存的请求：每个 FILE；如果 FILE 是目录，就是其中的每个
NAME.request。如果旁边有文件 NAME.response，响应必须与它相同，Date 和 CreateTime
的值除外；否则响应必须完整，并且状态码为 200。所有响应都符合要求时，退出码为 0。
" },
    run,
};

/// The maximum size of a captured file in bytes. Every request that `serve` accepts is smaller.
const FILE_MAX: u64 = 1024 * 1024;

/// A captured request and the response that was captured with it, if there is one.
struct Exchange {
    path: PathBuf,
    request: Capture,
    response: Option<Vec<u8>>,
}

impl Exchange {
    /// Reads a captured request, and its captured response if there is one.
    fn read(path: PathBuf) -> Result<Self, Error> {
        let request = match read(&path)? {
            bytes if bytes.is_empty() => return Err(Error::CaptureEmpty(path)),
            bytes => match Capture::new(bytes) {
                Ok(request) => request,
                Err(error) => return Err(Error::Capture { path, error }),
            },
        };
        let response_path = path.with_extension("response");
        let response = match read(&response_path) {
            Err(Error::File { error: ReadError::System(error), .. })
                if error.kind() == io::ErrorKind::NotFound =>
            {
                None
            }
            response => Some(response?).filter(|_| response_path != path),
        };
        Ok(Self { path, request, response })
    }
}

fn run(args: &Args<'_>) -> Result<(), Error> {
    let url = backend_url(args)?;
    if args.operands.is_empty() {
        return Err(UsageError::NothingToReplay.into());
    }
    let mut exchanges = Vec::new();
    for path in request_paths(&args.operands)? {
        exchanges.push(Exchange::read(path)?);
    }
    if args.is_on(&RESIGN) {
        let token = required_token(args)?;
        for Exchange { path, request, .. } in &mut exchanges {
            *request = request.sign_again(&token, server::now()).map_err(|error| {
                let path = path.clone();
                Error::Capture { path, error }
            })?;
        }
    }
    let style = Style::detect(args);
    match Client::resolve(&url) {
        Ok(client) => compare(&exchanges, &client, &url, style),
        Err(error) => {
            print(style.check(&Check::from(Fault::from_exchange(error, &url))))?;
            let all = exchanges.len();
            Err(Error::Replay { failed: all, all })
        }
    }
}

/// The paths of the captured requests: each operand that is a file, and each `.request` file of an operand that is a
/// folder, sorted by name.
fn request_paths(operands: &[OsString]) -> Result<Vec<PathBuf>, Error> {
    let mut paths = Vec::new();
    for operand in operands {
        let path = Path::new(operand);
        if !path.is_dir() {
            paths.push(path.to_owned());
            continue;
        }
        let unreadable = |error| unreadable(path, ReadError::System(error));
        // A heap because `sort` adds 6 KiB to the binary.
        let mut requests = BinaryHeap::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension() == Some(OsStr::new("request")) {
                requests.push(path);
            }
        }
        if requests.is_empty() {
            return Err(Error::NoRequest(path.to_owned()));
        }
        paths.append(&mut requests.into_sorted_vec());
    }
    Ok(paths)
}

/// Reads a captured file of at most [`FILE_MAX`] bytes.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_file(path, FILE_MAX).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: ReadError) -> Error {
    let path = path.to_owned();
    Error::File { path, error }
}

/// Sends each request once, each on a new connection, and prints whether its answer is as required.
fn compare(exchanges: &[Exchange], client: &Client, url: &Url, style: Style) -> Result<(), Error> {
    let mut failed = 0;
    for exchange in exchanges {
        let mut client = client.with_own_connection();
        let (check, difference) = match client.exchange(&exchange.request.0, WECHAT_TIMEOUT) {
            Ok(answer) => compare_with_capture(&answer, exchange.response.as_deref()),
            Err(error) => (Check::from(Fault::from_exchange(error, url)), None),
        };
        failed += usize::from(check.severity == Severity::Error);
        let path = exchange.path.as_os_str().as_encoded_bytes();
        let path = escape_for_terminal(path, usize::MAX);
        let text = wording::replayed(&path, &check.finding);
        print(style.with_severity(check.severity, &text))?;
        if let Some(difference) = difference {
            print(report(&difference, style))?;
        }
    }
    let all = exchanges.len();
    match failed {
        0 => Ok(()),
        failed => Err(Error::Replay { failed, all }),
    }
}

/// The text about a difference: the captured lines and the received lines that differ, and the first byte that differs.
fn report(difference: &Difference, style: Style) -> String {
    let mut text = String::new();
    for line in &difference.captured {
        text.push_str(&style.paint(Colour::Red, &format!("  - {line}\n")));
    }
    for line in &difference.received {
        text.push_str(&style.paint(Colour::Green, &format!("  + {line}\n")));
    }
    text + &wording::first_difference(difference.position, &difference.byte)
}
