//! The texts of `src/callback`, except those of the rejections, which are in `rejection.rs`.

use std::io;

use crate::text::language::Text;
use crate::text::log_note::LogNote;
use crate::text::wording::said;
use crate::wechat::{Mode, SECURE};

/// The response to a person who opens the callback's URL in a browser.
pub(super) const GREETING: &str =
    "This is the server of a WeChat Official Account. It is running.\n";

/// The note for a token check that passed.
pub(super) fn token_check_passed() -> LogNote {
    let reason = Text { en: "token check passed", zh: "令牌(Token)验证通过" };
    LogNote { cause: "token-check", reason: reason.get().into(), hint: "" }
}

/// The note for the first message in a mode.
pub(super) fn new_mode(mode: Mode) -> LogNote {
    let name = mode.name();
    let chinese = match mode {
        Mode::Plain => "明文模式",
        Mode::Compatible => "兼容模式",
        Mode::Safe => "安全模式",
    };
    let reason =
        said!(en: "messages arrive in {name} mode ({chinese})", zh: "收到的消息为{chinese}");
    LogNote { cause: "mode", reason: reason.into(), hint: "" }
}

/// The reason of the note for a message that cannot be read without a key.
const UNREAD: Text = Text {
    en: "message is encrypted (安全模式) and was not read",
    zh: "消息已加密（安全模式），未能读取",
};

/// The hint of this note.
const SET_AES_KEY: Text = Text {
    en: "set the EncodingAESKey (WECHAT_AES_KEY or the credential aes-key), or choose 兼容模式 in the WeChat console",
    zh: "请设置消息加解密密钥(EncodingAESKey)（WECHAT_AES_KEY 或凭据 aes-key），或在公众平台选择兼容模式",
};

/// The hint of this note in a program that cannot use a key.
const CHOOSE_COMPATIBLE: Text = Text {
    en: "this program was built without encryption (feature secure); choose 兼容模式 in the WeChat console",
    zh: "本程序编译时未启用加密（feature secure）；请在公众平台选择兼容模式",
};

/// The note for a message that cannot be read without a key.
pub(super) fn unread() -> LogNote {
    let hint = if SECURE { SET_AES_KEY } else { CHOOSE_COMPATIBLE };
    LogNote { cause: "encrypted", reason: UNREAD.get().into(), hint: hint.get() }
}

/// The note for a reply that cannot be encrypted without random bytes.
pub(super) fn no_random_bytes(error: &io::Error) -> LogNote {
    let reason = said!(en: "cannot encrypt the reply: {error}", zh: "无法加密回复：{error}");
    let hint = Text { en: "check /dev/urandom", zh: "请检查 /dev/urandom" };
    LogNote { cause: "no-randomness", reason: reason.into(), hint: hint.get() }
}

#[cfg(test)]
mod samples;
