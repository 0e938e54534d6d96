//! The server's side of the control socket. One thread accepts the clients and answers them.
//!
//! Silent clients cannot block the thread. The thread polls the clients that have not sent their command yet, each
//! client for at most a second, and disconnects the oldest of them if there are too many. A client that has sent `stop`
//! is kept in a list until the server has ended.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::protocol::{CHINESE, COMMAND_MAX, OK, STATUS, STATUS_JSON, STOP};
use super::report::ServerStatus;
use super::socket::ControlSocket;
use super::wording;
use crate::server::ShutdownReport;
use crate::service::version;
use crate::text::language::Language;

/// Maximum number of clients that have not sent their command yet, and of clients accepted between two polls.
const CLIENTS_MAX: usize = 128;

/// The time for a client to send its command.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause between two polls of the connected clients.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Answers the clients of a control socket.
pub(crate) struct ControlServer {
    socket: ControlSocket,
    status: ServerStatus,
    on_stop: Box<dyn Fn() + Send + Sync>,
    shutdown: Mutex<Shutdown>,
}

/// A client whose command is not complete.
struct Client {
    stream: UnixStream,
    since: Instant,
    command: Vec<u8>,
}

/// A command and its client.
struct Request {
    command: String,
    language: Language,
    stream: UnixStream,
}

enum Shutdown {
    /// The server has not ended. These clients wait for its end.
    Awaited(Vec<(UnixStream, Language)>),
    /// The server has ended like this. A client that sends `stop` later is told so too.
    Reported(ShutdownReport),
}

impl ControlServer {
    /// Starts the thread that answers clients. It calls `on_stop` when a client stops the server.
    pub(crate) fn start(
        socket: ControlSocket,
        status: ServerStatus,
        on_stop: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        let server = Arc::new(Self {
            socket,
            status,
            on_stop: Box::new(on_stop),
            shutdown: Mutex::new(Shutdown::Awaited(Vec::new())),
        });
        let thread_server = Arc::clone(&server);
        thread::Builder::new().spawn(move || thread_server.run())?;
        Ok(server)
    }

    fn run(&self) {
        let mut clients = Vec::new();
        loop {
            let mut accepted = 0;
            while accepted < CLIENTS_MAX
                && let Some(stream) = self.socket.accept(clients.is_empty())
            {
                clients.push(Client { stream, since: Instant::now(), command: Vec::new() });
                accepted += 1;
            }
            let mut requests = Vec::new();
            clients = clients
                .into_iter()
                .filter_map(|client| client.read(&mut requests))
                .filter(|client| client.since.elapsed() < CLIENT_TIMEOUT)
                .collect();
            // `stop` is answered first, because a status may take long.
            let (stops, others): (Vec<_>, Vec<_>) =
                requests.into_iter().partition(|request| request.command == STOP);
            stops.into_iter().chain(others).for_each(|request| self.respond(request));
            // A client that has just been accepted stays for at least one more poll.
            clients.drain(..clients.len().saturating_sub(CLIENTS_MAX));
            if !clients.is_empty() && accepted < CLIENTS_MAX {
                thread::sleep(POLL_INTERVAL);
            }
        }
    }

    fn respond(&self, Request { command, language, stream }: Request) {
        let response = match command.as_str() {
            STATUS => format!("{OK}{}", self.status.text(language)),
            STATUS_JSON => format!("{OK}{}", self.status.json()),
            STOP => {
                send(&stream, OK);
                match &mut *self.shutdown() {
                    Shutdown::Awaited(clients) => clients.push((stream, language)),
                    Shutdown::Reported(report) => {
                        send(&stream, &wording::stopped(report, language))
                    }
                }
                return (self.on_stop)();
            }
            unknown => wording::unknown_command(unknown, &version(), language),
        };
        send(&stream, &response);
    }

    /// Removes the socket, and sends the rest of the response to the clients that wait for the end of the server.
    pub(crate) fn close(&self, report: &ShutdownReport) {
        self.socket.remove();
        let mut shutdown = self.shutdown();
        if let Shutdown::Awaited(clients) = &*shutdown {
            for (stream, language) in clients {
                send(stream, &wording::stopped(report, *language));
            }
        }
        *shutdown = Shutdown::Reported(*report);
    }

    fn shutdown(&self) -> MutexGuard<'_, Shutdown> {
        self.shutdown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Reads from the client. Adds the command to the requests if it is complete, else returns the client.
    fn read(mut self, requests: &mut Vec<Request>) -> Option<Self> {
        // Writing needs no polling, because a response fits in the buffer of the socket.
        self.stream.set_nonblocking(true).ok()?;
        let mut part = [0; COMMAND_MAX];
        let count = match self.stream.read(&mut part) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(self),
            Err(_) => return None,
        };
        self.command.extend_from_slice(&part[..count]);
        let has_ended = self.command.contains(&b'\n') || count == 0;
        if !has_ended && self.command.len() <= COMMAND_MAX {
            return Some(self);
        }
        let text = String::from_utf8_lossy(&self.command);
        let (command, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let language = match rest.lines().next() {
            Some(CHINESE) => Language::Chinese,
            Some(_) | None => Language::English,
        };
        requests.push(Request { command: command.to_owned(), language, stream: self.stream });
        None
    }
}

/// Sends a part of a response. Errors are ignored, because the client may have closed the connection.
fn send(mut stream: &UnixStream, text: &str) {
    let _: io::Result<()> = stream.write_all(text.as_bytes());
}
