//! Whether a rule matches all messages that another rule matches. The answer yes is always right. The answer no can be
//! wrong, for example if only several rules together match all that another one matches.

use super::condition::Condition;
use super::folding::{Case, fold, is_sentence_mark};
use super::pattern::Pattern;
use super::rule_set::Rule;
use super::schedule::Schedule;
use super::value::TEXT;
use crate::text::blank::is_blank;
use crate::wechat::UNSUPPORTED;

/// Stands for a star in [`Glob::text`]. A file cannot contain this character.
const STAR: char = '\0';

/// Minutes of a week.
const WEEK: u64 = 7 * 24 * 60;

/// The events of devices. Their `MsgType` is `device_event`.
const DEVICE_EVENTS: [&str; 4] = ["bind", "unbind", "subscribe_status", "unsubscribe_status"];

/// An alternative of a pattern: a folded text in which each star is [`STAR`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    text: String,
}

impl Glob {
    fn new(text: String) -> Self {
        Self { text }
    }

    /// The text, if the alternative has no star.
    pub(super) fn keyword(&self) -> Option<&str> {
        (!self.has_star()).then_some(&*self.text)
    }

    fn has_star(&self) -> bool {
        self.text.contains(STAR)
    }

    /// Whether every value matches.
    pub(super) fn matches_all(&self) -> bool {
        self.has_star() && self.text.chars().all(|character| character == STAR)
    }

    /// Whether sentence marks at the end of a value count because the alternative ends in one.
    fn ends_in_mark(&self) -> bool {
        self.text.ends_with(is_sentence_mark)
    }

    /// Whether each text that `other` matches is matched by `self`: a star of `other` is one more character, which only a
    /// star of `self` can match.
    fn matches(&self, other: &str) -> bool {
        let mut texts = self.text.split(STAR);
        let first = texts.next().unwrap_or("");
        let Some(last) = texts.next_back() else {
            return self.text == other;
        };
        let rest = other.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
        let found =
            rest.and_then(|rest| texts.try_fold(rest, |rest, text| Some(rest.split_once(text)?.1)));
        found.is_some()
    }

    /// Whether each value that `other` matches is matched by `self`. If the field has sentence marks, an alternative is
    /// compared with the value either with or without the marks at its end (`Alternative::text_of`).
    fn covers(&self, other: &Self, has_marks: bool) -> bool {
        let is_compared_alike = || {
            let both_end_in_mark = self.ends_in_mark() && other.ends_in_mark();
            let is_alike =
                self.has_star() == other.has_star() && self.ends_in_mark() == other.ends_in_mark();
            both_end_in_mark || is_alike
        };
        // A star at the end matches the marks too. The text before it must not need them.
        let takes_marks = || {
            let before = self.text.trim_end_matches(STAR);
            before.len() < self.text.len()
                && !before.ends_with(|end| is_sentence_mark(end) || is_blank(end))
        };
        self.matches(&other.text) && (!has_marks || is_compared_alike() || takes_marks())
    }
}

/// What a condition demands of a field. The field has a value, and one of the alternatives matches it; or the only
/// alternative is empty, and the field may also be absent.
#[derive(Clone, Debug)]
pub(super) struct Demand<'r> {
    pub(super) field: &'r str,
    pub(super) alternatives: Vec<Glob>,
}

impl<'r> Demand<'r> {
    fn new(condition: &'r Condition) -> Self {
        Self { field: &condition.field, alternatives: globs(&condition.pattern) }
    }

    fn with_keywords(field: &'r str, keywords: &[&str]) -> Self {
        let globs = keywords.iter().map(|keyword| Glob::new((*keyword).to_owned()));
        Self { field, alternatives: globs.collect() }
    }

    /// Whether a message without the field meets the demand.
    pub(super) fn allows_absence(&self) -> bool {
        self.alternatives.iter().any(|glob| glob.text.is_empty())
    }

    fn matches_any(&self, values: &[&str]) -> bool {
        values.iter().any(|value| self.alternatives.iter().any(|glob| glob.matches(value)))
    }

    fn covers(&self, other: &Self) -> bool {
        let has_marks = matches!(self.field, "Content" | "Recognition" | TEXT);
        self.field == other.field
            && (!other.allows_absence() || self.allows_absence())
            && other
                .alternatives
                .iter()
                .all(|other| self.alternatives.iter().any(|glob| glob.covers(other, has_marks)))
    }

    /// The number of steps that a comparison takes.
    fn cost(&self) -> usize {
        self.alternatives.iter().map(|glob| 1 + glob.text.len() / 64).sum()
    }
}

fn globs(pattern: &Pattern) -> Vec<Glob> {
    pattern.alternatives().map(|texts| Glob::new(texts.join(&STAR.to_string()))).collect()
}

/// A rule, prepared for comparisons.
pub(super) struct Demands<'r> {
    pub(super) own: Vec<Demand<'r>>,
    /// What follows from the own demands.
    pub(super) implied: Vec<Demand<'r>>,
    schedule: Option<&'r Schedule>,
}

impl<'r> Demands<'r> {
    pub(super) fn new(rule: &'r Rule) -> Self {
        let own: Vec<_> = rule.conditions.iter().map(Demand::new).collect();
        let implied = own.iter().flat_map(imply).collect();
        Self { own, implied, schedule: rule.schedule.as_ref() }
    }

    /// The demands of a rule for one event.
    pub(super) fn of_event(event: &str) -> Self {
        let own = vec![
            Demand::with_keywords("MsgType", &["event"]),
            Demand::with_keywords("Event", &[&event.to_ascii_lowercase()]),
        ];
        Self { own, implied: Vec::new(), schedule: None }
    }

    /// Whether `self` matches all that `other` matches. The steps that this takes are added to `cost`.
    pub(super) fn covers(&self, other: &Self, cost: &mut usize) -> bool {
        let is_covered = self.own.iter().all(|own| {
            other.own.iter().chain(&other.implied).any(|other| {
                *cost += 1;
                if own.field != other.field {
                    return false;
                }
                *cost += own.cost() * other.cost();
                own.covers(other)
            })
        });
        is_covered && self.covers_schedule(other, cost)
    }

    fn covers_schedule(&self, other: &Self, cost: &mut usize) -> bool {
        let Some(own) = self.schedule else {
            return true;
        };
        let Some(other) = other.schedule else {
            return false;
        };
        *cost += 100;
        let mut minutes = (0..WEEK).map(|minute| minute * 60);
        minutes.all(|seconds| !other.applies_at(seconds) || own.applies_at(seconds))
    }
}

/// Whether a demand of `Content` is met by WeChat's notice of an unsupported message.
fn matches_notice(demand: &Demand<'_>) -> bool {
    let mut notices =
        UNSUPPORTED.iter().map(|notice| fold(notice, Case::Ignored).collect::<String>());
    notices.any(|notice| demand.matches_any(&[&notice]))
}

/// The demands that follow from a demand.
fn imply<'r>(demand: &Demand<'r>) -> Vec<Demand<'r>> {
    if demand.allows_absence() {
        return Vec::new();
    }
    let of_type = |types: &[&str]| Demand::with_keywords("MsgType", types);
    let text = || Demand { field: TEXT, alternatives: demand.alternatives.clone() };
    match demand.field {
        // A text that is WeChat's notice of an unsupported message is not `Text`.
        "Content" if matches_notice(demand) => vec![of_type(&["text"])],
        "Content" => vec![of_type(&["text"]), text()],
        "Recognition" if demand.matches_any(&[""]) => vec![of_type(&["voice"])],
        "Recognition" => vec![of_type(&["voice"]), text()],
        TEXT => vec![of_type(&["text", "voice"])],
        "Event" if demand.matches_any(&DEVICE_EVENTS) => Vec::new(),
        "Event" | "EventKey" => vec![of_type(&["event"])],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::value::{Origin, Value};
    use super::*;

    /// All texts of at most `max` of these parts.
    fn texts(parts: &[&str], max: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut longest = all.clone();
        for _ in 0..max {
            longest = longest
                .iter()
                .flat_map(|text| parts.iter().map(move |part| format!("{text}{part}")))
                .collect();
            all.extend_from_slice(&longest);
        }
        all
    }

    /// Asserts that a demand that covers another one matches all that the other one matches. Returns how many pairs of
    /// patterns cover each other, and how many do so although no value tells them apart.
    fn check_pairs(
        patterns: &[String],
        values: &[String],
        field: &str,
        origins: &[Origin],
    ) -> [usize; 2] {
        let conditions: Vec<Condition> =
            patterns.iter().filter_map(|pattern| Condition::parse(field, pattern).ok()).collect();
        let matched: Vec<Vec<bool>> = conditions
            .iter()
            .map(|condition| {
                let matches = |value: &String, origin: &Origin| {
                    condition.pattern.captures(&Value::new(value, *origin)).is_some()
                };
                let of_value = |value| origins.iter().map(move |origin| matches(value, origin));
                values.iter().flat_map(of_value).collect()
            })
            .collect();
        let (mut covered, mut included) = (0, 0);
        for (one, all) in conditions.iter().zip(&matched) {
            for (other, some) in conditions.iter().zip(&matched) {
                let is_included = some.iter().zip(all).all(|(some, all)| !some || *all);
                let covers = Demand::new(one).covers(&Demand::new(other));
                assert!(
                    is_included || !covers,
                    "{:?} and {:?} of {field}",
                    one.source,
                    other.source
                );
                covered += usize::from(covers);
                included += usize::from(is_included && !other.pattern.matches_absence());
            }
        }
        [covered, included]
    }

    #[test]
    fn a_pattern_that_covers_another_one_matches_all_that_it_matches() {
        let mut patterns = texts(&["a", "*", "。", "|"], 4);
        patterns.extend(texts(&["a", "b", "*"], 3));
        let values = texts(&["a", "b", "。", " "], 4);
        for (field, origins) in [
            ("Content", &[Origin::Typed][..]),
            ("Recognition", &[Origin::Spoken]),
            ("Text", &[Origin::Typed, Origin::Spoken]),
            ("Event", &[Origin::Other]),
        ] {
            let [covered, included] = check_pairs(&patterns, &values, field, origins);
            assert!(covered * 5 > included * 4, "{field}: {covered} of {included}");
        }
    }
}
