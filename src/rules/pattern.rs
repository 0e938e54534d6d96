//! Patterns. A condition compares the value of a field with a pattern.
//!
//! ```text
//! pattern     = alternative *( "|" alternative )
//! alternative = *( "*" / "\" character / character )
//! ```
//! A `*` matches any number of characters and captures them. A backslash makes the next character literal. Blanks around an
//! alternative and around a value are ignored. `folding.rs` has the other differences that are ignored.

use super::folding::{
    Case, fold, fold_character, is_sentence_mark, split_at_folded, strip_prefix, strip_suffix,
    without_selectors,
};
use super::problem::Problem;
use super::value::{Origin, Value};
use crate::text::blank::{is_blank, trim_blanks};

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    alternatives: Vec<Alternative>,
}

/// Literal texts, folded, with a `*` between every two texts.
#[derive(Debug)]
struct Alternative {
    /// The text before the first star.
    first: String,
    /// For each star, the text after it.
    after_stars: Vec<String>,
}

/// The texts captured by stars, without blanks at their ends.
#[derive(Debug)]
pub(super) struct Captures<'v> {
    pub(super) texts: Vec<&'v str>,
    /// Whether the texts are used. If not, they are not kept, so that nothing is allocated.
    is_needed: bool,
}

#[derive(Clone, Copy)]
enum Symbol {
    Star,
    Plain(char),
    Escaped(char),
}

impl<'v> Captures<'v> {
    pub(super) const fn new(is_needed: bool) -> Self {
        Self { texts: Vec::new(), is_needed }
    }

    fn push(&mut self, text: &'v str) {
        if self.is_needed {
            self.texts.push(trim_blanks(text));
        }
    }

    /// Adds empty texts until there are `count`.
    pub(super) fn fill_up(&mut self, count: usize) {
        if self.is_needed {
            self.texts.resize(count, "");
        }
    }
}

impl Pattern {
    /// `case` is that of the values.
    ///
    /// # Errors
    /// [`Problem::FinalBackslash`] or [`Problem::EmptyAlternative`]
    pub(super) fn parse(text: &str, case: Case) -> Result<Self, Problem> {
        let mut alternatives = Vec::new();
        let mut symbols = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '|' => alternatives.push(Alternative::new(&std::mem::take(&mut symbols), case)),
                '*' => symbols.push(Symbol::Star),
                '\\' => {
                    symbols.push(Symbol::Escaped(characters.next().ok_or(Problem::FinalBackslash)?))
                }
                plain => symbols.push(Symbol::Plain(plain)),
            }
        }
        alternatives.push(Alternative::new(&symbols, case));
        let pattern = Self { alternatives };
        if pattern.alternatives.len() > 1 && pattern.matches_absence() {
            return Err(Problem::EmptyAlternative);
        }
        Ok(pattern)
    }

    /// Whether an alternative matches. Adds the texts captured by the stars of the first one that does.
    pub(super) fn matches<'v>(&self, value: &Value<'v>, captures: &mut Captures<'v>) -> bool {
        let count_before = captures.texts.len();
        self.alternatives.iter().any(|alternative| {
            captures.texts.truncate(count_before);
            alternative.matches(value, captures).is_some()
        })
    }

    /// Whether a message without the field matches. Only an empty pattern does.
    pub(super) fn matches_absence(&self) -> bool {
        let is_empty = |alternative: &Alternative| {
            alternative.first.is_empty() && alternative.after_stars.is_empty()
        };
        self.alternatives.iter().any(is_empty)
    }

    /// Number of stars in the alternative with the most stars.
    pub(super) fn stars(&self) -> usize {
        let stars = self.alternatives.iter().map(|alternative| alternative.after_stars.len());
        stars.fold(0, usize::max)
    }

    /// For each alternative, the texts between its stars, folded.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = Vec<&str>> {
        self.alternatives.iter().map(|alternative| {
            let texts = alternative.after_stars.iter().map(String::as_str);
            std::iter::once(alternative.first.as_str()).chain(texts).collect()
        })
    }

    /// The alternatives, folded; `None` if the pattern has a star.
    pub(super) fn keywords(&self) -> Option<impl Iterator<Item = &str>> {
        let keywords = self.alternatives.iter().map(|alternative| alternative.first.as_str());
        (self.stars() == 0).then_some(keywords)
    }
}

impl Alternative {
    fn new(mut symbols: &[Symbol], case: Case) -> Self {
        while let [Symbol::Plain(start), rest @ ..] = symbols
            && is_blank(*start)
        {
            symbols = rest;
        }
        while let [rest @ .., Symbol::Plain(end)] = symbols
            && is_blank(*end)
        {
            symbols = rest;
        }
        let mut first = String::new();
        let mut after_stars: Vec<String> = Vec::new();
        for symbol in symbols {
            match symbol {
                Symbol::Star => after_stars.push(String::new()),
                Symbol::Plain(character) | Symbol::Escaped(character) => {
                    let text = after_stars.last_mut().unwrap_or(&mut first);
                    text.extend(fold_character(*character, case));
                }
            }
        }
        Self { first, after_stars }
    }

    /// The part of a value that this alternative is compared with.
    fn text_of<'v>(&self, value: &Value<'v>) -> &'v str {
        let (has_star, end) = match self.after_stars.last() {
            None => (false, &self.first),
            Some(end) => (true, end),
        };
        let marks_count =
            (value.origin == Origin::Typed && has_star) || end.ends_with(is_sentence_mark);
        if marks_count { value.whole } else { value.unmarked }
    }

    /// The stars split an alternative into texts. The value must start with the first text and end with the last text.
    /// Every other text is matched where it first occurs after the previous text. If any split of the value matches,
    /// this split matches.
    fn matches<'v>(&self, value: &Value<'v>, captures: &mut Captures<'v>) -> Option<()> {
        let case = value.case();
        let rest = strip_prefix(self.text_of(value), &self.first, case)?;
        let Some((last, inner)) = self.after_stars.split_last() else {
            return rest.is_empty().then_some(());
        };
        let mut rest = strip_suffix(rest, last, case)?;
        if !inner.is_empty() {
            let length = fold(rest, case).map(char::len_utf8).sum();
            let mut folded_rest = &value.folded()[self.first.len()..][..length];
            for text in inner {
                let start = folded_rest.find(text)?;
                let (capture, after) = split_at_folded(rest, start, case);
                captures.push(capture);
                (_, rest) = split_at_folded(after, text.len(), case);
                rest = without_selectors(rest);
                folded_rest = &folded_rest[start + text.len()..];
            }
        }
        captures.push(rest);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn parse(pattern: &str) -> Result<Pattern, Problem> {
        Pattern::parse(pattern, Case::Ignored)
    }

    impl Pattern {
        pub(in crate::rules) fn captures<'v>(&self, value: &Value<'v>) -> Option<Vec<&'v str>> {
            let mut captures = Captures::new(true);
            self.matches(value, &mut captures).then_some(captures.texts)
        }
    }

    fn captures<'v>(pattern: &str, value: &'v str) -> Option<Vec<&'v str>> {
        parse(pattern).unwrap().captures(&Value::new(value, Origin::Other))
    }

    #[track_caller]
    fn assert_captures(pattern: &str, value: &str, expected: &[&str]) {
        let captures = captures(pattern, value);
        assert_eq!(captures.as_deref(), Some(expected), "{pattern} on {value}");
    }

    #[track_caller]
    fn assert_no_match(pattern: &str, value: &str) {
        assert_eq!(captures(pattern, value), None, "{pattern} on {value}");
    }

    #[test]
    fn matches_the_whole_value_in_either_ascii_case() {
        assert_captures("帮助|help|?", "帮助", &[]);
        assert_captures("帮助|help|?", "HELP", &[]);
        assert_captures("帮助|help|?", "?", &[]);
        assert_no_match("帮助|help|?", "helper");
        assert_no_match("帮助|help|?", "");
        assert_no_match("É", "é");
    }

    #[test]
    fn stars_capture_the_users_own_characters() {
        assert_captures("*", "", &[""]);
        assert_captures("*", "一 二", &["一 二"]);
        assert_captures("天气*", "天气 北京", &["北京"]);
        assert_captures("*到*的*", "北京到上海的火车", &["北京", "上海", "火车"]);
        assert_captures("从*TO*", "从Ä to B", &["Ä", "B"]);
        assert_captures("*ab*", "aabab", &["a", "ab"]);
        assert_captures("a*a", "aa", &[""]);
        assert_captures("a*aab", "aaaab", &["a"]);
        assert_captures("**", "x", &["", "x"]);
        assert_no_match("a*a", "a");
        assert_no_match("*aab*", "aacaac");
        assert_no_match("a*b", "ba");
        assert_no_match("天*", "夫");
    }

    #[test]
    fn backslash_makes_the_next_character_literal() {
        assert_captures(r"a\*b", "a*b", &[]);
        assert_captures(r"a\|b|c\\", "a|b", &[]);
        assert_captures(r"a\|b|c\\", r"c\", &[]);
        assert_no_match(r"a\*b", "axb");
        assert!(matches!(parse(r"a\"), Err(Problem::FinalBackslash)));
    }

    #[test]
    fn ignores_white_space_around_alternatives() {
        assert_captures(" a b |\tc\n", "a b", &[]);
        assert_captures(" a b |\tc\n", "c", &[]);
        assert_captures("a * ", "a x", &["x"]);
        assert_captures("a|　帮助\u{200B}", "帮助", &[]);
    }

    #[test]
    fn only_the_empty_pattern_matches_an_absent_field() {
        assert!(parse("").unwrap().matches_absence());
        for pattern in ["a|", "|a", "a| |b", "|"] {
            let parsed = parse(pattern);
            assert!(matches!(parsed, Err(Problem::EmptyAlternative)), "{pattern}");
        }
        assert!(!parse("*").unwrap().matches_absence());
        assert!(!parse("a").unwrap().matches_absence());
    }

    /// Tries every split of the value. The pattern has no `|` and no `\`.
    fn matches_some_split(pattern: &[u8], value: &[u8]) -> bool {
        match (pattern, value) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                (0..=value.len()).any(|length| matches_some_split(rest, &value[length..]))
            }
            ([expected, pattern @ ..], [found, value @ ..]) => {
                expected == found && matches_some_split(pattern, value)
            }
            _ => false,
        }
    }

    /// All words of at most `max` characters of an alphabet.
    fn words(alphabet: &str, max: usize) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut longest_words = words.clone();
        for _ in 0..max {
            longest_words = longest_words
                .iter()
                .flat_map(|word| alphabet.chars().map(move |next| format!("{word}{next}")))
                .collect();
            words.extend_from_slice(&longest_words);
        }
        words
    }

    #[test]
    fn short_patterns_match_if_some_split_of_the_value_does() {
        let values = words("ab", 6);
        for pattern in words("ab*", 5) {
            for value in &values {
                assert_eq!(
                    captures(&pattern, value).is_some(),
                    matches_some_split(pattern.as_bytes(), value.as_bytes()),
                    "{pattern} on {value}"
                );
            }
        }
    }

    #[test]
    fn patterns_see_and_capture_the_first_4_kib_of_a_value() {
        let text = format!("{}é", "a".repeat(4095));
        assert_captures("*", &text, &[&text[..4095]]);
        assert_captures("*a*", &format!("{text}b"), &["", &text[1..4095]]);
        assert_no_match("*é*", &text);
        assert_captures("*é", &text[1..], &[&text[1..4095]]);
    }

    /// A search that does not take linear time would need hours for these patterns.
    #[test]
    fn matching_is_linear_for_any_pattern() {
        let text = "a".repeat(4 * 1024 * 1024);
        let value = Value { whole: &text, unmarked: &text, ..Value::new("", Origin::Typed) };
        let assert_no_match = |pattern: &str| {
            assert_eq!(parse(pattern).unwrap().captures(&value), None, "{pattern}");
        };
        assert_no_match("*a*a*a*a*b");
        assert_no_match("*a*a*a*a*b*");
        assert_no_match(&format!("*{}b*", "a".repeat(100_000)));
        assert_no_match(&format!("*b{}*", "a".repeat(100_000)));
        assert_no_match(&format!("{}b*", "*a".repeat(1000)));
        assert_no_match(&"*aab".repeat(300));
        assert_no_match(&format!("{}*", "*aab".repeat(300)));
    }
}
