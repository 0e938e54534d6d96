//! What a command was given: flags, switches and operands, and the environment that stands in for
//! flags.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::usage::UsageError;

/// Looks a variable up.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// A flag and the variable that stands in for it.
pub(super) struct Flag {
    pub(super) flag: &'static str,
    pub(super) variable: Option<&'static str>,
}

/// What a command can be given.
#[derive(Default)]
pub(super) struct CommandSpec {
    /// Flags, which have a value.
    pub(super) flags: &'static [&'static Flag],
    /// Flags without one.
    pub(super) switches: &'static [&'static str],
    /// How many arguments that are no flags.
    pub(super) operands: usize,
}

/// What it was given.
pub(super) struct Args<'e> {
    flags: Vec<(&'static str, OsString)>,
    switches: Vec<&'static str>,
    /// Arguments that are no flags, in order.
    pub(super) operands: Vec<OsString>,
    /// How many of them stood in front of `--`, if there is one.
    in_front: Option<usize>,
    environment: Environment<'e>,
}

impl<'e> Args<'e> {
    /// Reads `--flag VALUE`, `--flag=VALUE`, switches and operands to the end; behind `--` all are
    /// operands.
    ///
    /// # Errors
    /// The first thing that the command does not take.
    pub(super) fn read(
        arguments: &[OsString],
        takes: &CommandSpec,
        environment: Environment<'e>,
    ) -> Result<Self, UsageError> {
        let mut given = Self {
            flags: Vec::new(),
            switches: Vec::new(),
            operands: Vec::new(),
            in_front: None,
            environment,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let is_flag = argument.as_encoded_bytes().starts_with(b"-") && argument != "-";
            if given.in_front.is_none() && argument == "--" {
                given.in_front = Some(given.operands.len());
            } else if given.in_front.is_some() || !is_flag {
                if given.operands.len() == takes.operands {
                    return Err(UsageError::Argument(argument.clone()));
                }
                given.operands.push(argument.clone());
            } else {
                given.read_flag(argument, &mut arguments, takes)?;
            }
        }
        Ok(given)
    }

    fn read_flag<'a>(
        &mut self,
        argument: &OsStr,
        behind: &mut impl Iterator<Item = &'a OsString>,
        takes: &CommandSpec,
    ) -> Result<(), UsageError> {
        let mut parts = argument.as_bytes().splitn(2, |octet| *octet == b'=');
        let name = OsStr::from_bytes(parts.next().unwrap_or(b""));
        let value = parts
            .next()
            .map(|value| OsStr::from_bytes(value).to_owned());
        if let Some(switch) = takes.switches.iter().find(|switch| name == **switch) {
            self.switches.push(switch);
            return value.map_or(Ok(()), |_| Err(UsageError::TakesNoValue(switch)));
        }
        let Some(flag) = takes
            .flags
            .iter()
            .map(|known| known.flag)
            .find(|flag| name == *flag)
        else {
            return Err(UsageError::Flag(name.to_owned()));
        };
        if self.flags.iter().any(|(given, _)| *given == flag) {
            return Err(UsageError::Repeated(flag));
        }
        let value = value.or_else(|| behind.next().cloned());
        self.flags
            .push((flag, value.ok_or(UsageError::NoValue(flag))?));
        Ok(())
    }

    /// Whether the operand at this place stood behind `--`.
    pub(super) fn is_behind(&self, at: usize) -> bool {
        self.in_front.is_some_and(|in_front| at >= in_front)
    }

    /// Whether a switch was given.
    pub(super) fn has(&self, switch: &str) -> bool {
        self.switches.contains(&switch)
    }

    /// The flag or variable by which a switch that has both is on.
    ///
    /// # Errors
    /// `Value` where the variable is neither 1 nor 0.
    pub(super) fn turned_on(&self, name: &Flag) -> Result<Option<&'static str>, UsageError> {
        if self.has(name.flag) {
            return Ok(Some(name.flag));
        }
        let is_on = self.value(name, "1 or 0", |text| match text {
            "1" => Some(true),
            "0" => Some(false),
            _ => None,
        })?;
        Ok(name.variable.filter(|_| is_on == Some(true)))
    }

    /// A variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name)
    }

    /// The value of a setting and the name that it was given by.
    pub(super) fn raw(&self, name: &Flag) -> Option<(&'static str, OsString)> {
        let flag = self.flags.iter().find(|(flag, _)| *flag == name.flag);
        flag.cloned().or_else(|| {
            let variable = name.variable?;
            Some((variable, self.variable(variable)?))
        })
    }

    /// The value of a setting, read by `parse`; `allowed` says what that takes.
    ///
    /// # Errors
    /// `Value` where it takes it not. A variable that is set but empty is such a thing too: it is
    /// mostly a secret that did not arrive.
    pub(super) fn value<T>(
        &self,
        name: &Flag,
        allowed: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, UsageError> {
        let Some((name, value)) = self.raw(name) else {
            return Ok(None);
        };
        match value.to_str().and_then(parse) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(UsageError::Value {
                name,
                value,
                allowed,
            }),
        }
    }

    /// A file's path, which may be any bytes, but not none.
    pub(super) fn path(&self, name: &Flag) -> Result<Option<PathBuf>, UsageError> {
        match self.raw(name) {
            None => Ok(None),
            Some((name, value)) if value.is_empty() => Err(UsageError::Value {
                name,
                value,
                allowed: "a file's path",
            }),
            Some((_, value)) => Ok(Some(value.into())),
        }
    }
}
