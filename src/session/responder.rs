//! Replies to messages by the rules. A fixed reply is made for each try. A program runs once for all tries of
//! its message.

use std::path::Path;
use std::thread::Scope;

use super::retries::{Outcome, Retries, WaitingClient};
use super::retry_store::is_blank;
use crate::rules::{Action, EMBEDDED, ProgramCall, ReloadableRules, Rules, RulesError};
use crate::text::log_note::Report;
use crate::wechat::{Message, Reply};

/// Runs the programs that rules call.
pub trait Runner: Send + Sync {
    /// Runs a program until it ends. Returns its reply, or the reply that the rule has for a failed program.
    fn run(&self, call: &ProgramCall, message: &Message<'_>) -> Reply<'static>;
}

/// Makes the replies of one account. Holds the rules, the runner of the programs, and the recent messages.
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
    /// Reads the rules from this file; `None` means the embedded rules. `runner` runs the programs of the rules.
    /// Log lines about reloads and deleted late replies go to `report`.
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

    /// Whether the rules in use are equal to the current rules file. If not, the last reload failed. Then the log
    /// has the error, and the previous rules are still in use.
    pub fn has_current_rules(&self) -> bool {
        match &self.rules {
            RulesSource::File(rules) => rules.are_current(),
            RulesSource::Embedded(_) => true,
        }
    }

    /// Number of tries that waited for the run of an earlier try, or got its reply.
    pub fn joined_tries(&self) -> u64 {
        self.retries.joined_tries()
    }

    /// Makes the reply to one try of a message. A program that must not delay an earlier late reply runs on a thread of
    /// `scope`.
    pub fn respond<'s, 'm>(
        &'s self,
        message: &'m Message<'m>,
        client: &WaitingClient<'_>,
        scope: &'s Scope<'s, '_>,
    ) -> Outcome<'m> {
        if let Some(outcome) = self.retries.join(message, client) {
            return outcome;
        }
        let action = match &self.rules {
            RulesSource::File(rules) => rules.find_action(message),
            RulesSource::Embedded(rules) => rules.find_action(message),
        };
        match action {
            Action::Reply(reply) if is_blank(&reply) => {
                let late_reply = self.retries.hand_over(message, client);
                late_reply.unwrap_or(Outcome::Reply(reply))
            }
            Action::Reply(reply) => {
                self.retries.note_cut(&reply);
                Outcome::Reply(reply)
            }
            Action::Run(call) => {
                let late = call.late.clone();
                self.retries.run_once(message, client, late, scope, move |message| {
                    self.runner.run(&call, message)
                })
            }
        }
    }
}
