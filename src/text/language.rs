//! The language of the texts that people read: English or simplified Chinese.
//!
//! A process has one language. `cli` chooses it once, from the environment; library users get English. Flags, cause
//! words, names of fields, JSON and everything else that programs read are the same in both languages.

use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::sync::OnceLock;

/// A language of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
}

/// The variable that chooses the language of this program alone.
pub(crate) const VARIABLE: &str = "WECHAT_LANG";

/// The value of [`VARIABLE`] for the language of this process.
pub(crate) const CODE: Text = Text { en: "en", zh: "zh" };

/// The variables that choose the language. The first that is set and not empty counts.
const VARIABLES: [&str; 4] = [VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"];

static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// The language of this process.
pub(crate) fn language() -> Language {
    LANGUAGE.get().copied().unwrap_or(Language::English)
}

/// Chooses the language of this process. A later call has no effect.
pub(crate) fn set_language(language: Language) {
    _ = LANGUAGE.set(language);
}

/// The language of a text that is written to this formatter: English in the alternate form (`{:#}`), which is for texts
/// that programs read too, else the language of this process.
pub(crate) fn language_for(f: &Formatter<'_>) -> Language {
    if f.alternate() { Language::English } else { language() }
}

impl Language {
    /// The language that these variables choose: Chinese if the value begins with `zh`, such as `zh_CN.UTF-8`.
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let values = VARIABLES.iter().filter_map(|name| variable(name));
        let chosen = values.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
        match chosen.as_encoded_bytes().get(..2) {
            Some(start) if start.eq_ignore_ascii_case(b"zh") => Self::Chinese,
            _ => Self::English,
        }
    }
}

/// A text without values, in both languages.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

impl Text {
    /// No text.
    pub(crate) const EMPTY: Self = Self { en: "", zh: "" };

    /// The text in the language of this process.
    pub(crate) fn get(self) -> &'static str {
        self.of(language())
    }

    /// The text in this language.
    pub(crate) const fn of(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Chinese => self.zh,
        }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.of(language_for(f)))
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_first_variable_that_is_not_empty_chooses_the_language() {
        use Language::{Chinese, English};
        for (environment, expected) in [
            (&[][..], English),
            (&[("LANG", "zh_CN.UTF-8")], Chinese),
            (&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], English),
            (&[("LANG", "en_US.UTF-8"), ("LC_MESSAGES", "ZH")], Chinese),
            (&[("WECHAT_LANG", ""), ("LANG", "zh-Hans")], Chinese),
            (&[("WECHAT_LANG", "en"), ("LC_ALL", "zh_CN")], English),
            (&[("WECHAT_LANG", "z"), ("LC_ALL", "zh_CN")], English),
        ] {
            let variable = |name: &str| {
                let found = environment.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).into())
            };
            assert_eq!(Language::from_environment(variable), expected, "{environment:?}");
        }
    }
}
