//! The texts of the errors of `src/wechat`, in both languages.

use std::error::Error;

use super::cipher_error::{AES_KEY_LENGTH, AesKeyError, BLOCK, DecryptError, PADDING_MAX, PREFIX};
use super::message::MessageError;
use super::token::{LENGTH_MAX, LENGTH_MIN, TokenError};
use super::verified::SignatureError;
use crate::text::language::Text;
use crate::text::wording::wording;

impl Error for TokenError {}
impl Error for AesKeyError {}
impl Error for SignatureError {}
impl Error for DecryptError {}
impl Error for MessageError {}

wording! { TokenError {
    Self::Length { length } => en: "token: {length} characters, {LENGTH_MIN} to {LENGTH_MAX} allowed",
        zh: "令牌(Token)：{length} 个字符，须为 {LENGTH_MIN} 到 {LENGTH_MAX} 个";
    Self::Character { position } => en: "token: invalid character at position {position} (allowed: A-Z a-z 0-9)",
        zh: "令牌(Token)：第 {position} 个字符无效（只允许 A-Z a-z 0-9）";
} }

wording! { AesKeyError {
    Self::Length { length } => en: "EncodingAESKey: {length} characters, {AES_KEY_LENGTH} expected",
        zh: "消息加解密密钥(EncodingAESKey)：{length} 个字符，须为 {AES_KEY_LENGTH} 个";
    Self::Character { position } =>
        en: "EncodingAESKey: invalid character at position {position} (allowed: A-Z a-z 0-9 + /)",
        zh: "消息加解密密钥(EncodingAESKey)：第 {position} 个字符无效（只允许 A-Z a-z 0-9 + /）";
    Self::FeatureMissing => en: "this program was built without encryption; \
        build it with cargo build --release --features secure",
        zh: "本程序编译时未启用加密；请用 cargo build --release --features secure 编译";
} }

wording! { SignatureError {
    Self::Malformed => en: "signature is malformed, expected 40 hexadecimal digits",
        zh: "signature 格式错误，应为 40 位十六进制数字";
    Self::TooLong { parameter, length, max } => en: "{parameter} has {length} bytes, at most {max} allowed",
        zh: "{parameter} 有 {length} 字节，最多 {max} 字节";
    Self::Mismatch => en: "{SIGNATURE_MISMATCH:#}", zh: "{SIGNATURE_MISMATCH}";
    Self::MalformedTimestamp => en: "timestamp is malformed, expected 10 digits (seconds since 1970)",
        zh: "timestamp 格式错误，应为 10 位数字（1970 年以来的秒数）";
    Self::MillisecondTimestamp =>
        en: "timestamp has 13 digits, apparently milliseconds, expected 10 digits (seconds since 1970)",
        zh: "timestamp 有 13 位数字，像是毫秒，应为 10 位数字（1970 年以来的秒数）";
    Self::Stale { off, is_ahead: false, max } =>
        en: "timestamp is {off} s behind this machine's clock, at most {max} s allowed",
        zh: "timestamp 比本机时钟慢 {off} 秒，最多允许 {max} 秒";
    Self::Stale { off, is_ahead: true, max } =>
        en: "timestamp is {off} s ahead of this machine's clock, at most {max} s allowed",
        zh: "timestamp 比本机时钟快 {off} 秒，最多允许 {max} 秒";
    Self::Reused => en: "signature was already used for other content", zh: "signature 已用于另一份正文";
} }

/// The text of [`SignatureError::Mismatch`]. It is a constant, because any client can cause this error, and the
/// response to it must not allocate memory.
pub(crate) const SIGNATURE_MISMATCH: Text =
    Text { en: "signature does not match", zh: "signature 不匹配" };

/// Whether a response contains the English text of [`SignatureError::Stale`]. The simulator explains this error.
pub(crate) fn is_stale_timestamp(text: &str) -> bool {
    text.contains(" this machine's clock, at most ")
}

/// The text for a plain message if only encrypted messages are accepted. The simulator explains this error.
pub(crate) const PLAIN_REFUSED: Text = Text {
    en: "message is not encrypted, only encrypted messages allowed",
    zh: "消息未加密，只接受加密的消息",
};

wording! { DecryptError {
    Self::Base64 => en: "Encrypt is not base64", zh: "Encrypt 不是 base64";
    Self::Blocks { length } => en: "Encrypt has {length} bytes, expected a multiple of {BLOCK}",
        zh: "Encrypt 有 {length} 字节，应为 {BLOCK} 的倍数";
    Self::Padding => en: "decrypted text has no valid padding, expected 1 to {PADDING_MAX} bytes of padding",
        zh: "解密后的内容填充无效，应有 1 到 {PADDING_MAX} 字节的填充";
    Self::TooShort { length } => en: "decrypted text has {length} bytes, at least {PREFIX} expected",
        zh: "解密后的内容有 {length} 字节，至少应有 {PREFIX} 字节";
    Self::Length { length, rest } =>
        en: "length field of the decrypted text says {length} bytes, at most {rest} possible",
        zh: "解密后的内容中，长度字段为 {length} 字节，最多只能是 {rest} 字节";
    Self::AppId => en: "appid in the decrypted text is not this account's", zh: "解密后的内容中的 AppID 不是本公众号的";
    Self::Empty => en: "decrypted message is empty", zh: "解密后的消息为空";
} }

wording! { MessageError {
    Self::Xml(error) => en: "{error:#}", zh: "{error}";
    Self::Root => en: "root element is not <xml>", zh: "根元素不是 <xml>";
    Self::Encrypted => en: "message is encrypted, expected a plain message", zh: "消息已加密，应为明文消息";
    Self::Missing { element } => en: "element {element} is missing or empty", zh: "元素 {element} 缺失或为空";
    Self::Repeated { element } => en: "element {element} occurs twice", zh: "元素 {element} 出现两次";
    Self::CreateTime => en: "element CreateTime is malformed, expected a number of seconds",
        zh: "元素 CreateTime 格式错误，应为秒数";
} }

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_the_texts_about_the_clock() {
        for is_ahead in [false, true] {
            let (off, max) = (601, 600);
            let stale = SignatureError::Stale { off, is_ahead, max };
            assert!(is_stale_timestamp(&stale.to_string()), "{stale}");
        }
        assert!(!is_stale_timestamp(&SignatureError::Mismatch.to_string()));
    }
}
