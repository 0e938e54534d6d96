//! The server's side of the control socket. One thread accepts the clients and answers them.
//!
//! The thread never waits for a single client: it polls those that have not sent their command, for a second each. A
//! client that stops the server and waits for its end is only kept in a list.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::protocol::{LINE_MAX, OK, STATUS, STATUS_JSON, STOP};
use super::report::Status;
use super::socket::ControlSocket;
use super::wording;
use crate::server::ShutdownReport;
use crate::service::version;

/// Clients that have not sent their command yet. Further clients wait in the backlog of the socket.
const CLIENTS_MAX: usize = 128;

/// The time for a client to send its command.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often the thread looks for commands while clients are connected that have not sent theirs.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Answers the clients of a control socket.
pub(crate) struct ControlServer {
    socket: ControlSocket,
    status: Status,
    on_stop: Box<dyn Fn() + Send + Sync>,
    shutdown: Mutex<Shutdown>,
}

enum Shutdown {
    /// The clients that wait for the end of the server.
    Awaited(Vec<UnixStream>),
    /// The answer to those clients and to later ones.
    Reported(String),
}

impl ControlServer {
    /// Starts the thread that answers clients. It calls `on_stop` when a client stops the server.
    pub(crate) fn start(
        socket: ControlSocket,
        status: Status,
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
            while clients.len() < CLIENTS_MAX
                && let Some(stream) = self.socket.accept(clients.is_empty())
            {
                clients.push((stream, Instant::now()));
            }
            clients = clients
                .into_iter()
                .filter_map(|(stream, since)| Some((self.serve(stream)?, since)))
                .filter(|(_, since)| since.elapsed() < CLIENT_TIMEOUT)
                .collect();
            if !clients.is_empty() {
                thread::sleep(POLL_INTERVAL);
            }
        }
    }

    /// Answers the client and ends its connection. Returns the connection if the command has not arrived yet.
    fn serve(&self, mut stream: UnixStream) -> Option<UnixStream> {
        // Answers never wait for the client either: they fit in the buffer of the socket.
        stream.set_nonblocking(true).ok()?;
        let mut line = [0; LINE_MAX];
        match stream.read(&mut line) {
            Ok(count) => {
                let command = line[..count].strip_suffix(b"\n")?;
                self.answer(&String::from_utf8_lossy(command), stream);
                None
            }
            Err(error) => (error.kind() == io::ErrorKind::WouldBlock).then_some(stream),
        }
    }

    fn answer(&self, command: &str, stream: UnixStream) {
        let answer = match command {
            STATUS => format!("{OK}{}", self.status.text()),
            STATUS_JSON => format!("{OK}{}", self.status.json()),
            STOP => {
                send(&stream, OK);
                match &mut *self.shutdown() {
                    Shutdown::Awaited(clients) => clients.push(stream),
                    Shutdown::Reported(text) => send(&stream, text),
                }
                return (self.on_stop)();
            }
            unknown => wording::unknown_command(unknown, &version()),
        };
        send(&stream, &answer);
    }

    /// Removes the socket, and tells the waiting clients that the server has ended.
    pub(crate) fn close(&self, report: &ShutdownReport) {
        self.socket.remove();
        let text = wording::stopped(report);
        let mut shutdown = self.shutdown();
        if let Shutdown::Awaited(clients) = &*shutdown {
            clients.iter().for_each(|stream| send(stream, &text));
        }
        *shutdown = Shutdown::Reported(text);
    }

    fn shutdown(&self) -> MutexGuard<'_, Shutdown> {
        self.shutdown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a part of an answer. The client may have gone.
fn send(mut stream: &UnixStream, text: &str) {
    let _: io::Result<()> = stream.write_all(text.as_bytes());
}
