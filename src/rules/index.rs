//! Finds the rules that can match a text by a binary search, so that a thousand keywords take about as long as one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::iter;

use super::pattern::Pattern;

/// An index of the rules of a file. The number of a rule is its position in the file, counted from 0.
#[derive(Debug)]
pub(super) struct Index {
    /// Keywords in lower case and the numbers of their rules, sorted. A keyword is an alternative of a pattern for
    /// `Content` that has no star.
    keywords: Vec<(String, usize)>,
    /// Numbers of all other rules, in ascending order.
    others: Vec<usize>,
}

impl Index {
    /// `patterns` has one item for each rule, in order: the pattern for `Content`, or `None` if the rule has none.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = Option<&'p Pattern>>) -> Self {
        let (mut keywords, mut others) = (Vec::new(), Vec::new());
        for (rule, pattern) in patterns.enumerate() {
            // An empty pattern also matches a message without `Content`.
            let pattern = pattern.filter(|pattern| !pattern.matches_absence());
            match pattern.and_then(Pattern::keywords) {
                Some(texts) => keywords.extend(texts.map(|text| (text.to_owned(), rule))),
                None => others.push(rule),
            }
        }
        // Sorted by a heap, because `sort` would add 4 KiB to the binary.
        let mut keywords = BinaryHeap::from(keywords).into_sorted_vec();
        keywords.dedup();
        Self { keywords, others }
    }

    /// Numbers of the rules that can match a message with this `Content`, in ascending order and without repeats.
    pub(super) fn candidates(&self, content: Option<&str>) -> impl Iterator<Item = usize> {
        let found = content.map_or(&[][..], |content| self.find_keyword(content));
        let mut found = found.iter().map(|(_, rule)| *rule).peekable();
        let mut others = self.others.iter().copied().peekable();
        iter::from_fn(move || match (found.peek(), others.peek()) {
            (Some(keyword), Some(other)) if other < keyword => others.next(),
            (Some(_), _) => found.next(),
            (None, _) => others.next(),
        })
    }

    fn find_keyword(&self, content: &str) -> &[(String, usize)] {
        // The bytes are converted to lower case one by one, so that no copy of the content is needed.
        let compare = |(keyword, _): &(String, usize)| {
            let content = content.bytes().map(|octet| octet.to_ascii_lowercase());
            keyword.bytes().cmp(content)
        };
        let start = self.keywords.partition_point(|keyword| compare(keyword) == Ordering::Less);
        let found = &self.keywords[start..];
        let count = found.partition_point(|keyword| compare(keyword) == Ordering::Equal);
        &found[..count]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::pattern::Value;
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        let patterns = texts.iter().map(|text| Pattern::parse(text).unwrap());
        patterns.collect()
    }

    #[test]
    fn finds_every_rule_that_matches_each_once_and_in_order() {
        let patterns = patterns(&[
            "", "a", "A*", "ab", "a*b*", "*", "*a", "天", "天气*", "天*|ab", "a*|*b", "b|天气",
            "a|A",
        ]);
        // The list is used twice, so that other rules lie between the two rules of a keyword.
        let patterns = || patterns.iter().chain(&patterns).map(Some).chain([None]);
        let index = Index::new(patterns());
        let matches = |pattern: Option<&Pattern>, content: Option<&str>| match (pattern, content) {
            (None, _) => true,
            (Some(pattern), Some(content)) => pattern.captures(&Value::new(content)).is_some(),
            (Some(pattern), None) => pattern.matches_absence(),
        };
        for content in ["", "a", "AB", "ab", "b", "天", "天气", "天气预报", "x"]
            .map(Some)
            .into_iter()
            .chain([None])
        {
            let found: Vec<usize> = index.candidates(content).collect();
            assert!(found.is_sorted_by(|one, next| one < next), "{found:?}");
            for (rule, pattern) in patterns().enumerate() {
                assert!(found.contains(&rule) || !matches(pattern, content), "{rule} {content:?}");
            }
        }
    }

    #[test]
    fn does_not_find_rules_of_other_keywords() {
        let texts: Vec<String> = (0..1000).map(|n| format!("词{n}|K{n}")).collect();
        let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        texts.push("*");
        let patterns = patterns(&texts);
        let index = Index::new(patterns.iter().map(Some));
        let find = |content| index.candidates(content).collect::<Vec<_>>();
        assert_eq!(find(Some("词998")), [998, 1000]);
        assert_eq!(find(Some("k5")), [5, 1000]);
        assert_eq!(find(Some("别的")), [1000]);
        assert_eq!(find(None), [1000]);
    }
}
