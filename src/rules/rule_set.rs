//! The rules of an account, which choose a reply or a program for each message.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use super::condition::Condition;
use super::index::Index;
use super::pattern::Value;
use super::run::{ProgramCall, RunTemplate};
use super::template::{Context, Template};
use crate::wechat::{FIELD_MAX, Message, Reply, ReplyOf};
use crate::xml::trim;

/// The rules of a file. The first rule that matches a message is used. If no rule matches, there is no reply.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Seconds ahead of GMT.
    utc_offset: i64,
    /// Names of the fields that are used in conditions, sorted and without repeats.
    fields: Vec<Cow<'static, str>>,
    index: Index,
    /// The random keys by which one of several replies of a rule is chosen.
    random_state: RandomState,
}

/// If conditions use at most this many fields, the values of a message are kept on the stack.
const INLINE_FIELDS: usize = 8;

/// One `<on>`.
#[derive(Debug)]
pub(super) struct Rule {
    /// The line of the file, counted from 1.
    pub(super) line: u32,
    /// The conditions, which must all hold.
    pub(super) conditions: Vec<Condition>,
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
        let mut fields = Vec::new();
        for condition in rules.iter().flat_map(|rule| &rule.conditions) {
            if let Err(slot) = fields.binary_search(&condition.field) {
                fields.insert(slot, condition.field.clone());
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
    fn captures<'v>(&self, values: &[Option<Value<'v>>]) -> Option<Vec<&'v str>> {
        let mut captures = Vec::new();
        for condition in &self.conditions {
            captures.extend(condition.captures(values)?);
        }
        Some(captures)
    }
}
