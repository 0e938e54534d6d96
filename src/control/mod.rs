//! The control socket of a running server: `wechat status` and `wechat stop` connect to it.

mod client;
mod folder;
mod protocol;
mod report;
mod server;
mod socket;
#[rustfmt::skip] // Most texts take one or two lines.
mod wording;

pub(crate) use client::{RESPONSE_MAX, ask};
pub(crate) use protocol::{OK, STATUS, STATUS_JSON, STOP};
pub(crate) use report::ServerStatus;
pub(crate) use server::ControlServer;
pub(crate) use socket::ControlSocket;
