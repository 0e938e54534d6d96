//! The values of a message's fields, as conditions compare them.

use std::cell::OnceCell;

use super::folding::{Case, fold, is_sentence_mark};
use crate::text::blank::{is_blank, trim_blanks};
use crate::wechat::Message;

/// The name of the field that has what the user wrote or said. It is not an element of a message.
pub(super) const TEXT: &str = "Text";

/// Maximum bytes of the values of a field that patterns see and stars capture; the rest is ignored. The longest text of
/// a user that WeChat sends is shorter.
pub(super) const VALUE_MAX: usize = 4096;

/// Where a value comes from. This determines how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A text that a user wrote. Without a star in the pattern, sentence marks at its end do not count.
    Typed,
    /// A text that WeChat recognized in a voice. Sentence marks at its end do not count, because the user said none.
    Spoken,
    /// A key, which has a case.
    Key,
    Other,
}

/// A value of a field.
#[derive(Debug)]
pub(super) struct Value<'v> {
    pub(super) origin: Origin,
    /// The value without blanks at its ends.
    pub(super) whole: &'v str,
    /// `whole` without the sentence marks at its end, unless they count.
    pub(super) unmarked: &'v str,
    /// `whole`, folded. Made when a pattern first searches the value.
    pub(super) folded: OnceCell<String>,
}

impl Origin {
    pub(super) fn case_of(field: &str) -> Case {
        match field {
            "EventKey" => Case::Kept,
            _ => Case::Ignored,
        }
    }

    /// The origin of the values of this field.
    pub(super) fn new(field: &str, message: &Message<'_>) -> Self {
        match field {
            "Content" => Self::Typed,
            "Recognition" => Self::Spoken,
            "EventKey" => Self::Key,
            TEXT if message.msg_type() == "voice" => Self::Spoken,
            TEXT => Self::Typed,
            _ => Self::Other,
        }
    }
}

impl<'v> Value<'v> {
    /// Keeps only the beginning of a value that is longer than [`VALUE_MAX`].
    pub(super) fn new(text: &'v str, origin: Origin) -> Self {
        let text = trim_blanks(text);
        let (whole, _) = text.split_at(text.floor_char_boundary(VALUE_MAX));
        let unmarked = match origin {
            Origin::Typed | Origin::Spoken if whole.ends_with(is_sentence_mark) => {
                whole.trim_end_matches(|end| is_sentence_mark(end) || is_blank(end))
            }
            Origin::Typed | Origin::Spoken | Origin::Key | Origin::Other => whole,
        };
        let unmarked = if unmarked.is_empty() { whole } else { unmarked };
        Self { origin, whole, unmarked, folded: OnceCell::new() }
    }

    pub(super) fn folded(&self) -> &str {
        self.folded.get_or_init(|| fold(self.whole, self.case()).collect())
    }

    pub(super) const fn case(&self) -> Case {
        match self.origin {
            Origin::Key => Case::Kept,
            Origin::Typed | Origin::Spoken | Origin::Other => Case::Ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::pattern::Pattern;
    use super::*;

    fn parse(pattern: &str) -> Pattern {
        Pattern::parse(pattern, Case::Ignored).unwrap()
    }

    #[track_caller]
    fn assert_captures(pattern: &str, value: &str, expected: &[&str]) {
        let captures = parse(pattern).captures(&Value::new(value, Origin::Other));
        assert_eq!(captures.as_deref(), Some(expected), "{pattern} on {value}");
    }

    /// Asserts that each value matches, and that the value with a letter before it does not.
    #[track_caller]
    fn assert_each_matches(pattern: &str, origin: Origin, values: &[&str]) {
        let pattern = parse(pattern);
        for value in values {
            let captures = pattern.captures(&Value::new(value, origin));
            assert_eq!(captures, Some(Vec::new()), "{value:?}");
            let other = format!("x{value}");
            assert_eq!(pattern.captures(&Value::new(&other, origin)), None, "{other:?}");
        }
    }

    #[test]
    fn ignores_blanks_width_case_and_variation_selectors() {
        assert_each_matches(
            "帮助|help|?",
            Origin::Other,
            &[
                "？",
                "ｈｅｌｐ",
                "ＨＥＬＰ",
                "Ｈelp",
                "\u{3000}帮助",
                "帮助\u{200B}",
                "\u{A0}帮助\u{A0}",
                "\u{FEFF}帮助",
                "帮助\u{2060}\u{200D} ",
                "\u{202A}帮助\u{202C}",
                "帮\u{FE0F}助",
                "\u{2003}帮助\u{85}\u{2028}",
                "帮助\u{200B} \u{3000}\u{200E}",
                "\u{AD}帮助",
            ],
        );
        assert_each_matches("ｈＥlp　ｍe", Origin::Other, &["help me", "help　me", "HELP ＭＥ"]);
        assert_each_matches("❤", Origin::Other, &["❤", "❤️", "❤️️", " ❤️ "]);
        assert_each_matches("❤️", Origin::Other, &["❤", "❤️"]);
        assert_each_matches("1⃣", Origin::Other, &["1️⃣", "１️⃣"]);
        assert_eq!(parse("help").captures(&Value::new("h elp", Origin::Other)), None);
        assert_eq!(parse("帮助").captures(&Value::new("帮\u{200B}助", Origin::Other)), None);
        assert_eq!(parse("？|＊").captures(&Value::new("??", Origin::Other)), None);
        assert_captures("＊｜１", "*|1", &[]);
        assert_captures(r"\＊", "＊", &[]);
    }

    #[test]
    fn keys_keep_their_case() {
        let pattern = Pattern::parse("Key１*", Case::Kept).unwrap();
        let captures = |value| pattern.captures(&Value::new(value, Origin::Key));
        assert_eq!(captures("Ｋey1 A"), Some(vec!["A"]));
        assert_eq!(captures("key1A"), None);
    }

    #[test]
    fn stars_capture_the_users_own_characters_of_a_folded_value() {
        assert_captures("从*到*", "　从 Ａ市\u{200B}到　Ｂ市！", &["Ａ市", "Ｂ市！"]);
        assert_captures("*ＡＢ*", "❤️ｘaｂ❤️ｙ", &["❤️ｘ", "❤️ｙ"]);
        assert_captures("❤*", "❤️你", &["你"]);
        assert_captures("*❤", "你❤️", &["你"]);
        assert_captures("*❤*", "❤️❤️❤️", &["", "❤️❤️"]);
        assert_captures("a*❤*b", "Ａ❤️️ｂ", &["", ""]);
        assert_captures("*天气*", "ＸＹ 天气　？", &["ＸＹ", "？"]);
        assert_captures("*", "\u{3000}❤️\u{200B}", &["❤️"]);
    }

    #[test]
    fn sentence_marks_at_the_end_do_not_count() {
        let marks = [
            "。",
            "．",
            ".",
            "！",
            "!",
            "？",
            "?",
            "，",
            ",",
            "、",
            "～",
            "~",
            "…",
            "。。！",
            " 。 ！ ",
        ];
        for origin in [Origin::Typed, Origin::Spoken] {
            for mark in marks {
                assert_each_matches("天气", origin, &[&format!("天气{mark}")]);
                let value = Value::new(mark, origin);
                assert_eq!(parse("*").captures(&value), Some(vec![mark.trim()]), "{mark}");
                assert_eq!(parse("").captures(&value), None, "{mark}");
            }
            assert_each_matches("好吗？", origin, &["好吗?", "好吗？"]);
            assert_each_matches("？", origin, &["?"]);
            assert_each_matches("v1.0", origin, &["v1.0", "V1．0。"]);
            for other in ["好吗", "好吗。", "好吗？。", "好吗！"] {
                assert_eq!(parse("好吗？").captures(&Value::new(other, origin)), None);
            }
        }
        assert_eq!(parse("天气").captures(&Value::new("天气。", Origin::Other)), None);
    }

    #[test]
    fn a_star_captures_marks_that_were_typed_but_not_spoken() {
        let captures = |pattern: &str, origin| {
            let value = Value::new("从北京到上海 。", origin);
            parse(pattern).captures(&value)
        };
        assert_eq!(captures("从*到*", Origin::Typed), Some(vec!["北京", "上海 。"]));
        assert_eq!(captures("从*到*", Origin::Spoken), Some(vec!["北京", "上海"]));
        assert_eq!(captures("从*海", Origin::Typed), None);
        assert_eq!(captures("从*海", Origin::Spoken), Some(vec!["北京到上"]));
        assert_eq!(captures("从*海 。", Origin::Spoken), Some(vec!["北京到上"]));
        assert_eq!(captures("*到*海*", Origin::Spoken), Some(vec!["从北京", "上", ""]));
    }
}
