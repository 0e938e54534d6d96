//! The canned server, which only reads requests and writes a fixed response, with the same threads as the real server.
//!
//! As in the real server, threads block in `accept`, each thread serves its connection to the end and is then reused, and
//! a thread is added when few threads are idle. The canned server finds the end of the head, Content-Length and
//! `Connection: close`. Its response is as long as the response of the real server. The cost of the canned server is the
//! cost of one thread per connection. Whatever the real server costs more is the work on the message.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The argument that makes this executable the canned server. The lengths of the two responses are the next arguments;
/// the responses themselves are read from standard input.
pub(crate) const ARGUMENT: &str = "--serve-canned-responses";

/// The minimum and maximum of idle threads, and the stack size, all as in the real server.
const IDLE_MIN: usize = 8;
const IDLE_MAX: usize = 32;
const STACK: usize = 256 * 1024;

struct Canned {
    listener: TcpListener,
    /// The response to a request that keeps the connection.
    kept: Vec<u8>,
    /// The response to a request with `Connection: close`.
    last: Vec<u8>,
    idle: AtomicUsize,
}

/// Serves until standard input ends. Standard input ends when the bench ends.
pub(crate) fn serve(kept: usize, last: usize) -> ! {
    let mut stdin = io::stdin().lock();
    let mut read = |length| {
        let mut response = vec![0; length];
        stdin.read_exact(&mut response).unwrap();
        response
    };
    let canned = Arc::new(Canned {
        listener: TcpListener::bind("127.0.0.1:0").unwrap(),
        kept: read(kept),
        last: read(last),
        idle: AtomicUsize::new(0),
    });
    println!("listening on {}", canned.listener.local_addr().unwrap());
    canned.start_thread();
    let _ = stdin.read_to_end(&mut Vec::new());
    process::exit(0)
}

impl Canned {
    fn start_thread(self: &Arc<Self>) {
        self.idle.fetch_add(1, Ordering::AcqRel);
        let canned = Arc::clone(self);
        let thread = thread::Builder::new().stack_size(STACK);
        thread.spawn(move || canned.accept_and_serve()).unwrap();
    }

    fn accept_and_serve(self: Arc<Self>) {
        let mut buffer = vec![0; 8 * 1024];
        loop {
            let Ok((stream, _)) = self.listener.accept() else {
                continue;
            };
            if self.idle.fetch_sub(1, Ordering::AcqRel) <= IDLE_MIN {
                self.start_thread();
            }
            // An error means that the client has closed the connection.
            let _ = self.serve_connection(stream, &mut buffer);
            if self.idle.fetch_add(1, Ordering::AcqRel) >= IDLE_MAX {
                self.idle.fetch_sub(1, Ordering::AcqRel);
                return;
            }
        }
    }

    /// Serves a connection until it ends.
    fn serve_connection(&self, mut stream: TcpStream, buffer: &mut [u8]) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut filled = 0;
        loop {
            let Some((length, is_last)) = first_request(&buffer[..filled]) else {
                match stream.read(&mut buffer[filled..])? {
                    0 => return Ok(()),
                    count => filled += count,
                }
                continue;
            };
            let response = if is_last { &self.last } else { &self.kept };
            stream.write_all(response)?;
            if is_last {
                return Ok(());
            }
            buffer.copy_within(length..filled, 0);
            filled -= length;
        }
    }
}

/// The length of the first request, and whether it has `Connection: close`; `None` if the request is incomplete.
fn first_request(bytes: &[u8]) -> Option<(usize, bool)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let (mut length, mut is_last) = (0, false);
    for line in bytes[..end].split(|octet| *octet == b'\n') {
        if let Some(value) = value_of(b"content-length:", line) {
            let digits = value.iter().filter(|octet| octet.is_ascii_digit());
            length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
        } else if let Some(value) = value_of(b"connection:", line) {
            is_last = value.eq_ignore_ascii_case(b"close");
        }
    }
    (bytes.len() >= end + length).then_some((end + length, is_last))
}

/// The value of a field line, if the line has this field name. `name` ends with the colon.
fn value_of<'l>(name: &[u8], line: &'l [u8]) -> Option<&'l [u8]> {
    let (line_name, value) = line.split_at_checked(name.len())?;
    line_name.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}
