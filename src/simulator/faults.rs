//! What to say where a backend did not answer, or its answer cannot be used whatever was asked.

use std::io;

use super::PATIENCE;
use crate::client::{Answer, BodyEnd, ExchangeError};
use crate::http::{ResponseError, ResponseFraming, Url};
use crate::text::display::excerpt;

/// Why there was no answer from this URL, and what to do about it.
pub(crate) fn of_trouble(trouble: &ExchangeError, url: &Url) -> String {
    let seconds = PATIENCE.as_secs();
    match trouble {
        ExchangeError::Resolve(error) => format!(
            "the name {} cannot be resolved ({error}); is it spelled right, and does it have a DNS record?",
            url.host()
        ),
        ExchangeError::Connect(address, error)
            if error.kind() == io::ErrorKind::ConnectionRefused =>
        {
            format!(
                "nothing listens at {address}; does the program run, and is {} its port?",
                url.port()
            )
        }
        ExchangeError::Connect(address, error) => {
            let of_address = [
                io::ErrorKind::HostUnreachable,
                io::ErrorKind::NetworkUnreachable,
                io::ErrorKind::AddrNotAvailable,
            ];
            let hint = match of_address.contains(&error.kind()) {
                true => "; is that the server's address?",
                false => "",
            };
            format!("cannot connect to {address}: {error}{hint}")
        }
        ExchangeError::ConnectTimeout(address) => format!(
            "no connection to {address} in time; do the firewall and the cloud's security \
             group let port {} in?",
            url.port()
        ),
        ExchangeError::Closed => {
            "the connection was closed without an answer; the program's own log \
             should say why, and a port for https does so too"
                .to_owned()
        }
        ExchangeError::Timeout => format!(
            "connected, but no answer within {seconds} s, which is as long as WeChat waits; \
             is the program busy, or does it wait for something else?"
        ),
        ExchangeError::Head(ResponseError::NotHttp, front) if is_tls(front) => {
            format!("the answer is not HTTP but TLS; {FOR_HTTPS}")
        }
        ExchangeError::Head(ResponseError::NotHttp, front) => format!(
            "the answer is not HTTP, it begins with {}; which program listens at this port?",
            excerpt(front)
        ),
        ExchangeError::Head(error, _) => {
            format!("the answer's head breaks HTTP: {error}; whatever writes it has to be mended")
        }
        ExchangeError::HeadClosed => {
            "the connection was closed in the middle of the answer's head; an empty line ends it"
                .to_owned()
        }
        ExchangeError::HeadTimeout => format!(
            "the answer's head is not whole after {seconds} s; it has to come faster, and an empty \
             line ends it"
        ),
    }
}

const FOR_HTTPS: &str = "this port is for https, give the one that plain HTTP is served at";

/// An alert or handshake record (RFC 8446 5.1).
const fn is_tls(front: &[u8]) -> bool {
    matches!(front, [0x15 | 0x16, 0x03, ..])
}

/// Why WeChat would not even look at the content of this answer, and what to do about it.
pub(crate) fn of_answer(answer: &Answer<'_>) -> Option<String> {
    if answer.head.status != 200 {
        return Some(of_status(answer));
    }
    of_content(answer)
}

/// Why the content of this answer is not whole, or more than whole.
pub(crate) fn of_content(answer: &Answer<'_>) -> Option<String> {
    let (came, seconds) = (answer.content.len(), PATIENCE.as_secs());
    if let ResponseFraming::Length(length) = answer.head.framing {
        let all = "is all sent that it counts?";
        return match answer.end {
            BodyEnd::TooLong => Some(too_long()),
            BodyEnd::Closed => Some(format!(
                "Content-Length says {length}, and the connection was closed after {came} bytes; {all}"
            )),
            BodyEnd::Timeout => Some(format!(
                "Content-Length says {length}, and after {seconds} s there are {came} bytes; {all}"
            )),
            BodyEnd::Whole | BodyEnd::Chunk(_) if answer.surplus > 0 => Some(format!(
                "Content-Length says {length}, and {} bytes more came behind them; it counts bytes, not characters",
                answer.surplus
            )),
            BodyEnd::Whole | BodyEnd::Chunk(_) => None,
        };
    }
    match answer.end {
        BodyEnd::Whole => None,
        BodyEnd::TooLong => Some(too_long()),
        BodyEnd::Chunk(error) => Some(format!(
            "the content's chunks break HTTP: {error}; whatever writes them has to be mended"
        )),
        BodyEnd::Closed if answer.head.framing == ResponseFraming::Close => {
            Some("the connection was reset in the middle of the content".to_owned())
        }
        BodyEnd::Closed => Some(
            "the connection was closed in the middle of a chunked content; a chunk of size 0 ends it"
                .to_owned(),
        ),
        BodyEnd::Timeout if answer.head.framing == ResponseFraming::Chunked => Some(format!(
            "the chunked content is not whole after {seconds} s; a chunk of size 0 ends it"
        )),
        BodyEnd::Timeout => Some(format!(
            "the content has no end after {seconds} s: no Content-Length, and the connection stays \
             open; send the one, or close the other"
        )),
    }
}

fn too_long() -> String {
    "the content is longer than 64 KiB, and no answer to WeChat is; is this another program's page?"
        .to_owned()
}

/// Why content is not the text that it may have been meant to be.
pub(super) fn of_encoding(content: &[u8]) -> Option<&'static str> {
    match content {
        [0x1F, 0x8B, ..] => {
            Some("it is compressed with gzip, which nothing asked for; switch that off here")
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [_, 0, ..] => {
            Some("it is UTF-16, and has to be UTF-8 without a byte order mark")
        }
        _ => None,
    }
}

fn of_status(answer: &Answer<'_>) -> String {
    let status = answer.head.status;
    if matches!(status, 300..=399) && !answer.head.location.is_empty() {
        return format!(
            "status {status}, a redirect to {}, and WeChat follows none; \
             answer at this very URL, or enter the other one in the console",
            excerpt(answer.head.location)
        );
    }
    let speaks_of = |word: &[u8]| {
        let mut windows = answer.content.windows(word.len());
        windows.any(|window| window == word)
    };
    let what_to_do = match status {
        // What nginx, Go and Apache say.
        400 if speaks_of(b"HTTPS") || speaks_of(b"SSL-enabled") => FOR_HTTPS,
        403 if speaks_of(b"only encrypted ones allowed") => {
            "wechat send --encrypted sends an encrypted one"
        }
        403 if speaks_of(b" this clock, at most ") => {
            "are both clocks right? What was captured is signed anew by wechat replay --resign"
        }
        401 | 403 => {
            "is the token the same on both sides (encrypted, the EncodingAESKey and the appid too), and does nothing else guard this URL?"
        }
        404 => "is this the path that the program serves?",
        405 => "the program has to take GET for the token check and POST for messages at one URL",
        502 | 504 => {
            "the proxy in front does not reach the program behind it; does that run, and where?"
        }
        500..=599 => "the program failed; its own log should say why",
        _ => "only 200 counts",
    };
    format!("status {status}{}; {what_to_do}", says(answer.content))
}

/// The first line of what a refusal says; of a page its title.
fn says(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let line = match text.split_once("<title>") {
        Some((_, behind)) => behind.split('<').next(),
        None => text.lines().next().filter(|line| !line.starts_with('<')),
    };
    match line.map(str::trim) {
        None | Some("") => String::new(),
        Some(line) => format!(", and it says {}", excerpt(line.as_bytes())),
    }
}
