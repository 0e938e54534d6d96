//! One small static binary that is the whole backend of a WeChat Official Account (公众号), and the library it
//! is made of.
//!
//! A request takes this road. Each step is a type that only the step before it can make:
//!
//! ```text
//! bytes → Head → Request → Query → Verified → Message → Reply → Response → bytes
//! ```
//!
//! | room | holds | may name |
//! | --- | --- | --- |
//! | `text` | digits, dates, display of foreign bytes, log notes | |
//! | `deadline` | the time left until a deadline | |
//! | [`http`] | RFC 9110 and 9112, requests and responses, no I/O | `text` |
//! | [`xml`] | the XML that we read and write | `text` |
//! | [`wechat`] | the protocol as values: token, signature, message, event, reply, cipher | `xml` |
//! | [`rules`] | the rules file: parser, patterns, templates, reload | `xml`, `wechat` |
//! | [`session`] | one run per message, retries, late replies; starts programs through a trait | `wechat`, `rules` |
//! | [`program`] | `<run>`: launching, the supervisor process, what programs print | `rules`, `session` |
//! | [`client`] | a bounded HTTP/1.1 client | `http` |
//! | [`callback`] | the one seam: a request in, a response out; rejections, metrics | `http`, `wechat`, `session` |
//! | [`server`] | listener, threads, connections, deadlines, shutdown, log, systemd | `http` |
//! | [`service`] | [`Server`] and its backend: how these are put together | all above |
//! | `control` | the control socket: protocol, server, client, report | `service` |
//! | `simulator` | plays WeChat: messages, token check, verdict, captures | `http`, `wechat`, `client` |
//! | [`cli`] | a file for each command, and the flags | all |

#![forbid(unsafe_code)]

pub mod callback;
pub mod cli;
pub mod client;
mod control;
mod deadline;
pub mod http;
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

/// Its examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
