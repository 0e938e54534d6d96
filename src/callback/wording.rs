//! The sentences of this room: the table of rejections, and the other notes for the log.

use std::io;

use super::rejection::{Rejection, Row};
use crate::http::Status::{BadRequest, Forbidden, MethodNotAllowed, NotFound};
use crate::text::log_note::LogNote;
use crate::wechat::{DecryptError, Mode, PLAIN_REFUSED, SECURE, SignatureError};

/// The page for a person who opens the callback's URL in a browser.
pub(super) const GREETING: &str =
    "This is the callback of a WeChat Official Account, and it runs.\n";

impl Rejection {
    /// Status, cause word, sentence and hint of each rejection.
    pub(super) fn row(&self) -> Row {
        use SignatureError::{
            LongNonce, LongTimestamp, Malformed, MalformedTimestamp, Mismatch, Reused, Stale,
        };
        match self {
            Self::Path => Row {
                status: NotFound,
                cause: "other-path",
                reason: "nothing is served at this path".into(),
                hint: "compare the path in the WeChat console with --path",
            },
            Self::Method => Row {
                status: MethodNotAllowed,
                cause: "other-method",
                reason: "method is not supported (allowed: GET, HEAD, POST)".into(),
                hint: "",
            },
            Self::MissingParameter { name } => Row {
                status: BadRequest,
                cause: "missing-parameter",
                reason: format!("parameter {name} is missing or empty").into(),
                hint: "",
            },
            Self::Signature(error @ (Malformed | Mismatch)) => Row {
                status: Forbidden,
                cause: "bad-signature",
                reason: error.to_string().into(),
                hint: "compare the token with the one in the WeChat console",
            },
            Self::Signature(error @ (LongTimestamp { .. } | LongNonce { .. })) => Row {
                status: Forbidden,
                cause: "bad-signature",
                reason: error.to_string().into(),
                hint: "",
            },
            Self::Signature(error @ (MalformedTimestamp | Stale { .. })) => Row {
                status: Forbidden,
                cause: "stale-timestamp",
                reason: error.to_string().into(),
                hint: "check this machine's clock; --max-age sets the allowed difference",
            },
            Self::Signature(Reused) => Row {
                status: Forbidden,
                cause: "reused-signature",
                reason: Reused.to_string().into(),
                hint: "WeChat never does this; check who can read the URLs of its requests",
            },
            Self::NoContent => Row {
                status: BadRequest,
                cause: "no-content",
                reason: "content is empty, expected a message".into(),
                hint: "",
            },
            Self::Message(error) => Row {
                status: BadRequest,
                cause: "bad-message",
                reason: error.to_string().into(),
                hint: "",
            },
            Self::PlainMessage => Row {
                status: Forbidden,
                cause: "plain-refused",
                reason: PLAIN_REFUSED.into(),
                hint: "choose 安全模式 in the WeChat console, or run without --require-encryption",
            },
            Self::NoEncrypt => Row {
                status: Forbidden,
                cause: "plain-refused",
                reason: "element Encrypt is missing, but the query says the message is encrypted"
                    .into(),
                hint: "",
            },
            Self::MessageSignature(Malformed) => Row {
                status: Forbidden,
                cause: "bad-signature",
                reason: "msg_signature is malformed, expected 40 hexadecimal digits".into(),
                hint: "",
            },
            Self::MessageSignature(Mismatch) => Row {
                status: Forbidden,
                cause: "bad-signature",
                reason: "msg_signature does not match".into(),
                hint: "the token is right, because signature matches; find out what changes Encrypt or msg_signature",
            },
            Self::MessageSignature(
                error @ (LongTimestamp { .. }
                | LongNonce { .. }
                | MalformedTimestamp
                | Stale { .. }
                | Reused),
            ) => Row {
                status: Forbidden,
                cause: "bad-signature",
                reason: error.to_string().into(),
                hint: "",
            },
            Self::Decrypt(error) => Row {
                status: Forbidden,
                cause: "bad-encryption",
                reason: error.to_string().into(),
                hint: match error {
                    DecryptError::Padding
                    | DecryptError::TooShort { .. }
                    | DecryptError::Length { .. } => {
                        "compare the EncodingAESKey with the one in the WeChat console"
                    }
                    DecryptError::AppId => "compare the appid with the one in the WeChat console",
                    DecryptError::Base64 | DecryptError::Blocks { .. } | DecryptError::Empty => "",
                },
            },
            Self::DecryptedMessage(error) => Row {
                status: Forbidden,
                cause: "bad-message",
                reason: format!("decrypted message: {error}").into(),
                hint: "",
            },
            Self::PlainDiffers { element } => Row {
                status: Forbidden,
                cause: "plain-differs",
                reason: format!("element {element} differs from the decrypted message").into(),
                hint: "",
            },
        }
    }
}

/// A token check passed.
pub(super) fn token_check_passed() -> LogNote {
    LogNote {
        cause: "token-check",
        reason: "passed".into(),
        hint: "",
    }
}

/// Messages arrive in another mode than before.
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

/// A message could not be read without a key.
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

/// A reply could not be encrypted.
pub(super) fn no_random_bytes(error: &io::Error) -> LogNote {
    LogNote {
        cause: "no-randomness",
        reason: error.to_string().into(),
        hint: "check /dev/urandom",
    }
}
