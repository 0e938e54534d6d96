//! Patterns. A condition compares the value of a field with a pattern.
//!
//! ```text
//! pattern     = alternative *( "|" alternative )
//! alternative = *( "*" / "\" character / character )
//! ```
//! A `*` matches any number of characters and captures them. A backslash makes the next character literal. Upper and
//! lower case of ASCII letters match. White space around an alternative is ignored; values are trimmed before they are
//! matched.

use std::cell::OnceCell;

use super::problem::Problem;

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    alternatives: Vec<Alternative>,
}

/// Literal texts in lower case, with a `*` between every two texts.
#[derive(Debug)]
struct Alternative {
    /// The text before the first star.
    first: String,
    /// For each star, the text after it.
    after_stars: Vec<String>,
}

#[derive(Clone, Copy)]
enum Symbol {
    Star,
    Plain(char),
    Escaped(char),
}

/// Maximum bytes of a value that patterns see and stars capture; the rest is ignored. The longest text of a user that
/// WeChat sends is shorter.
const VALUE_MAX: usize = 4096;

/// The value of a field, without white space around it.
#[derive(Debug)]
pub(super) struct Value<'v> {
    text: &'v str,
    /// `text` with ASCII letters in lower case, which does not change offsets. Made when a pattern first searches the
    /// value.
    lower_case: OnceCell<String>,
}

impl<'v> Value<'v> {
    /// Keeps only the beginning of a value that is longer than [`VALUE_MAX`].
    pub(super) const fn new(text: &'v str) -> Self {
        let (text, _) = text.split_at(text.floor_char_boundary(VALUE_MAX));
        Self { text, lower_case: OnceCell::new() }
    }

    pub(super) const fn text(&self) -> &'v str {
        self.text
    }

    fn lower_case(&self) -> &str {
        self.lower_case.get_or_init(|| self.text.to_ascii_lowercase())
    }
}

impl Pattern {
    /// # Errors
    /// [`Problem::FinalBackslash`] or [`Problem::EmptyAlternative`]
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let mut alternatives = Vec::new();
        let mut symbols = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '|' => alternatives.push(Alternative::new(&std::mem::take(&mut symbols))),
                '*' => symbols.push(Symbol::Star),
                '\\' => {
                    symbols.push(Symbol::Escaped(characters.next().ok_or(Problem::FinalBackslash)?))
                }
                plain => symbols.push(Symbol::Plain(plain)),
            }
        }
        alternatives.push(Alternative::new(&symbols));
        let pattern = Self { alternatives };
        if pattern.alternatives.len() > 1 && pattern.matches_absence() {
            return Err(Problem::EmptyAlternative);
        }
        Ok(pattern)
    }

    /// Texts captured by the stars of the first alternative that matches, in order; `None` if no alternative matches.
    pub(super) fn captures<'v>(&self, value: &Value<'v>) -> Option<Vec<&'v str>> {
        self.alternatives.iter().find_map(|alternative| alternative.captures(value))
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

    /// All texts that match, in lower case; `None` if the pattern has a star.
    pub(super) fn keywords(&self) -> Option<impl Iterator<Item = &str>> {
        let keywords = self.alternatives.iter().map(|alternative| alternative.first.as_str());
        (self.stars() == 0).then_some(keywords)
    }
}

impl Alternative {
    fn new(mut symbols: &[Symbol]) -> Self {
        while let [Symbol::Plain(' ' | '\t' | '\r' | '\n'), rest @ ..]
        | [rest @ .., Symbol::Plain(' ' | '\t' | '\r' | '\n')] = symbols
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
                    text.push(character.to_ascii_lowercase());
                }
            }
        }
        Self { first, after_stars }
    }

    /// The stars split an alternative into texts. The value must start with the first text and end with the last text.
    /// Every other text is matched where it first occurs after the previous text. If any split of the value matches,
    /// this split matches.
    fn captures<'v>(&self, value: &Value<'v>) -> Option<Vec<&'v str>> {
        let rest = strip_prefix(value.text, &self.first)?;
        let Some((last, inner)) = self.after_stars.split_last() else {
            return rest.is_empty().then(Vec::new);
        };
        let rest = strip_suffix(rest, last)?;
        let mut start = self.first.len();
        let end = start + rest.len();
        let mut captures = Vec::new();
        for text in inner {
            let found = start + value.lower_case()[start..end].find(text)?;
            captures.push(&value.text[start..found]);
            start = found + text.len();
        }
        captures.push(&value.text[start..end]);
        Some(captures)
    }
}

fn strip_prefix<'v>(value: &'v str, expected: &str) -> Option<&'v str> {
    let (prefix, rest) = value.split_at_checked(expected.len())?;
    prefix.eq_ignore_ascii_case(expected).then_some(rest)
}

fn strip_suffix<'v>(value: &'v str, expected: &str) -> Option<&'v str> {
    let length = value.len().checked_sub(expected.len())?;
    let (rest, suffix) = value.split_at_checked(length)?;
    suffix.eq_ignore_ascii_case(expected).then_some(rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn captures<'v>(pattern: &str, value: &'v str) -> Option<Vec<&'v str>> {
        Pattern::parse(pattern).unwrap().captures(&Value::new(value))
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
        assert_captures("天气*", "天气 北京", &[" 北京"]);
        assert_captures("*到*的*", "北京到上海的火车", &["北京", "上海", "火车"]);
        assert_captures("从*TO*", "从Ä to B", &["Ä ", " B"]);
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
        assert!(matches!(Pattern::parse(r"a\"), Err(Problem::FinalBackslash)));
    }

    #[test]
    fn ignores_white_space_around_alternatives() {
        assert_captures(" a b |\tc\n", "a b", &[]);
        assert_captures(" a b |\tc\n", "c", &[]);
        assert_captures("a * ", "a x", &["x"]);
    }

    #[test]
    fn only_the_empty_pattern_matches_an_absent_field() {
        assert!(Pattern::parse("").unwrap().matches_absence());
        for pattern in ["a|", "|a", "a| |b", "|"] {
            let parsed = Pattern::parse(pattern);
            assert!(matches!(parsed, Err(Problem::EmptyAlternative)), "{pattern}");
        }
        assert!(!Pattern::parse("*").unwrap().matches_absence());
        assert!(!Pattern::parse("a").unwrap().matches_absence());
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
        let value = Value { text: &text, lower_case: OnceCell::new() };
        let assert_no_match = |pattern: &str| {
            assert_eq!(Pattern::parse(pattern).unwrap().captures(&value), None, "{pattern}");
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
