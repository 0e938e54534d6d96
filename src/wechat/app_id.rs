//! The appid, which WeChat puts at the end of each encrypted message (消息加解密说明).

/// Maximum characters of an appid that this program accepts.
const LENGTH_MAX: usize = 64;

/// The appid of an account. For an Official Account, it is `wx` followed by 16 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppId(String);

impl AppId {
    /// Parses an appid as the WeChat console shows it: 1 to 64 letters, digits, `_` and `-`. `None` for
    /// any other text, and for an account's original id (`gh_…`).
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
        let is_app_id = (1..=LENGTH_MAX).contains(&text.len())
            && text.bytes().all(is_valid)
            && !text.starts_with("gh_");
        is_app_id.then(|| Self(text.to_owned()))
    }

    /// The text of the appid.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_1_to_64_letters_digits_and_dashes_but_no_original_id() {
        let longest = "x".repeat(64);
        for text in ["wx5823bf96d3bd56c7", "rust", "a_-1", &longest] {
            let app_id = AppId::parse(text);
            assert_eq!(app_id.as_ref().map(AppId::as_str), Some(text));
        }
        let too_long = "x".repeat(65);
        for text in ["", "gh_10f6c3c3ac5a", "wx 1", "wx1\n", "wx/1", "号", &too_long] {
            assert_eq!(AppId::parse(text), None, "{text}");
        }
    }
}
