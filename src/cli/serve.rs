//! `wechat serve`: the server.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::panic;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use super::output::print;
use super::secrets::parse_token;
use super::settings::Settings;
use super::usage::UsageError;
use super::{Error, client};
use crate::callback::{EncryptionPolicy, ServedPath};
use crate::control::{ControlServer, ControlSocket, Status};
use crate::program::Programs;
use crate::rules::RulesError;
use crate::server::{self, Listener, Watchdog};
use crate::service::{self, Backend, Server, version};
use crate::session::Responder;
use crate::text::digits;
use crate::wechat::{AppId, Cipher};

/// The binary that supervises programs: this one, even after its file was replaced by a newer one.
const SUPERVISOR: &str = "/proc/self/exe";

/// Letters and digits of a token that is made up: 119 bits.
const RANDOM_LENGTH: usize = 20;

pub(super) fn run(program: &OsStr, settings: Settings) -> Result<(), Error> {
    let previous_token = settings.previous_token.read()?;
    let app_id = settings.keys.app_id();
    let encryption = match settings.encryption_required_by {
        Some(name) => EncryptionPolicy::Required(settings.keys.required_by(name)?),
        None => match settings.keys.cipher()? {
            Some(cipher) => EncryptionPolicy::Allowed(cipher),
            None => EncryptionPolicy::Unread,
        },
    };
    let (token, made_up) = match settings.token.read()? {
        Some(token) => (token, None),
        // Where there are other secrets, this one got lost.
        None if previous_token.is_some() || encryption.cipher().is_some() => {
            return Err(UsageError::NoToken.into());
        }
        None => {
            let text = random_token().map_err(Error::Random)?;
            (parse_token(&text, "/dev/urandom")?, Some(text))
        }
    };
    let responder = open(settings.rules)?;
    let server = match Listener::from_stdin() {
        Some(listener) => Server::from_listener(listener),
        None => Server::bind(settings.listen).map_err(|error| Error::Listen {
            address: settings.listen,
            error,
        })?,
    };
    let mut backend = server.token(token);
    backend.callback.previous_token = previous_token;
    backend.callback.encryption = encryption;
    backend.callback.path = settings.path.as_deref().and_then(ServedPath::parse);
    backend.callback.max_age = settings.max_age;
    backend.limits.connections = settings.max_connections.min(connections_max());
    let address = backend.address().map_err(Error::Serve)?;
    let control = settings.control.bind()?;
    let mut text = format!("wechat {} listening on {address}\n", version());
    if let Some(app_id) = app_id {
        text.push_str(&reads(&app_id, &backend.callback.encryption));
    }
    if backend.callback.previous_token.is_some() {
        text.push_str("the token of before is good too\n");
    }
    let cipher = backend.callback.encryption.cipher();
    if cipher.is_some_and(Cipher::has_previous) {
        text.push_str("the EncodingAESKey of before is good too\n");
    }
    if let Some(made_up) = made_up {
        let path = settings.path.as_deref().unwrap_or("/");
        text.push_str(&trial(program, &made_up, address, path));
    }
    if let Err(reason) = &control {
        text.push_str(&format!("{reason}; --control PATH lets them\n"));
    }
    // A server serves, whether anybody reads its greeting or not.
    let _: Result<(), Error> = print(text);
    // What a panic says may hold what a user wrote, so only the place is logged.
    panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        server::report(&format!("cause=panic reason=\"at {place}\""));
    }));
    let manager = settings.notify_socket;
    let within = settings.watchdog;
    backend.watchdog = manager
        .clone()
        .zip(within)
        .map(|(socket, within)| Watchdog::new(socket, within));
    serve(backend, responder, control.ok(), manager)
}

/// What becomes of the messages of this account by their mode.
fn reads(app_id: &AppId, encryption: &EncryptionPolicy) -> String {
    let app_id = app_id.as_str();
    match encryption {
        EncryptionPolicy::Unread => format!(
            "an appid was given and no EncodingAESKey, so encrypted messages of {app_id} are not read\n"
        ),
        EncryptionPolicy::Allowed(_) => {
            format!("encrypted messages of {app_id} are read, and plain ones\n")
        }
        EncryptionPolicy::Required(_) => {
            format!("encrypted messages of {app_id} are read, and no others\n")
        }
    }
}

/// Serves until somebody stops it through the control socket.
fn serve(
    backend: Backend,
    responder: Responder<Programs>,
    control: Option<ControlSocket>,
    manager: Option<OsString>,
) -> Result<(), Error> {
    let handle = backend.handle.clone();
    let responder = Arc::new(responder);
    let status = Status {
        address: backend.address().map_err(Error::Serve)?,
        handle: handle.clone(),
        metrics: Arc::clone(&backend.callback.metrics),
        responder: Arc::clone(&responder),
        connections_max: backend.limits.connections,
    };
    // Work that takes too long may go on behind the end, so it is not this thread that waits for it.
    let serving = thread::Builder::new()
        .spawn(move || backend.serve(|message, caller| responder.answer(message, caller)))
        .map_err(Error::Serve)?;
    tell(manager.as_deref(), server::READY);
    let desk = control.map(|socket| {
        let handle = handle.clone();
        ControlServer::start(socket, status, move || {
            tell(manager.as_deref(), server::STOPPING);
            handle.stop();
        })
    });
    let desk = desk.transpose().map_err(Error::Serve)?;
    let ended = handle.wait();
    if let Some(desk) = desk {
        desk.close(&ended);
    }
    if !ended.is_complete {
        return Ok(());
    }
    let panicked = |_| Err(io::Error::other("panic"));
    serving
        .join()
        .unwrap_or_else(panicked)
        .map_err(Error::Serve)
}

/// Tells the service manager, if there is one. A server serves, whether it is heard or not.
fn tell(manager: Option<&OsStr>, state: &str) {
    if let Some(socket) = manager
        && let Err(error) = server::notify(socket, state)
    {
        server::report(&format!(
            "cause=notify reason=\"{error}\" hint=\"is NOTIFY_SOCKET the service manager's?\""
        ));
    }
}

/// The account as its rules have it.
fn open(rules: Option<PathBuf>) -> Result<Responder<Programs>, Error> {
    let programs = Programs::new(SUPERVISOR, server::report);
    Responder::open(rules.as_deref(), programs, server::report).map_err(|error| {
        let path = rules.unwrap_or_else(|| "the embedded rules".into());
        if let RulesError::Invalid(_) = &error {
            for line in error.lines(&path) {
                server::report(&line);
            }
        }
        Error::Rules { path, error }
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
    let soft = open_files
        .and_then(|line| digits::parse_decimal(line.split_ascii_whitespace().next()?).ok())
        .and_then(|soft| usize::try_from(soft).ok());
    soft.map_or(usize::MAX, |soft| {
        soft.saturating_sub(RESERVED.min(soft / 2)).max(1)
    })
}

/// Letters and digits, each as likely as the others: of the 256 values of a byte, the 248 that are
/// four times 62.
fn random_token() -> io::Result<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let random = service::random()?;
    let mut token = String::new();
    while token.len() < RANDOM_LENGTH {
        let mut byte = [0];
        random(&mut byte)?;
        let [byte] = byte;
        if byte < 248 {
            let letter = ALPHABET.get(usize::from(byte % 62));
            token.extend(letter.copied().map(char::from));
        }
    }
    Ok(token)
}

/// What a person needs to talk to an account whose token was made up: a token check and a message,
/// ready to paste.
fn trial(program: &OsStr, made_up: &str, address: SocketAddr, path: &str) -> String {
    let program = program.to_str().filter(|name| name.chars().all(is_plain));
    let program = program.unwrap_or("wechat");
    // A quote may stand in a path, and would end the quotes around it.
    let path = path.replace('\'', "%27");
    let url = match format!("http://{address}{path}") {
        default if default == client::DEFAULT => String::new(),
        url => format!(" --url '{url}'"),
    };
    let command = format!("WECHAT_TOKEN={made_up} {program}");
    format!(
        "no token was given, so one was made up for this run: {made_up}\n\
         try it, in another terminal:\n  {command} verify{url}\n  {command} send{url} 你好\n"
    )
}

/// Whether a shell takes it as it is.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '/' | '.' | '-' | '_')
}
