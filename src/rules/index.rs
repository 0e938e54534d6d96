//! Which rules can match what a user wrote, found without trying the others: a thousand keywords cost
//! what one does.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::pattern::Pattern;

/// Bytes of a front that are looked up. For each length there is a look-up a message, so that there have to be
/// few; rules whose fronts have more bytes in common are tried one after the other.
const FRONT_MAX: usize = 12;

/// Rules by their number, which is their order, as their patterns for Content have it.
#[derive(Debug)]
pub(super) struct Index {
    /// Texts in lower case, each with a rule that it alone, or one of few, can match; sorted.
    wholes: Vec<Listed>,
    /// Fronts of texts in lower case, each with a rule that can match no text without it, or one of few;
    /// sorted.
    fronts: Vec<Listed>,
    /// The lengths of the fronts, each once.
    lengths: Vec<usize>,
    /// All other rules.
    others: Vec<usize>,
}

type Listed = (Vec<u8>, usize);

impl Index {
    /// Of the rules' patterns for Content, where they have one.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = Option<&'p Pattern>>) -> Self {
        let (mut wholes, mut fronts, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let mut lengths = Vec::new();
        for (rule, pattern) in patterns.enumerate() {
            // What matches an empty text matches an event too, which has none.
            let pattern = pattern.filter(|pattern| !pattern.matches_absence());
            if let Some(texts) = pattern.and_then(Pattern::exact) {
                wholes.extend(texts.map(|text| (text.to_owned(), rule)));
            } else if let Some(texts) = pattern.and_then(Pattern::fronts) {
                for text in texts {
                    let front = text.get(..FRONT_MAX).unwrap_or(text);
                    if !lengths.contains(&front.len()) {
                        lengths.push(front.len());
                    }
                    fronts.push((front.to_owned(), rule));
                }
            } else {
                others.push(rule);
            }
        }
        // Sorted at the end, since a list that is kept sorted while it grows is quadratic; by a heap,
        // since that is less code in the binary than a tree.
        let sorted = |listed: Vec<Listed>| BinaryHeap::from(listed).into_sorted_vec();
        Self {
            wholes: sorted(wholes),
            fronts: sorted(fronts),
            lengths,
            others,
        }
    }

    /// The rules that can match a message with this text, or one without, in their order.
    pub(super) fn candidates(&self, content: Option<&str>) -> Candidates<'_> {
        let mut candidates = Candidates {
            others: &self.others,
            listed: [&[]; _],
            count: 0,
        };
        if let Some(content) = content {
            let content = content.as_bytes();
            let fronts = self
                .lengths
                .iter()
                .filter_map(|length| content.get(..*length));
            let under = fronts.map(|front| all_under(&self.fronts, front));
            let under = under.chain([all_under(&self.wholes, content)]);
            let under = under.filter(|listed| !listed.is_empty());
            for (slot, found) in candidates.listed.iter_mut().zip(under) {
                *slot = found;
                candidates.count = candidates.count.saturating_add(1);
            }
        }
        candidates
    }
}

/// Rules that can match, in their order.
pub(super) struct Candidates<'i> {
    others: &'i [usize],
    /// Those under the text, and under each front of it that may be one.
    listed: [&'i [Listed]; FRONT_MAX + 1],
    /// How many of these there are.
    count: usize,
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let listed = self.listed.get_mut(..self.count).unwrap_or_default();
        let firsts = listed.iter().filter_map(|listed| listed.first());
        let firsts = firsts.map(|(_, rule)| rule);
        let next = firsts.chain(self.others.first()).min();
        let next = *next?;
        if let [first, rest @ ..] = self.others
            && *first == next
        {
            self.others = rest;
        }
        for listed in listed {
            // By two of its alternatives a rule can stand here twice, or here and under another front.
            while let [(_, first), rest @ ..] = listed
                && *first == next
            {
                *listed = rest;
            }
        }
        Some(next)
    }
}

/// All that stands under this text, in either case.
fn all_under<'l>(listed: &'l [Listed], text: &[u8]) -> &'l [Listed] {
    let order = |listed: &[u8]| {
        let text = text.iter().map(u8::to_ascii_lowercase);
        listed.iter().copied().cmp(text)
    };
    let start = listed.partition_point(|(other, _)| order(other) == Ordering::Less);
    let found = listed.get(start..).unwrap_or_default();
    let end = found.partition_point(|(other, _)| order(other) == Ordering::Equal);
    found.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::string_slice,
        reason = "a test fails by panicking"
    )]
    use super::*;

    /// Every pattern of a nasty vocabulary against every text of another: what matches is found, and in its
    /// order.
    #[test]
    fn no_rule_that_matches_is_left_out() {
        let words = [
            "", "a", "A*", "ab", "a*b*", "*", "*a", "天", "天气*", "天*|ab", "a*|*b", "b|天气",
            "a|A",
        ];
        let long = [
            "abcdefghijklm*",
            "abcdefghijkl",
            "天气预报北京*",
            "天气预报上*",
            "天气预报*",
            "天气预报北*|天气预报上*",
        ];
        let texts: Vec<Pattern> = words
            .iter()
            .chain(&long)
            .map(|text| Pattern::parse(text).unwrap())
            .collect();
        // Each pattern twice, so that rules stand between those under one text.
        let patterns = || texts.iter().chain(&texts).map(Some).chain([None]);
        let index = Index::new(patterns());
        let matches = |pattern: Option<&Pattern>, content: Option<&str>| match (pattern, content) {
            (None, _) => true,
            (Some(pattern), Some(content)) => pattern
                .captures(&super::super::pattern::Value::new(content))
                .is_some(),
            (Some(pattern), None) => pattern.matches_absence(),
        };
        for content in [
            None,
            Some(""),
            Some("a"),
            Some("AB"),
            Some("ab"),
            Some("b"),
            Some("天"),
            Some("天气"),
            Some("天气预报北京明天"),
            Some("天气预报上海"),
            Some("abcdefghijklmn"),
            Some("ABCDEFGHIJKL"),
            Some("x"),
        ] {
            let tried: Vec<usize> = index.candidates(content).collect();
            assert!(tried.is_sorted_by(|one, next| one < next), "{tried:?}");
            for (rule, pattern) in patterns().enumerate() {
                assert!(
                    tried.contains(&rule) || !matches(pattern, content),
                    "{rule} {content:?}"
                );
            }
        }
    }

    /// As many look-ups as there can be, and each finds something.
    #[test]
    fn fronts_of_every_length_are_found_beside_the_whole() {
        let text = "abcdefghijklmn";
        let fronts = (1..text.len())
            .rev()
            .map(|end| format!("{}*", &text[..end]));
        let patterns: Vec<Pattern> = fronts
            .chain([text.to_owned(), "*n".to_owned()])
            .map(|text| Pattern::parse(&text).unwrap())
            .collect();
        let index = Index::new(patterns.iter().map(Some));
        let tried: Vec<usize> = index.candidates(Some(text)).collect();
        assert_eq!(tried, (0..patterns.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_thousand_keywords_are_not_tried() {
        let patterns: Vec<Pattern> = (0..2000)
            .map(|n| {
                if n % 2 == 0 {
                    format!("词{n}")
                } else {
                    format!("词{n}*|K{n}*")
                }
            })
            .map(|text| Pattern::parse(&text).unwrap())
            .collect();
        let index = Index::new(patterns.iter().map(Some));
        let tried = |content| index.candidates(Some(content)).collect::<Vec<_>>();
        assert_eq!(tried("词1998"), [1, 19, 199, 1998]);
        assert_eq!(tried("词1999年"), [1, 19, 199, 1999]);
        assert_eq!(tried("k5"), [5]);
        assert_eq!(tried("别的"), []);
    }
}
