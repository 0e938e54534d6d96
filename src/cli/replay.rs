//! `wechat replay`: captured requests byte for byte, and whether the answers are the captured ones.

use std::collections::BinaryHeap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Error;
use super::arguments::{Environment, Given, Name, Takes, number};
use super::client::{URL, token_of, url_of};
use super::load::{self, Load};
use super::output::{Colour, Style, print};
use super::token::TOKEN_FILE;
use super::usage::UsageError;
use crate::http::{ResponseHead, Url};
use crate::net::{self, Client, End};
use crate::platform::{Capture, Difference, Finding, of_trouble, seconds};

/// How long an answer may take: twice what any deadline of a server like ours is.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a captured file that are read: the longest request, and some more.
const FILE_MAX: u64 = 1024 * 1024;

const REPEAT: Name = Name {
    flag: "--repeat",
    variable: None,
};
const CONNECTIONS: Name = Name {
    flag: "--connections",
    variable: None,
};
const RESIGN: &str = "--resign";
const TAKES: Takes = Takes {
    flags: &[&URL, &TOKEN_FILE, &REPEAT, &CONNECTIONS],
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
    /// The status that was captured; 200 where none was.
    fn status(&self) -> u16 {
        let response = self.response.as_deref().unwrap_or(b"");
        match ResponseHead::parse(response, false) {
            Ok(Some((head, _))) => head.status,
            Ok(None) | Err(_) => 200,
        }
    }
}

pub(super) fn run(arguments: &[OsString], environment: Environment<'_>) -> Result<(), Error> {
    let given = Given::read(arguments, &TAKES, environment)?;
    let url = url_of(&given)?;
    let count = |name, most: usize, allowed| {
        given.value(name, allowed, |text| {
            let count = usize::try_from(number(text)?).ok()?;
            (1..=most).contains(&count).then_some(count)
        })
    };
    let repeat = count(&REPEAT, load::REQUESTS_MAX, "1 to 1000000")?;
    let connections = count(&CONNECTIONS, load::CONNECTIONS_MAX, "1 to 1000")?;
    if given.operands.is_empty() {
        return Err(UsageError::NoFile.into());
    }
    let mut exchanges = Vec::new();
    for path in requests(&given.operands)? {
        exchanges.push(read(path)?);
    }
    if given.has(RESIGN) {
        let token = token_of(&given)?;
        for Exchange { path, request, .. } in &mut exchanges {
            let resigned = request.resigned(&token, net::now());
            *request = resigned.map_err(|error| Error::Capture {
                path: path.clone(),
                error,
            })?;
        }
    }
    let client = Client::of(&url).map_err(|trouble| Error::Backend(of_trouble(&trouble, &url)))?;
    if repeat.is_none() && connections.is_none() {
        return compare(&exchanges, client, &url, Style::of(environment));
    }
    let requests: Vec<(&[u8], u16)> = exchanges
        .iter()
        .map(|exchange| (exchange.request.0.as_slice(), exchange.status()))
        .collect();
    Load {
        requests: &requests,
        repeat: repeat.unwrap_or(1),
        connections: connections.unwrap_or(1),
    }
    .run(&client, &url)
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
    let request =
        read_file(&path).map_err(|error| unreadable("the captured request", &path, error))?;
    let beside = path.with_extension("response");
    let response = match read_file(&beside) {
        Ok(bytes) if beside != path => Some(bytes),
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unreadable("the captured response", &beside, error)),
    };
    Ok(Exchange {
        path,
        request: Capture(request),
        response,
    })
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(path)?.len() {
        length if length > FILE_MAX => Err(io::Error::other(format!(
            "{length} bytes, at most {FILE_MAX} allowed"
        ))),
        _ => fs::read(path),
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
fn compare(exchanges: &[Exchange], client: Client, url: &Url, style: Style) -> Result<(), Error> {
    let mut failed = 0_usize;
    for exchange in exchanges {
        let path = exchange.path.display();
        let mut client = client.another();
        let answer = match client.exchange(&exchange.request.0, PATIENCE) {
            Ok(answer) => answer,
            Err(trouble) => {
                failed = failed.saturating_add(1);
                let text = format!("{path}: {}", of_trouble(&trouble, url));
                print(&style.finding(&Finding::fault(text)));
                continue;
            }
        };
        let took = seconds(answer.took);
        let difference = match &exchange.response {
            Some(response) => Difference::between(response, answer.bytes),
            None if answer.end == End::Whole => {
                let status = answer.head.status;
                let text = format!(
                    "{path}: status {status} after {took}, nothing captured to compare with"
                );
                print(&style.finding(&Finding::good(text)));
                continue;
            }
            None => Difference::between(b"", answer.bytes),
        };
        match difference {
            None => {
                print(&style.finding(&Finding::good(format!("{path}: as captured, after {took}"))))
            }
            Some(difference) => {
                failed = failed.saturating_add(1);
                let text = format!("{path}: not as captured");
                print(&style.finding(&Finding::fault(text)));
                print(&report(&difference, style));
            }
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
    for line in &difference.expected {
        text.push_str(&style.paint(Colour::Red, &format!("  - {line}\n")));
    }
    for line in &difference.found {
        text.push_str(&style.paint(Colour::Green, &format!("  + {line}\n")));
    }
    let byte = |byte: Option<u8>| match byte {
        Some(byte) => format!("'{}' (0x{byte:02x})", byte.escape_ascii()),
        None => "the end".to_owned(),
    };
    let (expected, found) = difference.bytes;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  byte {} was {}, and now is {}",
        difference.at,
        byte(expected),
        byte(found)
    );
    text
}
