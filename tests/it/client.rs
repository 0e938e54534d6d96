//! The HTTP client of the commands that play WeChat, and when it uses a connection again.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use wechat::client::{BodyEnd, Client};
use wechat::http::Url;

use crate::support::tools::{backend, ok, read_request};
use crate::support::{TIMEOUT, get};

/// The request lines that a backend read, by connection.
type Connections = Arc<Mutex<Vec<Vec<String>>>>;

/// A backend that sends this response to each request and never closes a connection.
fn keeping(answer: Vec<u8>) -> (SocketAddr, Connections) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Connections::default();
    let connections = seen.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = Vec::new();
            connections.lock().unwrap().push(Vec::new());
            loop {
                let request = read_request(&mut stream);
                let Some(line) = request.lines().next() else {
                    break;
                };
                lines.push(line.to_owned());
                *connections.lock().unwrap().last_mut().unwrap() = lines.clone();
                // This fails if the client has closed the connection.
                let _ = stream.write_all(&answer);
            }
        }
    });
    (address, seen)
}

/// Sends `GET /1` to `GET /4` with one client. Each request must get a complete response with status 200.
#[track_caller]
fn exchange_four(address: SocketAddr) {
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    let mut client = Client::resolve(&url).unwrap();
    for number in 1..=4 {
        let answer = client.exchange(&get(&format!("/{number}")), TIMEOUT).unwrap();
        assert_eq!((answer.head.status, answer.end), (200, BodyEnd::Whole));
    }
}

#[test]
fn kept_connection_is_used_for_the_next_request() {
    let (address, seen) = keeping(ok("success"));
    exchange_four(address);
    let lines = [1, 2, 3, 4].map(|number| format!("GET /{number} HTTP/1.1"));
    assert_eq!(*seen.lock().unwrap(), [lines]);
}

#[test]
fn connection_that_the_answer_closes_is_not_used_again() {
    let closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let (address, seen) = keeping(closing.to_vec());
    exchange_four(address);
    assert_eq!(seen.lock().unwrap().len(), 4);
}

/// Otherwise the client would read the surplus bytes as the response to the next request.
#[test]
fn connection_with_surplus_bytes_is_not_used_again() {
    let (address, seen) = keeping([ok("success"), ok("success")].concat());
    exchange_four(address);
    assert_eq!(seen.lock().unwrap().len(), 4);
}

#[test]
fn request_is_sent_again_when_the_kept_connection_was_closed() {
    exchange_four(backend(|_| ok("success")));
}
