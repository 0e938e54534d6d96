//! A backend: a listening socket, an account's callback and a closure that answers its messages.

use std::io;
use std::net::SocketAddr;

use crate::callback::Callback;
use crate::http::{Request, Response};
use crate::rules::LateReply;
use crate::server::{self, Handle, Handler, Limits, Listener, Peer, Watchdog};
use crate::session::{Outcome, Retries, WaitingClient};
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply, Token};

/// A listening socket without an account.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
}

impl Server {
    /// Listens at the address.
    ///
    /// # Errors
    /// Those of `socket(2)`, `bind(2)` and `listen(2)`.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Listener::bind(address).map(Self::from_listener)
    }

    /// Uses a socket that listens already.
    pub const fn from_listener(listener: Listener) -> Self {
        Self { listener }
    }

    /// The backend of the account with this token. Its defaults: any path, requests at most 600 seconds old,
    /// [`Limits::default`], log lines to standard error.
    pub fn token(self, token: Token) -> Backend {
        Backend {
            listener: self.listener,
            callback: Callback::new(token),
            limits: Limits::default(),
            late: String::new(),
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
    /// Which requests are accepted.
    pub callback: Callback,
    /// The number of connections, and the timeouts.
    pub limits: Limits,
    /// The reply to a user whose answer takes longer than WeChat waits. If empty, there is no reply.
    pub late: String,
    /// Watches and stops the backend. Clone it before [`Backend::run`].
    pub handle: Handle,
    /// The service manager's watchdog, if there is one.
    pub watchdog: Option<Watchdog>,
    /// Writes a line to the log. The line has no line end.
    pub report: Report,
}

impl Backend {
    /// The address of the socket. Its port is the real one even if port 0 was requested.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Answers each verified message with the reply of the closure, until [`Handle::stop`]. Returns when all calls of
    /// the closure have returned. The closure is called once for each message, even if WeChat sends it several times.
    ///
    /// # Errors
    /// If no thread can be started. After that, only the handle ends the backend.
    pub fn run(
        self,
        reply: impl for<'m> Fn(&'m Message<'m>) -> Reply<'m> + Sync,
    ) -> io::Result<()> {
        let retries = Retries::new(self.report);
        let late = LateReply::with_text(self.late.clone());
        self.serve(|message, client| {
            retries.join(message, client).unwrap_or_else(|| {
                retries.run_once(message, client, late.clone(), &|| reply(message))
            })
        })
    }

    /// As [`Backend::run`], for a closure that handles repeated messages and slow answers itself, as
    /// [`Responder::respond`] does.
    ///
    /// [`Responder::respond`]: crate::session::Responder::respond
    ///
    /// # Errors
    /// As [`Backend::run`].
    pub fn serve(
        self,
        outcome: impl for<'m> Fn(&'m Message<'m>, &WaitingClient<'_>) -> Outcome<'m> + Sync,
    ) -> io::Result<()> {
        let handler = CallbackHandler { callback: self.callback, outcome };
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
    outcome: F,
}

impl<F> Handler for CallbackHandler<F>
where
    F: for<'m> Fn(&'m Message<'m>, &WaitingClient<'_>) -> Outcome<'m> + Sync,
{
    fn handle<'r>(
        &self,
        request: &Request<'r>,
        peer: &Peer<'_>,
        scratch: &'r mut Vec<u8>,
    ) -> Option<Response<'r>> {
        let client = WaitingClient { now: &server::now, is_connected: &|| peer.is_connected() };
        self.callback.handle(request, &client, scratch, |message| (self.outcome)(message, &client))
    }
}
