//! The environment of a program, and the lengths that the system allows (execve(2)).

use std::env;
use std::process::Command;

use super::failure::{Failure, Longest};
use crate::wechat::Message;
use crate::xml::trim;

/// Environment variables of the server that programs do not get. Programs do not get the server's `WECHAT_`
/// variables either; their `WECHAT_` variables hold the fields of the message.
const REMOVED_VARIABLES: [&str; 7] = [
    "CREDENTIALS_DIRECTORY",
    "NOTIFY_SOCKET",
    "RUNTIME_DIRECTORY",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
    "LISTEN_PID",
];

/// `WECHAT_` variables that do not hold fields, besides the settings. A field with such a name is left out.
const OWN_VARIABLES: [&str; 3] = ["WECHAT_TOPIC", "WECHAT_HISTORY", "WECHAT_RUN"];

/// The start of the names of further variables that do not hold fields.
const OWN_PREFIX: &str = "WECHAT_VAR_";

/// Sets the variables for the fields of the message, and removes those of the server. `settings` are the variables that
/// commands of this binary read. A field never sets one of them, because a program may run `wechat send`.
pub(super) fn set(command: &mut Command, message: &Message<'_>, settings: &[&str]) {
    for name in REMOVED_VARIABLES {
        command.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"WECHAT_") {
            command.env_remove(name);
        }
    }
    // In reverse order: if several fields have the same name, the first one is set last and remains.
    let fields: Vec<_> = message.fields().collect();
    for field in fields.iter().rev() {
        if let Some(name) = variable_name(field.name())
            && !settings.contains(&name.as_str())
        {
            // What the user wrote is passed as it is. In other fields, white space is only the layout of the XML.
            let is_content = field.name() == "Content";
            command.env(name, if is_content { field.text() } else { trim(field.text()) });
        }
    }
}

/// The name of the environment variable for a field; `None` if the field's name has characters other than
/// ASCII letters, digits and `_`, or if the variable has another meaning.
fn variable_name(field: &str) -> Option<String> {
    let is_allowed = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    let name = format!("WECHAT_{}", field.to_ascii_uppercase());
    let is_own = OWN_VARIABLES.contains(&name.as_str()) || name.starts_with(OWN_PREFIX);
    (field.bytes().all(is_allowed) && !is_own).then_some(name)
}

/// The failure if the system refuses the arguments and variables of this command as too long. `words` are the program
/// and its arguments.
pub(super) fn too_long(command: &Command, words: &[String]) -> Failure {
    let arguments =
        words.iter().enumerate().map(|(index, word)| (word.len(), Longest::Argument(index)));
    let variables = command.get_envs().filter_map(|(name, value)| {
        let length = name.len() + "=".len() + value?.len();
        Some((length, Longest::Variable(name.to_string_lossy().into_owned())))
    });
    let longest = arguments.chain(variables).max_by_key(|(bytes, _)| *bytes);
    let (bytes, longest) = longest.expect("a command has at least the program");
    Failure::TooLong { longest, bytes }
}
