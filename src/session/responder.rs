//! Answers messages by rules: fixed replies at once, programs once for all tries of a message.

use std::path::Path;

use super::retries::{Caller, Outcome, Retries};
use crate::rules::{Action, EMBEDDED, ProgramCall, ReloadableRules, Rules, RulesError};
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};

/// Runs the program of a rule.
pub trait Runner: Send + Sync {
    /// Runs it to its end and returns its reply.
    fn run(&self, call: &ProgramCall, message: &Message<'_>) -> Reply<'static>;
}

/// Answers messages by rules.
#[derive(Debug)]
pub struct Responder<R> {
    rules: RulesSource,
    runner: R,
    retries: Retries,
}

#[derive(Debug)]
enum RulesSource {
    File(ReloadableRules),
    Embedded(Rules),
}

impl<R: Runner> Responder<R> {
    /// The rules of a file, or the embedded ones; their programs are run by `runner`.
    ///
    /// # Errors
    /// [`RulesError`]
    pub fn open(rules: Option<&Path>, runner: R, report: Report) -> Result<Self, RulesError> {
        let rules = match rules {
            Some(path) => RulesSource::File(ReloadableRules::open(path, report)?),
            None => Rules::parse(EMBEDDED.as_bytes())
                .map(RulesSource::Embedded)
                .map_err(RulesError::Mistakes)?,
        };
        Ok(Self {
            rules,
            runner,
            retries: Retries::new(report),
        })
    }

    /// What runs the programs.
    pub const fn runner(&self) -> &R {
        &self.runner
    }

    /// Whether the rules in use are those of the file as it is now. If not, the file has errors, which were
    /// reported, and the previous rules are kept.
    pub fn has_current_rules(&self) -> bool {
        match &self.rules {
            RulesSource::File(rules) => rules.are_current(),
            RulesSource::Embedded(_) => true,
        }
    }

    /// How many tries joined an earlier try of their message.
    pub fn joined(&self) -> u64 {
        self.retries.joined()
    }

    /// The outcome of a message. A program runs once for all tries; a fixed reply is made for each try, which
    /// costs less than remembering it.
    pub fn answer<'m>(&self, message: &'m Message<'m>, caller: &Caller<'_>) -> Outcome<'m> {
        if let Some(outcome) = self.retries.join(message, caller) {
            return outcome;
        }
        let action = match &self.rules {
            RulesSource::File(rules) => rules.answer(message),
            RulesSource::Embedded(rules) => rules.answer(message),
        };
        match action {
            Action::Reply(reply) => Outcome::Reply(reply),
            Action::Run(call) => {
                let run = || self.runner.run(&call, message);
                self.retries
                    .run_once(message, caller, call.late.clone(), &run)
            }
        }
    }
}
