//! The life of one connection: receive a request, answer it, repeat. A refused request is answered, then the
//! connection is closed in stages (RFC 9112 9.6).
//!
//! Usually a request costs one `read` and one `write`. The timeouts of the socket are changed only for a request that
//! arrives in pieces, because the socket has the idle timeout from its start.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use super::clock::now;
use super::connection_table::Slot;
use super::handle::ServerState;
use super::handler::Handler;
use super::input::Input;
use super::limits::Limits;
use super::log;
use super::peer::Peer;
use crate::deadline::Deadline;
use crate::http::{
    self, Chunked, Framing, Head, Method, Persistence, Request, RequestError, Response, Status,
};
use crate::text::log_note::{LogNote, Report};

/// Bytes that are read and dropped after the last answer: more than any content that is allowed, and few enough that
/// the server is of no use as a sink.
const LINGER_MAX: usize = 1024 * 1024;

/// After the server has ended the input of a connection, reading no longer waits for the rest of a request. It is
/// polled at this interval, for at most this time.
const REST_POLL_INTERVAL: Duration = Duration::from_millis(5);
const REST_TIMEOUT: Duration = Duration::from_secs(1);

/// The buffers of a thread. They are reused, so that neither a request nor a connection allocates.
#[derive(Default)]
pub(super) struct Buffers {
    input: Input,
    /// Decoded content of a chunked request.
    content: Vec<u8>,
    /// What the response borrows from.
    scratch: Vec<u8>,
    output: Vec<u8>,
    log_line: Vec<u8>,
}

impl Buffers {
    /// Clears the buffers for the next connection, and gives back the memory that a long message took.
    fn reset(&mut self) {
        const CAPACITY_KEPT: usize = 8 * 1024;
        self.input.reset();
        for buffer in [&mut self.content, &mut self.scratch, &mut self.output] {
            buffer.clear();
            buffer.shrink_to(CAPACITY_KEPT);
        }
    }
}

/// Why no request was received.
enum ReceiveError {
    /// The request broke a rule. The client is told so.
    Refused(RequestError),
    /// The client has closed the connection, was idle for too long, or was evicted.
    Closed,
}

impl From<RequestError> for ReceiveError {
    fn from(error: RequestError) -> Self {
        Self::Refused(error)
    }
}

/// What all connections of a server share.
pub(super) struct Context<'s, H> {
    pub(super) limits: Limits,
    pub(super) handler: H,
    pub(super) state: &'s ServerState,
    /// Where log lines go.
    pub(super) report: Report,
}

impl<H> Context<'_, H> {
    /// Logs and counts the response if it has a note.
    fn record(
        &self,
        response: &Response<'_>,
        head: Option<&Head<'_>>,
        peer: SocketAddr,
        line: &mut Vec<u8>,
    ) {
        if let Some(note) = response.note() {
            log::report_request(response.status(), head, peer, note, line, self.report);
            self.state.counters.count_refusal(response.status(), note);
        }
    }
}

/// Serves one connection to its end.
pub(super) fn serve(slot: &Slot<'_>, context: &Context<'_, impl Handler>, buffers: &mut Buffers) {
    let mut connection =
        ConnectionHandler { slot, context, buffers, read_timeout: context.limits.idle };
    let may_be_sending = loop {
        match connection.receive_and_answer() {
            Ok(Persistence::Keep) => {}
            // Only the kernel knows whether the client still sends after its last request. As in nginx, the server
            // assumes so if some of it has arrived already.
            Ok(Persistence::Close) => break !connection.buffers.input.unread().is_empty(),
            Err(ReceiveError::Closed) => break false,
            Err(ReceiveError::Refused(error)) => {
                connection.refuse(&error);
                break true;
            }
        }
    };
    if may_be_sending {
        connection.linger();
    }
    connection.buffers.reset();
}

struct ConnectionHandler<'c, H> {
    slot: &'c Slot<'c>,
    context: &'c Context<'c, H>,
    buffers: &'c mut Buffers,
    /// The socket's read timeout.
    read_timeout: Duration,
}

impl<H: Handler> ConnectionHandler<'_, H> {
    /// Receives one request and answers it. Returns whether another request may follow. A request that one read returns is parsed once. A request in pieces is
    /// parsed from its start with each piece.
    fn receive_and_answer(&mut self) -> Result<Persistence, ReceiveError> {
        let mut head_deadline = None;
        let mut is_decoded = false;
        loop {
            let Buffers { input, content: decoded, scratch, output, log_line } = &mut *self.buffers;
            let unread = input.unread();
            let Some((mut head, head_length)) = Head::parse(unread)? else {
                let deadline = Head::has_begun(unread).then(|| {
                    *head_deadline.get_or_insert_with(|| Deadline::after(self.context.limits.head))
                });
                self.receive(deadline, RequestError::HeadTimeout)?;
                continue;
            };
            let (content, length) = match head.framing {
                Framing::None => (Some([].as_slice()), head_length),
                Framing::Chunked => (is_decoded.then_some(decoded.as_slice()), head_length),
                Framing::Length(length) => {
                    let end = head_length + length;
                    (unread.get(head_length..end), end)
                }
            };
            let Some(content) = content else {
                let (framing, expects_continue) = (head.framing, head.expects_continue);
                self.receive_content(head_length, framing, expects_continue)?;
                is_decoded = true;
                continue;
            };
            let received = Instant::now();
            if !self.slot.set_working(received) {
                return Err(ReceiveError::Closed);
            }
            let request = Request { head, content };
            let peer = Peer::new(self.slot);
            let Some(response) = self.context.handler.handle(&request, &peer, scratch) else {
                return Err(ReceiveError::Closed);
            };
            if self.context.state.is_stopping() {
                head.persistence = Persistence::Close;
            }
            output.clear();
            response.write_to(&head, now(), output);
            let answered = Instant::now();
            self.context.record(&response, Some(&head), self.slot.peer(), log_line);
            if head.method == Method::Post && response.status() == Status::Ok {
                self.context.state.counters.record_answer(answered - received);
            }
            let persistence = head.persistence;
            input.consume(length);
            self.send(answered)?;
            return Ok(persistence);
        }
    }

    /// Receives the rest of a request whose head is complete. Content with a length follows the head in the input
    /// buffer afterwards. Chunked content is removed from there and decoded into the content buffer.
    fn receive_content(
        &mut self,
        head_length: usize,
        framing: Framing,
        expects_continue: bool,
    ) -> Result<(), ReceiveError> {
        let deadline = Deadline::after(self.context.limits.content);
        if expects_continue && self.buffers.input.unread().len() == head_length {
            self.buffers.output.clear();
            self.buffers.output.extend_from_slice(http::CONTINUE);
            self.send(Instant::now())?;
        }
        self.buffers.content.clear();
        let mut chunked = Chunked::default();
        loop {
            let received = &self.buffers.input.unread()[head_length..];
            let is_complete = match framing {
                Framing::None => true,
                Framing::Length(length) => received.len() >= length,
                Framing::Chunked => {
                    let taken = chunked.take(received, &mut self.buffers.content)?;
                    self.buffers.input.remove(head_length, taken);
                    chunked.is_done()
                }
            };
            if is_complete {
                return Ok(());
            }
            self.receive(Some(deadline), RequestError::ContentTimeout)?;
        }
    }

    /// Reads once, until the deadline. Without a deadline, no part of a request has arrived and the idle limit holds.
    fn receive(
        &mut self,
        deadline: Option<Deadline>,
        timeout_error: RequestError,
    ) -> Result<(), ReceiveError> {
        let timeout = match deadline {
            None => self.context.limits.idle,
            Some(deadline) => {
                self.slot.set_mid_message();
                deadline.remaining().ok_or(timeout_error)?
            }
        };
        self.set_read_timeout(timeout)?;
        match self.buffers.input.fill(self.slot.stream()) {
            Ok(0) if self.slot.is_evicted() || !Head::has_begun(self.buffers.input.unread()) => {
                Err(ReceiveError::Closed)
            }
            Ok(0) if (self.slot.input_shut_for()).is_some_and(|time| time < REST_TIMEOUT) => {
                // The server has ended the input, not the client. The rest of the request may still arrive.
                thread::sleep(REST_POLL_INTERVAL);
                Ok(())
            }
            Ok(0) => Err(RequestError::Incomplete.into()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && deadline.is_some() => {
                Err(timeout_error.into())
            }
            Err(_) => Err(ReceiveError::Closed),
        }
    }

    fn set_read_timeout(&mut self, timeout: Duration) -> Result<(), ReceiveError> {
        if timeout != self.read_timeout {
            self.slot.stream().set_read_timeout(Some(timeout)).map_err(|_| ReceiveError::Closed)?;
            self.read_timeout = timeout;
        }
        Ok(())
    }

    /// Sends the output within the answer limit, counted from `begun`. The socket's own timeout is for a single `write`
    /// and never fires for a client that reads a little now and then.
    fn send(&mut self, begun: Instant) -> Result<(), ReceiveError> {
        self.slot.set_waiting(begun, true);
        let mut stream = self.slot.stream();
        let mut rest = self.buffers.output.as_slice();
        let mut has_changed_timeout = false;
        while !rest.is_empty() {
            match stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(ReceiveError::Closed),
            }
            if !rest.is_empty() {
                let deadline = Deadline::since(begun, self.context.limits.answer);
                let left = deadline.remaining().ok_or(ReceiveError::Closed)?;
                self.set_write_timeout(left)?;
                has_changed_timeout = true;
            }
        }
        if has_changed_timeout {
            self.set_write_timeout(self.context.limits.answer)?;
        }
        self.slot.set_waiting(begun, false);
        Ok(())
    }

    fn set_write_timeout(&self, timeout: Duration) -> Result<(), ReceiveError> {
        let set = self.slot.stream().set_write_timeout(Some(timeout));
        set.map_err(|_| ReceiveError::Closed)
    }

    fn refuse(&mut self, error: &RequestError) {
        let note = LogNote { cause: error.cause(), reason: error.to_string().into(), hint: "" };
        let response = Response::refusal(error.status(), note);
        let log_line = &mut self.buffers.log_line;
        self.context.record(&response, None, self.slot.peer(), log_line);
        self.buffers.output.clear();
        let is_head = Head::is_of_head(self.buffers.input.unread());
        response.write_last_to(is_head, now(), &mut self.buffers.output);
        // The connection ends now, sent or not.
        let _: Result<(), ReceiveError> = self.send(Instant::now());
    }

    /// Closes in stages (RFC 9112 9.6): ends the output, then reads and drops input for a bounded time. Closing a
    /// socket with unread input resets the connection, and the reset can overtake the answer.
    fn linger(&mut self) {
        let stream = self.slot.stream();
        let deadline = Deadline::after(self.context.limits.linger);
        if stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut dropped = 0;
        self.buffers.input.reset();
        while let Some(left) = deadline.remaining()
            && dropped < LINGER_MAX
            && self.set_read_timeout(left).is_ok()
            && let Ok(count @ 1..) = self.buffers.input.fill(stream)
        {
            dropped += count;
            self.buffers.input.consume(count);
        }
    }
}
