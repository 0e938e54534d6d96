//! Rules: which of the account's replies a message gets.

use std::hash::{BuildHasher, RandomState};

use super::index::Index;
use super::parser;
use super::pattern::{Pattern, Value};
use super::run::{Program, ProgramCall};
use super::template::{Context, Template};
use crate::wechat::{Message, Reply, ReplyOf};
use crate::xml::{Position, trim};

/// The rules of an account, as a file says them. The first that matches answers; where none does,
/// there is no reply.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    utc_offset: i64,
    /// The fields that conditions ask for, each once.
    fields: Vec<&'static str>,
    index: Index,
    dice: RandomState,
}

/// Something in a rules file that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

impl Diagnostic {
    pub(super) fn new(place: Position, message: impl Into<String>) -> Self {
        Self {
            line: place.line,
            column: place.column,
            message: message.into(),
        }
    }
}

/// So many fields that conditions ask for need no memory of their own.
const FEW: usize = 16;

/// One `<on>`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) line: u32,
    /// Its conditions and replies, for a person.
    pub(super) summary: String,
    pub(super) conditions: Vec<Condition>,
    pub(super) answers: Vec<Answer>,
}

/// What a rule asks of one field.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) field: &'static str,
    pub(super) pattern: Pattern,
    /// The field's place among those that the rules ask for.
    pub(super) place: usize,
}

/// One of the things that a rule may answer with.
#[derive(Debug)]
pub(super) enum Answer {
    Reply(ReplyOf<Template>),
    Run(Box<Program>),
}

/// What the rules answer to a message.
#[derive(Debug)]
pub enum Action<'m> {
    /// This reply.
    Reply(Reply<'m>),
    /// What this program prints.
    Run(ProgramCall),
}

impl Rules {
    /// Reads rules as they stand in a file.
    ///
    /// # Errors
    /// Every mistake in them, in their order; of bytes that are not UTF-8, or not well-formed XML, the
    /// first.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        parser::rules(bytes)
    }

    pub(super) fn new(mut rules: Vec<Rule>, utc_offset: i64) -> Self {
        let mut fields = Vec::new();
        for condition in rules.iter().flat_map(|rule| &rule.conditions) {
            if let Err(at) = fields.binary_search(&condition.field) {
                fields.insert(at, condition.field);
            }
        }
        for condition in rules.iter_mut().flat_map(|rule| &mut rule.conditions) {
            condition.place = fields.partition_point(|field| *field < condition.field);
        }
        let contents = rules.iter().map(|rule| {
            let mut conditions = rule.conditions.iter();
            let content = conditions.find(|condition| condition.field == "Content")?;
            Some(&content.pattern)
        });
        let index = Index::new(contents);
        Self {
            rules,
            utc_offset,
            fields,
            index,
            dice: RandomState::new(),
        }
    }

    /// A line for each rule: where it stands, its conditions and its replies.
    pub fn summary(&self) -> impl Iterator<Item = String> {
        self.rules
            .iter()
            .map(|rule| format!("line {}: {}", rule.line, rule.summary))
    }

    /// What a message is answered with.
    pub fn answer<'m>(&self, message: &'m Message<'m>) -> Action<'m> {
        let (mut few, mut many) = ([const { None }; FEW], Vec::new());
        let values = match few.get_mut(..self.fields.len()) {
            Some(values) => values,
            None => {
                many.resize_with(self.fields.len(), || None);
                &mut many
            }
        };
        for (value, name) in values.iter_mut().zip(&self.fields) {
            *value = message.field(name).map(trim).map(Value::new);
        }
        let content = message.field("Content").map(trim);
        let candidates = self.index.candidates(content);
        for rule in candidates.map(|number| &self.rules[number]) {
            if let Some(captures) = rule.captures(values) {
                let context = Context {
                    message,
                    captures,
                    utc_offset: self.utc_offset,
                };
                return match self.choose(&rule.answers, message) {
                    Some(Answer::Reply(reply)) => {
                        Action::Reply(reply.map_texts(|template| template.fill(&context)))
                    }
                    Some(Answer::Run(program)) => Action::Run(program.fill(&context)),
                    None => Action::Reply(Reply::Success),
                };
            }
        }
        Action::Reply(Reply::Success)
    }

    fn choose<'r>(&self, answers: &'r [Answer], message: &Message<'_>) -> Option<&'r Answer> {
        if let [only] = answers {
            return Some(only);
        }
        let number = self
            .dice
            .hash_one(message.identity())
            .checked_rem(u64::try_from(answers.len()).ok()?)?;
        answers.get(usize::try_from(number).ok()?)
    }
}

impl Rule {
    /// What the stars took, if all conditions hold. Each condition has places for as many stars as
    /// its longest alternative, so that a number means the same whichever of them matched.
    fn captures<'v>(&self, values: &[Option<Value<'v>>]) -> Option<Vec<&'v str>> {
        let mut captures = Vec::new();
        for Condition { pattern, place, .. } in &self.conditions {
            let places = captures.len().saturating_add(pattern.stars());
            match &values[*place] {
                Some(value) => captures.extend(pattern.captures(value)?),
                None if pattern.matches_absence() => {}
                None => return None,
            }
            captures.resize(places, "");
        }
        Some(captures)
    }
}
