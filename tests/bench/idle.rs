//! Idle connections, on which one request was answered: the memory per connection, and whether idle connections slow down
//! another connection.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::{self, Lane, Traffic};
use crate::growth::Row;
use crate::messages;
use crate::process::{Server, descriptors_max};

/// The numbers of idle connections. A single connection would use an existing thread and seem to cost nothing.
const SIZES: [usize; 4] = [10, 100, 1000, 10_000];

/// How long another connection sends messages at each number of idle connections.
const MEASURED: Duration = Duration::from_millis(400);

/// The file descriptors that the server does not use for connections, as README.md says, or half of all descriptors if
/// that is less. The bench itself needs fewer.
const RESERVED: usize = 448;

/// The results of the measurement.
pub(crate) struct Idle {
    pub(crate) memory: Row,
    pub(crate) message: Row,
    /// Why some numbers of connections could not be measured.
    pub(crate) remarks: Vec<String>,
    pub(crate) is_right: bool,
}

/// Measures as many connections as the descriptor limit allows. No step begins after this instant.
pub(crate) fn measure(begin_until: Instant) -> Idle {
    let mut idle = Idle::new();
    let descriptors = descriptors_max();
    let max = descriptors - RESERVED.min(descriptors / 2) - 1;
    if let Some(largest) = SIZES.last().filter(|largest| **largest > max) {
        idle.remarks.push(format!(
            "{largest} idle connections need more than the {descriptors} descriptors of ulimit -n, \
             so at most {max} are measured."
        ));
    }
    let mut sizes = SIZES.map(|size| size.min(max)).to_vec();
    sizes.dedup();
    match idle.hold(&sizes, begin_until) {
        Ok(()) => idle.is_right = true,
        Err(error) => idle.remarks.push(format!("idle connections: {error}")),
    }
    idle
}

impl Idle {
    const fn new() -> Self {
        Self {
            memory: Row {
                what: "idle connections, resident each",
                unit: "KiB",
                costs: Vec::new(),
                is_each: true,
            },
            message: Row {
                what: "idle connections, a message on another",
                unit: "µs",
                costs: Vec::new(),
                is_each: false,
            },
            remarks: Vec::new(),
            is_right: false,
        }
    }

    /// Opens more and more connections. For each number of connections, records the KiB that all of them use and the
    /// microseconds that a message takes on another connection.
    ///
    /// # Errors
    /// A response is wrong or does not arrive. If time or descriptors run out, a remark is added instead.
    fn hold(&mut self, sizes: &[usize], begin_until: Instant) -> Result<(), String> {
        let largest = sizes.last().map_or(1, |size| size + 1);
        let server = Server::real(&["--max-connections", &largest.to_string()]);
        let requests: Vec<Vec<u8>> = (0..512).map(messages::captured).collect();
        let traffic = Traffic {
            address: server.address,
            requests: &requests,
            response_length: client::checked_response(server.address, &requests[0], false).len(),
            is_last: false,
        };
        let mut other = Lane::new(traffic, 1, 0);
        other.run(Instant::now() + MEASURED)?;
        let before = server.resident_kib();
        let mut held = Vec::new();
        for size in sizes {
            while held.len() < *size {
                if Instant::now() > begin_until {
                    let count = held.len();
                    let remark =
                        format!("{count} of {size} connections were open when the time ran out.");
                    self.remarks.push(remark);
                    return Ok(());
                }
                held.push(open_idle(&traffic).map_err(|error| error.to_string())?);
            }
            let mut nanos = other.run(Instant::now() + MEASURED)?;
            nanos.sort_unstable();
            let open = held.iter().filter(|stream| is_open(stream)).count();
            if open < *size {
                let remark = format!("The server held {open} of {size} connections.");
                self.remarks.push(remark);
                return Ok(());
            }
            let kib = server.resident_kib().saturating_sub(before).max(1);
            self.memory.costs.push((*size, kib as f64));
            let micros = nanos[nanos.len() / 2] as f64 / 1e3;
            self.message.costs.push((*size, micros));
        }
        Ok(())
    }
}

/// Opens a connection and waits for the response to one request.
fn open_idle(traffic: &Traffic<'_>) -> std::io::Result<TcpStream> {
    let mut stream = client::connect(traffic.address)?;
    stream.write_all(&traffic.requests[0])?;
    client::receive(&mut stream, traffic, &mut [0; 8 * 1024])?;
    Ok(stream)
}

/// Whether the server has neither sent more bytes on this connection nor closed it.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
