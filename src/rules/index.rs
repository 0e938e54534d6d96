//! Finds the rules that can match a text by a binary search, so that a thousand keywords take about as long as one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::iter;

use super::folding::{Case, fold};
use super::pattern::Pattern;
use super::value::Value;

/// An index of the rules of a file. The number of a rule is its position in the file, counted from 0.
#[derive(Debug)]
pub(super) struct Index {
    /// Keywords, which are folded, and the numbers of their rules, sorted. A keyword is an alternative of a pattern for
    /// what the user wrote or said that has no star.
    keywords: Vec<(String, usize)>,
    /// Numbers of all other rules, in ascending order.
    others: Vec<usize>,
}

impl Index {
    /// `rules` has one item for each rule, in order: its patterns for what the user wrote or said.
    pub(super) fn new<'p>(rules: impl Iterator<Item = impl Iterator<Item = &'p Pattern>>) -> Self {
        let (mut keywords, mut others) = (Vec::new(), Vec::new());
        for (rule, patterns) in rules.enumerate() {
            // An empty pattern also matches a message without a text.
            let mut patterns = patterns.filter(|pattern| !pattern.matches_absence());
            match patterns.find_map(Pattern::keywords) {
                Some(texts) => keywords.extend(texts.map(|text| (text.to_owned(), rule))),
                None => others.push(rule),
            }
        }
        // Sorted by a heap, because `sort` would add 4 KiB to the binary.
        let mut keywords = BinaryHeap::from(keywords).into_sorted_vec();
        keywords.dedup();
        Self { keywords, others }
    }

    /// Numbers of the rules that can match a message with this text, in ascending order and without repeats.
    pub(super) fn candidates(&self, text: Option<&Value<'_>>) -> impl Iterator<Item = usize> {
        let whole = text.map(|value| value.whole);
        let unmarked = text.filter(|value| value.unmarked.len() < value.whole.len());
        let [mut whole, mut unmarked] = [whole, unmarked.map(|value| value.unmarked)].map(|text| {
            let found = text.map_or(&[][..], |text| self.find_keyword(text));
            found.iter().map(|(_, rule)| *rule).peekable()
        });
        let mut others = self.others.iter().copied().peekable();
        iter::from_fn(move || {
            let first = [whole.peek(), unmarked.peek(), others.peek()].into_iter().flatten().min();
            let first = *first?;
            whole.next_if_eq(&first);
            unmarked.next_if_eq(&first);
            others.next_if_eq(&first);
            Some(first)
        })
    }

    fn find_keyword(&self, text: &str) -> &[(String, usize)] {
        // The characters are folded one by one, so that no copy of the text is needed. Texts have the same order by
        // characters as by bytes.
        let compare =
            |(keyword, _): &(String, usize)| keyword.chars().cmp(fold(text, Case::Ignored));
        let start = self.keywords.partition_point(|keyword| compare(keyword) == Ordering::Less);
        let found = &self.keywords[start..];
        let count = found.partition_point(|keyword| compare(keyword) == Ordering::Equal);
        &found[..count]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::pattern::Captures;
    use super::super::value::Origin;
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        let patterns = texts.iter().map(|text| Pattern::parse(text, Case::Ignored).unwrap());
        patterns.collect()
    }

    #[test]
    fn finds_every_rule_that_matches_each_once_and_in_order() {
        let patterns = patterns(&[
            "",
            "a",
            "A*",
            "ab",
            "a*b*",
            "*",
            "*a",
            "天",
            "天气*",
            "天*|ab",
            "a*|*b",
            "b|天气",
            "a|A",
            "天气！",
            "ａ？|a|天气!",
            "❤",
            "。",
        ]);
        // The list is used twice, so that other rules lie between the two rules of a keyword.
        let patterns = || patterns.iter().chain(&patterns).map(Some).chain([None]);
        let index = Index::new(patterns().map(Option::into_iter));
        let matches = |pattern: Option<&Pattern>, text: Option<&Value<'_>>| match (pattern, text) {
            (None, _) => true,
            (Some(pattern), Some(text)) => pattern.matches(text, &mut Captures::new(false)),
            (Some(pattern), None) => pattern.matches_absence(),
        };
        let texts = [
            "",
            "a",
            "AB",
            "ab",
            "b",
            "天",
            "天气",
            "天气预报",
            "x",
            "ａ",
            "天气！",
            "天气。",
            "a?",
            "Ａ？",
            "❤️",
            "。",
            "!",
            "　天气 ！",
        ];
        let mut matching = 0;
        for origin in [Origin::Typed, Origin::Spoken] {
            for text in texts.map(|text| Some(Value::new(text, origin))).into_iter().chain([None]) {
                let text = text.as_ref();
                let found: Vec<usize> = index.candidates(text).collect();
                assert!(found.is_sorted_by(|one, next| one < next), "{found:?}");
                for (rule, pattern) in patterns().enumerate() {
                    let is_match = matches(pattern, text);
                    assert!(found.contains(&rule) || !is_match, "{rule} {text:?}");
                    matching += usize::from(is_match);
                }
            }
        }
        assert!(matching > 300, "only {matching} matches");
    }

    #[test]
    fn does_not_find_rules_of_other_keywords() {
        let texts: Vec<String> = (0..1000).map(|n| format!("词{n}|K{n}")).collect();
        let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        texts.push("*");
        let patterns = patterns(&texts);
        let index = Index::new(patterns.iter().map(Some).map(Option::into_iter));
        let find = |text| {
            let value = Value::new(text, Origin::Typed);
            index.candidates(Some(&value)).collect::<Vec<_>>()
        };
        assert_eq!(find("词998"), [998, 1000]);
        assert_eq!(find("k5"), [5, 1000]);
        assert_eq!(find("Ｋ５。"), [5, 1000]);
        assert_eq!(find("别的"), [1000]);
        assert_eq!(index.candidates(None).collect::<Vec<_>>(), [1000]);
    }
}
