//! The texts of `src/callback`, except those of the rejections, which are in `rejection.rs`.

use std::io;

use crate::text::log_note::LogNote;
use crate::wechat::{Mode, SECURE};

/// The response to a person who opens the callback's URL in a browser.
pub(super) const GREETING: &str =
    "This is the server of a WeChat Official Account. It is running.\n";

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
