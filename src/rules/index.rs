//! Finds the rules that can match a text without trying every keyword: a thousand keywords cost as much as one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::iter;

use super::pattern::Pattern;

/// The rules of a file by their number, which is their order in the file.
#[derive(Debug)]
pub(super) struct Index {
    /// Rules whose pattern for `Content` has no star, by each of its keywords in lower case; sorted.
    keywords: Vec<(String, usize)>,
    /// All other rules, in order.
    others: Vec<usize>,
}

impl Index {
    /// `patterns`: for each rule in order, its pattern for `Content`, if it has one.
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
        // A heap because `sort` adds 4 KiB to the binary.
        let mut keywords = BinaryHeap::from(keywords).into_sorted_vec();
        keywords.dedup();
        Self { keywords, others }
    }

    /// The rules that can match a message with this `Content`, each once and in order.
    pub(super) fn candidates(&self, content: Option<&str>) -> impl Iterator<Item = usize> {
        let found = content.map_or(&[][..], |content| self.with_keyword(content));
        let mut found = found.iter().map(|(_, rule)| *rule).peekable();
        let mut others = self.others.iter().copied().peekable();
        iter::from_fn(move || match (found.peek(), others.peek()) {
            (Some(keyword), Some(other)) if other < keyword => others.next(),
            (Some(_), _) => found.next(),
            (None, _) => others.next(),
        })
    }

    fn with_keyword(&self, content: &str) -> &[(String, usize)] {
        // Compared as it is, so that a message costs no lower-case copy.
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
        // Each pattern twice, so that other rules lie between two rules of one keyword.
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
            let tried: Vec<usize> = index.candidates(content).collect();
            assert!(tried.is_sorted_by(|one, next| one < next), "{tried:?}");
            for (rule, pattern) in patterns().enumerate() {
                assert!(tried.contains(&rule) || !matches(pattern, content), "{rule} {content:?}");
            }
        }
    }

    #[test]
    fn does_not_try_the_rules_of_other_keywords() {
        let texts: Vec<String> = (0..1000).map(|n| format!("词{n}|K{n}")).collect();
        let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        texts.push("*");
        let patterns = patterns(&texts);
        let index = Index::new(patterns.iter().map(Some));
        let tried = |content| index.candidates(content).collect::<Vec<_>>();
        assert_eq!(tried(Some("词998")), [998, 1000]);
        assert_eq!(tried(Some("k5")), [5, 1000]);
        assert_eq!(tried(Some("别的")), [1000]);
        assert_eq!(tried(None), [1000]);
    }
}
