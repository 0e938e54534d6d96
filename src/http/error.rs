//! The errors of requests, responses and URLs, each with its text. A text says what is wrong, then what is allowed.

use std::fmt;

use super::limits::{
    CHUNK_EXTENSIONS, CHUNK_SIZE_DIGITS, CONTENT, FIELD_LINES, HEAD, TARGET, TRAILERS,
};
use super::other_protocol::OtherProtocol;
use super::status::Status;
use crate::text::language::Text;
use crate::text::log_note::Reason;
use crate::text::wording::wording;

/// Defines an enum from a table of errors. Each row is a variant, a status, a cause word, and the text in both languages.
macro_rules! request_errors {
    (
        $(#[$enum_doc:meta])*
        enum $enum:ident;
        $(
            $(#[$doc:meta])*
            $variant:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })?
                => $status:ident, $cause:literal, en: $en:literal, zh: $zh:literal $(, $value:expr)*;
        )+
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum {
            $($(#[$doc])* $variant $({ $($(#[$field_doc])* $field: $type,)+ })?,)+
        }

        impl $enum {
            /// The status of the response.
            pub const fn status(&self) -> Status {
                match self { $(Self::$variant { .. } => Status::$status,)+ }
            }

            /// The cause word, which names the error in the log.
            pub const fn cause(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $cause,)+ }
            }
        }

        wording! { $enum {
            $(Self::$variant $({ $($field),+ })? => en: $en, zh: $zh $(, $value)*;)+
        } }
    };
}

request_errors! {
    /// A request breaks a rule of HTTP. The end of such a request is uncertain, so the connection is closed after the
    /// response.
    enum RequestError;

    /// The method is not a `token`, or is not followed by one space.
    Method {
        /// The invalid octet.
        octet: u8,
    } => BadRequest, "bad-method",
        en: "method: invalid {:#}; expected a token and one space",
        zh: "请求方法中有无效字符：{}；应为方法名，后接一个空格", Octet(*octet);
    /// The request target does not have a form of RFC 9112 3.2 that its method allows.
    Target => BadRequest, "bad-target",
        en: "request target: expected /path or http://host/path", zh: "请求目标：应为 /path 或 http://host/path";
    /// The request target contains an octet that RFC 3986 does not allow.
    TargetOctet {
        /// The invalid octet.
        octet: u8,
    } => BadRequest, "bad-target",
        en: "request target: {:#} must be percent-encoded", zh: "请求目标中有须用百分号编码的字符：{}", Octet(*octet);
    /// A `%` in the request target that is not followed by two hexadecimal digits.
    TargetEscape => BadRequest, "bad-target",
        en: "request target: expected two hexadecimal digits after %", zh: "请求目标：% 后面应为两位十六进制数字";
    /// The request target is longer than [`TARGET`].
    TargetTooLong => UriTooLong, "target-too-long",
        en: "request target: too long, at most {TARGET} bytes allowed", zh: "请求目标：过长，最多 {TARGET} 字节";
    /// The version is not `HTTP/` DIGIT `.` DIGIT.
    Version => BadRequest, "bad-version",
        en: "HTTP version: expected HTTP/1.0 or HTTP/1.1", zh: "HTTP 版本：应为 HTTP/1.0 或 HTTP/1.1";
    /// A version of HTTP that this server does not support.
    VersionNotSupported {
        /// The digit before the dot.
        major: u8,
        /// The digit after the dot.
        minor: u8,
    } => HttpVersionNotSupported, "version-not-supported",
        en: "HTTP version: HTTP/{major}.{minor} is not supported; expected HTTP/1.0 or HTTP/1.1",
        zh: "HTTP 版本：不支持 HTTP/{major}.{minor}；应为 HTTP/1.0 或 HTTP/1.1";
    /// A CR without LF, or an LF without CR, where a line must end.
    LineEnd {
        /// The CR or LF.
        octet: u8,
    } => BadRequest, "bad-line-end",
        en: "line end: bare {:#}; expected CRLF", zh: "换行：单独的 {}；应为 CRLF", Octet(*octet);
    /// A field line that does not begin with a `token` and a colon. White space before the token or before the colon is
    /// not allowed.
    FieldName {
        /// The invalid octet.
        octet: u8,
    } => BadRequest, "bad-field-name",
        en: "field name: invalid {:#}; expected a token and a colon",
        zh: "字段名中有无效字符：{}；应为字段名，后接冒号", Octet(*octet);
    /// A control character in a field value.
    FieldValue {
        /// The control character.
        octet: u8,
    } => BadRequest, "bad-field-value",
        en: "field value: invalid {:#}; control characters are not allowed",
        zh: "字段值中有无效字符：{}；不允许控制字符", Octet(*octet);
    /// More field lines than [`FIELD_LINES`].
    TooManyFieldLines => RequestHeaderFieldsTooLarge, "too-many-field-lines",
        en: "head: too many field lines, at most {FIELD_LINES} allowed", zh: "HTTP 头：字段过多，最多 {FIELD_LINES} 行";
    /// The head is longer than [`HEAD`].
    HeadTooLong => RequestHeaderFieldsTooLarge, "head-too-long",
        en: "head: too long, at most {HEAD} bytes allowed", zh: "HTTP 头：过长，最多 {HEAD} 字节";
    /// No Host in an HTTP/1.1 request.
    HostMissing => BadRequest, "bad-host",
        en: "Host: missing", zh: "缺少 Host";
    /// More than one Host.
    HostRepeated => BadRequest, "bad-host",
        en: "Host: more than one, exactly one allowed", zh: "Host：出现多次，只能出现一次";
    /// A Host, or the authority of a target in absolute-form, that is not `uri-host [ ":" port ]`.
    Host => BadRequest, "bad-host",
        en: "Host: expected a name or address, with an optional port", zh: "Host：应为主机名或地址，可带端口";
    /// A Content-Length that is not only digits.
    ContentLength => BadRequest, "bad-content-length",
        en: "Content-Length: expected a decimal number", zh: "Content-Length：应为十进制数字";
    /// A Content-Length that does not fit 64 bits.
    ContentLengthTooLarge => ContentTooLarge, "content-too-long",
        en: "Content-Length: more than 64 bits, at most {CONTENT} bytes allowed",
        zh: "Content-Length：超出 64 位，最多 {CONTENT} 字节";
    /// More than one Content-Length, equal or not.
    ContentLengthRepeated => BadRequest, "bad-content-length",
        en: "Content-Length: more than one, at most one allowed", zh: "Content-Length：出现多次，最多一次";
    /// Content longer than [`CONTENT`].
    ContentTooLong {
        /// The Content-Length, or the sum of the chunk sizes so far.
        length: u64,
    } => ContentTooLarge, "content-too-long",
        en: "content: {length} bytes, at most {CONTENT} allowed", zh: "正文：{length} 字节，最多 {CONTENT} 字节";
    /// A POST with neither Content-Length nor Transfer-Encoding.
    LengthRequired => LengthRequired, "length-required",
        en: "Content-Length: missing", zh: "缺少 Content-Length";
    /// A Transfer-Encoding whose last coding is not chunked, or that occurs twice.
    TransferEncoding => BadRequest, "bad-transfer-encoding",
        en: "Transfer-Encoding: expected chunked", zh: "Transfer-Encoding：应为 chunked";
    /// A Transfer-Encoding with a coding before chunked.
    TransferCoding => NotImplemented, "bad-transfer-encoding",
        en: "Transfer-Encoding: only chunked is supported", zh: "Transfer-Encoding：只支持 chunked";
    /// Transfer-Encoding together with Content-Length, which is typical of request smuggling.
    TransferEncodingWithLength => BadRequest, "bad-transfer-encoding",
        en: "Transfer-Encoding: not allowed together with Content-Length",
        zh: "Transfer-Encoding：不能与 Content-Length 同时出现";
    /// Transfer-Encoding in HTTP/1.0, which does not define it.
    TransferEncodingInHttp10 => BadRequest, "bad-transfer-encoding",
        en: "Transfer-Encoding: not allowed in HTTP/1.0", zh: "Transfer-Encoding：HTTP/1.0 中不允许";
    /// An expectation other than 100-continue.
    Expectation => ExpectationFailed, "bad-expectation",
        en: "Expect: only 100-continue is supported", zh: "Expect：只支持 100-continue";
    /// A chunk-size that is not 1 to [`CHUNK_SIZE_DIGITS`] hexadecimal digits.
    ChunkSize => BadRequest, "bad-chunk",
        en: "chunk size: expected 1 to {CHUNK_SIZE_DIGITS} hexadecimal digits",
        zh: "分块（chunk）大小：应为 1 到 {CHUNK_SIZE_DIGITS} 位十六进制数字";
    /// A chunk extension outside its grammar.
    ChunkExtension => BadRequest, "bad-chunk",
        en: "chunk extension: expected ;name or ;name=value", zh: "分块（chunk）扩展：应为 ;name 或 ;name=value";
    /// Chunk extensions longer than [`CHUNK_EXTENSIONS`].
    ChunkExtensionsTooLong => BadRequest, "bad-chunk",
        en: "chunk extensions: too long, at most {CHUNK_EXTENSIONS} bytes allowed",
        zh: "分块（chunk）扩展：过长，最多 {CHUNK_EXTENSIONS} 字节";
    /// Chunk data that is not followed by CRLF.
    ChunkEnd => BadRequest, "bad-chunk",
        en: "chunk data: expected CRLF at its end", zh: "分块（chunk）数据：末尾应为 CRLF";
    /// A trailer section longer than [`TRAILERS`].
    TrailersTooLong => RequestHeaderFieldsTooLarge, "trailers-too-long",
        en: "trailer section: too long, at most {TRAILERS} bytes allowed",
        zh: "尾部字段（trailer）：过长，最多 {TRAILERS} 字节";
    /// The client closed the connection in the middle of a request.
    Incomplete => BadRequest, "incomplete",
        en: "connection closed in the middle of a request", zh: "请求未发完，连接就已关闭";
    /// The head was not received in time.
    HeadTimeout => RequestTimeout, "head-timeout",
        en: "head: not received in time", zh: "未及时收到完整的请求头";
    /// The content was not received in time.
    ContentTimeout => RequestTimeout, "content-timeout",
        en: "content: not received in time", zh: "未及时收到完整的正文";
}

/// The bytes are not the head of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// The bytes do not begin with `HTTP/`, so the server uses another protocol.
    NotHttp,
    /// The first line is not `HTTP/d.d SP 3DIGIT [ SP reason-phrase ]`.
    StatusLine,
    /// The bytes break a rule that also applies to requests.
    Shared(RequestError),
}

impl From<RequestError> for ResponseError {
    fn from(error: RequestError) -> Self {
        Self::Shared(error)
    }
}

wording! { OtherProtocol {
    Self::Tls => en: "TLS handshake, expected plain HTTP", zh: "收到 TLS 握手，应为明文 HTTP";
    Self::Http2 => en: "HTTP/2, expected HTTP/1.0 or HTTP/1.1", zh: "收到 HTTP/2，应为 HTTP/1.0 或 HTTP/1.1";
    Self::Proxy => en: "header of the PROXY protocol, expected an HTTP request",
        zh: "收到 PROXY 协议的头部，应为 HTTP 请求";
    Self::Gateway(name) => en: "{name}, expected HTTP", zh: "收到 {name}，应为 HTTP";
    Self::Ssh => en: "SSH, expected HTTP", zh: "收到 SSH，应为 HTTP";
    Self::BareContent(kind) => en: "{kind} without a request line and fields, expected an HTTP request",
        zh: "只有 {kind}，没有请求行和请求头，应为 HTTP 请求";
} }

impl OtherProtocol {
    /// What to do, for the operator.
    const fn hint(self) -> Text {
        match self {
            Self::Tls => Text {
                en: "this port is for http:// only; let nginx do https and forward with proxy_pass http://, not https://",
                zh: "此端口只支持 http://；请由 nginx 处理 https，并用 proxy_pass http:// 转发，不要用 https://",
            },
            Self::Http2 => Text {
                en: "let the client or proxy use HTTP/1.1 (nginx: proxy_http_version 1.1)",
                zh: "请让客户端或代理使用 HTTP/1.1（nginx：proxy_http_version 1.1）",
            },
            Self::Proxy => Text {
                en: "switch the PROXY protocol off for this server (nginx: proxy_protocol, HAProxy: send-proxy, \
                     cloud: setting of the load balancer)",
                zh: "请对本服务器关闭 PROXY 协议（nginx：proxy_protocol；HAProxy：send-proxy；云：负载均衡的设置）",
            },
            Self::Gateway(_) => Text {
                en: "in nginx write proxy_pass http://ADDRESS:PORT",
                zh: "请在 nginx 中使用 proxy_pass http://ADDRESS:PORT",
            },
            Self::Ssh => {
                Text { en: "this port is for http:// only", zh: "此端口只支持 http://" }
            }
            Self::BareContent(_) => Text {
                en: "to send a message by hand, use wechat send",
                zh: "手动发送消息请用 wechat send",
            },
        }
    }
}

wording! { ResponseError {
    Self::NotHttp => en: "status line: expected HTTP/ at its start", zh: "状态行：应以 HTTP/ 开头";
    Self::StatusLine => en: "status line: expected a version, three digits and a reason phrase",
        zh: "状态行：应为版本、三位数字和原因短语";
    Self::Shared(error) => en: "{error}", zh: "{error}";
} }

/// A text is not a URL that [`Url::parse`](super::Url::parse) accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// The text begins with `https://`.
    Https,
    /// The text does not begin with `http://`.
    Scheme,
    /// `http://` is not followed by `host` or `host:port`.
    Host,
    /// Path or query contains an octet that must be percent-encoded, or there is a fragment.
    Target,
}

wording! { UrlError {
    Self::Https => en: "https is not supported; pass the http:// address that the proxy (nginx) forwards requests to",
        zh: "不支持 https；请指定代理（nginx）转发请求的 http:// 地址";
    Self::Scheme => en: "expected http://host/path", zh: "应为 http://host/path";
    Self::Host => en: "expected a host name or address after http://, and :port if the port is not 80",
        zh: "http:// 后面应为主机名或地址；端口不是 80 时，还要加 :port";
    Self::Target => en: "path and query: expected ASCII letters, digits and -._~!$&'()*+,;=:@/?; \
        percent-encode everything else",
        zh: "路径和查询参数：只允许 ASCII 字母、数字和 -._~!$&'()*+,;=:@/?；其余字符须用百分号编码";
} }

/// The reason to answer 404.
pub(crate) const NOTHING_SERVED: Text =
    Text { en: "nothing is served at this path", zh: "此路径不提供服务" };

impl RequestError {
    /// The reason for the response and the log, and a hint for the operator. `received` is what the connection has
    /// received since the last request. If it belongs to another protocol, the reason names that protocol.
    pub(crate) fn reason(&self, received: &[u8]) -> (Reason, Text) {
        match OtherProtocol::recognize(received) {
            None => (self.into(), Text::EMPTY),
            Some(other) => ((&other).into(), other.hint()),
        }
    }
}

impl std::error::Error for RequestError {}
impl std::error::Error for OtherProtocol {}
impl std::error::Error for ResponseError {}
impl std::error::Error for UrlError {}

/// An octet of the input, in printable form.
struct Octet(u8);

impl fmt::Display for Octet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b' ' => Text { en: "space", zh: "空格" }.fmt(f),
            octet => write!(f, "'{}'", octet.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod samples;
