//! The layout of help: the list of all commands, and the help of a single command. The texts are in the flag table, in
//! the file of each command, and in `wording.rs`.

use super::arguments::CommandSpec;
use super::flags::{DefaultValue, flags_of};
use super::wording::{
    DEFAULT, ENVIRONMENT, EXIT_STATUS, FLAG, FLAGS_OF_CLIENTS, FLAGS_OF_SERVE, TITLE, USAGE,
};

/// The list of all commands, the flags of `serve`, and the flags that `verify`, `send` and `replay` share. These are
/// all flags of `verify`.
pub(super) fn overview(commands: &[&CommandSpec]) -> String {
    let mut text = format!("{TITLE}\n\n");
    for (index, command) in commands.iter().enumerate() {
        let lead = if index == 0 { USAGE } else { "" };
        let (usage, summary) = (command.usage, command.summary);
        let width = USAGE.len();
        text.push_str(&format!("{lead:width$} wechat {usage:<30}{summary}\n"));
    }
    text.push_str(&table(FLAGS_OF_SERVE, "serve"));
    text.push_str(&table(FLAGS_OF_CLIENTS, "verify"));
    text.push_str(&format!("\n{EXIT_STATUS}\n"));
    text
}

/// The help of one command: usage, description and flags.
pub(super) fn usage(command: &CommandSpec) -> String {
    let table = table(FLAG, command.name);
    let flags = if table.is_empty() { "" } else { " [FLAG]..." };
    let CommandSpec { usage, description, .. } = command;
    format!("{USAGE} wechat {usage}{flags}\n\n{description}{table}")
}

/// The table of a command's flags: name, variable, default and description of each flag. Empty if the command has no
/// flags.
fn table(heading: &str, command: &'static str) -> String {
    let mut text = String::new();
    for flag in flags_of(command) {
        if text.is_empty() {
            text = format!("\n{heading:<24}{ENVIRONMENT:<27}{DEFAULT}\n");
        }
        let name = match flag.value {
            Some(value) => format!("{} {value}", flag.name),
            None => flag.name.to_owned(),
        };
        let variable = flag.variable.unwrap_or_default();
        let (DefaultValue::Value(default) | DefaultValue::Described(default)) = flag.default;
        let help = flag.help;
        text.push_str(&format!("  {name:<22}{variable:<27}{default}\n{:24}{help}\n", ""));
    }
    text
}
