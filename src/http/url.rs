//! The URL of a backend, as entered in the WeChat console (RFC 9110 4.2.1).

use std::fmt;

use super::error::UrlError;
use super::target::{Target, parse_authority};

/// An `http://` URL: host, port, path and query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    authority: String,
    host: String,
    port: u16,
    target: String,
}

impl Url {
    /// `"http://" host [ ":" port ] path-abempty [ "?" query ]`
    ///
    /// # Errors
    /// [`UrlError`]
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        if scheme.eq_ignore_ascii_case("https") {
            return Err(UrlError::Https);
        }
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(UrlError::Scheme);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) = parse_authority(authority.as_bytes()).map_err(|_| UrlError::Host)?;
        Target::parse_origin(target.as_bytes()).map_err(|_| UrlError::Target)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            authority: authority.to_owned(),
            host: host.to_owned(),
            port: port.unwrap_or(80),
            target: format!("{slash}{target}"),
        })
    }

    /// `host [ ":" port ]`, for the Host field.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The name or address to connect to; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to, by default 80.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query for a request line, with these parameters appended.
    pub fn target_with(&self, parameters: &str) -> String {
        let separator = match self.target.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{separator}{parameters}", self.target)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.target)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[track_caller]
    fn assert_url(text: &str, host: &str, port: u16, target: &str) {
        let url = Url::parse(text).unwrap();
        let found = (url.host(), url.port(), url.target.as_str());
        assert_eq!(found, (host, port, target));
    }

    #[test]
    fn parses_host_port_and_target() {
        assert_url("http://example.com", "example.com", 80, "/");
        assert_url("HTTP://example.com:8000/wx/", "example.com", 8000, "/wx/");
        assert_url("http://[::1]:81/a?b=c", "::1", 81, "/a?b=c");
        assert_url("http://127.0.0.1?b", "127.0.0.1", 80, "/?b");
        assert_url("http://a:/%E5%BE%AE", "a", 80, "/%E5%BE%AE");
    }

    #[test]
    fn appends_parameters_to_those_of_the_url() {
        let with = |text| Url::parse(text).unwrap().target_with("x=1");
        assert_eq!(with("http://a"), "/?x=1");
        assert_eq!(with("http://a/b?"), "/b?x=1");
        assert_eq!(with("http://a/b?c=d"), "/b?c=d&x=1");
    }

    #[test]
    fn refuses_other_urls_with_the_reason() {
        let error = |text| Url::parse(text).unwrap_err();
        for text in ["", "example.com/wx", "127.0.0.1:8000", "ftp://a/", "http:/a"] {
            assert_eq!(error(text), UrlError::Scheme, "{text}");
        }
        assert_eq!(error("https://example.com/wx"), UrlError::Https);
        for text in [
            "http://",
            "http:///wx",
            "http://u@a/",
            "http://a:x/",
            "http://a:65536/",
            "http://::1/",
            "http://[1]/",
        ] {
            assert_eq!(error(text), UrlError::Host, "{text}");
        }
        for text in ["http://a/微信", "http://a/ b", "http://a/%zz", "http://a/#b", "http://a#b"]
        {
            assert_eq!(error(text), UrlError::Target, "{text}");
        }
    }
}
