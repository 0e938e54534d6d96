//! The token check (接入指南): a signed GET whose `echostr` must come back, and nothing with it.

use super::faults::{self, of_trouble};
use super::signed_query::request_head;
use super::{Check, PATIENCE, SignedQuery, random};
use crate::client::{Answer, Client, ExchangeError};
use crate::http::{ResponseFraming, Url};
use crate::text::display::{excerpt, format_duration};
use crate::wechat::Token;

/// As many of its first bytes do not come back by chance.
const CUT_MIN: usize = 8;

/// A token check of the backend at a URL.
pub(crate) struct TokenCheck<'c> {
    url: &'c Url,
    token: &'c Token,
    now: u64,
    /// 19 digits, as WeChat's own have.
    echostr: String,
}

impl<'c> TokenCheck<'c> {
    /// One that is made now, in seconds since 1970.
    pub(crate) fn new(url: &'c Url, token: &'c Token, now: u64) -> Self {
        const LEAST: u64 = 1_000_000_000_000_000_000;
        const NUMBERS: u64 = 9 * LEAST;
        let echostr = (random() % NUMBERS).saturating_add(LEAST).to_string();
        Self {
            url,
            token,
            now,
            echostr,
        }
    }

    /// Makes it, and then once more with a signature that is wrong, and tells each thing that it finds
    /// out.
    ///
    /// # Errors
    /// Those of `tell`.
    pub(crate) fn run<E>(&self, tell: impl Fn(Check) -> Result<(), E>) -> Result<(), E> {
        let trouble = |trouble| Check::error(of_trouble(&trouble, self.url));
        let mut client = match Client::of(self.url) {
            Ok(client) => client,
            Err(unresolved) => return tell(trouble(unresolved)),
        };
        let right = self.request(&SignedQuery::new(self.token, self.now));
        let passed = match client.exchange(&right, PATIENCE) {
            Ok(answer) => {
                self.judge(&answer).into_iter().try_for_each(&tell)?;
                let is_echoed = self.echostr_in(answer.content).is_some();
                let is_passed = answer.head.status == 200 && is_echoed;
                is_passed.then(|| answer.content.to_vec())
            }
            Err(error) => return tell(trouble(error)),
        };
        if let Some(content) = passed {
            let wrong = self.request(&SignedQuery::new(self.token, self.now).forged());
            let mut client = client.another();
            tell(self.judge_forged(client.exchange(&wrong, PATIENCE), &content))?;
        }
        Ok(())
    }

    /// The request, with the parameters in the order of a captured one.
    fn request(&self, signed_query: &SignedQuery) -> Vec<u8> {
        let parameters = format!("{}&echostr={}", signed_query.parameters(), self.echostr);
        let target = self.url.target_with(&parameters);
        format!("{}\r\n", request_head("GET", &target, self.url)).into_bytes()
    }

    fn judge(&self, answer: &Answer<'_>) -> Vec<Check> {
        if let Some(text) = faults::of_answer(answer) {
            return vec![Check::error(text)];
        }
        let took = format_duration(answer.took);
        let mut checks = vec![Check::ok(format!("status 200 after {took}"))];
        checks.push(match self.fault_of(answer.content) {
            Some(text) => Check::error(text),
            None => Check::ok("the echostr came back, and nothing else"),
        });
        if answer.head.framing == ResponseFraming::Chunked {
            checks.push(Check::warning(
                "the answer is chunked, with which the check is reported to fail in places; \
                 send it with Content-Length",
            ));
        }
        checks
    }

    /// At which byte of the content the echostr begins.
    fn echostr_in(&self, content: &[u8]) -> Option<usize> {
        let echostr = self.echostr.as_bytes();
        content
            .windows(echostr.len())
            .position(|window| window == echostr)
    }

    /// What is wrong with the content of an answer to the right signature.
    fn fault_of(&self, content: &[u8]) -> Option<String> {
        let echostr = self.echostr.as_bytes();
        if content == echostr {
            return None;
        }
        if content.is_empty() {
            return Some(
                "the answer is empty; it has to be the value of the parameter echostr".to_owned(),
            );
        }
        let at = self.echostr_in(content);
        let Some((before, rest)) = at.and_then(|at| content.split_at_checked(at)) else {
            return Some(self.fault_without_echostr(content));
        };
        let after = rest.get(echostr.len()..).unwrap_or(b"");
        let is_blank = |part: &[u8]| part.trim_ascii().is_empty();
        Some(match (before, after) {
            ([b'"', ..], [b'"', ..]) | ([b'\'', ..], [b'\'', ..]) => {
                "the echostr came back in quotes, as frameworks write a string in JSON; \
                 send it as plain text (text/plain)"
                    .to_owned()
            }
            ([0xEF, 0xBB, 0xBF, ..], _) => {
                "a byte order mark (EF BB BF) came back in front of the echostr; \
                 save the program's files as UTF-8 without BOM"
                    .to_owned()
            }
            (before, after) if is_blank(before) && is_blank(after) => {
                if before.is_empty() {
                    "a line end or space came back behind the echostr; \
                     print it without one, and look for blank lines at the end of the program's files"
                        .to_owned()
                } else {
                    "a blank line or space came back in front of the echostr; \
                     look for one at the start of the program's files"
                        .to_owned()
                }
            }
            (before, _) if is_page(content) => format!(
                "the echostr came back in HTML ({} in front of it); send it alone, as plain text",
                excerpt(before)
            ),
            (before, after) => {
                let parts = [(before, "in front of"), (after, "behind")];
                let around = parts.into_iter().filter(|(part, _)| !part.is_empty());
                let around: Vec<String> = around
                    .map(|(part, where_)| format!("{} {where_} it", excerpt(part)))
                    .collect();
                format!(
                    "the echostr came back with {}; send it alone",
                    around.join(" and ")
                )
            }
        })
    }

    fn fault_without_echostr(&self, content: &[u8]) -> String {
        let text = excerpt(content);
        if let Some(fault) = faults::of_encoding(content) {
            format!("another text came back instead of the echostr: {fault}")
        } else if content.len() >= CUT_MIN && self.echostr.as_bytes().starts_with(content) {
            format!(
                "only the first {} of the {} bytes of the echostr came back; is Content-Length too small?",
                content.len(),
                self.echostr.len()
            )
        } else if is_page(content) {
            format!(
                "an HTML page came back instead of the echostr: {text}; is this the URL of the program?"
            )
        } else {
            format!(
                "another text came back instead of the echostr: {text}; is the token the same on \
                 both sides, and does the query (?signature=…) reach the program?"
            )
        }
    }

    /// A backend that answers a wrong signature with what it answers a right one checks nothing. An
    /// error page may hold the echostr too, because it shows the URL.
    fn judge_forged(&self, answer: Result<Answer<'_>, ExchangeError>, passed: &[u8]) -> Check {
        match answer {
            Ok(answer) if answer.head.status == 200 && answer.content == passed => Check::error(
                "a wrong signature passes too: the program checks none, so anybody can send it \
                 messages; compare signature with the sha1 of token, timestamp and nonce, sorted",
            ),
            Ok(answer) => Check::ok(format!(
                "a wrong signature is refused, with status {}",
                answer.head.status
            )),
            Err(trouble) => Check::warning(format!(
                "a wrong signature gets no answer: {}",
                of_trouble(&trouble, self.url)
            )),
        }
    }
}

/// Whether it begins like a page of HTML.
pub(super) fn is_page(content: &[u8]) -> bool {
    let begins = |tag: &[u8]| {
        content
            .trim_ascii_start()
            .get(..tag.len())
            .is_some_and(|front| front.eq_ignore_ascii_case(tag))
    };
    [
        b"<!doctype html".as_slice(),
        b"<html",
        b"<head",
        b"<body",
        b"<p>",
        b"<pre",
        b"<div",
        b"<h1",
        b"<br",
    ]
    .into_iter()
    .any(begins)
}
