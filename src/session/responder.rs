//! Answers messages by rules. A fixed reply is made for each try; a program runs once for all tries of its
//! message.

use std::path::Path;

use super::retries::{Caller, Outcome, Retries};
use crate::rules::{Action, EMBEDDED, ProgramCall, ReloadableRules, Rules, RulesError};
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};

/// Runs the programs that rules call.
pub trait Runner: Send + Sync {
    /// Runs a program to its end and returns its reply, or the reply for a program that failed.
    fn run(&self, call: &ProgramCall, message: &Message<'_>) -> Reply<'static>;
}

/// The answers of one account: its rules, its programs, and its recent messages.
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
    /// Reads the rules of this file, or the embedded ones without a file. `runner` runs their programs.
    /// Log lines about reloads and lost answers go to `report`.
    ///
    /// # Errors
    /// [`RulesError`] if the file cannot be read or has errors.
    pub fn open(rules: Option<&Path>, runner: R, report: Report) -> Result<Self, RulesError> {
        let rules = match rules {
            Some(path) => RulesSource::File(ReloadableRules::open(path, report)?),
            None => Rules::parse(EMBEDDED.as_bytes())
                .map(RulesSource::Embedded)
                .map_err(RulesError::Invalid)?,
        };
        Ok(Self { rules, runner, retries: Retries::new(report) })
    }

    /// The runner of the programs.
    pub const fn runner(&self) -> &R {
        &self.runner
    }

    /// Whether the rules in use are those of the file as it is now. If not, the last reload failed, which
    /// was reported, and the previous rules are still in use.
    pub fn has_current_rules(&self) -> bool {
        match &self.rules {
            RulesSource::File(rules) => rules.are_current(),
            RulesSource::Embedded(_) => true,
        }
    }

    /// How many tries joined the run of an earlier try, or got its answer.
    pub fn joined(&self) -> u64 {
        self.retries.joined()
    }

    /// The answer to a try of a message.
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
                self.retries.run_once(message, caller, call.late.clone(), &run)
            }
        }
    }
}
