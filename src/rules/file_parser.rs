//! Parses a rules file. Parsing continues after an error, so that all errors are reported at once.

use super::condition::Condition;
use super::parser::{ParseContext, Parser};
use super::problem::{Diagnostic, Finding, Problem, Warning};
use super::rule_set::{ActionTemplate, Rule, Rules};
use super::rules_file::{Check, RulesFile};
use super::schedule::Schedule;
use super::warnings::CHECKS;
use super::{reply_parser, run_parser};
use crate::text::digits;
use crate::xml::{Document, Element, Fault, FileError, OpenElement, Position, Root};

/// The default offset in seconds. China Standard Time is 8 hours ahead of GMT.
const UTC_OFFSET: i64 = 8 * 3600;

impl Rules {
    /// Parses the bytes of a rules file. Warnings are ignored.
    ///
    /// # Errors
    /// The errors in the file, in the order of the text; the last one says so if there are too many. If the file is not
    /// UTF-8 or not well-formed XML, only the first error.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let parsed = parse_with(bytes, &[]);
        parsed.map(|(rules, _)| rules).map_err(|mut diagnostics| {
            diagnostics.retain(Diagnostic::is_error);
            diagnostics
        })
    }

    /// Parses the bytes of a rules file. Returns the rules and the warnings, in the order of the text.
    ///
    /// # Errors
    /// As [`Rules::parse`], but with the warnings that were found before the file turned out to be unusable.
    pub fn check(bytes: &[u8]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        parse_with(bytes, CHECKS)
    }
}

/// Parses the bytes of a rules file. If there are no errors, calls the `checks`.
fn parse_with(bytes: &[u8], checks: &[Check]) -> Result<(Rules, Vec<Diagnostic>), Vec<Diagnostic>> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let text = decode(bytes).map_err(|error| vec![error])?;
    let document = Document::parse_file(text).map_err(|error| vec![not_well_formed(error)])?;
    let mut parser = Parser::default();
    let rules = parse_rules(&mut parser, document.root(), Positions::new(text));
    let has_errors = parser.has_errors();
    if !has_errors {
        let file = RulesFile { rules: rules.all(), root: document.root() };
        for check in checks {
            check(&file, &mut |offset, warning| parser.warn(offset, warning));
        }
    }
    let errors_end = parser.is_full().then_some(Finding::Error(Problem::TooMany));
    let warnings_end = parser.has_all_warnings().then_some(Finding::Warning(Warning::TooMany));
    let mut findings = parser.into_findings();
    if let [.., (offset, _)] = *findings {
        let ends = [errors_end, warnings_end].into_iter().flatten();
        findings.extend(ends.map(|end| (offset, end)));
    }
    let mut positions = Positions::new(text);
    let diagnostics = findings
        .into_iter()
        .map(|(offset, finding)| Diagnostic::new(positions.find(offset), finding))
        .collect();
    if has_errors { Err(diagnostics) } else { Ok((rules, diagnostics)) }
}

/// # Errors
/// [`Problem::Utf16`] or [`Problem::NotUtf8`]
fn decode(bytes: &[u8]) -> Result<&str, Diagnostic> {
    if let [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..] = bytes {
        let start = Position { line: 1, column: 1 };
        return Err(Diagnostic::new(start, Finding::Error(Problem::Utf16)));
    }
    str::from_utf8(bytes).map_err(|_| not_utf8(bytes))
}

fn not_utf8(bytes: &[u8]) -> Diagnostic {
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let position = Positions::new(valid).find(valid.len());
    Diagnostic::new(position, Finding::Error(Problem::NotUtf8))
}

/// Elements that contain only text, in which people may write HTML.
const TEXTS: [&str; 4] = ["text", "arg", "Title", "Description"];

/// The error of a file that is not well-formed XML. Some of them are better explained as errors of a rules file.
#[allow(clippy::wildcard_enum_match_arm, reason = "most faults need no other words")]
fn not_well_formed(error: FileError) -> Diagnostic {
    let (position, problem) = match error.fault {
        Fault::NoRoot | Fault::TextBeforeRoot => (error.position, Problem::NoRules),
        Fault::AfterRoot { root: Root { name, position }, .. } if name != "rules" => {
            (position, Problem::UnexpectedRoot { name })
        }
        Fault::OtherEndTag { expected, .. } if expected.is_in(&TEXTS) => {
            let OpenElement { name, parent, position } = expected;
            (position, Problem::ElementInText { name, parent: parent.unwrap_or_default() })
        }
        fault => {
            let error = FileError { position: error.position, fault };
            (error.position, Problem::NotWellFormed(error))
        }
    };
    Diagnostic::new(position, Finding::Error(problem))
}

/// Converts ascending offsets to lines and columns in one pass over a text.
struct Positions<'t> {
    /// The text from `offset` to the end.
    rest: &'t str,
    offset: usize,
    position: Position,
}

impl<'t> Positions<'t> {
    const fn new(text: &'t str) -> Self {
        Self { rest: text, offset: 0, position: Position { line: 1, column: 1 } }
    }

    /// `offset` must not be inside a character, and not less than in the previous call.
    fn find(&mut self, offset: usize) -> Position {
        let (passed, rest) = self.rest.split_at(offset - self.offset);
        for character in passed.chars() {
            if character == '\n' {
                self.position.line += 1;
                self.position.column = 1;
            } else {
                self.position.column += 1;
            }
        }
        (self.rest, self.offset) = (rest, offset);
        self.position
    }
}

/// Parses `<rules utc-offset="…">` and the `<on>` elements in it.
fn parse_rules(parser: &mut Parser, root: Element<'_>, mut positions: Positions<'_>) -> Rules {
    let mut utc_offset = UTC_OFFSET;
    let mut rules = Vec::new();
    if root.name() != "rules" {
        let name = root.name().to_owned();
        parser.report(root.offset(), Problem::UnexpectedRoot { name });
        return Rules::new(rules, utc_offset);
    }
    for (name, value, offset) in root.attributes() {
        if name != "utc-offset" {
            parser.report_attribute(root, name, offset, &["utc-offset"]);
        } else if let Some(seconds) = parse_utc_offset(value) {
            utc_offset = seconds;
        } else {
            let value = value.to_owned();
            parser.report(offset, Problem::UtcOffset { value });
        }
    }
    parser.refuse_text(root);
    for child in root.children() {
        if parser.is_full() {
            break;
        }
        if child.name() == "on" {
            let line = positions.find(child.offset()).line;
            rules.push(parse_rule(parser, child, line));
        } else {
            parser.report_child(root, child, &["on"]);
        }
    }
    Rules::new(rules, utc_offset)
}

/// Parses `<on Field="pattern" …>` and the replies in it.
fn parse_rule(parser: &mut Parser, on: Element<'_>, line: u32) -> Rule {
    let mut conditions = Vec::new();
    let mut schedule: Option<Schedule> = None;
    for (name, value, offset) in on.attributes() {
        let parsed = match name {
            "time" => schedule.get_or_insert_default().set_time(value),
            "weekday" => schedule.get_or_insert_default().set_weekday(value),
            _ => Condition::parse(name, value).map(|condition| conditions.push(condition)),
        };
        parser.accept(offset, parsed);
    }
    parser.refuse_text(on);
    let stars = conditions.iter().map(|condition| condition.pattern.stars());
    let context = ParseContext {
        stars: stars.sum(),
        excludes_events: conditions.iter().any(Condition::excludes_events),
        is_printed: false,
        is_wechat_form: false,
    };
    let actions = on.children().filter_map(|child| parse_action(parser, child, context)).collect();
    if on.is_leaf() && on.text_offset().is_none() {
        parser.report(on.offset(), Problem::NoReply);
    }
    let uses_captures = parser.take_uses_captures();
    Rule { line, conditions, schedule, uses_captures, actions }
}

fn parse_action(
    parser: &mut Parser,
    element: Element<'_>,
    context: ParseContext,
) -> Option<ActionTemplate> {
    if parser.is_full() {
        return None;
    }
    if element.name() == "run" {
        let run = run_parser::parse(parser, element, context);
        return Some(ActionTemplate::Run(Box::new(run)));
    }
    if let Some((name, reply)) = reply_parser::parse(parser, element, context) {
        return Some(ActionTemplate::Reply { name, reply });
    }
    let problem = reply_parser::unknown_reply(element, &["run"]);
    parser.report(element.offset(), problem);
    None
}

/// Parses `("+" / "-") 2DIGIT ":" 2DIGIT` and returns seconds. At most 14 hours are allowed, because time zones are
/// between -12:00 and +14:00.
fn parse_utc_offset(text: &str) -> Option<i64> {
    let (sign, time) = match text.split_at_checked(1)? {
        ("+", time) => (1, time),
        ("-", time) => (-1, time),
        _ => return None,
    };
    let parse_two_digits = |text: &str, max: i64| {
        let number = i64::try_from(digits::parse_decimal(text).ok()?).ok()?;
        (text.len() == 2 && number <= max).then_some(number)
    };
    let (hours, minutes) = time.split_once(':')?;
    let seconds = parse_two_digits(hours, 14)? * 3600 + parse_two_digits(minutes, 59)? * 60;
    (seconds <= 14 * 3600).then_some(sign * seconds)
}
