//! One small static binary that is the whole backend of a WeChat Official Account (公众号), and the
//! library it is made of.
//!
//! The road of a request, each step a type that the one before cannot do without:
//!
//! ```text
//! bytes → Head → Request → Query → Verified → Message → Reply → Response → bytes
//!         └──── http ────────────┘ └───── account ─────┘ └─ http ─┘
//! ```
//!
//! | room | knows | does not know |
//! | --- | --- | --- |
//! | [`http`] | RFC 9110 and 9112 | sockets, WeChat |
//! | [`account`] | signature, message, reply, XML | HTTP, sockets |
//! | [`bot`] | what to say | HTTP, sockets |
//! | [`answer`] | the one seam: a request in, a response out | sockets, XML |
//! | `calendar` | days and dates | everything else |
//! | `octets` | runs of octets, and digits | everything else |
//! | [`net`] | listener, threads, connections, deadlines, the control socket | WeChat |
//! | `platform` | WeChat's side: what it sends, and what it makes of an answer | arguments, printing |
//! | [`server`] | how the four are put together | their insides |
//! | [`cli`] | arguments, environment, a file for each command | how HTTP or XML are read |

#![forbid(unsafe_code)]

pub mod account;
pub mod answer;
pub mod bot;
mod calendar;
pub mod cli;
pub mod http;
pub mod net;
mod octets;
mod platform;
pub mod server;

pub use server::Server;

/// Its examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
