//! The reasons to refuse a request that is valid HTTP, each with its status and texts.

use super::other_content::OtherContent::{self, DebugDemo, Form, Html, Json};
use crate::http::{NOTHING_SERVED, Response, Status};
use crate::text::language::Text;
use crate::text::wording::reason;
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

/// The hint for messages that people send by hand while they test.
const TEST_BY_HAND: Text =
    Text { en: "to test by hand, use wechat send", zh: "手动测试请用 wechat send" };

/// What to do if this parameter is missing.
fn hint_for_parameter(name: &str) -> Text {
    match name {
        "echostr" => Text {
            en: "messages are sent by POST; to make the token check by hand, use wechat verify",
            zh: "消息用 POST 发送；手动验证令牌(Token)请用 wechat verify",
        },
        "msg_signature" => Text {
            en: "to test by hand, use wechat send --encrypted",
            zh: "手动测试请用 wechat send --encrypted",
        },
        _ => Text {
            en: "to test by hand, use wechat send or wechat verify, which sign; the console's online debug tool \
                 (在线接口调试工具) does not sign, and a proxy must keep the query",
            zh: "手动测试请用会签名的 wechat send 或 wechat verify；公众平台的在线接口调试工具不签名；代理须保留查询参数",
        },
    }
}

const COMPARE_TOKEN: Text = Text {
    en: "compare the token with the one in the WeChat console",
    zh: "请核对令牌(Token)与公众平台上的是否一致",
};

/// The hint for the test message of the push debugger.
const DEBUG_DEMO: Text = Text {
    en: "no user sent it; choose XML as the data format in the console, or test with wechat send",
    zh: "它不是用户发送的；请在公众平台把数据格式选为 XML，或用 wechat send 测试",
};

/// The hint for JSON.
const CHOOSE_XML: Text = Text {
    en: "choose XML as the data format (数据格式) of messages in the WeChat console; to test by hand, use wechat send",
    zh: "请在公众平台把消息推送的数据格式选为 XML；手动测试请用 wechat send",
};

/// Each row of the table has a pattern, a status, a cause word, a reason in both languages, and a hint for the
/// operator, which may be empty.
macro_rules! rejections {
    ($($case:pat => $status:ident, $cause:literal, $reason:expr, $hint:expr;)+) => {
        impl Rejection {
            /// The response to the refused request. Its content is the reason in English.
            pub(super) fn response<'r>(&self) -> Response<'r> {
                match self {
                    $($case => Response::refusal(Status::$status, $cause, $reason.into(), $hint),)+
                }
            }
        }
    };
}

rejections! {
    Self::Path => NotFound, "other-path", NOTHING_SERVED,
        Text { en: "compare the URL in the WeChat console with --path",
            zh: "请核对公众平台上的服务器地址(URL)与 --path 是否一致" };
    Self::Method => MethodNotAllowed, "other-method",
        Text { en: "method is not supported (allowed: GET, HEAD, POST)",
            zh: "不支持此请求方法（只允许 GET、HEAD、POST）" }, Text::EMPTY;
    Self::NoFile => NotFound, "other-path", NOTHING_SERVED, Text::EMPTY;
    Self::MissingParameter { name } => BadRequest, "missing-parameter",
        reason!(en: "parameter {name} is missing or empty", zh: "参数 {name} 缺失或为空"), hint_for_parameter(name);
    Self::NoContent => BadRequest, "no-content",
        Text { en: "content is empty, expected a message", zh: "正文为空，应为一条消息" }, TEST_BY_HAND;

    Self::Signature(Mismatch) => Forbidden, "bad-signature", SIGNATURE_MISMATCH, COMPARE_TOKEN;
    Self::Signature(error @ Malformed) => Forbidden, "bad-signature", error, COMPARE_TOKEN;
    Self::Signature(error @ TooLong { .. }) => Forbidden, "bad-signature", error, Text::EMPTY;
    Self::Signature(error @ (MalformedTimestamp | MillisecondTimestamp)) => Forbidden, "stale-timestamp", error,
        Text { en: "WeChat sends seconds; find out what made this request",
            zh: "微信发送的是秒数；请查明此请求从何而来" };
    Self::Signature(error @ Stale { .. }) => Forbidden, "stale-timestamp", error,
        Text { en: "check this machine's clock; --max-age sets the allowed difference, and wechat replay --resign signs a saved request again",
            zh: "请检查本机时钟；--max-age 设置允许的偏差，wechat replay --resign 可为保存的请求重新签名" };
    Self::Signature(error @ Reused) => Forbidden, "reused-signature", error,
        Text { en: "to test by hand, use wechat send, which signs each message anew; WeChat never reuses a signature \
            for other content, so otherwise check who can read the URLs of its requests",
            zh: "手动测试请用 wechat send，它为每条消息重新签名；微信不会把同一签名用于不同的正文，若非测试，请检查谁能看到微信请求的 URL" };

    Self::Message(error) => BadRequest, "bad-message", error, TEST_BY_HAND;
    Self::OtherContent { found: DebugDemo, is_decrypted: false } => BadRequest, "bad-message",
        Text { en: "content is a test message of the WeChat console's push debugger (debug_demo) in JSON, expected XML",
            zh: "正文是公众平台消息推送调试工具的 JSON 测试消息（debug_demo），应为 XML" }, DEBUG_DEMO;
    Self::OtherContent { found: DebugDemo, is_decrypted: true } => Forbidden, "bad-message",
        Text { en: "decrypted content is a test message of the WeChat console's push debugger (debug_demo) in JSON, expected XML",
            zh: "解密后的正文是公众平台消息推送调试工具的 JSON 测试消息（debug_demo），应为 XML" }, DEBUG_DEMO;
    Self::OtherContent { found: Json, is_decrypted: false } => BadRequest, "bad-message",
        Text { en: "content is JSON, expected XML", zh: "正文是 JSON，应为 XML" }, CHOOSE_XML;
    Self::OtherContent { found: Json, is_decrypted: true } => Forbidden, "bad-message",
        Text { en: "decrypted content is JSON, expected XML", zh: "解密后的正文是 JSON，应为 XML" }, CHOOSE_XML;
    Self::OtherContent { found: Form, is_decrypted: false } => BadRequest, "bad-message",
        Text { en: "content is a form, expected XML", zh: "正文是表单，应为 XML" }, TEST_BY_HAND;
    Self::OtherContent { found: Form, is_decrypted: true } => Forbidden, "bad-message",
        Text { en: "decrypted content is a form, expected XML", zh: "解密后的正文是表单，应为 XML" }, TEST_BY_HAND;
    Self::OtherContent { found: Html, is_decrypted: false } => BadRequest, "bad-message",
        Text { en: "content is an HTML page, expected XML", zh: "正文是 HTML 页面，应为 XML" }, TEST_BY_HAND;
    Self::OtherContent { found: Html, is_decrypted: true } => Forbidden, "bad-message",
        Text { en: "decrypted content is an HTML page, expected XML", zh: "解密后的正文是 HTML 页面，应为 XML" },
        TEST_BY_HAND;
    Self::PlainMessage => Forbidden, "plain-refused", PLAIN_REFUSED,
        Text { en: "choose 安全模式 in the WeChat console, or run without --require-encryption",
            zh: "请在公众平台选择安全模式，或在启动时去掉 --require-encryption" };
    Self::NoEncrypt => Forbidden, "plain-refused",
        Text { en: "element Encrypt is missing, but the query says the message is encrypted",
            zh: "查询参数表明消息已加密，但缺少元素 Encrypt" }, Text::EMPTY;

    Self::MessageSignature(Malformed) => Forbidden, "bad-signature",
        Text { en: "msg_signature is malformed, expected 40 hexadecimal digits",
            zh: "msg_signature 格式错误，应为 40 位十六进制数字" }, Text::EMPTY;
    Self::MessageSignature(Mismatch) => Forbidden, "bad-signature",
        Text { en: "msg_signature does not match", zh: "msg_signature 不匹配" },
        Text { en: "the token is right, because signature matches; find out what changed Encrypt or msg_signature",
            zh: "signature 匹配，所以令牌(Token)正确；请查明 Encrypt 或 msg_signature 在哪里被改动" };
    Self::MessageSignature(
        error @ (TooLong { .. } | MalformedTimestamp | MillisecondTimestamp | Stale { .. } | Reused)
    ) => Forbidden, "bad-signature", error, Text::EMPTY;

    Self::Decrypt(error @ (Padding | TooShort { .. } | Length { .. })) => Forbidden, "bad-encryption", error,
        Text { en: "compare the EncodingAESKey with the one in the WeChat console",
            zh: "请核对消息加解密密钥(EncodingAESKey)与公众平台上的是否一致" };
    Self::Decrypt(error @ AppId) => Forbidden, "bad-encryption", error,
        Text { en: "compare the appid with the one in the WeChat console",
            zh: "请核对 AppID 与公众平台上的是否一致" };
    Self::Decrypt(error @ (Base64 | Blocks { .. } | Empty)) => Forbidden, "bad-encryption", error, Text::EMPTY;
    Self::DecryptedMessage(error) => Forbidden, "bad-message",
        reason!(en: "decrypted message: {error:#}", zh: "解密后的消息：{error}"), Text::EMPTY;
    Self::PlainDiffers { element } => Forbidden, "plain-differs",
        reason!(en: "element {element} differs from the decrypted message", zh: "元素 {element} 与解密后的消息不一致"),
        Text::EMPTY;
}

#[cfg(test)]
mod samples;
