//! The client: connects, sends a request, and receives the response (RFC 9112 9).

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::error::ExchangeError;
use super::response::{BodyEnd, ReceivedResponse};
use crate::deadline::Deadline;
use crate::http::{
    Chunked, Head, Persistence, RequestError, ResponseFraming, ResponseHead, Url, limits,
};

/// Maximum bytes of one read.
const READ_MAX: usize = 16 * 1024;

/// Maximum bytes of the excerpt in [`ExchangeError::Head`].
const EXCERPT_MAX: usize = 32;

/// A client of one server. The client keeps its connection for the next exchange if the server allows this.
#[derive(Debug)]
pub struct Client {
    /// The addresses of the server, in the order in which they are tried.
    addresses: Vec<SocketAddr>,
    stream: Option<TcpStream>,
    /// The received bytes of the current response.
    input: Vec<u8>,
    /// The decoded content of a chunked response.
    content: Vec<u8>,
}

impl Client {
    /// Resolves the host of the URL, without connecting. The system's resolver has its own time limit.
    ///
    /// # Errors
    /// `Resolve`
    pub fn resolve(url: &Url) -> Result<Self, ExchangeError> {
        let addresses: Vec<SocketAddr> = (url.host(), url.port())
            .to_socket_addrs()
            .map_err(|error| ExchangeError::Resolve { error })?
            .collect();
        if addresses.is_empty() {
            let error = io::ErrorKind::NotFound.into();
            return Err(ExchangeError::Resolve { error });
        }
        Ok(Self::new(addresses))
    }

    const fn new(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses, stream: None, input: Vec::new(), content: Vec::new() }
    }

    /// Whether the server has an IPv4 address.
    pub fn has_ipv4(&self) -> bool {
        self.addresses.iter().any(SocketAddr::is_ipv4)
    }

    /// Returns a client of the same server that opens its own connection.
    #[must_use]
    pub fn with_own_connection(&self) -> Self {
        Self::new(self.addresses.clone())
    }

    /// Sends the bytes of one request and receives the response, all within `timeout`.
    ///
    /// # Errors
    /// [`ExchangeError`] if the head of the response is not complete and valid. Incomplete content is no error
    /// ([`ReceivedResponse::end`]).
    pub fn exchange(
        &mut self,
        request: &[u8],
        timeout: Duration,
    ) -> Result<ReceivedResponse<'_>, ExchangeError> {
        let start = Instant::now();
        let deadline = Deadline::since(start, timeout);
        self.input.clear();
        self.content.clear();
        let is_to_head = Head::is_head_request(request);
        let kept = self.stream.take();
        let is_kept = kept.is_some();
        let mut stream = match kept {
            Some(stream) => stream,
            None => self.connect(deadline)?,
        };
        send(&mut stream, request, deadline);
        let received = match self.receive_head(&mut stream, is_to_head, deadline) {
            // The server may have closed the kept connection while the request was on its way (RFC 9112 9.3.1).
            Err(ExchangeError::Closed) if is_kept => {
                stream = self.connect(deadline)?;
                send(&mut stream, request, deadline);
                self.receive_head(&mut stream, is_to_head, deadline)
            }
            received => received,
        };
        let (framing, head_length) = received?;
        let (end, used) = self.receive_content(&mut stream, framing, head_length, deadline);
        // The head borrows from the input, which may have been reallocated, so it is parsed again.
        let (head, _) = parse_head(&self.input, is_to_head)?.ok_or(ExchangeError::HeadClosed)?;
        let surplus = self.input.len() - used;
        let is_reusable =
            head.persistence == Persistence::Keep && framing != ResponseFraming::Close;
        if is_reusable && end == BodyEnd::Whole && surplus == 0 {
            self.stream = Some(stream);
        }
        let content = match framing {
            ResponseFraming::Chunked => &self.content,
            ResponseFraming::None | ResponseFraming::Length(_) | ResponseFraming::Close => {
                &self.input[head_length..used]
            }
        };
        Ok(ReceivedResponse {
            head,
            content,
            end,
            surplus,
            bytes: &self.input,
            took: start.elapsed(),
        })
    }

    /// Connects to the first address that accepts, and moves this address to the start of the list.
    fn connect(&mut self, deadline: Deadline) -> Result<TcpStream, ExchangeError> {
        let mut last_error = ExchangeError::Timeout;
        for index in 0..self.addresses.len() {
            let Some(remaining) = deadline.remaining() else {
                break;
            };
            let address = self.addresses[index];
            // The remaining time is divided among all addresses that are left, in case this address never responds.
            let shares = u32::try_from(self.addresses.len() - index).unwrap_or(u32::MAX);
            match TcpStream::connect_timeout(&address, remaining / shares) {
                Ok(stream) => {
                    self.addresses.swap(0, index);
                    // Without this, the second packet of a request waits for the acknowledgement of the first packet.
                    let _: io::Result<()> = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    last_error = ExchangeError::ConnectTimeout { address };
                }
                Err(error) => last_error = ExchangeError::Connect { address, error },
            }
        }
        Err(last_error)
    }

    /// Receives the head of the final response, and removes interim responses. Returns the framing of the content, and
    /// the length of the head.
    fn receive_head(
        &mut self,
        stream: &mut TcpStream,
        is_to_head: bool,
        deadline: Deadline,
    ) -> Result<(ResponseFraming, usize), ExchangeError> {
        let mut is_silent = true;
        loop {
            is_silent &= self.input.is_empty();
            match parse_head(&self.input, is_to_head)? {
                Some((head, length)) if head.is_interim() => {
                    self.input.drain(..length);
                }
                Some((head, length)) => return Ok((head.framing, length)),
                None => match self.receive(stream, deadline) {
                    Received::Bytes => {}
                    Received::Closed | Received::Reset if is_silent => {
                        return Err(ExchangeError::Closed);
                    }
                    Received::Closed | Received::Reset => return Err(ExchangeError::HeadClosed),
                    Received::Timeout if is_silent => return Err(ExchangeError::Timeout),
                    Received::Timeout => return Err(ExchangeError::HeadTimeout),
                },
            }
        }
    }

    /// Receives the content. Returns how the content ended, and how many bytes of the input belong to the response.
    fn receive_content(
        &mut self,
        stream: &mut TcpStream,
        framing: ResponseFraming,
        head_length: usize,
        deadline: Deadline,
    ) -> (BodyEnd, usize) {
        let mut chunked = Chunked::default();
        let mut used = head_length;
        loop {
            let is_whole = match framing {
                ResponseFraming::None => true,
                ResponseFraming::Chunked => {
                    match chunked.take(&self.input[used..], &mut self.content) {
                        Ok(taken) => used += taken,
                        Err(RequestError::ContentTooLong { .. }) => {
                            return (BodyEnd::TooLong, used);
                        }
                        Err(error) => return (BodyEnd::Chunk(error), used),
                    }
                    chunked.is_done()
                }
                ResponseFraming::Length(length) => {
                    let Some(length) =
                        usize::try_from(length).ok().filter(|length| *length <= limits::CONTENT)
                    else {
                        return (BodyEnd::TooLong, self.input.len());
                    };
                    used = self.input.len().min(head_length + length);
                    used == head_length + length
                }
                ResponseFraming::Close => {
                    used = self.input.len();
                    if used - head_length > limits::CONTENT {
                        return (BodyEnd::TooLong, used);
                    }
                    false
                }
            };
            if is_whole {
                return (BodyEnd::Whole, used);
            }
            match self.receive(stream, deadline) {
                Received::Bytes => {}
                Received::Closed if framing == ResponseFraming::Close => {
                    return (BodyEnd::Whole, used);
                }
                Received::Closed | Received::Reset => return (BodyEnd::Closed, used),
                Received::Timeout => return (BodyEnd::Timeout, used),
            }
        }
    }

    /// Reads once, and appends the bytes to the input.
    fn receive(&mut self, stream: &mut TcpStream, deadline: Deadline) -> Received {
        let Some(remaining) = deadline.remaining() else {
            return Received::Timeout;
        };
        let length = self.input.len();
        self.input.resize(length + READ_MAX, 0);
        let read = stream
            .set_read_timeout(Some(remaining))
            .and_then(|()| stream.read(&mut self.input[length..]));
        self.input.truncate(length + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Received::Closed,
            Ok(_) => Received::Bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Received::Bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Received::Timeout,
            Err(_) => Received::Reset,
        }
    }
}

enum Received {
    Bytes,
    Closed,
    Reset,
    Timeout,
}

fn parse_head(
    input: &[u8],
    is_to_head: bool,
) -> Result<Option<(ResponseHead<'_>, usize)>, ExchangeError> {
    ResponseHead::parse(input, is_to_head).map_err(|error| ExchangeError::Head {
        error,
        excerpt: input[..input.len().min(EXCERPT_MAX)].to_vec(),
    })
}

/// Sends all bytes. Errors are ignored, because the server may have sent a response that explains the error.
fn send(stream: &mut TcpStream, bytes: &[u8], deadline: Deadline) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(remaining) = deadline.remaining() else {
            return;
        };
        let sent = stream.set_write_timeout(Some(remaining)).and_then(|()| stream.write(rest));
        match sent {
            Ok(count) => rest = &rest[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn uses_the_first_address_that_accepts_and_tries_it_first_next_time() {
        let listener = bound();
        let accepting = listener.local_addr().unwrap();
        let serve = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let _: io::Result<usize> = stream.read(&mut [0; 100]);
                stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nyes").unwrap();
            }
        });
        let refusing = SocketAddr::from(([127, 0, 0, 1], 1));
        let mut client = Client::new(vec![refusing, accepting]);
        for _ in 0..2 {
            let response = client.exchange(b"GET / HTTP/1.0\r\n\r\n", Duration::from_secs(60));
            assert_eq!(response.unwrap().content, b"yes");
            assert_eq!(client.addresses, [accepting, refusing]);
        }
        serve.join().unwrap();
    }

    #[test]
    fn unresponsive_address_leaves_time_for_the_next() {
        let (full, accepting) = (bound(), bound());
        let address = full.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
        // When the backlog is full, the kernel ignores new connections.
        let _queue: Vec<TcpStream> = (0..5000).map_while(|_| connect().ok()).collect();
        let mut client = Client::new(vec![address, accepting.local_addr().unwrap()]);
        let deadline = Deadline::after(Duration::from_secs(4));
        assert!(client.connect(deadline).is_ok());
    }

    fn bound() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }
}
