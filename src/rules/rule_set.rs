//! The rules of an account, which choose a reply or a program for each message.

use std::hash::{BuildHasher, RandomState};

use super::condition::Condition;
use super::index::Index;
use super::pattern::Captures;
use super::run::{ProgramCall, RunTemplate};
use super::schedule::Schedule;
use super::template::{Context, Template};
use super::value::{TEXT, Value};
use super::values::{Fields, Values};
use crate::wechat::{FIELD_MAX, Message, Reply, ReplyOf};

/// The rules of a file. The first rule that matches a message is used. If no rule matches, there is no reply.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Seconds ahead of GMT.
    utc_offset: i64,
    fields: Fields,
    index: Index,
    /// The random keys by which one of several replies of a rule is chosen.
    random_state: RandomState,
}

/// One `<on>`.
#[derive(Debug)]
pub(super) struct Rule {
    /// The line of the file, counted from 1.
    pub(super) line: u32,
    /// The conditions, which must all hold.
    pub(super) conditions: Vec<Condition>,
    /// When the rule applies; always if `None`.
    pub(super) schedule: Option<Schedule>,
    /// Whether a template of the rule has the number of a star.
    pub(super) uses_captures: bool,
    /// The replies and programs; at least one. One of several is chosen at random.
    pub(super) actions: Vec<ActionTemplate>,
}

/// A reply or a program of a rule, with placeholders.
#[derive(Debug)]
pub(super) enum ActionTemplate {
    Reply {
        /// Name of the reply element.
        name: &'static str,
        reply: ReplyOf<Template>,
    },
    Run(Box<RunTemplate>),
}

/// The reply to a message, or a program that gives it.
#[derive(Debug)]
pub enum Action<'m> {
    /// A reply.
    Reply(Reply<'m>),
    /// A program, whose output is the reply.
    Run(ProgramCall),
}

impl Rules {
    pub(super) fn new(mut rules: Vec<Rule>, utc_offset: i64) -> Self {
        let mut names = Vec::new();
        for condition in rules.iter().flat_map(|rule| &rule.conditions) {
            if let Err(slot) = names.binary_search(&condition.field) {
                names.insert(slot, condition.field.clone());
            }
        }
        for condition in rules.iter_mut().flat_map(|rule| &mut rule.conditions) {
            condition.slot = names.partition_point(|name| *name < condition.field);
        }
        let index = Index::new(rules.iter().map(|rule| {
            let conditions = rule.conditions.iter();
            let texts =
                conditions.filter(|condition| ["Content", TEXT].contains(&&*condition.field));
            texts.map(|condition| &condition.pattern)
        }));
        let fields = Fields::new(names);
        Self { rules, utc_offset, fields, index, random_state: RandomState::new() }
    }

    /// The rules in the order of the file.
    pub(super) fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The number of rules.
    pub(super) const fn count(&self) -> usize {
        self.rules.len()
    }

    /// One line of text for each rule: line number in the file, conditions and replies.
    pub fn summary(&self) -> impl Iterator<Item = String> {
        self.rules.iter().map(Rule::summary)
    }

    /// Finds the reply or the program for a message.
    pub fn find_action<'m>(&self, message: &'m Message<'m>) -> Action<'m> {
        let mut values = Values::default();
        values.read(message, &self.fields);
        // The text that the index finds. The `Content` of a text is also its `Text`. Only strange messages have several
        // different texts, so they are compared with all rules.
        let mut text: Option<&Value<'_>> = None;
        let mut is_ambiguous = false;
        for slot in [self.fields.content, self.fields.text].into_iter().flatten() {
            for value in values.of(slot) {
                is_ambiguous |= text.is_some_and(|text| text.whole != value.whole);
                text = Some(value);
            }
        }
        let mut found = self.index.candidates(text);
        let mut all = 0..self.rules.len();
        let numbers: &mut dyn Iterator<Item = usize> =
            if is_ambiguous { &mut all } else { &mut found };
        let local_seconds = message.received().saturating_add_signed(self.utc_offset);
        for number in numbers {
            let rule = &self.rules[number];
            if rule.schedule.as_ref().is_some_and(|schedule| !schedule.applies_at(local_seconds)) {
                continue;
            }
            let Some(captures) = rule.captures(&values) else {
                continue;
            };
            let context = Context { message, captures, local_seconds };
            return match self.choose(&rule.actions, message) {
                ActionTemplate::Reply { reply, .. } => {
                    Action::Reply(reply.map_texts(|template| template.fill(&context, FIELD_MAX)))
                }
                ActionTemplate::Run(run) => Action::Run(run.fill(&context)),
            };
        }
        Action::Reply(Reply::Success)
    }

    /// Chooses one of the actions at random, and the same action at every try of a message.
    fn choose<'r>(
        &self,
        actions: &'r [ActionTemplate],
        message: &Message<'_>,
    ) -> &'r ActionTemplate {
        if let [only] = actions {
            return only;
        }
        let number = self.random_state.hash_one(message.identity()) % actions.len() as u64;
        &actions[usize::try_from(number).expect("less than the number of actions")]
    }
}

impl Rule {
    /// Texts captured by the stars of all conditions; `None` if a condition does not hold.
    fn captures<'v>(&self, values: &Values<'v>) -> Option<Vec<&'v str>> {
        let mut captures = Captures::new(self.uses_captures);
        let mut conditions = self.conditions.iter();
        let hold = conditions.all(|condition| condition.holds(values, &mut captures));
        hold.then_some(captures.texts)
    }
}
