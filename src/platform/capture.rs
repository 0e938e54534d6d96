//! A captured request, sent again, and the captured response that its answer is compared with.

use std::fmt;

use super::shown;
use crate::account::Token;
use crate::http::Target;

/// The bytes of one captured request.
pub(crate) struct Capture(pub(crate) Vec<u8>);

/// Why a capture cannot be signed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureError {
    /// Its first line is no request line.
    RequestLine,
    /// Its query lacks this parameter.
    Missing(&'static str),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestLine => {
                f.write_str("does not begin with a request line, so it cannot be signed")
            }
            Self::Missing(name) => write!(f, "has no parameter {name} that could be signed anew"),
        }
    }
}

impl Capture {
    /// The same with this timestamp, in seconds since 1970, and the signature that it takes with the
    /// token and the nonce that is there. Everything else stays as it is, byte for byte.
    pub(crate) fn resigned(&self, token: &Token, now: u64) -> Result<Self, CaptureError> {
        let (before, target, after) = split_target(&self.0).ok_or(CaptureError::RequestLine)?;
        let read = Target::origin(target).map_err(|_| CaptureError::RequestLine)?;
        let value = |name: &'static str| {
            let mut parameters = read.query().parameters();
            let found = parameters.find(|(found, _)| **found == *name.as_bytes());
            found
                .map(|(_, value)| value)
                .ok_or(CaptureError::Missing(name))
        };
        let nonce = value("nonce")?;
        value("signature")?;
        value("timestamp")?;
        let timestamp = now.to_string();
        let signature = token.sign(timestamp.as_bytes(), &nonce).to_string();
        let mut bytes = before.to_vec();
        for part in target.split_inclusive(|octet| matches!(octet, b'?' | b'&')) {
            let new = match part.split(|octet| *octet == b'=').next() {
                Some(b"signature") => &signature,
                Some(b"timestamp") => &timestamp,
                _ => {
                    bytes.extend_from_slice(part);
                    continue;
                }
            };
            bytes.extend(part.iter().take_while(|octet| **octet != b'='));
            bytes.push(b'=');
            bytes.extend_from_slice(new.as_bytes());
            bytes.extend(part.last().filter(|octet| **octet == b'&'));
        }
        bytes.extend_from_slice(after);
        Ok(Self(bytes))
    }
}

/// What stands before, in and behind the target of a request line.
fn split_target(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let line = bytes.split(|octet| *octet == b'\n').next()?;
    let first = line
        .iter()
        .position(|octet| *octet == b' ')?
        .checked_add(1)?;
    let last = line.iter().rposition(|octet| *octet == b' ')?;
    let (before, rest) = bytes.split_at_checked(first)?;
    let (target, after) = rest.split_at_checked(last.checked_sub(first)?)?;
    Some((before, target, after))
}

/// Where two responses part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The lines that only the captured response has, and those that only the answer has.
    pub(crate) expected: Vec<String>,
    pub(crate) found: Vec<String>,
    /// The first byte that differs, counted from 1 in the captured response, and the two bytes; none
    /// where one of the two has ended.
    pub(crate) at: usize,
    pub(crate) bytes: (Option<u8>, Option<u8>),
}

/// Characters of a line that a difference shows.
const LINE: usize = 400;

impl Difference {
    /// Compares an answer with the captured response. The value of Date and the digits of CreateTime
    /// are those of another day, and count by their length alone.
    pub(crate) fn between(expected: &[u8], found: &[u8]) -> Option<Self> {
        let (expected, found) = (undated(expected), undated(found));
        let at = expected
            .iter()
            .zip(&found)
            .position(|(one, other)| one != other)
            .unwrap_or(expected.len().min(found.len()));
        if at == expected.len() && at == found.len() {
            return None;
        }
        let mut lines = (lines(&expected), lines(&found));
        while lines
            .0
            .first()
            .is_some_and(|line| lines.1.first() == Some(line))
        {
            lines.0.remove(0);
            lines.1.remove(0);
        }
        while lines
            .0
            .last()
            .is_some_and(|line| lines.1.last() == Some(line))
        {
            lines.0.pop();
            lines.1.pop();
        }
        let texts = |lines: Vec<&[u8]>| lines.into_iter().map(|line| shown(line, LINE)).collect();
        Some(Self {
            expected: texts(lines.0),
            found: texts(lines.1),
            at: at.saturating_add(1),
            bytes: (expected.get(at).copied(), found.get(at).copied()),
        })
    }
}

/// The response with a dash for each byte of the value of Date, and for each digit of CreateTime.
fn undated(response: &[u8]) -> Vec<u8> {
    const OPEN: &[u8] = b"<CreateTime>";
    let mut bytes = Vec::with_capacity(response.len());
    let mut is_head = true;
    for line in lines(response) {
        let line_end = matches!(line, b"\r\n" | b"\n");
        is_head &= !line_end;
        let mut is_value = false;
        let has_date = is_head
            && line
                .get(..5)
                .is_some_and(|name| name.eq_ignore_ascii_case(b"Date:"));
        for (at, octet) in line.iter().enumerate() {
            is_value = match has_date {
                true => at > 5 && !matches!(octet, b'\r' | b'\n'),
                false => {
                    octet.is_ascii_digit()
                        && (is_value || line.get(..at).is_some_and(|before| before.ends_with(OPEN)))
                }
            };
            bytes.push(if is_value { b'-' } else { *octet });
        }
    }
    bytes
}

/// Each with its end.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|octet| *octet == b'\n').collect()
}
