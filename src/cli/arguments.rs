//! The specification of a command, and the arguments it was given: flags, operands and the environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::error::{Error, UsageError};
use super::flags::{DefaultValue, Flag, TOKEN_FILE};
use crate::text::language::Text;
use crate::text::similar::nearest;

/// Looks up an environment variable.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<OsString>;

/// A command.
pub(super) struct CommandSpec {
    /// The name in `wechat NAME` and `wechat help NAME`.
    pub(super) name: &'static str,
    /// The command line to type after `wechat`, without flags.
    pub(super) usage: &'static str,
    /// The maximum number of operands. An operand is an argument that is neither a flag nor the value of a flag.
    pub(super) operands_max: usize,
    /// The flags that the command accepts, in the order in which help lists them.
    pub(super) flags: &'static [&'static Flag],
    /// A short description for the list of all commands.
    pub(super) summary: Text,
    /// The description in the help of this command.
    pub(super) description: Text,
    pub(super) run: fn(&Args<'_>) -> Result<(), Error>,
}

/// The arguments of one command, and the environment.
pub(super) struct Args<'e> {
    /// The name or path by which this program was started.
    pub(super) program: &'e OsStr,
    /// The operands, in the given order.
    pub(super) operands: Vec<OsString>,
    /// The number of operands before `--`; `None` without `--`.
    separator: Option<usize>,
    /// The given flags: name and value. A switch has no value.
    flags: Vec<(&'static str, Option<OsString>)>,
    environment: Environment<'e>,
}

impl<'e> Args<'e> {
    /// Reads `--flag VALUE`, `--flag=VALUE`, switches and operands. After `--` every argument is an operand.
    ///
    /// # Errors
    /// The first argument that the command does not accept, or a variable of a switch that is neither 1 nor 0.
    pub(super) fn parse(
        program: &'e OsStr,
        command: &CommandSpec,
        arguments: &[OsString],
        environment: Environment<'e>,
    ) -> Result<Self, UsageError> {
        let mut args =
            Self { program, operands: Vec::new(), separator: None, flags: Vec::new(), environment };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let is_flag = argument.as_encoded_bytes().starts_with(b"-") && argument != "-";
            if args.separator.is_none() && argument == "--" {
                args.separator = Some(args.operands.len());
            } else if args.separator.is_none() && is_flag {
                args.parse_flag(command, argument, &mut arguments)?;
            } else if args.operands.len() < command.operands_max {
                args.operands.push(argument.clone());
            } else {
                let (argument, command) = (argument.clone(), command.name);
                return Err(UsageError::UnexpectedArgument { argument, command });
            }
        }
        for switch in command.flags.iter().filter(|flag| flag.value.is_none()) {
            args.value(switch, |text| matches!(text, "1" | "0").then_some(()))?;
        }
        Ok(args)
    }

    /// Reads a flag. Its value follows `=` in the same argument, or is the next argument in `rest`.
    fn parse_flag<'a>(
        &mut self,
        command: &CommandSpec,
        argument: &OsStr,
        rest: &mut impl Iterator<Item = &'a OsString>,
    ) -> Result<(), UsageError> {
        let bytes = argument.as_bytes();
        let (name, value) = match bytes.iter().position(|octet| *octet == b'=') {
            Some(at) => (&bytes[..at], Some(OsStr::from_bytes(&bytes[at + 1..]))),
            None => (bytes, None),
        };
        let name = OsStr::from_bytes(name);
        let Some(flag) = command.flags.iter().find(|flag| name == flag.name) else {
            let known = command.flags.iter().map(|flag| flag.name);
            let text = name.to_string_lossy();
            let similar = nearest(&text, known.chain(["--help"]));
            let takes_secrets = command.flags.iter().any(|flag| flag.name == TOKEN_FILE.name);
            let secret = variable_of_secret(&text).filter(|_| takes_secrets && similar.is_none());
            let name = name.to_owned();
            return Err(match secret {
                Some(variable) => UsageError::SecretFlag { name, variable },
                None => UsageError::UnknownFlag { name, similar, command: command.name },
            });
        };
        let value = match (flag.value, value) {
            (None, None) => None,
            (None, Some(_)) => return Err(UsageError::UnexpectedValue(flag.name)),
            (Some(_), _) if self.given(flag).is_some() => {
                return Err(UsageError::Repeated(flag.name));
            }
            (Some(_), Some(value)) => Some(value.to_owned()),
            (Some(placeholder), None) => {
                let missing = UsageError::MissingValue { flag: flag.name, placeholder };
                Some(rest.next().ok_or(missing)?.clone())
            }
        };
        self.flags.push((flag.name, value));
        Ok(())
    }

    /// Whether the operand at this index comes after `--`.
    pub(super) fn is_after_separator(&self, index: usize) -> bool {
        self.separator.is_some_and(|separator| index >= separator)
    }

    /// The flag as it was given: its name and value.
    fn given(&self, flag: &Flag) -> Option<&(&'static str, Option<OsString>)> {
        self.flags.iter().find(|(given, _)| *given == flag.name)
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, switch: &Flag) -> bool {
        self.turned_on_by(switch).is_some()
    }

    /// The name of the switch if it was given, or of its variable if the variable is 1; `None` if the switch is off.
    pub(super) fn turned_on_by(&self, switch: &Flag) -> Option<&'static str> {
        match self.given(switch) {
            Some((name, _)) => Some(name),
            None => switch.variable.filter(|name| self.variable(name).is_some_and(|on| on == "1")),
        }
    }

    /// An environment variable.
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name)
    }

    /// The value of a flag: the given value, else the value of its variable, else the default value. The returned name
    /// is the name of the flag or variable that the value is from.
    pub(super) fn raw(&self, flag: &Flag) -> Option<(&'static str, OsString)> {
        if let Some((name, value)) = self.given(flag) {
            return value.clone().map(|value| (*name, value));
        }
        if let Some(name) = flag.variable
            && let Some(value) = self.variable(name)
        {
            return Some((name, value));
        }
        match flag.default {
            DefaultValue::Value(value) => Some((flag.name, value.into())),
            DefaultValue::Described(_) => None,
        }
    }

    /// The value of a flag, parsed.
    ///
    /// # Errors
    /// `Value` if `parse` does not accept the value. An empty variable counts as a value, because in most cases the
    /// variable should have had a real value.
    pub(super) fn value<T>(
        &self,
        flag: &Flag,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, UsageError> {
        let Some((name, value)) = self.raw(flag) else {
            return Ok(None);
        };
        let parsed = value.to_str().and_then(parse);
        parsed.map(Some).ok_or_else(|| invalid(flag, name, value))
    }

    /// Like [`Args::value`], for a flag that has a default value.
    pub(super) fn value_or_default<T>(
        &self,
        flag: &Flag,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, UsageError> {
        let value = self.value(flag, parse)?;
        Ok(value.expect("this flag has a default value"))
    }

    /// The value of a flag that takes a file path. The path may contain any bytes, but must not be empty.
    pub(super) fn path(&self, flag: &Flag) -> Result<Option<PathBuf>, UsageError> {
        match self.raw(flag) {
            Some((name, value)) if value.is_empty() => Err(invalid(flag, name, value)),
            path => Ok(path.map(|(_, value)| value.into())),
        }
    }
}

/// The environment variable of the secret that a flag of this name would have.
fn variable_of_secret(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    match name.as_str() {
        _ if name.contains("aeskey") || name == "key" => Some("WECHAT_AES_KEY"),
        _ if name.contains("token") => Some("WECHAT_TOKEN"),
        _ => None,
    }
}

/// The error for an invalid value. `name` is the flag or its variable, whichever has the value.
fn invalid(flag: &Flag, name: &'static str, value: OsString) -> UsageError {
    let expected = flag.expected.get();
    UsageError::Value { name, value, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::{JSON, LISTEN};

    const SWITCH: Flag = Flag { variable: Some("WECHAT_JSON"), ..JSON };
    const COMMAND: CommandSpec = CommandSpec {
        name: "x",
        usage: "x",
        operands_max: 0,
        flags: &[&SWITCH, &LISTEN],
        summary: Text::EMPTY,
        description: Text::EMPTY,
        run: |_| Ok(()),
    };

    /// What turns the switch on, for these arguments and this value of its variable.
    fn turned_on_by(
        arguments: &[&str],
        variable: Option<&str>,
    ) -> Result<Option<&'static str>, String> {
        let lookup = |name: &str| variable.filter(|_| name == "WECHAT_JSON").map(OsString::from);
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let args = Args::parse("wechat".as_ref(), &COMMAND, &arguments, &lookup);
        let args = args.map_err(|error| error.to_string())?;
        assert_eq!(args.is_on(&SWITCH), args.turned_on_by(&SWITCH).is_some());
        Ok(args.turned_on_by(&SWITCH))
    }

    #[test]
    fn switch_is_turned_on_by_flag_or_by_variable_1() {
        assert_eq!(turned_on_by(&[], None), Ok(None));
        assert_eq!(turned_on_by(&[], Some("0")), Ok(None));
        assert_eq!(turned_on_by(&[], Some("1")), Ok(Some("WECHAT_JSON")));
        for variable in [None, Some("0"), Some("1"), Some("yes")] {
            assert_eq!(turned_on_by(&["--json", "--json"], variable), Ok(Some("--json")));
        }
    }

    #[test]
    fn other_values_of_the_variable_of_a_switch_are_refused() {
        for value in ["", "2", "yes", "true", "01", " 1"] {
            let message = format!("WECHAT_JSON is {value:?}; expected 1 or 0");
            assert_eq!(turned_on_by(&[], Some(value)), Err(message));
        }
    }
}
