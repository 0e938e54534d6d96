//! The library's front door: a socket, a token and a closure make a backend.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::account::{Age, Message, Reply, Token};
use crate::answer::Callback;
use crate::net::{self, Limits};

/// A listening socket that waits for its token.
///
/// ```no_run
/// use wechat::account::{Reply, Token};
/// use wechat::Server;
///
/// let token = Token::parse("hello2021")?;
/// Server::bind("127.0.0.1:8000".parse()?)?
///     .token(token)
///     .run(|message| Reply::text(format!("对啊，{}，然后呢", message.field("Content").unwrap_or("嗯"))))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens at the address.
    ///
    /// # Errors
    /// Those of `socket(2)`, `bind(2)` and `listen(2)`.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::on(net::bind(address)?))
    }

    /// Takes a socket that listens already.
    pub const fn on(listener: TcpListener) -> Self {
        Self { listener }
    }

    /// The backend of the account with this token: any path, requests at most 600 seconds old, the
    /// limits of [`Limits::default`].
    pub fn token(self, token: Token) -> Backend {
        let callback = Callback {
            token,
            max_age: Age::AtMost(600),
            path: None,
        };
        Backend {
            listener: self.listener,
            callback,
            limits: Limits::default(),
        }
    }
}

/// The backend of an account, ready to run.
#[derive(Debug)]
pub struct Backend {
    listener: TcpListener,
    /// Who may talk to the account, and where.
    pub callback: Callback,
    /// What connections may cost.
    pub limits: Limits,
}

impl Backend {
    /// Where it listens; the port is a real one also where port 0 was asked for.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers every verified message with what the closure makes of it, for ever.
    ///
    /// # Errors
    /// Where no thread can be started. After that nothing ends it.
    pub fn run(
        self,
        reply: impl for<'m> Fn(&'m Message<'m>) -> Reply<'m> + Sync,
    ) -> io::Result<()> {
        net::serve(&self.listener, self.limits, |request, now, scratch| {
            self.callback.answer(request, now, scratch, &reply)
        })
    }
}
