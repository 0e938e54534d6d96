//! What to say where a backend did not answer, or its answer cannot be used whatever was asked.

use std::io;

use super::{PATIENCE, shown};
use crate::http::{ResponseError, ResponseFraming, Url};
use crate::net::{Answer, End, Trouble};

/// Bytes of an answer that a sentence quotes.
pub(super) const QUOTED: usize = 100;

/// Why there was no answer from this URL, and what to do about it.
pub(crate) fn of_trouble(trouble: &Trouble, url: &Url) -> String {
    let seconds = PATIENCE.as_secs();
    match trouble {
        Trouble::Resolve(error) => format!(
            "the name {} cannot be resolved ({error}); is it spelled right, and does it have a DNS record?",
            url.host()
        ),
        Trouble::Connect(address, error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            format!(
                "nothing listens at {address}; does the program run, and is {} its port?",
                url.port()
            )
        }
        Trouble::Connect(address, error) => {
            format!("cannot connect to {address}: {error}; is that the server's address?")
        }
        Trouble::ConnectTimeout(address) => format!(
            "no connection to {address} within {seconds} s; do the firewall and the cloud's security \
             group let port {} in?",
            url.port()
        ),
        Trouble::Closed => "the connection was closed without an answer; \
             the program's own log should say why"
            .to_owned(),
        Trouble::Timeout => format!(
            "connected, but no answer within {seconds} s, which is as long as WeChat waits; \
             is the program busy, or does it wait for something else?"
        ),
        Trouble::Head(ResponseError::NotHttp, front) if is_tls(front) => {
            "the answer is not HTTP but TLS; this port is for https, give the one that plain HTTP \
             is served at"
                .to_owned()
        }
        Trouble::Head(ResponseError::NotHttp, front) => format!(
            "the answer is not HTTP, it begins with \"{}\"; which program listens at this port?",
            shown(front, QUOTED)
        ),
        Trouble::Head(error, _) => {
            format!("the answer's head breaks HTTP: {error}; whatever writes it has to be mended")
        }
        Trouble::Unfinished => {
            "the answer's head has no end; an empty line (CRLF) ends it".to_owned()
        }
    }
}

/// An alert or handshake record (RFC 8446 5.1).
const fn is_tls(front: &[u8]) -> bool {
    matches!(front, [0x15 | 0x16, 0x03, ..])
}

/// Why WeChat would not even look at the content of this answer, and what to do about it.
pub(super) fn of_answer(answer: &Answer<'_>) -> Option<String> {
    if answer.head.status != 200 {
        return Some(of_status(answer));
    }
    let came = answer.content.len();
    let said = match answer.head.framing {
        ResponseFraming::Length(length) => format!("Content-Length says {length}"),
        ResponseFraming::Chunked => "it is chunked and the last chunk is missing".to_owned(),
        ResponseFraming::Close | ResponseFraming::None => "it ends with the connection".to_owned(),
    };
    match answer.end {
        End::Whole => None,
        End::Closed => Some(format!(
            "the content is not whole: {said}, and the connection was closed after {came} bytes; \
             count Content-Length in bytes, not in characters"
        )),
        End::Timeout => Some(format!(
            "the content is not whole after {} s: {said}, and {came} bytes came; \
             count Content-Length in bytes, not in characters",
            PATIENCE.as_secs()
        )),
        End::TooLong => Some(format!(
            "the content is too long: {said}, and no answer to WeChat has over 64 KiB; \
             is this another program's page?"
        )),
        End::Chunk(error) => Some(format!(
            "the content's chunks break HTTP: {error}; whatever writes them has to be mended"
        )),
    }
}

fn of_status(answer: &Answer<'_>) -> String {
    let status = answer.head.status;
    let what_to_do = match status {
        300..=399 => {
            let location = shown(answer.head.location, QUOTED);
            return format!(
                "status {status}, a redirect to \"{location}\", and WeChat follows none; \
                 answer at this very URL, or enter the other one in the console"
            );
        }
        401 | 403 => "is the token the same on both sides, and does nothing else guard this URL?",
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

/// The first line of what a refusal says, unless it is a page.
fn says(content: &[u8]) -> String {
    let line = content
        .split(|&octet| matches!(octet, b'\r' | b'\n'))
        .next();
    match line {
        None | Some([] | [b'<', ..]) => String::new(),
        Some(line) => format!(", and it says \"{}\"", shown(line, QUOTED)),
    }
}
