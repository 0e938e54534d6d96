//! Request methods (RFC 9110 9).

/// The methods that this server distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD: like GET, but the response has no content.
    Head,
    /// POST
    Post,
    /// Any other token. Method names are case-sensitive, so `get` is `Other`.
    Other,
}

impl Method {
    pub(super) fn parse(token: &[u8]) -> Self {
        match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            _ => Self::Other,
        }
    }

    /// The name of the method; `-` for [`Method::Other`], because a log must not repeat arbitrary input.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Other => "-",
        }
    }
}
