//! The life of one connection: receive a request, answer it, and again; or refuse it and close in
//! stages.
//!
//! In the steady state a request costs one `read` and one `write`: time-outs are only set where a
//! request comes in pieces, because the socket has the idle one from the start.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::connections::Seat;
use super::handle::Shared;
use super::input::Input;
use super::peer::Peer;
use super::{Limits, log};
use crate::deadline::remaining;
use crate::http::{
    self, Chunked, Framing, Head, Method, Persistence, Request, RequestError, Response, Status,
};
use crate::text::log_note::LogNote;

/// Bytes that are read and dropped after the last answer: more than any content that is allowed,
/// and few enough that nobody can make us a sink.
const LINGER_MAX: usize = 1024 * 1024;

/// How often to look for the rest of a request of somebody whose sending side we have ended, and for how
/// long: whether they have ended it too cannot be seen any more.
const ON_ITS_WAY: Duration = Duration::from_millis(5);
const REST_WITHIN: Duration = Duration::from_secs(1);

/// What a thread keeps from one request and connection to the next, so that none allocates.
#[derive(Debug)]
pub(super) struct Buffers {
    input: Input,
    content: Vec<u8>,
    scratch: Vec<u8>,
    output: Vec<u8>,
    line: Vec<u8>,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self {
            input: Input::new(),
            content: Vec::new(),
            scratch: Vec::new(),
            output: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Ready for another connection, without what one long message made them grow by.
    fn reset(&mut self) {
        const USUAL: usize = 8 * 1024;
        self.input.reset();
        for buffer in [
            &mut self.content,
            &mut self.scratch,
            &mut self.output,
            &mut self.line,
        ] {
            buffer.clear();
            buffer.shrink_to(USUAL);
        }
    }
}

/// The time in seconds since 1970.
pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |elapsed| elapsed.as_secs())
}

/// How a connection goes on after a request.
enum Next {
    /// With another request.
    Request,
    /// Not at all.
    Close,
    /// Not at all, but the peer may still be sending.
    Linger,
}

/// Why a request never came.
enum Ending {
    /// It broke a rule, and is told so.
    Refused(RequestError),
    /// Nobody is there to be told: the peer left, or was idle for too long.
    Gone,
}

impl From<RequestError> for Ending {
    fn from(error: RequestError) -> Self {
        Self::Refused(error)
    }
}

/// Serves one connection to its end.
pub(super) fn serve<A>(
    seat: &Seat<'_>,
    limits: &Limits,
    shared: &Shared,
    buffers: &mut Buffers,
    answer: &A,
) where
    A: for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>>,
{
    let mut connection = Connection {
        seat,
        limits,
        shared,
        buffers,
        read_timeout: limits.idle,
    };
    let next = loop {
        match connection.receive_and_answer(answer) {
            Ok(Next::Request) => {}
            Ok(next @ (Next::Close | Next::Linger)) => break next,
            Err(Ending::Gone) => break Next::Close,
            Err(Ending::Refused(error)) => {
                connection.refuse(&error);
                break Next::Linger;
            }
        }
    };
    if let Next::Linger = next {
        connection.linger();
    }
    connection.buffers.reset();
}

struct Connection<'c> {
    seat: &'c Seat<'c>,
    limits: &'c Limits,
    shared: &'c Shared,
    buffers: &'c mut Buffers,
    /// What the socket is set to.
    read_timeout: Duration,
}

impl Connection<'_> {
    /// One turn. A request that is there with one read is parsed once; one that comes in pieces is
    /// parsed from its start with each of them.
    fn receive_and_answer<A>(&mut self, answer: &A) -> Result<Next, Ending>
    where
        A: for<'r> Fn(&Request<'r>, &Peer<'_>, &'r mut Vec<u8>) -> Option<Response<'r>>,
    {
        let mut head_deadline = None;
        let mut is_decoded = false;
        loop {
            let Buffers {
                input,
                content: decoded,
                scratch,
                output,
                line,
            } = &mut *self.buffers;
            let unread = input.unread();
            let Some((mut head, head_length)) = Head::parse(unread)? else {
                let deadline = Head::has_begun(unread).then(|| {
                    *head_deadline
                        .get_or_insert_with(|| Instant::now().checked_add(self.limits.head))
                });
                self.receive(deadline.flatten(), RequestError::HeadTimeout)?;
                continue;
            };
            let (content, length) = match head.framing {
                Framing::None => (Some([].as_slice()), head_length),
                Framing::Chunked => (is_decoded.then_some(decoded.as_slice()), head_length),
                Framing::Length(length) => {
                    let end = head_length.saturating_add(length);
                    (unread.get(head_length..end), end)
                }
            };
            let Some(content) = content else {
                let (framing, expects_continue) = (head.framing, head.expects_continue);
                self.receive_content(head_length, framing, expects_continue)?;
                is_decoded = true;
                continue;
            };
            let asked = Instant::now();
            if !self.seat.work(asked) {
                return Err(Ending::Gone);
            }
            let request = Request { head, content };
            let Some(response) = answer(&request, &Peer::at(self.seat), scratch) else {
                return Err(Ending::Gone);
            };
            if self.shared.is_stopping() {
                head.persistence = Persistence::Close;
            }
            output.clear();
            response.write_to(&head, now(), output);
            let answered = Instant::now();
            if let Some(note) = response.note() {
                log::request(response.status(), Some(&head), self.seat.peer, note, line);
                self.shared.count_refusal(response.status(), note);
            }
            if head.method == Method::Post && response.status() == Status::Ok {
                let took = answered.saturating_duration_since(asked);
                self.shared.count_answer(took);
            }
            let persistence = head.persistence;
            input.consume(length);
            self.send(answered)?;
            // Whether the peer is still sending after its last request, only the kernel may know. As
            // nginx does, that is taken to be so where some of it is here already.
            return Ok(match persistence {
                Persistence::Keep => Next::Request,
                Persistence::Close if self.buffers.input.unread().is_empty() => Next::Close,
                Persistence::Close => Next::Linger,
            });
        }
    }

    /// Receives the rest of a request whose head is whole. Of a message body with a length, all of
    /// it is behind the head afterwards; a chunked one is taken out from there and decoded into the
    /// content buffer.
    fn receive_content(
        &mut self,
        head: usize,
        framing: Framing,
        expects_continue: bool,
    ) -> Result<(), Ending> {
        let deadline = Instant::now().checked_add(self.limits.content);
        if expects_continue && self.buffers.input.unread().len() == head {
            self.buffers.output.clear();
            self.buffers.output.extend_from_slice(http::CONTINUE);
            self.send(Instant::now())?;
        }
        self.buffers.content.clear();
        let mut chunked = Chunked::default();
        loop {
            let behind = self.buffers.input.unread().get(head..).unwrap_or(b"");
            let is_whole = match framing {
                Framing::None => true,
                Framing::Length(length) => behind.len() >= length,
                Framing::Chunked => {
                    let taken = chunked.take(behind, &mut self.buffers.content)?;
                    self.buffers.input.remove(head, taken);
                    chunked.is_done()
                }
            };
            if is_whole {
                return Ok(());
            }
            self.receive(deadline, RequestError::ContentTimeout)?;
        }
    }

    /// Reads once: until the deadline, or where there is none for as long as a connection may be
    /// idle.
    fn receive(&mut self, deadline: Option<Instant>, too_late: RequestError) -> Result<(), Ending> {
        let timeout = match deadline {
            None => self.limits.idle,
            Some(deadline) => {
                self.seat.set_begun(true);
                remaining(deadline).ok_or(too_late)?
            }
        };
        self.set_read_timeout(timeout)?;
        match self.buffers.input.fill(self.seat.stream()) {
            Ok(0) if self.seat.has_to_leave() || !Head::has_begun(self.buffers.input.unread()) => {
                Err(Ending::Gone)
            }
            Ok(0) if self.seat.shut_for().is_some_and(|time| time < REST_WITHIN) => {
                // Not the peer's end, but ours; the rest of its request is on its way.
                thread::sleep(ON_ITS_WAY);
                Ok(())
            }
            Ok(0) => Err(RequestError::Incomplete.into()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && deadline.is_some() => {
                Err(too_late.into())
            }
            Err(_) => Err(Ending::Gone),
        }
    }

    fn set_read_timeout(&mut self, timeout: Duration) -> Result<(), Ending> {
        if timeout != self.read_timeout {
            self.seat
                .stream()
                .set_read_timeout(Some(timeout))
                .map_err(|_| Ending::Gone)?;
            self.read_timeout = timeout;
        }
        Ok(())
    }

    /// Writes the output, all of it within its time. The socket's own time-out is for one `write`,
    /// so a peer that reads a little now and then would not run into it.
    fn send(&mut self, begun: Instant) -> Result<(), Ending> {
        self.seat.set_begun(true);
        self.seat.wait(begun);
        let mut stream = self.seat.stream();
        let mut rest = self.buffers.output.as_slice();
        let mut is_first = true;
        loop {
            match stream.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or(b""),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Ending::Gone),
            }
            let timeout = match rest.is_empty() {
                true if is_first => {
                    self.seat.set_begun(false);
                    return Ok(());
                }
                true => self.limits.answer,
                false => {
                    let deadline = begun.checked_add(self.limits.answer);
                    deadline.and_then(remaining).ok_or(Ending::Gone)?
                }
            };
            is_first = false;
            stream
                .set_write_timeout(Some(timeout))
                .map_err(|_| Ending::Gone)?;
            if rest.is_empty() {
                self.seat.set_begun(false);
                return Ok(());
            }
        }
    }

    fn refuse(&mut self, error: &RequestError) {
        let note = LogNote {
            cause: error.cause(),
            reason: error.to_string().into(),
            hint: "",
        };
        let response = Response::refusal(error.status(), note);
        if let Some(note) = response.note() {
            let line = &mut self.buffers.line;
            log::request(response.status(), None, self.seat.peer, note, line);
            self.shared.count_refusal(response.status(), note);
        }
        self.buffers.output.clear();
        let is_head = Head::is_of_head(self.buffers.input.unread());
        response.write_last_to(is_head, now(), &mut self.buffers.output);
        // Where the refusal cannot be sent there is nobody left to refuse.
        let _: Result<(), Ending> = self.send(Instant::now());
    }

    /// Closes in stages (RFC 9112 9.6): no more writing, then read and drop for a bounded time. A
    /// socket closed with unread input resets the connection, and the reset overtakes the answer.
    fn linger(&mut self) {
        let mut stream = self.seat.stream();
        let mut dropped = 0_usize;
        let mut sink = [0; 4096];
        let Some(deadline) = Instant::now().checked_add(self.limits.linger) else {
            return;
        };
        if stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        while let Some(left) = remaining(deadline)
            && dropped < LINGER_MAX
            && self.set_read_timeout(left).is_ok()
            && let Ok(count @ 1..) = stream.read(&mut sink)
        {
            dropped = dropped.saturating_add(count);
        }
    }
}
