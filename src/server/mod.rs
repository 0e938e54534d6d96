//! A server for HTTP/1.x over TCP: the listener, its threads, the connections with their limits and timeouts, the log,
//! the shutdown, and the notifications to systemd.
//!
//! The server finds the end of each request, and refuses invalid requests. A [`Handler`] makes all other responses.
//! Nothing in this module depends on WeChat.

mod clock;
mod connection;
mod connection_state;
mod connection_table;
mod eviction;
mod handle;
mod handler;
mod input;
mod limits;
mod listener;
mod log;
mod parked;
mod peer;
mod stats;
mod stderr;
mod systemd;
mod wording;
mod worker_pool;

pub use clock::{now, uptime};
pub use handle::{Handle, ShutdownReport};
pub use handler::Handler;
pub use limits::Limits;
pub use listener::{Listener, NotListening};
pub use peer::Peer;
pub use stats::Stats;
pub use stderr::{flush_log, lost_log_lines, report, start_log};
pub use systemd::{READY, STOPPING, Watchdog, notify};
pub use worker_pool::serve;
