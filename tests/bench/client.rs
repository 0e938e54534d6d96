//! The client: connections with one request in flight each.
//!
//! A thread takes its connections in turn: it reads the response on one, sends the next request, and continues with the
//! connection whose request was sent first. With a thread per connection, the client would switch threads as often as the
//! server, and hide the server's cost.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a response may take before it is an error: WeChat's timeout.
const PATIENCE: Duration = Duration::from_secs(5);

/// The requests to send, and the responses to expect.
#[derive(Clone, Copy)]
pub(crate) struct Traffic<'t> {
    pub(crate) address: SocketAddr,
    /// Sent in turn. All of them have different signatures.
    pub(crate) requests: &'t [Vec<u8>],
    /// The length of the expected response in bytes.
    pub(crate) answer: usize,
    /// Whether each request uses a connection of its own.
    pub(crate) is_last: bool,
}

/// The connections of one thread.
pub(crate) struct Lane<'t> {
    traffic: Traffic<'t>,
    /// Kept connections with no request in flight.
    connections: Vec<Option<TcpStream>>,
    /// The index of the next request.
    next: usize,
    buffer: Vec<u8>,
}

/// A request in flight.
struct UnderWay {
    stream: TcpStream,
    since: Instant,
}

impl<'t> Lane<'t> {
    /// A client with this number of connections. The first request that it sends has the index `next`.
    pub(crate) fn new(traffic: Traffic<'t>, connections: usize, next: usize) -> Self {
        Self {
            traffic,
            connections: (0..connections).map(|_| None).collect(),
            next,
            buffer: vec![0; 8 * 1024],
        }
    }

    /// Sends requests until this instant and returns the latencies in nanoseconds, from the writing of the request to the
    /// end of the response.
    ///
    /// # Errors
    /// The first response that is wrong or does not arrive. Nothing is sent after it.
    pub(crate) fn run(&mut self, until: Instant) -> Result<Vec<u64>, String> {
        self.slide(until).map_err(|error| error.to_string())
    }

    fn slide(&mut self, until: Instant) -> io::Result<Vec<u64>> {
        let mut under_way = VecDeque::new();
        for connection in std::mem::take(&mut self.connections) {
            under_way.push_back(self.begin(connection)?);
        }
        let mut latencies = Vec::with_capacity(64 * 1024);
        while let Some(UnderWay { mut stream, since }) = under_way.pop_front() {
            receive(&mut stream, &self.traffic, &mut self.buffer)?;
            let now = Instant::now();
            let nanos = now.duration_since(since).as_nanos();
            latencies.push(u64::try_from(nanos).unwrap_or(u64::MAX));
            let connection = (!self.traffic.is_last).then_some(stream);
            match now < until {
                true => under_way.push_back(self.begin(connection)?),
                false => self.connections.push(connection),
            }
        }
        Ok(latencies)
    }

    /// Sends the next request, on this connection or on a new one.
    fn begin(&mut self, connection: Option<TcpStream>) -> io::Result<UnderWay> {
        let mut stream = match connection {
            Some(stream) => stream,
            None => connect(self.traffic.address)?,
        };
        let requests = self.traffic.requests;
        let request = &requests[self.next % requests.len()];
        self.next += 1;
        let since = Instant::now();
        stream.write_all(request)?;
        Ok(UnderWay { stream, since })
    }
}

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Reads a response and checks its status and length.
pub(crate) fn receive(
    stream: &mut TcpStream,
    traffic: &Traffic<'_>,
    buffer: &mut [u8],
) -> io::Result<()> {
    let mut filled = 0;
    while filled < traffic.answer || traffic.is_last {
        let count = match stream.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let (whole, seconds) = (traffic.answer, PATIENCE.as_secs());
                return Err(io::Error::other(format!(
                    "{filled} of the {whole} bytes of an answer within {seconds} s"
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
    if filled == traffic.answer { Ok(()) } else { Err(wrong(&buffer[..filled])) }
}

/// The real server's response to the captured message, after it has been checked.
pub(crate) fn right_answer(address: SocketAddr, request: &[u8], is_last: bool) -> Vec<u8> {
    let mut stream = connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    let mut octet = [0];
    while is_last || !answer.ends_with(b"\r\n0\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1..) => answer.push(octet[0]),
            // The bytes received so far say what is wrong.
            Ok(0) | Err(_) => break,
        }
    }
    let text = String::from_utf8(answer).unwrap();
    let is_right = text.starts_with("HTTP/1.1 200 ") && text.contains("<Content><![CDATA[你好]]>");
    assert!(is_right, "not answered as expected: {text}");
    text.into_bytes()
}

fn wrong(answer: &[u8]) -> io::Error {
    let line = answer.split(|octet| *octet == b'\r').next().unwrap_or(answer);
    let length = answer.len();
    io::Error::other(format!("an answer of {length} bytes: {}", line.escape_ascii()))
}
