//! What the account says: rules, read from a file that can change while the server runs, the programs
//! that they start, and the answers that take longer than WeChat waits.
//!
//! Knows the account's messages and replies; no HTTP, no sockets.

mod index;
mod known;
mod leaf;
mod line;
mod live;
mod memory;
mod names;
mod pattern;
mod program;
mod read;
mod replies;
mod rules;
mod template;
mod tries;

use std::path::Path;

use crate::account::Message;

pub use known::Late;
pub use live::{LiveRules, RulesError, read_rules};
pub(crate) use names::unknown_field;
pub(crate) use program::{GUARD, OUTPUT_MAX};
pub use program::{Job, ProgramCounts, Programs};
pub use rules::{Chosen, Mistake, Rules};
pub use tries::{Caller, Outcome, Tries};

/// The rules of an account that was given none.
pub const EMBEDDED: &str = include_str!("embedded.xml");

/// Rules that show every element once.
pub const SAMPLE: &str = include_str!("sample.xml");

/// Takes what the operator should know, a line each time.
pub type Report = fn(&str);

/// An account that answers by rules.
#[derive(Debug)]
pub struct Bot {
    rules: Followed,
    programs: Programs,
    tries: Tries,
}

#[derive(Debug)]
enum Followed {
    File(LiveRules),
    Embedded(Rules),
}

impl Bot {
    /// The rules of a file, or the embedded ones; their programs are started through the guard.
    ///
    /// # Errors
    /// [`RulesError`]
    pub fn open(rules: Option<&Path>, guard: &Path, report: Report) -> Result<Self, RulesError> {
        let rules = match rules {
            Some(path) => Followed::File(LiveRules::open(path, report)?),
            None => Rules::parse(EMBEDDED.as_bytes())
                .map(Followed::Embedded)
                .map_err(RulesError::Mistakes)?,
        };
        Ok(Self {
            rules,
            programs: Programs::new(guard, report),
            tries: Tries::new(report),
        })
    }

    /// What became of programs so far.
    pub fn programs(&self) -> ProgramCounts {
        self.programs.counts()
    }

    /// Whether the rules are those of the file as it is now; else there are mistakes in it, which have
    /// been reported, and those of before stay.
    pub fn has_current_rules(&self) -> bool {
        match &self.rules {
            Followed::File(rules) => rules.are_current(),
            Followed::Embedded(_) => true,
        }
    }

    /// How many tries joined an earlier one of their message.
    pub fn joined(&self) -> u64 {
        self.tries.joined()
    }

    /// What comes of a message. A program is run once for all tries of it; replies that stand in the
    /// rules are made each time, since that costs less than to remember them.
    pub fn answer<'m>(&self, message: &'m Message<'m>, caller: &Caller<'_>) -> Outcome<'m> {
        if let Some(outcome) = self.tries.again(message, caller) {
            return outcome;
        }
        let chosen = match &self.rules {
            Followed::File(rules) => rules.answer(message),
            Followed::Embedded(rules) => rules.answer(message),
        };
        match chosen {
            Chosen::Reply(reply) => Outcome::Reply(reply),
            Chosen::Run(job) => {
                let run = || self.programs.run(&job, message);
                self.tries.once(message, caller, job.late.clone(), &run)
            }
        }
    }
}
