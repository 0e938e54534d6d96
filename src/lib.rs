//! The complete backend of a WeChat Official Account (公众号), as a library. The `wechat` command uses this library and is
//! one small static binary.
//!
//! ```no_run
//! use wechat::{Reply, Server, Token};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let server = Server::bind("127.0.0.1:8000".parse()?)?.token(Token::parse("hello2021")?);
//!     server.run(|message| match message.field("Content") {
//!         Some(content) => Reply::text(format!("对啊，{content}，然后呢")),
//!         None => Reply::Success,
//!     })?;
//!     Ok(())
//! }
//! ```
//!
//! The closure is called once for each message, however often WeChat sends the message. A reply that takes longer than 14
//! seconds is kept for the next message of the user; until then the user gets `Backend::late`. For encrypted messages, set
//! `backend.callback.encryption`.
//!
//! A request is processed in steps. Each step turns one type into the next type:
//!
//! ```text
//! bytes → Head → Request → CallbackQuery → Verified → Message → Reply → Response → bytes
//! ```
//!
//! The modules (`tests/it/layout.rs` lists which module may import which):
//!
//! | module | contents |
//! | --- | --- |
//! | `text` | digits, dates, printable input, files that a user names, the two languages, log notes |
//! | `deadline` | the time left until a deadline |
//! | [`http`] | HTTP/1.x (RFC 9110 and 9112): requests and responses, without I/O |
//! | [`xml`] | the XML that we read and write |
//! | [`wechat`] | the protocol as values: token, signature, message, event, reply, cipher |
//! | [`rules`] | the rules file: parser, patterns, templates, reload |
//! | [`session`] | one run per message, retries, late replies; starts programs through a trait |
//! | [`program`] | `<run>`: starting programs, the supervisor process, the output of programs |
//! | [`client`] | an HTTP/1.1 client with size and time limits |
//! | [`callback`] | verifies a request and makes its response; rejections, metrics |
//! | [`server`] | listener, threads, connections, deadlines, shutdown, log, systemd |
//! | [`service`] | [`Server`] and its backend, which connect the modules above |
//! | `control` | the control socket: protocol, server, client, status report |
//! | `simulator` | plays WeChat: messages, token check, verdict, captures |
//! | [`cli`] | one file per command, and the flags |
//! | [`manual`] | the chapters that `wechat help` prints |

#![forbid(unsafe_code)]

pub mod callback;
pub mod cli;
pub mod client;
mod control;
mod deadline;
pub mod http;
pub mod manual;
pub mod program;
pub mod rules;
pub mod server;
pub mod service;
pub mod session;
mod simulator;
mod text;
pub mod wechat;
pub mod xml;

pub use service::Server;
pub use wechat::{Age, Article, Event, Kind, Message, Reply, Token};
