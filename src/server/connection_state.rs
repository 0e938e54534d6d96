//! An open connection and its state.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// A connection of the table.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    state: Mutex<State>,
    /// When the server shut down the input, so that `read` returns 0.
    pub(super) input_shut_at: OnceLock<Instant>,
}

/// What the server does with a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The server waits for the client to send a request or to read a response.
    Waiting {
        since: Instant,
        /// Whether a part of the request has arrived, or a part of the response is not sent yet.
        is_mid_message: bool,
    },
    /// No thread reads the connection, because no thread could be started.
    Parked { since: Instant },
    /// A request is being answered.
    Working { since: Instant },
    /// The connection was shut down to free its slot. Its thread has not freed the slot yet.
    Evicted,
}

impl State {
    /// Since when the connection waits for its client, and whether a thread reads it; `None` if it does not wait.
    pub(super) const fn waiting(&self) -> Option<(Instant, bool)> {
        match *self {
            Self::Waiting { since, .. } => Some((since, true)),
            Self::Parked { since } => Some((since, false)),
            Self::Working { .. } | Self::Evicted => None,
        }
    }

    pub(super) const fn is_working(&self) -> bool {
        matches!(self, Self::Working { .. })
    }

    pub(super) const fn is_mid_message(&self) -> bool {
        matches!(self, Self::Waiting { is_mid_message: true, .. })
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        let state = State::Waiting { since: Instant::now(), is_mid_message: false };
        Self { stream, peer, state: Mutex::new(state), input_shut_at: OnceLock::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn shut_down(&self, how: Shutdown) {
        // This fails only if the client has closed the connection already.
        let _: io::Result<()> = self.stream.shutdown(how);
    }

    /// Sets the state and returns `true`. An evicted connection stays evicted, because its socket is shut down; then
    /// this returns `false`.
    pub(super) fn set_state(&self, state: State) -> bool {
        let mut current = self.state();
        let is_evicted = *current == State::Evicted;
        if !is_evicted {
            *current = state;
        }
        !is_evicted
    }
}
