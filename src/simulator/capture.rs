//! A captured request, sent again, and the captured response that its answer is compared with.

use std::borrow::Cow;
use std::fmt;
use std::iter::repeat;

use crate::http::{Chunked, Framing, Head, RequestError, ResponseHead, Target};
use crate::text::display::escape_for_terminal;
use crate::wechat::{Envelope, Token};
use crate::xml::Document;

/// The bytes of one captured request.
pub(crate) struct Capture(pub(crate) Vec<u8>);

/// Why a capture cannot be sent, or signed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureError {
    /// So many bytes stand behind its request.
    Behind(usize),
    /// So many bytes of its content are missing.
    Short(usize),
    /// Its first line is no request line.
    RequestLine,
    /// Its query lacks this parameter.
    Missing(&'static str),
    /// Its query has a `msg_signature`, and its content no `Encrypt` that it could be over.
    Encrypt,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind(count) => write!(f, "{count} bytes behind the request, none allowed"),
            Self::Short(count) => {
                write!(
                    f,
                    "{count} bytes less than Content-Length says, none may be missing"
                )
            }
            Self::RequestLine => f.write_str("no request line to sign"),
            Self::Missing(name) => write!(f, "no parameter {name} to sign anew"),
            Self::Encrypt => f.write_str("msg_signature without an element Encrypt to sign anew"),
        }
    }
}

impl Capture {
    /// The bytes of a file, which hold one request. One that HTTP would refuse is as good as any
    /// other: the answer says so.
    ///
    /// # Errors
    /// `Behind` or `Short`
    pub(crate) fn of(bytes: Vec<u8>) -> Result<Self, CaptureError> {
        let whole = match Head::parse(&bytes) {
            Ok(Some((head, length))) => match head.framing {
                Framing::None => length,
                Framing::Length(content) => length.saturating_add(content),
                Framing::Chunked => {
                    let behind = bytes.get(length..).unwrap_or(b"");
                    let taken = Chunked::default().take(behind, &mut Vec::new());
                    taken.map_or(usize::MAX, |taken| length.saturating_add(taken))
                }
            },
            Ok(None) | Err(_) => usize::MAX,
        };
        match (bytes.len().checked_sub(whole), whole) {
            (Some(0), _) | (None, usize::MAX) => Ok(Self(bytes)),
            (Some(count), _) => Err(CaptureError::Behind(count)),
            (None, _) => Err(CaptureError::Short(whole.saturating_sub(bytes.len()))),
        }
    }

    /// The same with this timestamp, in seconds since 1970, and the signature that it takes with the
    /// token and the nonce that is there; so for `msg_signature`, where one is there. Everything else
    /// stays as it is, byte for byte.
    ///
    /// # Errors
    /// `RequestLine`, `Missing` or `Encrypt`.
    pub(crate) fn resigned(&self, token: &Token, now: u64) -> Result<Self, CaptureError> {
        let (before, query, after) = split_query(&self.0).ok_or(CaptureError::RequestLine)?;
        let target = [b"/?", query].concat();
        let target = Target::origin(&target).map_err(|_| CaptureError::RequestLine)?;
        let value = |name: &'static str| {
            let mut parameters = target.query().parameters();
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
        let msg_signature = match value("msg_signature") {
            Ok(before) if !before.is_empty() => {
                self.sign_message(token, timestamp.as_bytes(), &nonce)?
            }
            Ok(_) | Err(_) => String::new(),
        };
        let resigned = |parameter: &[u8]| match parameter.split(|octet| *octet == b'=').next() {
            Some(b"msg_signature") => format!("msg_signature={msg_signature}").into_bytes(),
            Some(b"signature") => format!("signature={signature}").into_bytes(),
            Some(b"timestamp") => format!("timestamp={timestamp}").into_bytes(),
            _ => parameter.to_vec(),
        };
        let parameters: Vec<Vec<u8>> = query.split(|octet| *octet == b'&').map(resigned).collect();
        Ok(Self([before, &parameters.join(&b'&'), after].concat()))
    }
}

impl Capture {
    fn sign_message(
        &self,
        token: &Token,
        timestamp: &[u8],
        nonce: &[u8],
    ) -> Result<String, CaptureError> {
        let content = self.content();
        let xml = Document::parse_message(&content).map_err(|_| CaptureError::Encrypt)?;
        let envelope = Envelope::parse(&xml).map_err(|_| CaptureError::Encrypt)?;
        let signature = token.sign_message(timestamp, nonce, envelope.encrypt());
        Ok(signature.to_string())
    }

    /// The content, as far as there is one.
    fn content(&self) -> Cow<'_, [u8]> {
        let Ok(Some((head, length))) = Head::parse(&self.0) else {
            return Cow::Borrowed(b"");
        };
        let body = self.0.get(length..).unwrap_or(b"");
        if head.framing != Framing::Chunked {
            return Cow::Borrowed(body);
        }
        let mut content = Vec::new();
        // Where the chunks are odd, what stands in front of that.
        let _: Result<usize, RequestError> = Chunked::default().take(body, &mut content);
        Cow::Owned(content)
    }
}

/// What stands before, in and behind the query of the target of a request line; `None` where there is
/// no such line. An empty line may stand in front of it (RFC 9112 2.2).
fn split_query(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let skipped = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let line = bytes
        .get(skipped..)?
        .split(|octet| *octet == b'\n')
        .next()?;
    let is_space = |octet: &u8| *octet == b' ';
    let first = line.iter().position(is_space)?.checked_add(1)?;
    let last = line.iter().rposition(is_space)?;
    let target = line.get(first..last)?;
    let path = target.iter().position(|octet| *octet == b'?');
    let path = path.map_or(target.len(), |at| at.saturating_add(1));
    let (before, rest) = bytes.split_at_checked(skipped.checked_add(first)?.checked_add(path)?)?;
    let (query, after) = rest.split_at_checked(target.len().checked_sub(path)?)?;
    Some((before, query, after))
}

/// The bytes of the final response. Whether there are interim ones in front of it is a matter of how
/// fast a request came, and a client drops them.
fn without_interim(mut response: &[u8]) -> &[u8] {
    while let Ok(Some((head, length))) = ResponseHead::parse(response, false)
        && head.is_interim()
    {
        response = response.get(length..).unwrap_or(b"");
    }
    response
}

/// Where two responses part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The lines from the first to the last that differ, as captured and as answered; of many, the
    /// first.
    pub(crate) expected: Vec<String>,
    pub(crate) found: Vec<String>,
    /// The first byte that differs, counted from 1, and what it is in the two; `None` where one of the
    /// two has ended.
    pub(crate) at: usize,
    pub(crate) bytes: (Option<u8>, Option<u8>),
}

/// Lines that a difference shows of each response, and characters of each.
const LINES: usize = 20;
const LINE: usize = 400;

/// Bytes in front of the first difference that its line shows, where that is too long.
const IN_FRONT: usize = 100;

impl Difference {
    /// Compares an answer with the captured response. The value of Date and the digits of CreateTime
    /// are those of another day, and count by their length alone.
    pub(crate) fn between(expected: &[u8], found: &[u8]) -> Option<Self> {
        let expected = without_interim(expected);
        let (old, new) = (undated(expected), undated(found));
        let at = common(old.iter(), new.iter());
        if at == old.len() && at == new.len() {
            return None;
        }
        let (old, new) = (lines(&old), lines(&new));
        let in_front = common(old.iter(), new.iter());
        let behind = common(
            old.iter().skip(in_front).rev(),
            new.iter().skip(in_front).rev(),
        );
        let start: usize = old.iter().take(in_front).map(|line| line.len()).sum();
        let texts = |response| {
            let lines = lines(response);
            let count = lines.len().saturating_sub(in_front).saturating_sub(behind);
            let differing = lines.iter().skip(in_front).take(count.min(LINES));
            // Of the first line, what stands around the first difference.
            let around = [at.saturating_sub(start)].into_iter().chain(repeat(0));
            let mut texts: Vec<String> = differing
                .zip(around)
                .map(|(line, around)| window(line, around))
                .collect();
            if count > LINES {
                texts.push(format!("… {} more lines", count.saturating_sub(LINES)));
            }
            texts
        };
        Some(Self {
            expected: texts(expected),
            found: texts(found),
            at: at.saturating_add(1),
            bytes: (expected.get(at).copied(), found.get(at).copied()),
        })
    }
}

/// How many are the same until the first that is not.
fn common<T: PartialEq>(one: impl Iterator<Item = T>, other: impl Iterator<Item = T>) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// A line, or of a long one what stands around this byte of it.
fn window(line: &[u8], around: usize) -> String {
    let from = around.saturating_sub(IN_FRONT);
    match line.get(from..) {
        Some(rest) if from > 0 && line.len() > LINE => {
            // Not from the middle of a character on.
            let cut = rest
                .iter()
                .take_while(|octet| matches!(octet, 0x80..=0xBF))
                .count();
            format!(
                "…{}",
                escape_for_terminal(rest.get(cut..).unwrap_or(b""), LINE)
            )
        }
        _ => escape_for_terminal(line, LINE),
    }
}

/// The response with a dash for each byte of the value of Date, and for each digit of CreateTime.
fn undated(response: &[u8]) -> Vec<u8> {
    let is_open = |before: &[u8]| {
        before.ends_with(b"<CreateTime>") || before.ends_with(b"<CreateTime><![CDATA[")
    };
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
                true => at >= 5 && !matches!(octet, b'\r' | b'\n'),
                false => {
                    octet.is_ascii_digit() && (is_value || line.get(..at).is_some_and(is_open))
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
