//! The rules of an account: which reply or program a message gets.

use std::hash::{BuildHasher, RandomState};

use super::condition::Condition;
use super::index::Index;
use super::pattern::Value;
use super::run::{ProgramCall, RunTemplate};
use super::template::{Context, Template};
use crate::wechat::{Message, Reply, ReplyOf};
use crate::xml::trim;

/// The rules of a file. The first that matches a message answers it; without one there is no reply.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Seconds ahead of GMT.
    utc_offset: i64,
    /// The fields that conditions name, each once, sorted.
    fields: Vec<&'static str>,
    index: Index,
    /// Chooses among several replies of a rule.
    random_state: RandomState,
}

/// The number of fields for whose values a message allocates nothing.
const INLINE_FIELDS: usize = 8;

/// One `<on>`.
#[derive(Debug)]
pub(super) struct Rule {
    /// The line of the file, counted from 1.
    pub(super) line: u32,
    /// All must hold.
    pub(super) conditions: Vec<Condition>,
    /// At least one.
    pub(super) actions: Vec<ActionTemplate>,
}

/// A reply or a program of a rule, with placeholders.
#[derive(Debug)]
pub(super) enum ActionTemplate {
    Reply {
        /// Its element.
        name: &'static str,
        reply: ReplyOf<Template>,
    },
    Run(Box<RunTemplate>),
}

/// What a message gets.
#[derive(Debug)]
pub enum Action<'m> {
    /// A reply.
    Reply(Reply<'m>),
    /// A program, whose output is the reply.
    Run(ProgramCall),
}

impl Rules {
    pub(super) fn new(mut rules: Vec<Rule>, utc_offset: i64) -> Self {
        let mut fields = Vec::new();
        for condition in rules.iter().flat_map(|rule| &rule.conditions) {
            if let Err(slot) = fields.binary_search(&condition.field) {
                fields.insert(slot, condition.field);
            }
        }
        for condition in rules.iter_mut().flat_map(|rule| &mut rule.conditions) {
            condition.slot = fields.partition_point(|field| *field < condition.field);
        }
        let contents = rules.iter().map(|rule| {
            let mut conditions = rule.conditions.iter();
            let content = conditions.find(|condition| condition.field == "Content")?;
            Some(&content.pattern)
        });
        let index = Index::new(contents);
        Self { rules, utc_offset, fields, index, random_state: RandomState::new() }
    }

    /// The number of rules.
    pub(super) const fn count(&self) -> usize {
        self.rules.len()
    }

    /// A line for each rule: its line in the file, its conditions and its replies.
    pub fn summary(&self) -> impl Iterator<Item = String> {
        self.rules.iter().map(Rule::summary)
    }

    /// What a message gets.
    pub fn answer<'m>(&self, message: &'m Message<'m>) -> Action<'m> {
        let (mut inline, mut allocated) = ([const { None }; INLINE_FIELDS], Vec::new());
        let values = match inline.get_mut(..self.fields.len()) {
            Some(values) => values,
            None => {
                allocated.resize_with(self.fields.len(), || None);
                &mut allocated
            }
        };
        for (value, name) in values.iter_mut().zip(&self.fields) {
            *value = message.field(name).map(trim).map(Value::new);
        }
        // Without a condition for `Content`, the index has no keywords.
        let slot = self.fields.iter().position(|field| *field == "Content");
        let content = slot.and_then(|slot| values[slot].as_ref()).map(Value::text);
        for number in self.index.candidates(content) {
            let rule = &self.rules[number];
            let Some(captures) = rule.captures(values) else {
                continue;
            };
            let context = Context { message, captures, utc_offset: self.utc_offset };
            return match self.choose(&rule.actions, message) {
                ActionTemplate::Reply { reply, .. } => {
                    Action::Reply(reply.map_texts(|template| template.fill(&context)))
                }
                ActionTemplate::Run(run) => Action::Run(run.fill(&context)),
            };
        }
        Action::Reply(Reply::Success)
    }

    /// One of the actions at random, the same at every try of a message.
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
    /// What the stars of all conditions capture, if all hold.
    fn captures<'v>(&self, values: &[Option<Value<'v>>]) -> Option<Vec<&'v str>> {
        let mut captures = Vec::new();
        for condition in &self.conditions {
            captures.extend(condition.captures(values)?);
        }
        Some(captures)
    }
}
