//! The reasons to refuse a request that is valid HTTP, each with its status and texts.

use crate::http::{Response, Status};
use crate::text::log_note::LogNote;
use crate::wechat::DecryptError::{AppId, Base64, Blocks, Empty, Length, Padding, TooShort};
use crate::wechat::SignatureError::{
    Malformed, MalformedTimestamp, MillisecondTimestamp, Mismatch, Reused, Stale, TooLong,
};
use crate::wechat::{
    DecryptError, MessageError, PLAIN_REFUSED, SIGNATURE_MISMATCH, SignatureError,
};

/// Why a request is refused.
pub(super) enum Rejection {
    /// The path is not the served path.
    Path,
    /// The method is not GET, HEAD or POST.
    Method,
    /// A query parameter is missing or empty.
    MissingParameter { name: &'static str },
    /// The `signature` is refused.
    Signature(SignatureError),
    /// A POST without content.
    NoContent,
    /// The content is not a message.
    Message(MessageError),
    /// The message is plain, but only encrypted messages are accepted.
    PlainMessage,
    /// The query says that the message is encrypted, but the content has no `Encrypt`.
    NoEncrypt,
    /// The `msg_signature` is refused.
    MessageSignature(SignatureError),
    /// `Encrypt` cannot be decrypted.
    Decrypt(DecryptError),
    /// The decrypted text is not a message.
    DecryptedMessage(MessageError),
    /// A plain element differs from the decrypted message (compatible mode).
    PlainDiffers { element: String },
}

impl Rejection {
    /// The response to a refused encrypted request, which is always 403 without a reason. An attacker who
    /// learns why changed copies of an encrypted text are refused can compute the text (padding oracle).
    pub(super) fn silent_response<'r>(&self) -> Response<'r> {
        self.response().with_hidden_reason(Status::Forbidden)
    }
}

const COMPARE_TOKEN: &str = "compare the token with the one in the WeChat console";

/// Each row of the table has a pattern, a status, a cause word, a reason, and a hint for the operator, which may
/// be empty.
macro_rules! rejections {
    ($($case:pat => $status:ident, $cause:literal, $reason:expr, $hint:expr;)+) => {
        impl Rejection {
            /// The response to the refused request. Its content is the reason.
            pub(super) fn response<'r>(&self) -> Response<'r> {
                match self {
                    $($case => {
                        let note = LogNote { cause: $cause, reason: $reason.into(), hint: $hint };
                        Response::rejection(Status::$status, note)
                    })+
                }
            }
        }
    };
}

rejections! {
    Self::Path => NotFound, "other-path", "nothing is served at this path",
        "compare the URL in the WeChat console with --path";
    Self::Method => MethodNotAllowed, "other-method",
        "method is not supported (allowed: GET, HEAD, POST)", "";
    Self::MissingParameter { name } => BadRequest, "missing-parameter",
        format!("parameter {name} is missing or empty"), "";
    Self::NoContent => BadRequest, "no-content", "content is empty, expected a message", "";

    Self::Signature(Mismatch) => Forbidden, "bad-signature", SIGNATURE_MISMATCH, COMPARE_TOKEN;
    Self::Signature(error @ Malformed) =>
        Forbidden, "bad-signature", error.to_string(), COMPARE_TOKEN;
    Self::Signature(error @ TooLong { .. }) => Forbidden, "bad-signature", error.to_string(), "";
    Self::Signature(error @ (MalformedTimestamp | MillisecondTimestamp)) =>
        Forbidden, "stale-timestamp", error.to_string(),
        "WeChat sends seconds; find out what made this request";
    Self::Signature(error @ Stale { .. }) =>
        Forbidden, "stale-timestamp", error.to_string(),
        "check this machine's clock; --max-age sets the allowed difference";
    Self::Signature(error @ Reused) => Forbidden, "reused-signature", error.to_string(),
        "WeChat never reuses a signature for other content; check who can read the URLs of its requests";

    Self::Message(error) => BadRequest, "bad-message", error.to_string(), "";
    Self::PlainMessage => Forbidden, "plain-refused", PLAIN_REFUSED,
        "choose 安全模式 in the WeChat console, or run without --require-encryption";
    Self::NoEncrypt => Forbidden, "plain-refused",
        "element Encrypt is missing, but the query says the message is encrypted", "";

    Self::MessageSignature(Malformed) => Forbidden, "bad-signature",
        "msg_signature is malformed, expected 40 hexadecimal digits", "";
    Self::MessageSignature(Mismatch) => Forbidden, "bad-signature",
        "msg_signature does not match",
        "the token is right, because signature matches; find out what changed Encrypt or msg_signature";
    Self::MessageSignature(
        error @ (TooLong { .. } | MalformedTimestamp | MillisecondTimestamp | Stale { .. } | Reused)
    ) => Forbidden, "bad-signature", error.to_string(), "";

    Self::Decrypt(error @ (Padding | TooShort { .. } | Length { .. })) =>
        Forbidden, "bad-encryption", error.to_string(),
        "compare the EncodingAESKey with the one in the WeChat console";
    Self::Decrypt(error @ AppId) => Forbidden, "bad-encryption", error.to_string(),
        "compare the appid with the one in the WeChat console";
    Self::Decrypt(error @ (Base64 | Blocks { .. } | Empty)) =>
        Forbidden, "bad-encryption", error.to_string(), "";
    Self::DecryptedMessage(error) => Forbidden, "bad-message", format!("decrypted message: {error}"), "";
    Self::PlainDiffers { element } => Forbidden, "plain-differs",
        format!("element {element} differs from the decrypted message"), "";
}
