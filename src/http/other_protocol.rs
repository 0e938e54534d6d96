//! Recognizes what clients and proxies with a wrong setting send instead of HTTP/1.x, so that the log can name it and
//! the setting.

/// Another protocol, or content without a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherProtocol {
    /// A handshake or alert record of TLS (RFC 8446 5.1), or the ClientHello of SSL 2.0 (RFC 5246 E.2).
    Tls,
    /// The connection preface of HTTP/2 (RFC 9113 3.4).
    Http2,
    /// The header of the PROXY protocol (haproxy.org, proxy-protocol.txt), in text (version 1) or binary (version 2).
    Proxy,
    /// A record of FastCGI, a packet of uwsgi, or a netstring of SCGI, which nginx sends for `fastcgi_pass`,
    /// `uwsgi_pass` and `scgi_pass`.
    Gateway(&'static str),
    /// The identification of an SSH client (RFC 4253 4.2).
    Ssh,
    /// JSON or XML without a request before it.
    BareContent(&'static str),
}

impl OtherProtocol {
    /// Recognizes the first bytes of a connection.
    pub(super) fn recognize(bytes: &[u8]) -> Option<Self> {
        const PROXY_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
        Some(match bytes {
            [0x16] | [0x15 | 0x16, 0x03, ..] | [0x80..=0xFF, _, 0x01, 0x03 | 0x00, ..] => Self::Tls,
            _ if bytes.starts_with(b"PRI * HTTP/2") => Self::Http2,
            _ if bytes.starts_with(b"PROXY ") || bytes.starts_with(PROXY_2) => Self::Proxy,
            [0x01, 0x01, 0, ..] => Self::Gateway("FastCGI"),
            [0, _, _, 0, length, 0, b'A'..=b'Z', ..] if *length > 0 => Self::Gateway("uwsgi"),
            [b'1'..=b'9', ..] if is_scgi(bytes) => Self::Gateway("SCGI"),
            _ if bytes.starts_with(b"SSH-") => Self::Ssh,
            [b'{' | b'[', ..] => Self::BareContent("JSON"),
            [b'<', ..] => Self::BareContent("XML"),
            _ => return None,
        })
    }
}

/// Whether bytes are the start of `length ":" "CONTENT_LENGTH"`.
fn is_scgi(bytes: &[u8]) -> bool {
    let digits = bytes.iter().take_while(|octet| octet.is_ascii_digit()).count();
    bytes[digits..].starts_with(b":CONTENT_LENGTH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_other_protocols_by_their_first_bytes() {
        use OtherProtocol::*;
        for (bytes, expected) in [
            (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], Some(Tls)),
            (b"\x16\x03\x03", Some(Tls)),
            (b"\x16", Some(Tls)),
            (b"\x15\x03\x01\0\x02\x02\x46", Some(Tls)),
            (b"\x80\x2e\x01\x03\x01\0\x15", Some(Tls)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(Http2)),
            (b"PROXY TCP4 203.0.113.7 10.0.0.1 56324 80\r\nGET / HTTP/1.1\r\n", Some(Proxy)),
            (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 80\r\n", Some(Proxy)),
            (b"PROXY UNKNOWN\r\n", Some(Proxy)),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", Some(Proxy)),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", Some(Proxy)),
            (b"\x01\x01\0\x01\0\x08\0\0\0\x01", Some(Gateway("FastCGI"))),
            (b"\0\x5b\x01\0\x0c\0QUERY_STRING", Some(Gateway("uwsgi"))),
            (b"70:CONTENT_LENGTH\x0027\0", Some(Gateway("SCGI"))),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Some(Ssh)),
            (b"{\"a\":1}", Some(BareContent("JSON"))),
            (b"<xml><a/></xml>", Some(BareContent("XML"))),
            (b"", None),
            (b"GET /\x1b HTTP/1.1\r\n", None),
            (b"PROXYGET / HTTP/1.1\r\n", None),
            (b"PRIVATE * HTTP/2", None),
            (b"12:CONTENT", None),
            (b"\r\n\r\nGET", None),
            (b"\0\0\0\0", None),
        ] {
            assert_eq!(OtherProtocol::recognize(bytes), expected, "{}", bytes.escape_ascii());
        }
    }
}
