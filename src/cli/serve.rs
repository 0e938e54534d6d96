//! `wechat serve`: the server.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::panic;
use std::path::{Path, PathBuf};

use super::settings::{Settings, TokenSource, parse_token};
use super::{Error, print};
use crate::account::{Age, Token};
use crate::answer::ServedPath;
use crate::bot::Bot;
use crate::{Server, net};

/// What starts programs: this very binary, also where its file has been replaced by a newer one.
const GUARD: &str = "/proc/self/exe";

/// Letters and digits of a token that is made up: 119 bits.
const RANDOM_LENGTH: usize = 20;

pub(super) fn run(settings: Settings) -> Result<(), Error> {
    let (token, made_up) = token(settings.token)?;
    let bot = open(settings.rules)?;
    let server = match net::from_stdin() {
        Some(listener) => Server::on(listener),
        None => Server::bind(settings.listen).map_err(|error| Error::Listen {
            address: settings.listen,
            error,
        })?,
    };
    let mut backend = server.token(token);
    backend.callback.path = settings.path.as_deref().and_then(ServedPath::parse);
    backend.callback.max_age = settings.max_age;
    backend.limits.connections = settings.max_connections.min(connections_max());
    let address = backend.address().map_err(Error::Serve)?;
    let mut text = format!(
        "wechat {} listening on {address}\n",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(made_up) = made_up {
        // A quote may stand in a path, and would end the quotes around it.
        let path = settings.path.as_deref().unwrap_or("/").replace('\'', "%27");
        // Writing to a string cannot fail.
        let _ = write_trial(
            &mut text,
            &made_up,
            &backend.callback.token,
            address,
            &path,
            settings.max_age,
            net::now(),
        );
    }
    print(&text);
    // What a panic says may hold what a user wrote, so only the place is logged.
    panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        net::report(&format!("cause=panic reason=\"at {place}\""));
    }));
    backend
        .serve(|message, caller| bot.answer(message, caller))
        .map_err(Error::Serve)
}

/// The account as its rules have it.
fn open(rules: Option<PathBuf>) -> Result<Bot, Error> {
    Bot::open(rules.as_deref(), Path::new(GUARD), net::report).map_err(|error| {
        let path = rules.unwrap_or_else(|| "the embedded rules".into());
        let lines = error.lines(&path);
        lines.iter().for_each(|line| net::report(line));
        Error::Rules {
            path,
            count: lines.len(),
        }
    })
}

/// Descriptors that connections leave to everything else, or half of them if that is less: for each of
/// 64 programs three, and as many for the tries of its message; more while one is started; the rules
/// file.
const RESERVED: usize = 448;

/// As many connections as there are descriptors for (getrlimit(2)), so that whoever holds all of them
/// keeps no program from being started.
fn connections_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open_files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = open_files.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
    soft.map_or(usize::MAX, |soft: usize| {
        soft.saturating_sub(RESERVED.min(soft / 2)).max(1)
    })
}

/// The token, and its text where it was made up.
fn token(source: TokenSource) -> Result<(Token, Option<String>), Error> {
    let read = |path: &Path| match read_front(path) {
        Ok(bytes) => Ok(parse_token(&bytes, &path.display().to_string())?),
        Err(error) => Err(Error::TokenFile {
            path: path.into(),
            error,
        }),
    };
    match source {
        TokenSource::File(path) => Ok((read(&path)?, None)),
        // Only where there is no such file; one that cannot be read is a failure.
        TokenSource::Credential(path) if path.try_exists().unwrap_or(true) => {
            Ok((read(&path)?, None))
        }
        TokenSource::Environment(token) => Ok((token, None)),
        TokenSource::Credential(_) | TokenSource::Random => {
            let text = random_token().map_err(Error::Random)?;
            Ok((parse_token(text.as_bytes(), "/dev/urandom")?, Some(text)))
        }
    }
}

/// As much of a file as could be a token, and a little more, so that what is none is seen to be.
fn read_front(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(256).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Letters and digits, each as likely as the others: of the 256 values of a byte, the 248 that are
/// four times 62.
fn random_token() -> io::Result<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut token = String::new();
    for byte in io::BufReader::with_capacity(64, File::open("/dev/urandom")?).bytes() {
        let byte = byte?;
        if byte < 248 {
            token.extend(
                ALPHABET
                    .get(usize::from(byte % 62))
                    .copied()
                    .map(char::from),
            );
        }
        if token.len() == RANDOM_LENGTH {
            break;
        }
    }
    Ok(token)
}

/// What a person needs to talk to an account whose token was made up: a token check and a message,
/// signed and ready to paste.
fn write_trial(
    text: &mut String,
    made_up: &str,
    token: &Token,
    address: SocketAddr,
    path: &str,
    max_age: Age,
    now: u64,
) -> std::fmt::Result {
    let timestamp = now.to_string();
    let signature = token.sign(timestamp.as_bytes(), b"1");
    let url = format!("http://{address}{path}?signature={signature}&timestamp={timestamp}&nonce=1");
    writeln!(
        text,
        "no token was given, so one was made up for this run: {made_up}"
    )?;
    match max_age {
        Age::AtMost(seconds) => writeln!(text, "try it, within {seconds} seconds:")?,
        Age::Any => writeln!(text, "try it:")?,
    }
    writeln!(text, "  curl '{url}&echostr=5927782489442352469'")?;
    writeln!(
        text,
        "  curl '{url}' -d '<xml><ToUserName>gh_0123456789ab</ToUserName><FromUserName>oUser1</FromUserName>\
         <CreateTime>{timestamp}</CreateTime><MsgType>text</MsgType><Content>你好</Content><MsgId>1</MsgId></xml>'"
    )
}
