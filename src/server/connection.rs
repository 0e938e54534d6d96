//! The life of one connection: receive a request, answer it, repeat. A refused request is answered, then the
//! connection is closed in stages (RFC 9112 9.6).
//!
//! Usually a request needs one `read` and one `write`. The socket starts with the idle timeout, so its timeouts are
//! changed only if a request or response is transferred in pieces.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use super::clock::now;
use super::connection_table::Slot;
use super::handle::ServerState;
use super::handler::Handler;
use super::input::{self, Input};
use super::limits::Limits;
use super::log;
use super::peer::Peer;
use crate::deadline::Deadline;
use crate::http::{
    self, Chunked, ContentDecision, Framing, Head, Method, Persistence, Request, RequestError,
    Response, Status,
};
use crate::text::log_note::Report;

/// Maximum bytes that are read and dropped after the last response. This is more than any allowed content. The limit
/// keeps clients from sending useless data for the whole linger time.
const LINGER_MAX: usize = 1024 * 1024;

/// After the server has shut down the input of a connection, `read` no longer blocks, but the rest of a request may
/// still arrive. The server polls for the rest at this interval.
const REST_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The server stops polling for the rest of a request this long after it has shut down the input.
const REST_TIMEOUT: Duration = Duration::from_secs(1);

/// The buffers of a thread. They are reused, so that usually neither a request nor a connection allocates memory.
#[derive(Default)]
pub(super) struct Buffers {
    input: Input,
    /// Bytes that arrived while the previous request was answered. [`Peer`] reads them.
    read_ahead: Vec<u8>,
    /// Decoded content of a chunked request.
    content: Vec<u8>,
    /// A buffer for the handler. The response may borrow from it.
    scratch: Vec<u8>,
    output: Vec<u8>,
    log_line: Vec<u8>,
}

impl Buffers {
    /// Clears the buffers for the next request or connection, and frees memory that a long message needed.
    fn reset(&mut self) {
        const CAPACITY_KEPT: usize = 8 * 1024;
        self.input.reset();
        for buffer in [&mut self.read_ahead, &mut self.content, &mut self.scratch, &mut self.output]
        {
            buffer.clear();
            buffer.shrink_to(CAPACITY_KEPT);
        }
    }
}

/// The connection ends, because no valid request was received or no response can be sent.
enum ReceiveError {
    /// The request is invalid. The client gets a response with the reason.
    Refused(RequestError),
    /// The client closed the connection, was idle for too long or read the response too slowly, the connection was
    /// evicted, or the handler returned no response.
    Closed,
}

impl From<RequestError> for ReceiveError {
    fn from(error: RequestError) -> Self {
        Self::Refused(error)
    }
}

/// The data that all connections of a server share.
pub(super) struct Context<'s, H> {
    pub(super) limits: Limits,
    pub(super) handler: H,
    pub(super) state: &'s ServerState,
    /// Writes a log line.
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

/// Serves one connection until it ends.
pub(super) fn serve(slot: &Slot<'_>, context: &Context<'_, impl Handler>, buffers: &mut Buffers) {
    let mut connection =
        ConnectionHandler { slot, context, buffers, read_timeout: context.limits.idle };
    let may_be_sending = loop {
        match connection.receive_and_respond() {
            Ok(Persistence::Keep) => {}
            // The server cannot know whether the client is still sending. Like nginx, it assumes so if bytes after the
            // last request have already arrived.
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
    /// Receives one request and sends its response. Returns whether another request may follow. A request that arrives
    /// in one read is parsed once. If the request arrives in pieces, its head is parsed again from the start.
    ///
    /// The input buffer holds more than a head only if the handler wants to keep the content.
    fn receive_and_respond(&mut self) -> Result<Persistence, ReceiveError> {
        let mut head_deadline = None;
        let mut is_removed = false;
        loop {
            let Buffers { input, read_ahead, content: decoded, scratch, output, log_line } =
                &mut *self.buffers;
            let unread = input.unread();
            let Some((mut head, head_length)) = Head::parse(unread)? else {
                let deadline = Head::has_begun(unread).then(|| {
                    *head_deadline.get_or_insert_with(|| Deadline::after(self.context.limits.head))
                });
                self.receive(deadline, RequestError::HeadTimeout)?;
                continue;
            };
            let (content, length) = match head.framing {
                _ if is_removed => (Some(decoded.as_slice()), head_length),
                Framing::None => (Some([].as_slice()), head_length),
                Framing::Chunked => (None, head_length),
                Framing::Length(length) => {
                    let end = head_length + length;
                    (unread.get(head_length..end), end)
                }
            };
            let Some(content) = content else {
                let is_discarded = match self.context.handler.decide_content(&head) {
                    ContentDecision::Keep => false,
                    ContentDecision::Discard => true,
                    ContentDecision::Refuse(response) => {
                        head.persistence = Persistence::Close;
                        output.clear();
                        response.write_to(&head, now(), output);
                        self.context.record(&response, Some(&head), self.slot.peer(), log_line);
                        self.send(Instant::now())?;
                        // The request stays unread, so the connection is closed in stages.
                        return Ok(Persistence::Close);
                    }
                };
                let (framing, expects_continue) = (head.framing, head.expects_continue);
                is_removed = is_discarded || framing == Framing::Chunked;
                self.receive_content(head_length, framing, expects_continue, is_discarded)?;
                continue;
            };
            let received = Instant::now();
            if !self.slot.set_working(received) {
                return Err(ReceiveError::Closed);
            }
            let request = Request { head, content };
            let read_ahead_max = input::LENGTH_MAX - (unread.len() - length);
            let peer = Peer::new(self.slot, read_ahead, read_ahead_max);
            let Some(response) = self.context.handler.handle(&request, &peer, scratch) else {
                return Err(ReceiveError::Closed);
            };
            if self.context.state.is_stopping() {
                head.persistence = Persistence::Close;
            }
            output.clear();
            response.write_to(&head, now(), output);
            let responded = Instant::now();
            self.context.record(&response, Some(&head), self.slot.peer(), log_line);
            if head.method == Method::Post && response.status() == Status::Ok {
                self.context.state.counters.record_response(responded - received);
            }
            let persistence = head.persistence;
            input.consume(length);
            input.append(read_ahead);
            self.send(responded)?;
            return Ok(persistence);
        }
    }

    /// Receives the rest of a request whose head is complete. Content with a Content-Length is left in the input
    /// buffer, after the head. Chunked content is removed from the input buffer and decoded into the content buffer.
    /// Content that is discarded is removed from the input buffer, and the content buffer stays empty.
    fn receive_content(
        &mut self,
        head_length: usize,
        framing: Framing,
        expects_continue: bool,
        is_discarded: bool,
    ) -> Result<(), ReceiveError> {
        let deadline = Deadline::after(self.context.limits.content);
        if expects_continue && self.buffers.input.unread().len() == head_length {
            self.buffers.output.clear();
            self.buffers.output.extend_from_slice(http::CONTINUE);
            self.send(Instant::now())?;
        }
        self.buffers.content.clear();
        let mut chunked = Chunked::default();
        let mut discarded = 0;
        loop {
            let received = &self.buffers.input.unread()[head_length..];
            let (taken, is_complete) = match framing {
                Framing::None => (0, true),
                Framing::Length(length) if is_discarded => {
                    let taken = received.len().min(length - discarded);
                    discarded += taken;
                    (taken, discarded == length)
                }
                Framing::Length(length) => (0, received.len() >= length),
                Framing::Chunked => {
                    let taken = chunked.take(received, &mut self.buffers.content)?;
                    (taken, chunked.is_done())
                }
            };
            self.buffers.input.remove(head_length, taken);
            if is_discarded {
                self.buffers.content.clear();
            }
            if is_complete {
                return Ok(());
            }
            self.receive(Some(deadline), RequestError::ContentTimeout)?;
        }
    }

    /// Reads once, at most until the deadline. Without a deadline, no part of a request has arrived, so the idle limit
    /// applies.
    fn receive(
        &mut self,
        deadline: Option<Deadline>,
        timeout_error: RequestError,
    ) -> Result<(), ReceiveError> {
        let timeout = match deadline {
            None => {
                if self.buffers.input.unread().is_empty() {
                    self.buffers.reset();
                }
                self.context.limits.idle
            }
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
                // The server has shut down the input, not the client. The rest of the request may still arrive.
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

    /// Sends the output within [`Limits::response`], counted from `start`. The timeout of the socket limits only a
    /// single `write`, so it never expires for a client that keeps reading slowly.
    fn send(&mut self, start: Instant) -> Result<(), ReceiveError> {
        self.slot.set_waiting(start, true);
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
                let deadline = Deadline::since(start, self.context.limits.response);
                let remaining = deadline.remaining().ok_or(ReceiveError::Closed)?;
                self.set_write_timeout(remaining)?;
                has_changed_timeout = true;
            }
        }
        if has_changed_timeout {
            self.set_write_timeout(self.context.limits.response)?;
        }
        self.slot.set_waiting(start, false);
        Ok(())
    }

    fn set_write_timeout(&self, timeout: Duration) -> Result<(), ReceiveError> {
        let set = self.slot.stream().set_write_timeout(Some(timeout));
        set.map_err(|_| ReceiveError::Closed)
    }

    fn refuse(&mut self, error: &RequestError) {
        let (reason, hint) = error.reason(self.buffers.input.unread());
        let response = Response::refusal(error.status(), error.cause(), reason, hint);
        let log_line = &mut self.buffers.log_line;
        self.context.record(&response, None, self.slot.peer(), log_line);
        self.buffers.output.clear();
        let is_head = Head::is_head_request(self.buffers.input.unread());
        response.write_last_to(is_head, now(), &mut self.buffers.output);
        // The connection is closed next, even if sending fails.
        let _: Result<(), ReceiveError> = self.send(Instant::now());
    }

    /// Closes in stages (RFC 9112 9.6): shuts down the output, then reads and drops input for a limited time. Closing a
    /// socket with unread input resets the connection, and the client may then lose the response.
    fn linger(&mut self) {
        let stream = self.slot.stream();
        let deadline = Deadline::after(self.context.limits.linger);
        if stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut dropped = 0;
        self.buffers.input.reset();
        while let Some(remaining) = deadline.remaining()
            && dropped < LINGER_MAX
            && self.set_read_timeout(remaining).is_ok()
            && let Ok(count @ 1..) = self.buffers.input.fill(stream)
        {
            dropped += count;
            self.buffers.input.consume(count);
        }
    }
}
