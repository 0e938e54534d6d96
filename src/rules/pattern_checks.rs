//! Checks of patterns: characters that have no meaning in a pattern although they look so, and names that WeChat does not
//! have.

use super::events;
use super::parser::PROBLEMS_MAX;
use super::problem::Warning;
use super::rules_file::{Report, RulesFile};
use super::value::TEXT;

/// Stands for an escaped character, which is literal.
const ESCAPED: char = '\0';

/// Patterns that use full-width characters, commas or regular expressions.
pub(super) fn misread_patterns(file: &RulesFile<'_>, report: &mut Report<'_>) {
    let conditions = file
        .conditions()
        .map(|(condition, offset)| (&*condition.field, condition.source.as_str(), offset));
    let runs = file.rules().flat_map(|(_, on)| on.children());
    let runs = runs.filter(|child| child.is_named("run"));
    let pickups = runs.flat_map(|run| run.attributes().filter(|(name, ..)| *name == "pickup"));
    for (field, source, offset) in conditions.chain(pickups) {
        let is_text = matches!(field, "Content" | "Recognition" | "pickup" | TEXT);
        let text = unescaped(source);
        let warning = find_escaped_letter(source)
            .or_else(|| find_full_width(&text))
            .or_else(|| find_regex(&text))
            .or_else(|| find_comma(&text).filter(|_| is_text));
        if let Some(warning) = warning {
            report(offset, warning);
        }
    }
}

/// Conditions for an event or a type of message that WeChat does not have.
pub(super) fn unknown_events(file: &RulesFile<'_>, report: &mut Report<'_>) {
    let warnings = file.conditions().flat_map(|(condition, offset)| {
        let check: fn(&str) -> Option<Warning> = match &*condition.field {
            "Event" => unknown_event,
            "MsgType" => unknown_message_type,
            _ => |_| None,
        };
        let keywords = condition.pattern.alternatives().filter(|texts| texts.len() == 1);
        keywords.filter_map(move |texts| Some((offset, check(texts[0])?)))
    });
    // The search for a similar name takes long.
    for (offset, warning) in warnings.take(PROBLEMS_MAX) {
        report(offset, warning);
    }
}

fn unknown_event(name: &str) -> Option<Warning> {
    if name.is_empty() || events::is_event(name) {
        return None;
    }
    let name = name.to_owned();
    if events::is_message_type(&name) {
        return Some(Warning::NotAnEvent { name });
    }
    let similar = events::similar_event(&name);
    let is_known = similar.is_none() && events::is_of_family(&name);
    (!is_known).then_some(Warning::UnknownEvent { name, similar })
}

fn unknown_message_type(name: &str) -> Option<Warning> {
    if name.is_empty() || events::is_message_type(name) {
        return None;
    }
    let name = name.to_owned();
    if events::is_event(&name) {
        return Some(Warning::NotAMessageType { name });
    }
    let similar = events::similar_message_type(&name);
    Some(Warning::UnknownMessageType { name, similar })
}

/// The pattern, with [`ESCAPED`] for each escaped character.
fn unescaped(source: &str) -> String {
    let mut characters = source.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        if character == '\\' {
            characters.next();
            text.push(ESCAPED);
        } else {
            text.push(character);
        }
    }
    text
}

/// A backslash before a letter or a digit, such as `\d`.
fn find_escaped_letter(source: &str) -> Option<Warning> {
    let mut characters = source.chars();
    while let Some(character) = characters.next() {
        if character == '\\'
            && let Some(next) = characters.next()
            && next.is_ascii_alphanumeric()
        {
            return Some(Warning::Regex { part: format!("\\{next}") });
        }
    }
    None
}

/// A full-width star, or a full-width bar or slash between two texts.
fn find_full_width(text: &str) -> Option<Warning> {
    let separates = |found: &char| {
        let mut parts = text.split(*found);
        let has_text = |part: &str| part.chars().any(char::is_alphabetic);
        match found {
            '＊' => text.contains('＊'),
            '｜' => parts.all(|part| !part.trim().is_empty()) && text.contains('｜'),
            _ => !text.contains('|') && text.contains('／') && parts.all(has_text),
        }
    };
    let (found, meant) = match ['＊', '｜', '／'].into_iter().find(separates)? {
        '＊' => ('＊', '*'),
        found => (found, '|'),
    };
    Some(Warning::OrdinaryCharacter { found, meant })
}

/// A comma between what look like alternatives. Commas of a sentence, such as 你好，世界, are not found.
fn find_comma(text: &str) -> Option<Warning> {
    if text.contains(['|', '*', ESCAPED]) {
        return None;
    }
    let found = text.chars().find(|character| matches!(character, '，' | ',' | '、'))?;
    let parts: Vec<&str> = text.split(['，', ',', '、']).collect();
    let is_word = |part: &&str| {
        let length = part.chars().count();
        let max = if part.is_ascii() { 12 } else { 4 };
        (1..=max).contains(&length) && !part.contains(char::is_whitespace)
    };
    let is_number = |part: &&str| part.bytes().all(|octet| octet.is_ascii_digit());
    if !parts.iter().all(is_word) || parts.iter().all(is_number) {
        return None;
    }
    let are_alternatives = match parts.as_slice() {
        [one, other] => {
            let [length, other_length] = [one, other].map(|part| part.chars().count());
            let shares = one.chars().any(|character| other.contains(character));
            let are_similar = length == other_length && shares && one != other;
            one.is_ascii() || other.is_ascii() || are_similar
        }
        _ => true,
    };
    are_alternatives.then_some(Warning::OrdinaryCharacter { found, meant: '|' })
}

/// What is meant as a regular expression.
fn find_regex(text: &str) -> Option<Warning> {
    let part = if is_anchored(text) {
        "^…$"
    } else if is_group(text) {
        "(…|…)"
    } else {
        text.split('|').map(str::trim).find_map(find_regex_part)?
    };
    Some(Warning::Regex { part: part.to_owned() })
}

/// Whether a text is written as `^…$`. `^_^` is a face.
fn is_anchored(text: &str) -> bool {
    let inner = text.strip_prefix('^').and_then(|text| text.strip_suffix('$'));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('^'))
}

/// Whether a text is written as `(…|…)`.
fn is_group(text: &str) -> bool {
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    inner.is_some_and(|inner| inner.contains('|') && !inner.contains(['(', ')']))
}

/// What looks like a regular expression in one alternative.
fn find_regex_part(text: &str) -> Option<&'static str> {
    if is_anchored(text) {
        return Some("^…$");
    }
    let unflagged = text.strip_suffix('i').filter(|text| text.ends_with('/')).unwrap_or(text);
    let inner = unflagged.strip_prefix('/').and_then(|text| text.strip_suffix('/'));
    if inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('/')) {
        return Some("/…/");
    }
    // `v1.*` is a text that begins with `v1.`.
    for part in [".*", ".+"] {
        let before = text.find(part).map(|start| text[..start].chars().next_back());
        if before.is_some_and(|before| !before.is_some_and(|before| before.is_ascii_alphanumeric()))
        {
            return Some(part);
        }
    }
    ["[0-9", "[a-z", "[A-Z", "[^", "(?:", "(?i)"].into_iter().find(|part| text.contains(part))
}
