//! Parses `<run>`: a program, its arguments and its limits.

use std::sync::Arc;

use super::folding::Case;
use super::parser::{ParseContext, Parser};
use super::pattern::Pattern;
use super::problem::Problem;
use super::run::{Limit, RunTemplate};
use super::template::Template;
use crate::text::digits;
use crate::xml::Element;

/// The default timeout, in seconds.
const TIMEOUT: u64 = 60;

/// The longest timeout, in seconds.
const TIMEOUT_MAX: u64 = 3600;

/// The maximum count and the maximum period of a limit.
const LIMIT_MAX: Limit = Limit { count: 1000, seconds: 24 * 3600 };

const ATTRIBUTES: [&str; 6] = ["timeout", "limit", "failed", "limited", "late", "pickup"];

/// Parses `<run timeout="…" limit="…" failed="…" limited="…" late="…" pickup="…">`. It contains the words of the
/// command, separated by white space, and then `<arg>` elements, which are one word each.
pub(super) fn parse(parser: &mut Parser, run: Element<'_>, context: ParseContext) -> RunTemplate {
    let words = parse_words(parser, run, context);
    let mut template = RunTemplate {
        key: parser.identify_run(&words),
        words,
        timeout: TIMEOUT,
        ..RunTemplate::default()
    };
    for (name, value, offset) in run.attributes() {
        let reply = |parser: &mut Parser| {
            let reply = parser.parse_template(value, context.stars, &|_| offset);
            reply.unwrap_or_default()
        };
        match name {
            "failed" => template.failed = reply(parser),
            "limited" => template.limited = reply(parser),
            "late" => template.late = reply(parser),
            "limit" => template.limit = parser.accept(offset, parse_limit(value)),
            "pickup" => template.pickup = parser.accept(offset, parse_pickup(value)),
            "timeout" => {
                let timeout = parser.accept(offset, parse_timeout(value));
                template.timeout = timeout.unwrap_or(TIMEOUT);
            }
            _ => parser.report_attribute(run, name, offset, &ATTRIBUTES),
        }
    }
    if template.limit.is_none() && run.attributes().any(|(name, ..)| name == "limited") {
        parser.report(run.offset(), Problem::LimitedWithoutLimit);
    }
    template
}

fn parse_words(parser: &mut Parser, run: Element<'_>, context: ParseContext) -> Vec<Template> {
    let mut words = Vec::new();
    for word in run.text().split_ascii_whitespace() {
        if parser.is_full() {
            break;
        }
        if word.starts_with(['"', '\'']) {
            parser.report(run.offset_of(word), Problem::QuotedWord);
        }
        words.extend(parser.parse_template(word, context.stars, &|part| run.offset_of(part)));
    }
    if let Some(offset) = run.text_after_child() {
        parser.report(offset, Problem::TextAfterArg);
    }
    for arg in run.children() {
        if arg.name() == "arg" {
            parser.refuse_attributes(arg);
            words.extend(parser.parse_leaf(arg, context));
        } else {
            parser.report_child(run, arg, &["arg"]);
        }
    }
    match words.first().map(Template::fixed) {
        None | Some(Some("")) => parser.report(run.offset(), Problem::NoProgram),
        Some(None) => parser.report(run.offset(), Problem::PlaceholderInProgram),
        Some(Some(_)) => {}
    }
    words
}

fn parse_timeout(value: &str) -> Result<u64, Problem> {
    parse_seconds(value)
        .filter(|seconds| (1..=TIMEOUT_MAX).contains(seconds))
        .ok_or_else(|| Problem::Timeout { value: value.to_owned() })
}

/// Parses `1*DIGIT "/" period`, such as `20/1h`.
fn parse_limit(value: &str) -> Result<Limit, Problem> {
    let limit = value.split_once('/').and_then(|(count, period)| {
        let count = u32::try_from(digits::parse_decimal(count).ok()?).ok()?;
        let seconds = u32::try_from(parse_seconds(period)?).ok()?;
        Some(Limit { count, seconds })
    });
    limit
        .filter(|Limit { count, seconds }| {
            (1..=LIMIT_MAX.count).contains(count) && (1..=LIMIT_MAX.seconds).contains(seconds)
        })
        .ok_or_else(|| Problem::Limit { value: value.to_owned() })
}

fn parse_pickup(value: &str) -> Result<Arc<Pattern>, Problem> {
    let pattern = Pattern::parse(value, Case::Ignored)?;
    if pattern.matches_absence() {
        return Err(Problem::EmptyPickup);
    }
    Ok(Arc::new(pattern))
}

/// Parses `1*DIGIT [ "s" / "m" / "h" / "d" ]` and returns seconds.
fn parse_seconds(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.strip_prefix(number)? {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    digits::parse_decimal(number).ok()?.checked_mul(unit)
}
