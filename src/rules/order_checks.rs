//! Checks of the order of the rules: rules that cannot match because of an earlier one, and rules that match more events
//! than their author thought of.

use std::collections::HashMap;

use super::coverage::{Demand, Demands, Glob};
use super::problem::{EarlierRule, Warning};
use super::rule_set::{ActionTemplate, Rule};
use super::rules_file::{Report, RulesFile};
use crate::wechat::ReplyOf;

/// Maximum number of steps in the search for rules that cannot match. A file of a thousand rules needs fewer. In a larger
/// file, some of these rules may be missed.
const STEPS_MAX: usize = 5_000_000;

/// Events that WeChat sends without a wish of the user for a reply.
const QUIET_EVENTS: [&str; 3] = ["LOCATION", "VIEW", "unsubscribe"];

/// Rules that cannot match, because an earlier rule matches all that they match.
pub(super) fn unreachable_rules(file: &RulesFile<'_>, report: &mut Report<'_>) {
    let demands: Vec<Demands<'_>> = file.rules.iter().map(Demands::new).collect();
    let mut earlier = EarlierRules::default();
    let mut steps = 0;
    for (number, (_, on)) in file.rules().enumerate() {
        if steps > STEPS_MAX {
            break;
        }
        let later = &demands[number];
        let found = earlier
            .candidates(later)
            .find(|candidate| demands[*candidate].covers(later, &mut steps));
        if let Some(found) = found {
            let line = file.rules[found].line;
            let by = describe(&demands[found], later);
            report(on.offset(), Warning::Unreachable { line, by });
        } else {
            // A rule that cannot match need not be compared: an earlier one matches all that it does.
            earlier.add(number, later);
        }
    }
}

fn describe(earlier: &Demands<'_>, later: &Demands<'_>) -> EarlierRule {
    let is_only = |demand: &Demand<'_>, keyword: &str| {
        demand.field == "MsgType"
            && matches!(demand.alternatives.as_slice(), [only] if only.keyword() == Some(keyword))
    };
    if later.covers(earlier, &mut 0) {
        return EarlierRule::Same;
    }
    match earlier.own.as_slice() {
        [] => EarlierRule::All,
        [demand] if is_only(demand, "event") => EarlierRule::AllEvents,
        [demand] if is_only(demand, "text") => EarlierRule::AllTexts,
        _ => EarlierRule::Other,
    }
}

/// The rules before the one that is checked. A rule is found by one of its demands that has only alternatives without a
/// star, or of which one is only a star.
#[derive(Default)]
struct EarlierRules<'r> {
    /// Field and keyword, and the numbers of the rules. The keyword of a star is `None`.
    by_keyword: HashMap<(&'r str, Option<&'r str>), Vec<usize>>,
    /// The numbers of all other rules.
    others: Vec<usize>,
}

/// The keyword by which an alternative is found; `None` if it cannot be found by a keyword.
fn key_of(glob: &Glob) -> Option<Option<&str>> {
    match glob.keyword() {
        Some(keyword) => Some(Some(keyword)),
        None => glob.matches_all().then_some(None),
    }
}

impl<'r> EarlierRules<'r> {
    fn add(&mut self, number: usize, rule: &'r Demands<'r>) {
        // The fields by which most rules are told apart come first.
        let rank = |demand: &&Demand<'_>| match demand.field {
            "MsgType" => 2,
            "Event" => 1,
            _ => 0,
        };
        let has_keys =
            |demand: &&Demand<'_>| demand.alternatives.iter().all(|glob| key_of(glob).is_some());
        let Some(demand) = rule.own.iter().filter(has_keys).min_by_key(rank) else {
            self.others.push(number);
            return;
        };
        for key in demand.alternatives.iter().filter_map(key_of) {
            let numbers = self.by_keyword.entry((demand.field, key)).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        }
    }

    /// The numbers of all rules that may match all that this rule matches.
    fn candidates<'s>(&'s self, later: &'s Demands<'s>) -> impl Iterator<Item = usize> + 's {
        let demands = later.own.iter().chain(&later.implied);
        let keys = demands.flat_map(|demand| {
            // The earlier rule also matches the first alternative.
            let first = demand.alternatives.first().and_then(key_of);
            [first, Some(None)].into_iter().flatten().map(|key| (demand.field, key))
        });
        let found = keys.filter_map(|key| self.by_keyword.get(&key)).flatten();
        found.chain(&self.others).copied()
    }
}

/// The first rule that answers all events of a kind that users do not expect to be answered, unless it names the event.
pub(super) fn answered_quiet_events(file: &RulesFile<'_>, report: &mut Report<'_>) {
    let demands: Vec<Demands<'_>> = file.rules.iter().map(Demands::new).collect();
    // The number of a rule and the events that it answers.
    let mut found: Vec<(usize, Vec<&'static str>)> = Vec::new();
    for event in QUIET_EVENTS {
        let message = Demands::of_event(event);
        let Some(number) = demands.iter().position(|rule| rule.covers(&message, &mut 0)) else {
            continue;
        };
        let names_event = demands[number].own.iter().any(|demand| {
            demand.field == "Event"
                && demand.alternatives.iter().any(|glob| glob.keyword().is_some())
        });
        if names_event || !answers_event(&file.rules[number]) {
            continue;
        }
        match found.iter_mut().find(|(other, _)| *other == number) {
            Some((_, events)) => events.push(event),
            None => found.push((number, vec![event])),
        }
    }
    for (number, (_, on)) in file.rules().enumerate() {
        if let Some((_, events)) = found.iter().find(|(other, _)| *other == number) {
            report(on.offset(), Warning::AnswersQuietEvents { events: events.clone() });
        }
    }
}

/// Whether a rule has a fixed reply that is not empty for an event. What a program answers is not known.
fn answers_event(rule: &Rule) -> bool {
    rule.actions.iter().any(|action| match action {
        ActionTemplate::Run(_) | ActionTemplate::Reply { reply: ReplyOf::Success, .. } => false,
        ActionTemplate::Reply {
            reply:
                ReplyOf::Text(template)
                | ReplyOf::Image { media_id: template }
                | ReplyOf::Voice { media_id: template }
                | ReplyOf::Video { media_id: template, .. },
            ..
        } => template.has_value_for_events(),
        ActionTemplate::Reply {
            reply:
                ReplyOf::Music { .. }
                | ReplyOf::News(_)
                | ReplyOf::TransferCustomerService { .. }
                | ReplyOf::TransferBizAiIvr,
            ..
        } => true,
    })
}
