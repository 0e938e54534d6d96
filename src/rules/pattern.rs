//! Patterns: what a condition asks of a field's value.
//!
//! ```text
//! pattern     = alternative *( "|" alternative )
//! alternative = *( "*" / "\" character / character )
//! ```
//! A `*` is any run of characters and is captured, a backslash takes the next character as it is,
//! ASCII letters match in either case. White space around an alternative does not count, because
//! none is left around the value that it is matched against.

use std::fmt;

/// A pattern, read.
#[derive(Debug)]
pub(super) struct Pattern {
    alternatives: Vec<Alternative>,
}

/// Pieces of text with a `*` between each two.
#[derive(Debug)]
struct Alternative {
    first: Piece,
    behind_stars: Vec<Piece>,
}

/// Text as it must stand there, in lower case.
#[derive(Debug, Default)]
struct Piece {
    text: Vec<u8>,
    /// For each front of the text, by its length less one, the length of the longest shorter front
    /// that it ends with (Knuth, Morris and Pratt, 1977). It keeps a search linear whatever the text.
    fallback: Vec<usize>,
}

/// Why a text is no pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PatternError {
    /// The last backslash has nothing behind it.
    FinalBackslash,
    /// One of several alternatives is empty. It would match every message without the field.
    EmptyAlternative,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FinalBackslash => r"pattern ends with \, which takes the character behind it; write \\ for one",
            Self::EmptyAlternative => "pattern with nothing on one side of |, which would match all messages without this field",
        })
    }
}

#[derive(Clone, Copy)]
enum Symbol {
    Star,
    Plain(char),
    Escaped(char),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut alternatives = Vec::new();
        let mut symbols = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '|' => alternatives.push(Alternative::of(&std::mem::take(&mut symbols))),
                '*' => symbols.push(Symbol::Star),
                '\\' => symbols.push(Symbol::Escaped(
                    characters.next().ok_or(PatternError::FinalBackslash)?,
                )),
                plain => symbols.push(Symbol::Plain(plain)),
            }
        }
        alternatives.push(Alternative::of(&symbols));
        let pattern = Self { alternatives };
        if pattern.alternatives.len() > 1 && pattern.matches_absence() {
            return Err(PatternError::EmptyAlternative);
        }
        Ok(pattern)
    }

    /// What the stars of the first alternative that matches took, in order.
    pub(super) fn captures<'v>(&self, value: &'v str) -> Option<Vec<&'v str>> {
        self.alternatives
            .iter()
            .find_map(|alternative| alternative.captures(value))
    }

    /// Whether a field that is not there matches: where one that is empty is asked for.
    pub(super) fn matches_absence(&self) -> bool {
        let is_empty = |alternative: &Alternative| {
            alternative.first.text.is_empty() && alternative.behind_stars.is_empty()
        };
        self.alternatives.iter().any(is_empty)
    }

    /// The most stars that an alternative has.
    pub(super) fn stars(&self) -> usize {
        self.alternatives
            .iter()
            .map(|alternative| alternative.behind_stars.len())
            .max()
            .unwrap_or(0)
    }

    /// The only texts that match, in lower case; `None` where there are stars.
    pub(super) fn exact(&self) -> Option<impl Iterator<Item = &[u8]>> {
        (self.stars() == 0).then(|| {
            self.alternatives
                .iter()
                .map(|one| one.first.text.as_slice())
        })
    }

    /// What each text that matches begins with, in lower case: one of these; `None` where it can begin with
    /// anything.
    pub(super) fn fronts(&self) -> Option<impl Iterator<Item = &[u8]>> {
        let fronts = || {
            self.alternatives
                .iter()
                .map(|one| one.first.text.as_slice())
        };
        fronts().all(|front| !front.is_empty()).then(fronts)
    }
}

impl Alternative {
    fn of(symbols: &[Symbol]) -> Self {
        let mut symbols = symbols;
        while let [Symbol::Plain(' ' | '\t' | '\r' | '\n'), rest @ ..]
        | [rest @ .., Symbol::Plain(' ' | '\t' | '\r' | '\n')] = symbols
        {
            symbols = rest;
        }
        let mut pieces = symbols
            .split(|symbol| matches!(symbol, Symbol::Star))
            .map(Piece::of);
        Self {
            first: pieces.next().unwrap_or_default(),
            behind_stars: pieces.collect(),
        }
    }

    /// Each piece where it first fits, the last one at the end: whatever fits otherwise fits so too.
    fn captures<'v>(&self, value: &'v str) -> Option<Vec<&'v str>> {
        let (_, mut rest) = self.first.split_at_front(value)?;
        let Some((last, between)) = self.behind_stars.split_last() else {
            return rest.is_empty().then(Vec::new);
        };
        let mut captures = Vec::new();
        for piece in between {
            let (taken, found) = rest.split_at_checked(piece.find(rest.as_bytes())?)?;
            captures.push(taken);
            (_, rest) = found.split_at_checked(piece.text.len())?;
        }
        let (taken, end) = rest.split_at_checked(rest.len().checked_sub(last.text.len())?)?;
        last.split_at_front(end)?;
        captures.push(taken);
        Some(captures)
    }
}

impl Piece {
    fn of(symbols: &[Symbol]) -> Self {
        let mut text = String::new();
        for symbol in symbols {
            if let Symbol::Plain(character) | Symbol::Escaped(character) = symbol {
                text.push(character.to_ascii_lowercase());
            }
        }
        let mut piece = Self {
            text: text.into_bytes(),
            fallback: Vec::new(),
        };
        let mut matched = 0;
        for (at, &octet) in piece.text.iter().enumerate() {
            matched = if at == 0 {
                0
            } else {
                piece.advance(matched, octet)
            };
            piece.fallback.push(matched);
        }
        piece
    }

    /// How much of the text is matched when this octet follows so much of it.
    fn advance(&self, mut matched: usize, octet: u8) -> usize {
        loop {
            if self
                .text
                .get(matched)
                .is_some_and(|expected| same(*expected, octet))
            {
                return matched.saturating_add(1);
            }
            let Some(shorter) = matched.checked_sub(1).and_then(|at| self.fallback.get(at)) else {
                return 0;
            };
            matched = *shorter;
        }
    }

    /// Where the text first stands in the value.
    fn find(&self, value: &[u8]) -> Option<usize> {
        let Some(&first) = self.text.first() else {
            return Some(0);
        };
        let mut matched = 0;
        for (at, &octet) in value.iter().enumerate() {
            // What most octets of most values come to, without the table.
            if matched == 0 && !same(first, octet) {
                continue;
            }
            matched = if matched == 0 {
                1
            } else {
                self.advance(matched, octet)
            };
            if matched == self.text.len() {
                return at.saturating_add(1).checked_sub(matched);
            }
        }
        None
    }

    /// The value's front that is the text, and the rest.
    fn split_at_front<'v>(&self, value: &'v str) -> Option<(&'v str, &'v str)> {
        let (front, rest) = value.split_at_checked(self.text.len())?;
        let is_same = self
            .text
            .iter()
            .zip(front.bytes())
            .all(|(&expected, octet)| same(expected, octet));
        is_same.then_some((front, rest))
    }
}

/// Whether an octet of a value is the one expected, which is in lower case.
fn same(expected: u8, octet: u8) -> bool {
    #[cfg(test)]
    tests::COMPARISONS.with(|count| count.set(count.get().saturating_add(1)));
    expected == octet.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::arithmetic_side_effects,
        reason = "a test fails by panicking"
    )]
    use std::cell::Cell;

    use super::*;

    thread_local! {
        pub(super) static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    #[track_caller]
    fn assert_captures(pattern: &str, value: &str, captures: &[&str]) {
        let parsed = Pattern::parse(pattern).unwrap();
        assert_eq!(
            parsed.captures(value).as_deref(),
            Some(captures),
            "{pattern} on {value}"
        );
    }

    #[track_caller]
    fn assert_no_match(pattern: &str, value: &str) {
        assert_eq!(
            Pattern::parse(pattern).unwrap().captures(value),
            None,
            "{pattern} on {value}"
        );
    }

    #[test]
    fn a_pattern_is_matched_against_the_whole_value() {
        assert_captures("帮助|help|?", "帮助", &[]);
        assert_captures("帮助|help|?", "HELP", &[]);
        assert_captures("帮助|help|?", "?", &[]);
        assert_no_match("帮助|help|?", "helper");
        assert_no_match("帮助|help|?", "");
        assert_no_match("É", "é");
    }

    #[test]
    fn stars_take_what_stands_between() {
        assert_captures("*", "", &[""]);
        assert_captures("*", "一 二", &["一 二"]);
        assert_captures("天气*", "天气 北京", &[" 北京"]);
        assert_captures("*到*的*", "北京到上海的火车", &["北京", "上海", "火车"]);
        assert_captures("*ab*", "aabab", &["a", "ab"]);
        assert_captures("a*a", "aa", &[""]);
        assert_captures("a*aab", "aaaab", &["a"]);
        assert_captures("**", "x", &["", "x"]);
        assert_no_match("a*a", "a");
        assert_no_match("*aab*", "aab".replace('b', "c").as_str());
        assert_no_match("a*b", "ba");
    }

    #[test]
    fn a_backslash_takes_the_next_character_as_it_is() {
        assert_captures(r"a\*b", "a*b", &[]);
        assert_captures(r"a\|b|c\\", "a|b", &[]);
        assert_captures(r"a\|b|c\\", r"c\", &[]);
        assert_no_match(r"a\*b", "axb");
        assert_eq!(
            Pattern::parse(r"a\").unwrap_err(),
            PatternError::FinalBackslash
        );
    }

    #[test]
    fn white_space_around_alternatives_does_not_count() {
        assert_captures(" a b |\tc\n", "a b", &[]);
        assert_captures(" a b |\tc\n", "c", &[]);
        assert_captures("a * ", "a x", &["x"]);
    }

    #[test]
    fn an_absent_field_matches_only_where_an_empty_one_is_asked_for() {
        assert!(Pattern::parse("").unwrap().matches_absence());
        for trap in ["a|", "|a", "a| |b", "|"] {
            assert_eq!(
                Pattern::parse(trap).unwrap_err(),
                PatternError::EmptyAlternative,
                "{trap}"
            );
        }
        assert!(!Pattern::parse("*").unwrap().matches_absence());
        assert!(!Pattern::parse("a").unwrap().matches_absence());
    }

    /// The plain meaning of a pattern, by trying everything.
    fn matches(pattern: &[u8], value: &[u8]) -> bool {
        match (pattern, value) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                (0..=value.len()).any(|at| matches(rest, value.split_at(at).1))
            }
            ([expected, pattern @ ..], [found, value @ ..]) => {
                expected == found && matches(pattern, value)
            }
            _ => false,
        }
    }

    #[test]
    fn every_short_pattern_means_what_trying_everything_says() {
        let words = |alphabet: &'static [u8], longest: usize| {
            (0..=longest).flat_map(move |length| {
                (0..alphabet.len().pow(u32::try_from(length).unwrap())).map(move |number| {
                    let letter =
                        |place| alphabet.get(number / alphabet.len().pow(place) % alphabet.len());
                    (0..u32::try_from(length).unwrap())
                        .filter_map(letter)
                        .map(|&octet| char::from(octet))
                        .collect::<String>()
                })
            })
        };
        for pattern in words(b"ab*", 5) {
            let parsed = Pattern::parse(&pattern).unwrap();
            for value in words(b"ab", 6) {
                let expected = matches(pattern.as_bytes(), value.as_bytes());
                assert_eq!(
                    parsed.captures(&value).is_some(),
                    expected,
                    "{pattern} on {value}"
                );
            }
        }
    }

    #[track_caller]
    fn assert_comparisons(pattern: &str, value: &str, most: usize) {
        let parsed = Pattern::parse(pattern).unwrap();
        COMPARISONS.set(0);
        assert_eq!(parsed.captures(value), None);
        assert!(
            COMPARISONS.get() <= most,
            "{} comparisons, at most {most} expected",
            COMPARISONS.get()
        );
    }

    #[test]
    fn matching_is_linear_whatever_the_pattern() {
        let value = "a".repeat(2048);
        assert_comparisons("*a*a*a*a*b", &value, 2 * 2048);
        assert_comparisons("*a*a*a*a*b*", &value, 2 * 2048);
        assert_comparisons(&format!("*{}b*", "a".repeat(1000)), &value, 2 * 2048);
        assert_comparisons(&format!("{}b", "*a".repeat(1000)), &value, 2 * 2048);
        assert_comparisons(&"*aab".repeat(300), &"aa".repeat(1024), 2 * 2048);
    }
}
