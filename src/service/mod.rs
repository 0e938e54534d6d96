//! The library's front door: a socket, a token and a closure make a backend.
//!
//! The closure gets each message whose signature was right, and returns its reply. It may match the
//! documented kinds by type, or ask for any field by WeChat's name:
//!
//! ```no_run
//! use wechat::Server;
//! use wechat::wechat::{Article, Event, Kind, Reply, Token};
//!
//! let server = Server::bind("127.0.0.1:8000".parse()?)?.token(Token::parse("hello2021")?);
//! server.run(|message| match message.kind() {
//!     Kind::Text { content: "帮助", .. } => Reply::text("说点什么吧"),
//!     Kind::Text { content, .. } => Reply::text(content),
//!     Kind::Image { media_id, .. } => Reply::Image { media_id: media_id.into() },
//!     Kind::Voice { recognition: Some(words), .. } => Reply::text(format!("你说的是：{words}")),
//!     Kind::Event(Event::Click { event_key: "V1001_TODAY" }) => Reply::News(vec![Article {
//!         title: "今天".into(),
//!         url: "https://example.com/today".into(),
//!         ..Article::default()
//!     }]),
//!     Kind::Event(_) => Reply::Success,
//!     _ => Reply::text(message.field("Label").unwrap_or("抱歉，暂未支持此消息。")),
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The closure runs on the thread of the connection that brought the message, so it may be called by
//! several threads at once, but once for each message: WeChat asks again after five seconds and after
//! ten, and those tries wait for the same call. What takes longer than 14 seconds is kept for the
//! user, who gets it in answer to whatever they write next; [`Backend::late`] is what they are told
//! until then. A panic ends its connection and nothing else. A reply may borrow from its message.
//!
//! A whole exchange, from WeChat's side too:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use wechat::Server;
//! use wechat::wechat::{Age, Reply, Token};
//!
//! let token = Token::parse("hello2021")?;
//! let signature = token.sign(b"1626513248", b"1982032182");
//! let mut backend = Server::bind("127.0.0.1:0".parse()?)?.token(token);
//! backend.callback.max_age = Age::Any; // because this message is from 2021
//! let address = backend.address()?;
//! std::thread::spawn(move || {
//!     backend.run(|message| {
//!         Reply::text(format!("对啊，{}，然后呢", message.field("Content").unwrap_or("嗯")))
//!     })
//! });
//!
//! let content = "<xml><ToUserName>gh_7f083739789a</ToUserName><FromUserName>oUser1</FromUserName>\
//!     <CreateTime>1626513248</CreateTime><MsgType>text</MsgType><Content>你好</Content></xml>";
//! let mut wechat = TcpStream::connect(address)?;
//! write!(
//!     wechat,
//!     "POST /?signature={signature}&timestamp=1626513248&nonce=1982032182 HTTP/1.0\r\n\
//!      Content-Length: {}\r\n\r\n{content}",
//!     content.len()
//! )?;
//! let mut answer = String::new();
//! wechat.read_to_string(&mut answer)?;
//! assert!(answer.contains("<Content><![CDATA[对啊，你好，然后呢]]></Content>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod random;

use std::io;
use std::net::SocketAddr;

use crate::callback::Callback;
use crate::rules::LateReply;
use crate::server::{self, Handle, Limits, Listener, Watchdog};
use crate::session::{Caller, Outcome, Retries};
use crate::wechat::{Message, Reply, SECURE, Token};

pub use random::random;

/// The version, and whether this build reads encrypted messages.
pub(crate) fn version() -> String {
    let feature = if SECURE { " (secure)" } else { "" };
    format!("{}{feature}", env!("CARGO_PKG_VERSION"))
}

/// A listening socket that waits for its token.
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
        Listener::bind(address).map(Self::on)
    }

    /// CommandSpec a socket that listens already.
    pub const fn on(listener: Listener) -> Self {
        Self { listener }
    }

    /// The backend of the account with this token: any path, requests at most 600 seconds old, the
    /// limits of [`Limits::default`].
    pub fn token(self, token: Token) -> Backend {
        Backend {
            listener: self.listener,
            callback: Callback::new(token),
            limits: Limits::default(),
            late: String::new(),
            handle: Handle::default(),
            watchdog: None,
        }
    }
}

/// The backend of an account, ready to run.
#[derive(Debug)]
pub struct Backend {
    listener: Listener,
    /// Who may talk to the account, and where.
    pub callback: Callback,
    /// What connections may cost.
    pub limits: Limits,
    /// What a user is told whose answer takes longer than WeChat waits; empty for nothing.
    pub late: String,
    /// Through which it is watched and ended: a clone of it stays when this runs.
    pub handle: Handle,
    /// The service manager that wants to hear that it is not stuck, if there is one.
    pub watchdog: Option<Watchdog>,
}

impl Backend {
    /// Where it listens; the port is a real one also where port 0 was asked for.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Answers every verified message with what the closure makes of it, until [`Handle::stop`], and returns
    /// when no call of it is going on any more. It is called once for each message, however often WeChat
    /// asks.
    ///
    /// # Errors
    /// Where no thread can be started. After that nothing ends it but its handle.
    pub fn run(
        self,
        reply: impl for<'m> Fn(&'m Message<'m>) -> Reply<'m> + Sync,
    ) -> io::Result<()> {
        let retries = Retries::new(server::report);
        let late = LateReply::saying(self.late.clone());
        self.serve(|message, caller| {
            retries.join(message, caller).unwrap_or_else(|| {
                retries.run_once(message, caller, late.clone(), &|| reply(message))
            })
        })
    }

    /// The same for a closure that sees to tries and slow answers itself, as [`Responder::answer`] does.
    ///
    /// [`Responder::answer`]: crate::session::Responder::answer
    ///
    /// # Errors
    /// As of [`Backend::run`].
    pub fn serve(
        self,
        outcome: impl for<'m> Fn(&'m Message<'m>, &Caller<'_>) -> Outcome<'m> + Sync,
    ) -> io::Result<()> {
        let (callback, watchdog) = (self.callback, self.watchdog.as_ref());
        server::serve(
            self.listener,
            self.limits,
            &self.handle,
            watchdog,
            |request, peer, scratch| {
                let caller = Caller {
                    now: &server::now,
                    is_connected: &|| peer.is_there(),
                };
                callback.answer(request, &caller, scratch, |message| {
                    outcome(message, &caller)
                })
            },
        )
    }
}
