//! Checks of replies and programs.

use std::env;
use std::ffi::OsStr;

use super::problem::Warning;
use super::rule_set::{ActionTemplate, Rule};
use super::rules_file::{Report, RulesFile};
use super::run::RunTemplate;
use crate::text::executable::{Fault, examine};
use crate::text::file::user_id;
use crate::xml::{Element, trim};

/// Maximum number of programs whose files are examined.
const PROGRAMS_MAX: usize = 100;

/// The program of the sample.
const SAMPLE_PROGRAM: &str = "/usr/local/bin/weather";

/// The folders of programs if there is no variable `PATH`, as for a service.
const DEFAULT_PATH: &str = "/usr/local/bin:/bin:/usr/bin";

/// Placeholders of the sample and of WeChat's manual, which must be replaced.
pub(super) fn placeholders(file: &RulesFile<'_>, report: &mut Report<'_>) {
    for (_, on) in file.rules() {
        for leaf in on.leaves() {
            let value = trim(leaf.text());
            let is_placeholder = match leaf.name() {
                "MediaId" | "ThumbMediaId" => is_media_id(value),
                "KfAccount" => value.ends_with("@account"),
                "Url" | "PicUrl" | "MusicUrl" | "HQMusicUrl" => is_example_url(value),
                _ => false,
            };
            if is_placeholder {
                report(leaf.offset(), Warning::Placeholder { value: value.to_owned() });
            }
        }
    }
}

/// Whether a MediaId is a name for one, such as `MEDIA_ID`.
fn is_media_id(value: &str) -> bool {
    let letters: String = value.split('_').collect();
    let letters = letters.to_ascii_uppercase();
    letters.ends_with("MEDIAID") && letters.bytes().all(|octet| octet.is_ascii_uppercase())
}

/// Whether a URL has one of the names that are reserved for examples (RFC 2606).
fn is_example_url(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or("");
    let mut names = ["example.com", "example.org", "example.net"].into_iter();
    names
        .any(|name| host.strip_suffix(name).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')))
}

/// A line end in a text that is written as a backslash and an n.
pub(super) fn escaped_line_ends(file: &RulesFile<'_>, report: &mut Report<'_>) {
    for (_, on) in file.rules() {
        for text in on.children().filter(|child| child.is_named("text")) {
            // The path of a file is not meant.
            let is_line_end = |word: &&str| {
                word.contains("\\n") && !word.contains(":\\") && !word.contains("\\\\")
            };
            if text.text().split_whitespace().any(|word| is_line_end(&word)) {
                report(text.offset_of("\\n"), Warning::EscapedLineEnd);
            }
        }
    }
}

/// Programs whose reply may be late, but which the user cannot ask for it.
pub(super) fn late_without_pickup(file: &RulesFile<'_>, report: &mut Report<'_>) {
    for (run, element) in runs(file) {
        let is_late = run.late.fixed() != Some("");
        if let (true, None, Some(offset)) = (is_late, &run.pickup, offset_of(element, "late")) {
            report(offset, Warning::LateWithoutPickup);
        }
    }
}

/// Words that only a shell understands, and programs that cannot be started.
pub(super) fn programs(file: &RulesFile<'_>, report: &mut Report<'_>) {
    let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let mut examined: Vec<&str> = Vec::new();
    for (run, element) in runs(file) {
        let words = || element.text().split_ascii_whitespace();
        if let Some(word) = find_shell_word(words().collect::<Vec<_>>().as_slice()) {
            // These characters may be written as references.
            let offset = match word.contains(['<', '>', '&']) {
                true => element.offset(),
                false => element.offset_of(word),
            };
            report(offset, Warning::ShellWord { word: word.to_owned() });
            continue;
        }
        let Some(program) = run.words.first().and_then(|word| word.fixed()) else {
            continue;
        };
        if examined.len() == PROGRAMS_MAX || examined.contains(&program) {
            continue;
        }
        examined.push(program);
        // Other users need the program only if the service has another user than the one who checks the file.
        let counts =
            |fault: &Fault| !matches!(fault, Fault::ClosedToOthers(_)) || user_id() == Some(0);
        for fault in examine(OsStr::new(program), &path).into_iter().filter(counts) {
            let warning = match program {
                SAMPLE_PROGRAM => Warning::Placeholder { value: program.to_owned() },
                _ => Warning::Program(fault),
            };
            report(element.offset(), warning);
        }
    }
}

/// The first word that only a shell understands. A shell that gets the words understands them.
fn find_shell_word<'w>(words: &[&'w str]) -> Option<&'w str> {
    let (program, arguments) = words.split_first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    if matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh" | "busybox" | "ssh" | "env") {
        return None;
    }
    let is_assignment = program.split_once('=').is_some_and(|(name, _)| {
        name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_')
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
    });
    if is_assignment {
        return Some(program);
    }
    let is_variable = |word: &str| {
        word.split('$').skip(1).any(|rest| {
            rest.starts_with(|next: char| {
                next.is_ascii_alphabetic() || matches!(next, '_' | '{' | '(')
            })
        })
    };
    let is_home = |word: &str| word == "~" || word.starts_with("~/");
    let is_redirection = |word: &str| {
        let operator = word.trim_start_matches(|digit: char| digit.is_ascii_digit());
        operator.starts_with('>') || operator.starts_with("&>") || word.starts_with('<')
    };
    let is_operator = |word: &str| matches!(word, "|" | "||" | "&" | "&&" | ";" | "|&");
    let is_for_shell = |word: &&&str| {
        is_variable(word)
            || is_home(word)
            || is_redirection(word)
            || is_operator(word)
            || (word.len() > 2 && word.starts_with('`') && word.ends_with('`'))
    };
    if is_home(program) || is_variable(program) {
        return Some(program);
    }
    arguments.iter().find(is_for_shell).copied()
}

/// The programs of the rules, and their elements.
fn runs<'f>(file: &RulesFile<'f>) -> impl Iterator<Item = (&'f RunTemplate, Element<'f>)> {
    let actions = |(rule, on): (&'f Rule, Element<'f>)| rule.actions.iter().zip(on.children());
    file.rules().flat_map(actions).filter_map(|(action, element)| match action {
        ActionTemplate::Run(run) => Some((&**run, element)),
        ActionTemplate::Reply { .. } => None,
    })
}

fn offset_of(element: Element<'_>, attribute: &str) -> Option<usize> {
    let found = element.attributes().find(|(name, ..)| *name == attribute);
    found.map(|(_, _, offset)| offset)
}
