//! The texts of `src/callback`: the table of rejections, and the other notes for the log.

use std::io;

use super::rejection::{Rejection, Row};
use crate::http::Status;
use crate::text::log_note::LogNote;
use crate::wechat::DecryptError::{AppId, Base64, Blocks, Empty, Length, Padding, TooShort};
use crate::wechat::SignatureError::{
    Malformed, MalformedTimestamp, Mismatch, Reused, Stale, TooLong,
};
use crate::wechat::{Mode, PLAIN_REFUSED, SECURE, SIGNATURE_MISMATCH};

/// The response to a person who opens the callback's URL in a browser.
pub(super) const GREETING: &str =
    "This is the server of a WeChat Official Account. It is running.\n";

const COMPARE_TOKEN: &str = "compare the token with the one in the WeChat console";

/// The table of rejections. Each row has a pattern, a status, a cause word, a reason and a hint.
macro_rules! rejections {
    ($($case:pat => $status:ident, $cause:literal, $reason:expr, $hint:expr;)+) => {
        impl Rejection {
            /// The row of this rejection.
            pub(super) fn row(&self) -> Row {
                match self {
                    $($case => Row {
                        status: Status::$status,
                        cause: $cause,
                        reason: $reason.into(),
                        hint: $hint,
                    },)+
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
    Self::Signature(error @ (MalformedTimestamp | Stale { .. })) =>
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
        error @ (TooLong { .. } | MalformedTimestamp | Stale { .. } | Reused)
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

/// The note for a token check that passed.
pub(super) fn token_check_passed() -> LogNote {
    LogNote { cause: "token-check", reason: "token check passed".into(), hint: "" }
}

/// The note for the first message in a mode.
pub(super) fn new_mode(mode: Mode) -> LogNote {
    LogNote {
        cause: "mode",
        reason: match mode {
            Mode::Plain => "messages arrive in plain mode (明文模式)".into(),
            Mode::Compatible => "messages arrive in compatible mode (兼容模式)".into(),
            Mode::Safe => "messages arrive in safe mode (安全模式)".into(),
        },
        hint: "",
    }
}

/// The note for a message that cannot be read without a key.
pub(super) fn unread() -> LogNote {
    LogNote {
        cause: "encrypted",
        reason: "message is encrypted (安全模式) and was not read".into(),
        hint: match SECURE {
            true => {
                "set the EncodingAESKey (WECHAT_AES_KEY or the credential aes-key), or choose 兼容模式 in the WeChat console"
            }
            false => {
                "this program was built without encryption (feature secure); choose 兼容模式 in the WeChat console"
            }
        },
    }
}

/// The note for a reply that cannot be encrypted without random bytes.
pub(super) fn no_random_bytes(error: &io::Error) -> LogNote {
    let reason = format!("cannot encrypt the reply: {error}");
    LogNote { cause: "no-randomness", reason: reason.into(), hint: "check /dev/urandom" }
}
