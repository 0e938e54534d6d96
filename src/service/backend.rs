//! A backend: a listening socket, an account's callback and a closure that replies to messages.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;

use super::domain_file;
use crate::callback::Callback;
use crate::http::{ContentDecision, Head, Request, Response};
use crate::rules::LateReply;
use crate::server::{self, Handle, Handler, Limits, Listener, Peer, Watchdog};
use crate::session::{Outcome, Retries, WaitingClient};
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply, Token};

/// A listening socket that has no account yet.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
}

impl Server {
    /// Listens at the address.
    ///
    /// # Errors
    /// The errors of `socket(2)`, `bind(2)` and `listen(2)`.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Listener::bind(address).map(Self::from_listener)
    }

    /// Uses an existing listener.
    pub const fn from_listener(listener: Listener) -> Self {
        Self { listener }
    }

    /// Makes the backend of the account with this token. By default it serves any path, timestamps may differ from the
    /// clock by up to 600 seconds, the limits are [`Limits::default`], and log lines go to standard error.
    pub fn token(self, token: Token) -> Backend {
        Backend {
            listener: self.listener,
            callback: Callback::new(token),
            limits: Limits::default(),
            late: String::new(),
            domain_files: None,
            handle: Handle::default(),
            watchdog: None,
            report: server::report,
        }
    }
}

/// The backend of an account, ready to run.
#[derive(Debug)]
pub struct Backend {
    listener: Listener,
    /// The token, and the settings that decide which requests are accepted.
    pub callback: Callback,
    /// The number of connections, and the timeouts.
    pub limits: Limits,
    /// The reply that the user gets if the closure takes longer than WeChat waits. If empty, the user gets no reply.
    pub late: String,
    /// The folder of the files by which WeChat checks who owns a domain (`MP_verify_….txt`). They are served at the root,
    /// whatever path the callback serves.
    pub domain_files: Option<PathBuf>,
    /// Reads the statistics of the backend and stops it. Clone this handle before [`Backend::run`].
    pub handle: Handle,
    /// The service manager's watchdog, if there is one.
    pub watchdog: Option<Watchdog>,
    /// Writes a line to the log. The line is passed without a line end.
    pub report: Report,
}

impl Backend {
    /// The address of the socket. If port 0 was requested, it has the port that the system chose.
    ///
    /// # Errors
    /// The errors of `getsockname(2)`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Sends the reply of the closure to each verified message, until [`Handle::stop`]. Returns when all calls of the
    /// closure have returned. The closure is called once for each message, even if WeChat sends the message several
    /// times.
    ///
    /// # Errors
    /// The first thread cannot be started, or the socket's timeout cannot be set. Later errors do not end the backend.
    pub fn run(
        self,
        reply: impl for<'m> Fn(&'m Message<'m>) -> Reply<'m> + Sync,
    ) -> io::Result<()> {
        let retries = Retries::new(self.report);
        let late = LateReply::with_text(self.late.clone());
        thread::scope(|scope| {
            self.serve(|message, client| {
                retries.join(message, client).unwrap_or_else(|| {
                    retries.run_once(message, client, late.clone(), scope, &reply)
                })
            })
        })
    }

    /// Like [`Backend::run`], for a closure that handles repeated tries and late replies itself, as
    /// [`Responder::respond`] does.
    ///
    /// [`Responder::respond`]: crate::session::Responder::respond
    ///
    /// # Errors
    /// Like [`Backend::run`].
    pub fn serve(
        self,
        respond: impl for<'m> Fn(&'m Message<'m>, &WaitingClient<'_>) -> Outcome<'m> + Sync,
    ) -> io::Result<()> {
        let (callback, domain_files) = (self.callback, self.domain_files);
        let handler = CallbackHandler { callback, domain_files, respond };
        server::serve(
            self.listener,
            self.limits,
            &self.handle,
            self.watchdog.as_ref(),
            self.report,
            handler,
        )
    }
}

/// Answers requests through the callback.
struct CallbackHandler<F> {
    callback: Callback,
    domain_files: Option<PathBuf>,
    respond: F,
}

impl<F> Handler for CallbackHandler<F>
where
    F: for<'m> Fn(&'m Message<'m>, &WaitingClient<'_>) -> Outcome<'m> + Sync,
{
    fn decide_content<'r>(&self, head: &Head<'r>) -> ContentDecision<'r> {
        self.callback.decide_content(head, server::now())
    }

    fn handle<'r>(
        &self,
        request: &Request<'r>,
        peer: &Peer<'_>,
        scratch: &'r mut Vec<u8>,
    ) -> Option<Response<'r>> {
        if let Some(name) = domain_file::requested_name(&request.head) {
            return Some(domain_file::respond(self.domain_files.as_deref(), name));
        }
        let client = WaitingClient {
            now: &server::now,
            uptime: &server::uptime,
            is_connected: &|| peer.is_connected(),
        };
        self.callback.handle(request, &client, scratch, |message| (self.respond)(message, &client))
    }
}
