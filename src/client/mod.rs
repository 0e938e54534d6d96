//! The other end of a connection: sends a request as bytes, and reads the response to it.
//!
//! Everything is bounded as on the server's side: the head, the content, and the time, which is one
//! deadline for the whole of an exchange.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::deadline::Deadline;
use crate::http::{
    Chunked, Head, Persistence, RequestError, ResponseError, ResponseFraming, ResponseHead, Url,
    limits,
};

/// Bytes that are read at once.
const PIECE: usize = 16 * 1024;

/// Why there was no response at all.
#[derive(Debug)]
pub enum ExchangeError {
    /// The name has no address.
    Resolve(io::Error),
    /// No connection to this address.
    Connect(SocketAddr, io::Error),
    /// Time was up while the connection was made to this address.
    ConnectTimeout(SocketAddr),
    /// The connection was closed or reset before the first byte.
    Closed,
    /// Time was up before the first byte.
    Timeout,
    /// What came is not the head of a response; its first bytes, at most 32.
    Head(ResponseError, Vec<u8>),
    /// The connection was closed in the middle of the head.
    HeadClosed,
    /// Time was up in the middle of the head.
    HeadTimeout,
}

impl ExchangeError {
    /// Whether it was the time that was up.
    pub const fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout(_) | Self::Timeout | Self::HeadTimeout
        )
    }
}

/// How the content of a response came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// As the response said.
    Whole,
    /// With the connection, before it was whole.
    Closed,
    /// With the time.
    Timeout,
    /// At the most that is read.
    TooLong,
    /// With a rule of the chunked coding that was broken.
    Chunk(RequestError),
}

/// A response.
#[derive(Debug)]
pub struct Answer<'c> {
    /// Its head.
    pub head: ResponseHead<'c>,
    /// Its content, as far as it came.
    pub content: &'c [u8],
    /// How that came to its end.
    pub end: BodyEnd,
    /// How many bytes came behind it that do not belong to it.
    pub surplus: usize,
    /// All bytes that came, interim responses left out.
    pub bytes: &'c [u8],
    /// From before the connection was made, where there was none yet, to the last byte.
    pub took: Duration,
}

/// A client of one server, with a connection that is kept where the server keeps it.
#[derive(Debug)]
pub struct Client {
    addresses: Vec<SocketAddr>,
    stream: Option<TcpStream>,
    input: Vec<u8>,
    content: Vec<u8>,
}

impl Client {
    /// Finds out the addresses of the URL's host; nothing is connected yet. That takes as long as the
    /// system's resolver lets it.
    ///
    /// # Errors
    /// `Resolve`
    pub fn of(url: &Url) -> Result<Self, ExchangeError> {
        let resolved = (url.host(), url.port()).to_socket_addrs();
        let addresses: Vec<SocketAddr> = resolved.map_err(ExchangeError::Resolve)?.collect();
        match addresses.is_empty() {
            true => Err(ExchangeError::Resolve(io::ErrorKind::NotFound.into())),
            false => Ok(Self::at(addresses)),
        }
    }

    fn at(addresses: Vec<SocketAddr>) -> Self {
        Self {
            addresses,
            stream: None,
            input: Vec::new(),
            content: Vec::new(),
        }
    }

    /// Another client of the same server, with a connection of its own.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::at(self.addresses.clone())
    }

    /// Sends the bytes of one request and reads the response to it, all within `patience`.
    ///
    /// # Errors
    /// [`ExchangeError`] where there is no whole head of a response. Content that is not whole is no error
    /// ([`Answer::end`]).
    pub fn exchange(
        &mut self,
        request: &[u8],
        patience: Duration,
    ) -> Result<Answer<'_>, ExchangeError> {
        let begun = Instant::now();
        let deadline = Deadline::since(begun, patience);
        self.input.clear();
        self.content.clear();
        let answers_head = Head::is_of_head(request);
        let kept = self.stream.take();
        let is_kept = kept.is_some();
        let mut stream = match kept {
            Some(stream) => stream,
            None => self.connect(deadline)?,
        };
        send(&mut stream, request, deadline);
        let received = match self.receive_head(&mut stream, answers_head, deadline) {
            // A server may close a connection that it kept at any time, and this request may have
            // crossed with that (RFC 9112 9.3.1). Whether it was processed nobody knows.
            Err(ExchangeError::Closed) if is_kept => {
                stream = self.connect(deadline)?;
                send(&mut stream, request, deadline);
                self.receive_head(&mut stream, answers_head, deadline)
            }
            received => received,
        };
        let (framing, length) = received?;
        let (end, used) = self.receive_content(&mut stream, framing, length, deadline);
        // Once more, because reading on moved the bytes that it borrows from.
        let head = match ResponseHead::parse(&self.input, answers_head) {
            Ok(Some((head, _))) => head,
            Ok(None) => return Err(ExchangeError::HeadClosed),
            Err(error) => return Err(ExchangeError::Head(error, front(&self.input))),
        };
        let surplus = self.input.len().saturating_sub(used);
        let is_free = end == BodyEnd::Whole && surplus == 0;
        if is_free && framing != ResponseFraming::Close && head.persistence == Persistence::Keep {
            self.stream = Some(stream);
        }
        let content = match framing {
            ResponseFraming::Chunked => &self.content,
            ResponseFraming::None | ResponseFraming::Length(_) | ResponseFraming::Close => {
                self.input.get(length..used).unwrap_or(b"")
            }
        };
        Ok(Answer {
            head,
            content,
            end,
            surplus,
            bytes: &self.input,
            took: begun.elapsed(),
        })
    }

    /// Connects to the first address that takes it, and keeps that one in front.
    fn connect(&mut self, deadline: Deadline) -> Result<TcpStream, ExchangeError> {
        let mut trouble = ExchangeError::Timeout;
        for at in 0..self.addresses.len() {
            // What is left is shared, so that an address that nothing comes back from leaves time
            // for the next.
            let share = u32::try_from(self.addresses.len().saturating_sub(at)).unwrap_or(u32::MAX);
            let (Some(&address), Some(left)) = (self.addresses.get(at), deadline.remaining())
            else {
                break;
            };
            let left = left.checked_div(share).unwrap_or(left);
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => {
                    self.addresses.swap(0, at);
                    // Without it the second piece of a request would wait until the first is
                    // acknowledged.
                    let _: io::Result<()> = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    trouble = ExchangeError::ConnectTimeout(address);
                }
                Err(error) => trouble = ExchangeError::Connect(address, error),
            }
        }
        Err(trouble)
    }

    /// Reads until a head is whole that is not one of an interim response, and returns how its content
    /// ends, and its own length.
    fn receive_head(
        &mut self,
        stream: &mut TcpStream,
        answers_head: bool,
        deadline: Deadline,
    ) -> Result<(ResponseFraming, usize), ExchangeError> {
        let mut is_silent = true;
        loop {
            is_silent &= self.input.is_empty();
            match ResponseHead::parse(&self.input, answers_head) {
                Err(error) => return Err(ExchangeError::Head(error, front(&self.input))),
                Ok(Some((head, length))) if head.is_interim() => {
                    self.input.drain(..length);
                }
                Ok(Some((head, length))) => return Ok((head.framing, length)),
                Ok(None) => match self.receive(stream, deadline) {
                    Received::Some => {}
                    Received::BodyEnd | Received::Reset if is_silent => {
                        return Err(ExchangeError::Closed);
                    }
                    Received::Timeout if is_silent => return Err(ExchangeError::Timeout),
                    Received::BodyEnd | Received::Reset => return Err(ExchangeError::HeadClosed),
                    Received::Timeout => return Err(ExchangeError::HeadTimeout),
                },
            }
        }
    }

    /// Reads until the content is whole, or does not become so. What it read of the response has so
    /// many bytes, its head included.
    fn receive_content(
        &mut self,
        stream: &mut TcpStream,
        framing: ResponseFraming,
        head: usize,
        deadline: Deadline,
    ) -> (BodyEnd, usize) {
        let mut chunked = Chunked::default();
        let mut used = head;
        let whole = match framing {
            ResponseFraming::None => head,
            ResponseFraming::Length(length) => {
                head.saturating_add(usize::try_from(length).unwrap_or(usize::MAX))
            }
            ResponseFraming::Chunked | ResponseFraming::Close => usize::MAX,
        };
        loop {
            if framing == ResponseFraming::Chunked {
                let rest = self.input.get(used..).unwrap_or(b"");
                match chunked.take(rest, &mut self.content) {
                    Ok(count) => used = used.saturating_add(count),
                    Err(RequestError::ContentTooLong { .. }) => return (BodyEnd::TooLong, used),
                    Err(error) => return (BodyEnd::Chunk(error), used),
                }
            } else {
                used = self.input.len().min(whole);
                if used.saturating_sub(head) > limits::CONTENT {
                    return (BodyEnd::TooLong, used);
                }
            }
            if used == whole || chunked.is_done() {
                return (BodyEnd::Whole, used);
            }
            match self.receive(stream, deadline) {
                Received::Some => {}
                Received::BodyEnd if framing == ResponseFraming::Close => {
                    return (BodyEnd::Whole, used);
                }
                Received::BodyEnd | Received::Reset => return (BodyEnd::Closed, used),
                Received::Timeout => return (BodyEnd::Timeout, used),
            }
        }
    }

    /// Reads once.
    fn receive(&mut self, stream: &mut TcpStream, deadline: Deadline) -> Received {
        let Some(left) = deadline.remaining() else {
            return Received::Timeout;
        };
        let before = self.input.len();
        self.input.resize(before.saturating_add(PIECE), 0);
        let room = self.input.get_mut(before..).unwrap_or(&mut []);
        let read = match stream.set_read_timeout(Some(left)) {
            Ok(()) => stream.read(room),
            Err(error) => Err(error),
        };
        let count = read.as_ref().copied().unwrap_or(0);
        self.input.truncate(before.saturating_add(count));
        match read {
            Ok(0) => Received::BodyEnd,
            Ok(_) => Received::Some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Received::Some,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Received::Timeout,
            Err(_) => Received::Reset,
        }
    }
}

enum Received {
    Some,
    BodyEnd,
    Reset,
    Timeout,
}

/// Sends all of it. Where that fails there may be a response nevertheless, which says why.
fn send(stream: &mut TcpStream, bytes: &[u8], deadline: Deadline) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(left) = deadline.remaining() else {
            return;
        };
        let sent = stream
            .set_write_timeout(Some(left))
            .and_then(|()| stream.write(rest));
        match sent {
            Ok(count) => rest = rest.get(count..).unwrap_or(b""),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The first bytes, enough to tell what they are.
fn front(bytes: &[u8]) -> Vec<u8> {
    bytes.get(..32).unwrap_or(bytes).to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn the_first_address_that_takes_a_connection_is_used_and_kept_in_front() {
        let listener = bound();
        let good = listener.local_addr().unwrap();
        let serve = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let _: io::Result<usize> = stream.read(&mut [0; 100]);
                stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nyes").unwrap();
            }
        });
        let refusing = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut client = Client::at(vec![refusing, good]);
        for _ in 0..2 {
            let answer = client.exchange(b"GET / HTTP/1.0\r\n\r\n", Duration::from_secs(60));
            assert_eq!(answer.unwrap().content, b"yes");
            assert_eq!(client.addresses, [good, refusing]);
        }
        serve.join().unwrap();
    }

    #[test]
    fn an_address_that_nothing_comes_back_from_leaves_time_for_the_next() {
        let (full, good) = (bound(), bound());
        let address = full.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
        // Behind a full queue the kernel drops who comes.
        let _queue: Vec<TcpStream> = (0..5000).map_while(|_| connect().ok()).collect();
        let mut client = Client::at(vec![address, good.local_addr().unwrap()]);
        let deadline = Deadline::after(Duration::from_secs(4));
        assert!(client.connect(deadline).is_ok());
    }

    fn bound() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }
}
