//! The client. Each of its connections has one request in flight.
//!
//! A thread takes its connections in turn. It reads the response on the connection whose request is the oldest, and sends
//! the next request. With a thread per connection, the client would switch threads as often as the server, and hide the
//! server's cost.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The maximum time to wait for bytes of a response, as long as WeChat waits for a response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The requests to send, and the responses to expect.
#[derive(Clone, Copy)]
pub(crate) struct Traffic<'t> {
    pub(crate) address: SocketAddr,
    /// The requests, sent in turn. Their signatures differ.
    pub(crate) requests: &'t [Vec<u8>],
    /// The length of the expected response in bytes.
    pub(crate) response_length: usize,
    /// Whether each request uses a new connection.
    pub(crate) is_last: bool,
}

/// The connections of one thread.
pub(crate) struct Lane<'t> {
    traffic: Traffic<'t>,
    /// Open connections with no request in flight. `None` must be opened first.
    connections: Vec<Option<TcpStream>>,
    /// The number of the next request; its index is this number modulo the number of requests.
    next: usize,
    buffer: Vec<u8>,
}

/// A request in flight.
struct InFlight {
    stream: TcpStream,
    since: Instant,
}

impl<'t> Lane<'t> {
    /// A lane with this number of connections. `next` is the index of the first request that it sends.
    pub(crate) fn new(traffic: Traffic<'t>, connections: usize, next: usize) -> Self {
        Self {
            traffic,
            connections: (0..connections).map(|_| None).collect(),
            next,
            buffer: vec![0; 8 * 1024],
        }
    }

    /// Sends requests until this instant and returns the latencies in nanoseconds. A latency is the time from the writing
    /// of a request to the end of its response.
    ///
    /// # Errors
    /// A response is wrong or does not arrive. No more requests are sent after that.
    pub(crate) fn run(&mut self, until: Instant) -> Result<Vec<u64>, String> {
        self.send_until(until).map_err(|error| error.to_string())
    }

    fn send_until(&mut self, until: Instant) -> io::Result<Vec<u64>> {
        let mut in_flight = VecDeque::new();
        for connection in std::mem::take(&mut self.connections) {
            in_flight.push_back(self.begin(connection)?);
        }
        let mut latencies = Vec::with_capacity(64 * 1024);
        while let Some(InFlight { mut stream, since }) = in_flight.pop_front() {
            receive(&mut stream, &self.traffic, &mut self.buffer)?;
            let now = Instant::now();
            let nanos = now.duration_since(since).as_nanos();
            latencies.push(u64::try_from(nanos).unwrap_or(u64::MAX));
            let connection = (!self.traffic.is_last).then_some(stream);
            match now < until {
                true => in_flight.push_back(self.begin(connection)?),
                false => self.connections.push(connection),
            }
        }
        Ok(latencies)
    }

    /// Sends the next request, on this connection or on a new one.
    fn begin(&mut self, connection: Option<TcpStream>) -> io::Result<InFlight> {
        let mut stream = match connection {
            Some(stream) => stream,
            None => connect(self.traffic.address)?,
        };
        let requests = self.traffic.requests;
        let request = &requests[self.next % requests.len()];
        self.next += 1;
        let since = Instant::now();
        stream.write_all(request)?;
        Ok(InFlight { stream, since })
    }
}

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// Reads a response and checks its status and length.
pub(crate) fn receive(
    stream: &mut TcpStream,
    traffic: &Traffic<'_>,
    buffer: &mut [u8],
) -> io::Result<()> {
    let mut filled = 0;
    while filled < traffic.response_length || traffic.is_last {
        let count = match stream.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let (expected, seconds) = (traffic.response_length, TIMEOUT.as_secs());
                return Err(io::Error::other(format!(
                    "received only {filled} of {expected} bytes of a response; none for {seconds} s"
                )));
            }
            other => other?,
        };
        filled += count;
        let line = &buffer[..filled.min(b"HTTP/1.1 200".len())];
        if !b"HTTP/1.1 200".starts_with(line) {
            return Err(wrong(&buffer[..filled]));
        }
        if count == 0 {
            break;
        }
    }
    if filled == traffic.response_length { Ok(()) } else { Err(wrong(&buffer[..filled])) }
}

/// Sends a request with the captured message to the real server, checks the response, and returns it.
pub(crate) fn checked_response(address: SocketAddr, request: &[u8], is_last: bool) -> Vec<u8> {
    let mut stream = connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut response = Vec::new();
    let mut octet = [0];
    while is_last || !response.ends_with(b"\r\n0\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1..) => response.push(octet[0]),
            // The check below fails and shows the bytes that have arrived.
            Ok(0) | Err(_) => break,
        }
    }
    let text = String::from_utf8(response).unwrap();
    let is_right = text.starts_with("HTTP/1.1 200 ") && text.contains("<Content><![CDATA[你好]]>");
    assert!(is_right, "unexpected response: {text}");
    text.into_bytes()
}

fn wrong(response: &[u8]) -> io::Error {
    let line = response.split(|octet| *octet == b'\r').next().unwrap_or(response);
    let length = response.len();
    io::Error::other(format!("wrong response of {length} bytes: {}", line.escape_ascii()))
}
