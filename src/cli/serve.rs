//! `wechat serve`: starts the server with its settings, and waits until the server has ended.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use super::arguments::{Args, CommandSpec};
use super::control::ControlPath;
use super::error::{Error, ServiceSign, UsageError};
use super::flags::{
    self, APP_ID, CONTROL, DEFAULT_URL, LISTEN, MAX_AGE, MAX_CONNECTIONS, PATH, REQUIRE_ENCRYPTION,
    RULES, TOKEN_FILE,
};
use super::output::print;
use super::secrets::{self, require_cipher, server_cipher};
use super::settings::Settings;
use super::wording::{self, EMBEDDED_RULES, GeneratedToken, Greeting};
use crate::callback::{EncryptionPolicy, ServedPath};
use crate::control::{ControlServer, ControlSocket, ServerStatus};
use crate::program::Programs;
use crate::rules::RulesError;
use crate::server::{self, Listener, Watchdog};
use crate::service::{self, Backend, Server};
use crate::session::Responder;
use crate::text::digits::parse_decimal;
use crate::text::language::{self, Text};
use crate::wechat::Token;

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "serve",
    usage: "[serve]",
    operands_max: 0,
    flags: &[
        &LISTEN, &RULES, &TOKEN_FILE, &APP_ID, &REQUIRE_ENCRYPTION, &PATH, &MAX_AGE, &MAX_CONNECTIONS, &CONTROL,
    ],
    summary: Text { en: "run the server", zh: "运行服务器" },
    description: Text { en: "\
Serves the callback of an account: checks the signature of each request, and
replies as the rules file says. Writes one line to standard error for each
refused request.

Encrypted messages (安全模式, 兼容模式) need a build with the feature secure,
the appid, and the EncodingAESKey in WECHAT_AES_KEY or in the file aes-key of
$CREDENTIALS_DIRECTORY. While you change the token or the key, the server also
accepts the previous one from WECHAT_TOKEN_PREVIOUS and WECHAT_AES_KEY_PREVIOUS,
or from the files token-previous and aes-key-previous of $CREDENTIALS_DIRECTORY.
", zh: "\
作为公众号的服务器运行：检查每个请求的签名，按规则文件回复。每拒绝一个请求，就向
标准错误写一行日志。

加密消息（安全模式、兼容模式）需要带 secure 功能的构建、公众号的 AppID，以及
EncodingAESKey；后者在环境变量 WECHAT_AES_KEY 或 $CREDENTIALS_DIRECTORY 的文件
aes-key 中。更换令牌或密钥期间，服务器也接受旧的令牌和密钥，它们来自
WECHAT_TOKEN_PREVIOUS 和 WECHAT_AES_KEY_PREVIOUS，或 $CREDENTIALS_DIRECTORY 的
文件 token-previous 和 aes-key-previous。
" },
    run,
};

/// The executable that supervises programs. This path means the running executable, even after an update has replaced
/// its file.
const SUPERVISOR: &str = "/proc/self/exe";

/// The length of a generated token in characters. 20 characters of 62 kinds are 119 random bits.
const TOKEN_LENGTH: usize = 20;

/// File descriptors that are not used for ordinary connections: three for each of 64 programs (a socket, and
/// more while it starts), three for the tries of each program's message, and 64 for files. Half of the descriptor limit
/// if that is less.
const RESERVED_DESCRIPTORS: usize = 448;

/// The path of standard error. Opening it makes a new open file description (proc(5)), with its own status flags.
const STDERR: &str = "/proc/self/fd/2";

/// Flags of `open(2)` on Linux: writes do not block, and a terminal does not become the controlling terminal.
const O_NONBLOCK: i32 = 0o4000;
const O_NOCTTY: i32 = 0o400;

fn run(args: &Args<'_>) -> Result<(), Error> {
    server::start_log(nonblocking_stderr()).map_err(Error::Serve)?;
    let result = start(args);
    server::flush_log();
    result
}

/// Standard error for writes that do not block. A pipe or a terminal is opened once more, so that other processes that
/// write there are not affected. A regular file never blocks for long. A socket cannot be opened again.
fn nonblocking_stderr() -> Option<OwnedFd> {
    let kind = fs::metadata(STDERR).ok()?.file_type();
    if kind.is_file() {
        // Opened once more, the file would be written from its start.
        return io::stderr().as_fd().try_clone_to_owned().ok();
    }
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(O_NONBLOCK | O_NOCTTY);
    let opened = (kind.is_fifo() || kind.is_char_device()).then(|| options.open(STDERR).ok());
    opened.flatten().map(OwnedFd::from)
}

fn start(args: &Args<'_>) -> Result<(), Error> {
    let settings = Settings::from_args(args)?;
    let app_id = secrets::app_id(args)?;
    let previous_token = secrets::previous_token(args)?;
    let encryption = match settings.encryption_required_by {
        Some(name) => EncryptionPolicy::Required(require_cipher(name, || server_cipher(args))?),
        None => match server_cipher(args)? {
            Some(cipher) => EncryptionPolicy::Allowed(cipher),
            None => EncryptionPolicy::NoKey,
        },
    };
    let listener = Listener::from_stdin().map_err(UsageError::StandardInput)?;
    let (token, generated) = match secrets::token(args)? {
        Some(token) => (token, None),
        None => {
            if let Some(reason) = service_sign(args, settings.listen, listener.is_some()) {
                let credential = secrets::token_credential(args);
                return Err(UsageError::NoTokenForService { credential, reason }.into());
            }
            // An account with other secrets has a token too, so a missing token is a mistake in the settings.
            if previous_token.is_some() || encryption.cipher().is_some() {
                return Err(UsageError::NoToken.into());
            }
            let text = generate_token().map_err(Error::Random)?;
            let token = Token::parse(&text).expect("20 letters and digits are a token");
            (token, Some(text))
        }
    };
    let rules_folder = settings.rules.as_deref().and_then(Path::parent).map(Path::to_owned);
    let responder = open_responder(settings.rules)?;
    let server = match listener {
        Some(listener) => Server::from_listener(listener),
        None => Server::bind(settings.listen)
            .map_err(|error| Error::Listen { address: settings.listen, error })?,
    };
    let mut backend = server.token(token);
    backend.callback.previous_token = previous_token;
    backend.callback.encryption = encryption;
    backend.callback.path = settings.path.as_deref().and_then(ServedPath::parse);
    backend.callback.max_age = settings.max_age;
    backend.domain_files = rules_folder;
    backend.limits.connections = settings.max_connections.min(connections_max());
    let address = backend.address().map_err(Error::Serve)?;
    let ControlPath { path, is_explicit } = settings.control;
    let control = match ControlSocket::bind(&path) {
        Err(error) if is_explicit => return Err(Error::ControlSocket { path, error }),
        control => control.map_err(|error| (path, error)),
    };
    let served_path = settings.path.as_deref().unwrap_or("/");
    let greeting = Greeting {
        address,
        callback: &backend.callback,
        app_id,
        generated_token: generated
            .map(|token| try_commands(args.program, token, address, served_path)),
        no_control_socket: control.as_ref().err(),
    };
    let greeting = greeting.to_string();
    // The server serves even if standard output is closed, or if its reader is stuck.
    thread::Builder::new().spawn(move || print(greeting)).map_err(Error::Serve)?;
    panic::set_hook(Box::new(|panic| {
        server::report(&wording::panicked(panic.location()).to_string());
    }));
    let manager = settings.notify_socket;
    backend.watchdog = manager
        .clone()
        .zip(settings.watchdog)
        .map(|(socket, interval)| Watchdog::new(socket, interval));
    serve(backend, responder, control.ok(), manager)
}

/// A sign that this server is not only for a trial. A service would have another generated token after each start, and its
/// log would show it.
fn service_sign(args: &Args<'_>, address: SocketAddr, is_inherited: bool) -> Option<ServiceSign> {
    const VARIABLES: [&str; 3] = ["CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "INVOCATION_ID"];
    let is_set = |name: &&str| args.variable(name).is_some_and(|value| !value.is_empty());
    match VARIABLES.into_iter().find(is_set) {
        Some(name) => Some(ServiceSign::Variable(name)),
        None if is_inherited => Some(ServiceSign::Socket),
        None if address.ip().to_canonical().is_loopback() => None,
        None => Some(ServiceSign::Address(address)),
    }
}

/// The parts of the two commands with which the user can try a server that generated its token. All parts can be pasted
/// into a shell.
fn try_commands(program: &OsStr, token: String, address: SocketAddr, path: &str) -> GeneratedToken {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '/' | '.' | '-' | '_')
    };
    // A name that a shell would not take literally is replaced by `wechat`.
    let program = program.to_str().filter(|name| name.chars().all(is_plain));
    // The printed command has the URL in single quotes, so a single quote in the path is percent-encoded.
    let url = format!("http://{address}{}", path.replace('\'', "%27"));
    GeneratedToken {
        token,
        program: program.unwrap_or("wechat").to_owned(),
        url: Some(url).filter(|url| url != DEFAULT_URL),
    }
}

/// Serves until `wechat stop` stops the server through the control socket.
fn serve(
    backend: Backend,
    responder: Responder<Programs>,
    control: Option<ControlSocket>,
    manager: Option<OsString>,
) -> Result<(), Error> {
    let handle = backend.handle.clone();
    let responder = Arc::new(responder);
    let status = ServerStatus {
        address: backend.address().map_err(Error::Serve)?,
        handle: handle.clone(),
        metrics: Arc::clone(&backend.callback.metrics),
        responder: Arc::clone(&responder),
        connections_max: backend.limits.connections,
    };
    // The control socket has its thread before connections take all threads that the process may start.
    let stopping_manager = manager.clone();
    let control_server = control.map(|socket| {
        let handle = handle.clone();
        ControlServer::start(socket, status, move || {
            notify(stopping_manager.as_deref(), server::STOPPING);
            handle.stop();
        })
    });
    let control_server = control_server.transpose().map_err(Error::Serve)?;
    // The server has its own thread, so that this thread can return even if some work does not end in time.
    // A channel of std would also work, but would add 17 KB to the binary.
    let end = Arc::new(OnceLock::new());
    let ended = Arc::clone(&end);
    let serve = move || {
        thread::scope(|scope| {
            let serve =
                || backend.serve(|message, client| responder.respond(message, client, scope));
            let result = panic::catch_unwind(AssertUnwindSafe(serve));
            let result = result.unwrap_or_else(|_| Err(io::Error::other("panic")));
            // A program may still run at the end of the server, and the scope waits for it.
            let _: Result<(), _> = ended.set(Mutex::new(result));
        });
    };
    thread::Builder::new().spawn(serve).map_err(Error::Serve)?;
    notify(manager.as_deref(), server::READY);
    let report = handle.wait();
    if let Some(control_server) = control_server {
        control_server.close(&report);
    }
    if !report.is_complete {
        return Ok(());
    }
    let mut result = end.wait().lock().unwrap_or_else(PoisonError::into_inner);
    mem::replace(&mut *result, Ok(())).map_err(Error::Serve)
}

/// Sends the state to the service manager, if there is one. A failure is only logged.
fn notify(manager: Option<&OsStr>, state: &str) {
    if let Some(socket) = manager
        && let Err(error) = server::notify(socket, state)
    {
        server::report(&wording::notify_failed(&error).to_string());
    }
}

/// Reads the rules and returns the responder that answers messages by them. Errors in the rules file are written to the
/// log.
fn open_responder(rules: Option<PathBuf>) -> Result<Responder<Programs>, Error> {
    let settings =
        flags::variables().chain(secrets::VARIABLES).chain([language::VARIABLE]).collect();
    let programs = Programs::new(SUPERVISOR, settings, server::report);
    Responder::open(rules.as_deref(), programs, server::report).map_err(|error| {
        let path = rules.unwrap_or_else(|| EMBEDDED_RULES.get().into());
        if let RulesError::Invalid(_) = &error {
            for line in error.lines(&path) {
                server::report(&line);
            }
        }
        Error::Rules { path, error }
    })
}

/// The maximum number of connections under the descriptor limit (getrlimit(2)) that leaves [`RESERVED_DESCRIPTORS`], so
/// that programs can start while all connections are open.
fn connections_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open_files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = open_files
        .and_then(|line| parse_decimal(line.split_ascii_whitespace().next()?).ok())
        .and_then(|soft| usize::try_from(soft).ok());
    soft.map_or(usize::MAX, |soft| {
        let reserved = RESERVED_DESCRIPTORS.min(soft / 2);
        (soft - reserved).max(1)
    })
}

/// Generates a token of random letters and digits. Bytes from 248 on are skipped, so that all 62 characters are equally
/// likely (248 is 4 × 62).
fn generate_token() -> io::Result<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let fill = service::random()?;
    let mut token = String::new();
    while token.len() < TOKEN_LENGTH {
        let mut byte = [0];
        fill(&mut byte)?;
        if byte[0] < 248 {
            token.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
        }
    }
    Ok(token)
}
