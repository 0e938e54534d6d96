//! The reasons to refuse a request that is valid HTTP, each with its status and texts.

use super::other_content::OtherContent;
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
    /// A browser asks for a file.
    NoFile,
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
    /// The content, or the decrypted text, has another format than XML.
    OtherContent { found: OtherContent, is_decrypted: bool },
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

/// For messages that people send by hand while they test.
const TEST_BY_HAND: &str = "to test by hand, use wechat send";

/// What to do if this parameter is missing.
fn hint_for_parameter(name: &str) -> &'static str {
    match name {
        "echostr" => {
            "messages are sent by POST; to make the token check by hand, use wechat verify"
        }
        "msg_signature" => "to test by hand, use wechat send --encrypted",
        _ => {
            "to test by hand, use wechat send or wechat verify, which sign; the console's online debug tool \
             (在线接口调试工具) does not sign, and a proxy must keep the query"
        }
    }
}

impl OtherContent {
    const fn reason(self) -> &'static str {
        match self {
            Self::DebugDemo => {
                "content is a test message of the WeChat console's push debugger (debug_demo) in JSON, expected XML"
            }
            Self::Json => "content is JSON, expected XML",
            Self::Form => "content is a form, expected XML",
            Self::Html => "content is an HTML page, expected XML",
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::DebugDemo => {
                "no user sent it; choose XML as the data format in the console, or test with wechat send"
            }
            Self::Json => {
                "choose XML as the data format (数据格式) of messages in the WeChat console; to test by hand, use wechat send"
            }
            Self::Form | Self::Html => TEST_BY_HAND,
        }
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
    Self::NoFile => NotFound, "other-path", "nothing is served at this path", "";
    Self::MissingParameter { name } => BadRequest, "missing-parameter",
        format!("parameter {name} is missing or empty"), hint_for_parameter(name);
    Self::NoContent => BadRequest, "no-content", "content is empty, expected a message", TEST_BY_HAND;

    Self::Signature(Mismatch) => Forbidden, "bad-signature", SIGNATURE_MISMATCH, COMPARE_TOKEN;
    Self::Signature(error @ Malformed) =>
        Forbidden, "bad-signature", error.to_string(), COMPARE_TOKEN;
    Self::Signature(error @ TooLong { .. }) => Forbidden, "bad-signature", error.to_string(), "";
    Self::Signature(error @ (MalformedTimestamp | MillisecondTimestamp)) =>
        Forbidden, "stale-timestamp", error.to_string(),
        "WeChat sends seconds; find out what made this request";
    Self::Signature(error @ Stale { .. }) =>
        Forbidden, "stale-timestamp", error.to_string(),
        "check this machine's clock; --max-age sets the allowed difference, and wechat replay --resign signs a saved request again";
    Self::Signature(error @ Reused) => Forbidden, "reused-signature", error.to_string(),
        "to test by hand, use wechat send, which signs each message anew; WeChat never reuses a signature \
         for other content, so otherwise check who can read the URLs of its requests";

    Self::Message(error) => BadRequest, "bad-message", error.to_string(), TEST_BY_HAND;
    Self::OtherContent { found, is_decrypted: false } =>
        BadRequest, "bad-message", found.reason(), found.hint();
    Self::OtherContent { found, is_decrypted: true } =>
        Forbidden, "bad-message", format!("decrypted {}", found.reason()), found.hint();
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
