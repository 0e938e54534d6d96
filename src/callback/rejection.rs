//! Why a request is refused that HTTP finds nothing wrong with.

use std::borrow::Cow;

use crate::http::{Response, Status};
use crate::text::log_note::LogNote;
use crate::wechat::{MessageError, OpenError, SignatureError};

/// Why a request is refused that HTTP finds nothing wrong with.
pub(super) enum Rejection {
    Path,
    Method,
    Missing(&'static str),
    Signature(SignatureError),
    NoContent,
    Message(MessageError),
    /// In plain mode, which is not allowed.
    Plain,
    /// Without the `Encrypt` that its query speaks of.
    Stripped,
    /// `msg_signature`
    MessageSignature(SignatureError),
    Unopened(OpenError),
    /// What was decrypted is no message.
    Inside(MessageError),
    /// An element of this name stands beside `Encrypt`, and another one in it.
    Differs(String),
}

impl Rejection {
    pub(super) fn response<'r>(&self) -> Response<'r> {
        Response::refusal(self.status(), self.note())
    }

    /// The same without the reason, and always 403: whoever could learn why a text cannot be opened might
    /// in the end learn what is in it.
    pub(super) fn silent_response<'r>(&self) -> Response<'r> {
        Response::silent_refusal(Status::Forbidden, self.note())
    }

    fn note(&self) -> LogNote {
        LogNote {
            cause: self.cause(),
            reason: self.reason(),
            hint: self.hint(),
        }
    }

    const fn status(&self) -> Status {
        match self {
            Self::Path => Status::NotFound,
            Self::Method => Status::MethodNotAllowed,
            Self::Signature(_)
            | Self::Plain
            | Self::Stripped
            | Self::MessageSignature(_)
            | Self::Unopened(_)
            | Self::Inside(_)
            | Self::Differs(_) => Status::Forbidden,
            Self::Missing(_) | Self::NoContent | Self::Message(_) => Status::BadRequest,
        }
    }

    const fn cause(&self) -> &'static str {
        match self {
            Self::Path => "other-path",
            Self::Method => "other-method",
            Self::Missing(_) => "missing-parameter",
            Self::Signature(
                SignatureError::Malformed
                | SignatureError::LongTimestamp(_)
                | SignatureError::LongNonce(_)
                | SignatureError::Wrong,
            )
            | Self::MessageSignature(_) => "bad-signature",
            Self::Signature(SignatureError::Timestamp | SignatureError::Stale { .. }) => {
                "stale-timestamp"
            }
            Self::Signature(SignatureError::Reused) => "reused-signature",
            Self::NoContent => "no-content",
            Self::Message(_) | Self::Inside(_) => "bad-message",
            Self::Plain | Self::Stripped => "plain-refused",
            Self::Unopened(_) => "bad-encryption",
            Self::Differs(_) => "plain-differs",
        }
    }

    fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Path => "nothing is served at this path".into(),
            Self::Method => "method is another than GET, HEAD and POST".into(),
            Self::Missing(name) => format!("parameter {name} is missing or empty").into(),
            Self::NoContent => "content is empty, a message expected".into(),
            Self::Message(error) => error.to_string().into(),
            Self::Plain => "message is plain, only encrypted ones allowed".into(),
            Self::Stripped => "element Encrypt is missing, of which the query speaks".into(),
            Self::MessageSignature(SignatureError::Malformed) => {
                "msg_signature is not 40 hexadecimal digits".into()
            }
            Self::MessageSignature(SignatureError::Wrong) => "msg_signature does not match".into(),
            Self::MessageSignature(error) | Self::Signature(error) => error.reason(),
            Self::Unopened(error) => error.to_string().into(),
            Self::Inside(error) => format!("decrypted: {error}").into(),
            Self::Differs(name) => {
                format!("element {name} beside Encrypt is not the one in it").into()
            }
        }
    }

    const fn hint(&self) -> &'static str {
        match self {
            Self::Path => "is the path in the WeChat console the one of --path?",
            Self::Signature(SignatureError::Malformed | SignatureError::Wrong) => {
                "is the token the one in the WeChat console?"
            }
            Self::MessageSignature(SignatureError::Wrong) => {
                "signature is right, so the token is; who changed Encrypt or msg_signature?"
            }
            Self::Signature(SignatureError::Timestamp | SignatureError::Stale { .. }) => {
                "is this machine's clock right? --max-age says how far it may be off"
            }
            Self::Signature(SignatureError::Reused) => {
                "WeChat never does this; who can see the URLs of its requests?"
            }
            Self::Plain => {
                "choose 安全模式 in the WeChat console, or do without --require-encryption"
            }
            Self::Unopened(OpenError::Padding | OpenError::Short(_) | OpenError::Length { .. }) => {
                "is the EncodingAESKey the one in the WeChat console?"
            }
            Self::Unopened(OpenError::AppId) => "is the appid the one in the WeChat console?",
            Self::Method
            | Self::Missing(_)
            | Self::MessageSignature(_)
            | Self::Signature(SignatureError::LongTimestamp(_) | SignatureError::LongNonce(_))
            | Self::NoContent
            | Self::Message(_)
            | Self::Stripped
            | Self::Unopened(OpenError::Base64 | OpenError::Blocks(_) | OpenError::Empty)
            | Self::Inside(_)
            | Self::Differs(_) => "",
        }
    }
}
