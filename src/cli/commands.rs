//! The list of all commands. [`run`] chooses the command that the arguments name, and runs it.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use super::arguments::{Args, CommandSpec, Environment};
use super::error::{Error, UsageError};
use super::output::print;
use super::{check, help, replay, rules, send, serve, status, stop, unit, verify};
use crate::manual::{self, CHAPTERS, Chapter};
use crate::program::supervisor;
use crate::service::version;
use crate::text::language::{Language, Text, set_language};
use crate::text::similar::nearest;

/// All commands, in the order in which help lists them. To add a command, add its file, its `mod` line and an entry here.
const COMMANDS: &[&CommandSpec] = &[
    &serve::COMMAND,
    &check::COMMAND,
    &verify::COMMAND,
    &send::COMMAND,
    &replay::COMMAND,
    &status::COMMAND,
    &stop::COMMAND,
    &rules::COMMAND,
    &unit::COMMAND,
    &HELP,
    &VERSION,
];

/// `wechat help`. It is in this file because it reads [`COMMANDS`].
#[rustfmt::skip]
const HELP: CommandSpec = CommandSpec {
    name: "help",
    usage: "help [COMMAND|CHAPTER|WORD]",
    operands_max: 1,
    flags: &[],
    summary: Text { en: "show a command or chapter, or search the manual", zh: "显示命令的帮助、手册的一章，或搜索手册" },
    description: Text { en: "\
Shows the usage of COMMAND, or a CHAPTER of the manual. If a command and a
chapter have the same name, shows both. For any other WORD, lists the sections
of the manual that contain it. Without a name, lists all commands and all
chapters.
", zh: "\
显示命令 COMMAND 的用法，或手册的一章 CHAPTER。命令和章节同名时，两者都显示。
对于其他的词 WORD，列出手册中含有它的各节。没有参数时，列出所有命令和章节。
" },
    run: |args| {
        print(match args.operands.first() {
            Some(name) => help_on(name)?,
            None => help::overview(COMMANDS),
        })
    },
};

/// `wechat --version`, which is a command although it looks like a flag.
const VERSION: CommandSpec = CommandSpec {
    name: "version",
    usage: "--version",
    operands_max: 0,
    flags: &[],
    summary: Text { en: "print the version", zh: "输出版本" },
    description: Text { en: "Prints the version.\n", zh: "输出版本。\n" },
    run: |_| print(format!("wechat {}\n", version())),
};

/// Runs the command that the arguments name. `arguments` begins with the name by which the program was started, and
/// `environment` returns the value of a variable. An error is printed as one line on standard error.
pub fn run(
    mut arguments: impl Iterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<OsString>,
) -> ExitCode {
    set_language(Language::from_environment(&environment));
    let program = arguments.next().unwrap_or_default();
    let mut arguments = arguments.peekable();
    // The arguments of `supervise` are the command line of another program, so they are not read as flags.
    if arguments.next_if(|name| name == supervisor::COMMAND).is_some() {
        return supervisor::run(arguments);
    }
    match dispatch(&program, &arguments.collect::<Vec<_>>(), &environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wechat: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(
    program: &OsStr,
    arguments: &[OsString],
    environment: Environment<'_>,
) -> Result<(), Error> {
    let is_help = |argument: &&OsString| *argument == "--help" || *argument == "-h";
    let (command, arguments) = match arguments.split_first() {
        Some((first, _)) if is_help(&first) => (&HELP, &[][..]),
        Some((first, rest)) if first == "--version" || first == "-V" => (&VERSION, rest),
        Some((first, rest)) if !first.as_encoded_bytes().starts_with(b"-") => (find(first)?, rest),
        // Without a command, the arguments are flags of `serve`.
        _ => (&serve::COMMAND, arguments),
    };
    let mut flags = arguments.iter().take_while(|argument| *argument != "--");
    if flags.any(|argument| is_help(&argument)) {
        return print(help::usage(command));
    }
    (command.run)(&Args::parse(program, command, arguments, environment)?)
}

/// The help on a name: the usage of the command, the chapter of the manual, or both. If there is neither, the sections of
/// the manual that contain the name.
fn help_on(name: &OsStr) -> Result<String, UsageError> {
    let command = COMMANDS.iter().find(|command| name == command.name);
    let chapter = CHAPTERS.iter().find(|chapter| name == chapter.name);
    let parts = [command.map(|command| help::usage(command)), chapter.map(Chapter::text)];
    let texts: Vec<String> = parts.into_iter().flatten().collect();
    if !texts.is_empty() {
        return Ok(texts.join("\n"));
    }
    let sections = manual::search(&name.to_string_lossy());
    if !sections.is_empty() {
        return Ok(help::sections(&sections));
    }
    let commands = COMMANDS.iter().map(|known| known.name);
    let names = commands.chain(CHAPTERS.iter().map(|chapter| chapter.name));
    let similar = nearest(&name.to_string_lossy(), names);
    Err(UsageError::NoHelp { name: name.to_owned(), similar })
}

/// Finds a command by its name.
fn find(name: &OsStr) -> Result<&'static CommandSpec, UsageError> {
    let found = COMMANDS.iter().copied().find(|command| name == command.name);
    found.ok_or_else(|| UsageError::UnknownCommand {
        name: name.to_owned(),
        similar: nearest(&name.to_string_lossy(), COMMANDS.iter().map(|known| known.name)),
    })
}

#[cfg(test)]
mod samples;
