//! The token check (接入指南). WeChat sends a signed GET request, and the content of the answer must be the value of the
//! parameter `echostr` and nothing else.

use std::net::IpAddr;

use super::check::{Check, Finding};
use super::content::{check_text, is_html};
use super::fault::{Fault, check_answer};
use super::search::find;
use super::signed_query::{SignedQuery, random_number, request_head};
use super::timing::WECHAT_TIMEOUT;
use crate::client::{Client, ExchangeError, ReceivedResponse};
use crate::http::{ResponseFraming, Url};
use crate::text::display::excerpt;
use crate::wechat::Token;

/// Minimum length of an answer that is reported as the truncated echostr. A shorter text may equal the beginning of the
/// echostr by chance.
const TRUNCATED_MIN: usize = 8;

/// A token check of the backend at a URL.
pub(crate) struct TokenCheck<'c> {
    url: &'c Url,
    token: &'c Token,
    now: u64,
    /// 19 digits, as WeChat sends.
    echostr: String,
}

impl<'c> TokenCheck<'c> {
    /// Makes a token check with the timestamp `now`, in seconds since 1970.
    pub(crate) fn new(url: &'c Url, token: &'c Token, now: u64) -> Self {
        const MIN: u64 = 1_000_000_000_000_000_000;
        Self { url, token, now, echostr: (MIN + random_number() % (9 * MIN)).to_string() }
    }

    /// Warns of a URL that WeChat cannot reach. Sends the request. If the answer contains the echostr, sends a second
    /// request, with a wrong signature. Passes each result to `report`.
    ///
    /// # Errors
    /// The errors of `report`.
    pub(crate) fn run<E>(&self, mut report: impl FnMut(Check) -> Result<(), E>) -> Result<(), E> {
        let signed = SignedQuery::new(self.token, self.now);
        let fault = |error| Check::from(Fault::from_exchange(error, self.url));
        let mut client = match Client::resolve(self.url) {
            Ok(client) => client,
            Err(error) => return report(fault(error)),
        };
        self.warnings(&client).into_iter().try_for_each(&mut report)?;
        let answer = match client.exchange(&self.request(&signed), WECHAT_TIMEOUT) {
            Ok(answer) => answer,
            Err(error) => return report(fault(error)),
        };
        self.judge(&answer).into_iter().try_for_each(&mut report)?;
        if answer.head.status != 200 || self.split_at_echostr(answer.content).is_none() {
            return Ok(());
        }
        let accepted = answer.content.to_vec();
        let wrong = SignedQuery::new(self.token, self.now).with_wrong_signature();
        let mut client = client.with_own_connection();
        let answer = client.exchange(&self.request(&wrong), WECHAT_TIMEOUT);
        report(self.judge_wrong_signature(answer, &accepted))
    }

    /// Warns of a port and an address that WeChat does not call, unless the host is for tests only.
    fn warnings(&self, client: &Client) -> Vec<Check> {
        let mut warnings = Vec::new();
        if !is_test_host(self.url.host()) {
            let port = self.url.port();
            if port != 80 && port != 443 {
                warnings.push(Check::warning(Finding::PortNotCalled { port }));
            }
            if !client.has_ipv4() {
                warnings.push(Check::warning(Finding::NoIpv4));
            }
        }
        warnings
    }

    /// Path and query of a signed request, and the content that the answer must have. They are for requests that another
    /// program sends.
    pub(crate) fn signed_target(&self) -> (String, &str) {
        (self.target(&SignedQuery::new(self.token, self.now)), &self.echostr)
    }

    /// Path and query of a request. The parameters have the order of a captured request.
    fn target(&self, query: &SignedQuery) -> String {
        let parameters = format!("{}&echostr={}", query.parameters(), self.echostr);
        self.url.target_with(&parameters)
    }

    fn request(&self, query: &SignedQuery) -> Vec<u8> {
        let target = self.target(query);
        format!("{}\r\n", request_head("GET", &target, self.url)).into_bytes()
    }

    fn judge(&self, answer: &ReceivedResponse<'_>) -> Vec<Check> {
        if let Err(fault) = check_answer(answer) {
            return vec![Check::from(fault)];
        }
        let took = answer.took;
        let mut checks = vec![Check::ok(Finding::StatusOk { took })];
        checks.push(match self.check_content(answer.content) {
            Ok(()) => Check::ok(Finding::EchostrReturned),
            Err(finding) => Check::error(finding),
        });
        if answer.head.framing == ResponseFraming::Chunked {
            checks.push(Check::warning(Finding::EchostrChunked));
        }
        checks
    }

    /// The content before and after the echostr; `None` if the echostr is not in it.
    fn split_at_echostr<'a>(&self, content: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let echostr = self.echostr.as_bytes();
        let start = find(content, echostr)?;
        Some((&content[..start], &content[start + echostr.len()..]))
    }

    fn check_content(&self, content: &[u8]) -> Result<(), Finding> {
        if content.is_empty() {
            return Err(Finding::EchostrMissing);
        }
        let Some((before, after)) = self.split_at_echostr(content) else {
            return Err(self.check_other_content(content));
        };
        let is_space = |part: &[u8]| part.trim_ascii().is_empty();
        Err(match (before, after) {
            ([], []) => return Ok(()),
            ([b'"', ..], [b'"', ..]) | ([b'\'', ..], [b'\'', ..]) => Finding::EchostrQuoted,
            ([0xEF, 0xBB, 0xBF, ..], _) => Finding::ByteOrderMark,
            ([], _) if is_space(after) => Finding::EchostrBeforeSpace,
            _ if is_space(before) && is_space(after) => Finding::EchostrAfterSpace,
            _ if is_html(content) => Finding::EchostrInHtml { before: excerpt(before) },
            _ => Finding::EchostrSurrounded { before: excerpt(before), after: excerpt(after) },
        })
    }

    /// Finds the reason for content that does not contain the echostr.
    fn check_other_content(&self, content: &[u8]) -> Finding {
        if let Err(finding) = check_text(content) {
            return finding;
        }
        if content.len() >= TRUNCATED_MIN && self.echostr.as_bytes().starts_with(content) {
            let (received, sent) = (content.len(), self.echostr.len());
            return Finding::EchostrTruncated { received, sent };
        }
        let excerpt = excerpt(content);
        Finding::EchostrReplaced { excerpt }
    }

    /// Judges the answer to a request with a wrong signature. If it equals the answer to the right signature, the
    /// backend does not check signatures. An answer that only contains the echostr proves nothing, because an error page
    /// may show the URL.
    fn judge_wrong_signature(
        &self,
        answer: Result<ReceivedResponse<'_>, ExchangeError>,
        accepted: &[u8],
    ) -> Check {
        match answer {
            Ok(answer) if answer.head.status == 200 && answer.content == accepted => {
                Check::error(Finding::WrongSignatureAccepted)
            }
            Ok(answer)
                if answer.head.status == 200
                    && accepted != self.echostr.as_bytes()
                    && self.split_at_echostr(answer.content).is_some() =>
            {
                Check::warning(Finding::WrongSignatureNotJudged)
            }
            Ok(answer) => Check::ok(Finding::WrongSignatureRefused { status: answer.head.status }),
            Err(error) => Check::warning(Finding::WrongSignatureUnanswered {
                fault: Fault::from_exchange(error, self.url),
            }),
        }
    }
}

/// Whether a host is only for tests, because it is part of this machine or of a private network: `localhost`, a name
/// without a dot, or a loopback, link-local or private address.
fn is_test_host(host: &str) -> bool {
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_link_local() || address.is_private()
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unicast_link_local() || address.is_unique_local()
        }
        Err(_) => !host.contains('.') || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::is_test_host;

    #[test]
    fn hosts_of_this_machine_and_of_private_networks_are_for_tests() {
        for host in
            ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.1.1", "::1", "fd00::1", "fe80::1"]
        {
            assert!(is_test_host(host), "{host}");
        }
        assert!(["localhost", "wechat", "a.localhost"].into_iter().all(is_test_host));
        assert!(!["example.com", "1.2.3.4", "2001:db8::1"].into_iter().any(is_test_host));
    }
}
