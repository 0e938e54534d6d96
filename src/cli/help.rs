//! The layout of help: the list of all commands, and the help of a single command. The texts are in `flags.rs`, in the
//! file of each command, and in `wording.rs`.

use super::arguments::CommandSpec;
use super::flags::{DefaultValue, Flag, URL};
use super::wording::{
    self, COMMANDS, DEFAULT, ENVIRONMENT, EPILOGUE, FLAG, FLAGS, MANUAL, SEPARATOR, TITLE, USAGE,
};
use crate::manual::{CHAPTERS, Section};
use crate::text::display::pad;

/// Maximum number of sections that are listed.
const SECTIONS_MAX: usize = 20;

/// The list of all commands, the chapters of the manual, the flags of the first command, which is the default, and the
/// flags that all commands with `--url` share.
pub(super) fn overview(commands: &[&CommandSpec]) -> String {
    let mut text = format!("{TITLE}\n\n");
    text.push_str(&format!("{COMMANDS}\n"));
    for CommandSpec { usage, summary, .. } in commands {
        text.push_str(&format!("  {usage:<30}{summary}\n"));
    }
    text.push_str(&format!("\n{MANUAL}\n"));
    for chapter in CHAPTERS {
        text.push_str(&format!("  {:<30}{}\n", chapter.name, chapter.summary));
    }
    text.push_str(&table(&wording::flags_of(commands[0].name), commands[0].flags));
    let accepts = |command: &CommandSpec, flag: &Flag| {
        command.flags.iter().any(|accepted| accepted.name == flag.name)
    };
    let clients: Vec<_> = commands.iter().filter(|command| accepts(command, &URL)).collect();
    let names: Vec<&str> = clients.iter().map(|client| client.name).collect();
    let mut shared = clients[0].flags.to_vec();
    shared.retain(|flag| clients.iter().all(|client| accepts(client, flag)));
    text.push_str(&table(&names.join(SEPARATOR.get()), &shared));
    text.push_str(&format!("\n{EPILOGUE}"));
    text
}

/// The help of one command: usage, description and flags.
pub(super) fn usage(command: &CommandSpec) -> String {
    let table = table(FLAG.get(), command.flags);
    let flags = if table.is_empty() { "" } else { FLAGS.get() };
    let CommandSpec { usage, description, .. } = command;
    format!("{USAGE}wechat {usage}{flags}\n\n{description}{table}")
}

/// The list of sections, each with the command that shows it.
pub(super) fn sections(sections: &[Section]) -> String {
    let listed = sections.iter().take(SECTIONS_MAX);
    let lines = listed
        .map(|Section { chapter, heading, .. }| format!("wechat help {chapter}: {heading}\n"));
    let mut text: String = lines.collect();
    if let Some(count @ 1..) = sections.len().checked_sub(SECTIONS_MAX) {
        text.push_str(&wording::more_sections(count));
    }
    text
}

/// A table of flags: name, variable, default and description of each flag. Empty if there are no flags.
fn table(heading: &str, flags: &[&Flag]) -> String {
    let mut text = String::new();
    for flag in flags {
        if text.is_empty() {
            let (heading, environment) = (pad(heading, 24), pad(ENVIRONMENT.get(), 27));
            text = format!("\n{heading}{environment}{DEFAULT}\n");
        }
        let name = match flag.value {
            Some(value) => format!("{} {value}", flag.name),
            None => flag.name.to_owned(),
        };
        let variable = flag.variable.unwrap_or_default();
        let default = match flag.default {
            DefaultValue::Value(value) => value,
            DefaultValue::Described(text) => text.get(),
        };
        let help = flag.help;
        text.push_str(&format!("  {name:<22}{variable:<27}{default}\n{:24}{help}\n", ""));
    }
    text
}
