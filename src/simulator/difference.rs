//! Compares the answer to a captured request with the captured response.

use super::check::{Check, Finding};
use super::fault::{check_answer, check_content};
use crate::client::{BodyEnd, ReceivedResponse};
use crate::http::ResponseHead;
use crate::text::display::escape_for_terminal;

/// Maximum number of lines of each response that are shown in a difference.
const LINES_MAX: usize = 20;

/// Maximum length in characters of a line shown in a difference.
const LINE_MAX: usize = 400;

/// Number of bytes of a longer line that are shown before the first byte that differs.
const CONTEXT: usize = 100;

/// The first byte and the lines in which two responses differ.
pub(crate) struct Difference {
    /// The lines of the captured response, from the first to the last line that differs.
    pub(crate) captured: Vec<Line>,
    /// The lines of the answer, from the first to the last line that differs.
    pub(crate) received: Vec<Line>,
    /// The position of the first byte that differs, counted from 1.
    pub(crate) position: usize,
    pub(crate) byte: ByteDifference,
}

/// A line of a difference. `wording.rs` has the text.
pub(crate) enum Line {
    /// A line, safe for a terminal and perhaps truncated.
    Text { text: String },
    /// The number of lines that are not shown.
    Omitted { count: usize },
}

/// The first byte that differs. `wording.rs` has the text.
pub(crate) enum ByteDifference {
    /// The bytes of the two responses.
    Changed { captured: u8, received: u8 },
    /// The answer has no more bytes.
    Missing { captured: u8 },
    /// The captured response has no more bytes.
    Added { received: u8 },
}

/// Checks that the answer to a captured request equals the captured response. If no response was captured, checks that
/// WeChat could use the answer.
pub(crate) fn compare_with_capture(
    answer: &ReceivedResponse<'_>,
    captured: Option<&[u8]>,
) -> (Check, Option<Difference>) {
    let took = answer.took;
    let Some(captured) = captured else {
        let check = match check_answer(answer) {
            Ok(()) => Check::ok(Finding::NothingCaptured { took }),
            Err(fault) => Check::from(fault),
        };
        return (check, None);
    };
    let difference = Difference::between(captured, answer.bytes);
    let check = match (&difference, check_content(answer)) {
        // A closed connection may have cut off the captured response too. Our timeout cannot have cut it off.
        (None, _) if answer.end != BodyEnd::Timeout => Check::ok(Finding::AsCaptured { took }),
        (_, Err(fault)) => Check::from(fault),
        (_, Ok(())) => Check::error(Finding::NotAsCaptured),
    };
    (check, difference)
}

impl Difference {
    /// Compares two responses. Interim responses are ignored. The values of Date and the digits of CreateTime may
    /// differ, if their lengths are equal.
    fn between(captured: &[u8], received: &[u8]) -> Option<Self> {
        let captured = without_interim(captured);
        let (old, new) = (without_dates(captured), without_dates(received));
        let index = count_equal(old.iter(), new.iter());
        let byte = match (captured.get(index).copied(), received.get(index).copied()) {
            (None, None) => return None,
            (Some(captured), Some(received)) => ByteDifference::Changed { captured, received },
            (Some(captured), None) => ByteDifference::Missing { captured },
            (None, Some(received)) => ByteDifference::Added { received },
        };
        let (old, new) = (lines(&old), lines(&new));
        let equal = count_equal(old.iter(), new.iter());
        let equal_at_end = count_equal(old[equal..].iter().rev(), new[equal..].iter().rev());
        let start: usize = old[..equal].iter().map(|line| line.len()).sum();
        let differing_lines = |response| {
            let lines = lines(response);
            let lines = &lines[equal..lines.len() - equal_at_end];
            let shown = lines.iter().take(LINES_MAX).enumerate();
            let mut shown: Vec<Line> = shown
                .map(|(number, line)| {
                    let text = line_around(line, if number == 0 { index - start } else { 0 });
                    Line::Text { text }
                })
                .collect();
            if lines.len() > LINES_MAX {
                let count = lines.len() - LINES_MAX;
                shown.push(Line::Omitted { count });
            }
            shown
        };
        Some(Self {
            captured: differing_lines(captured),
            received: differing_lines(received),
            position: index + 1,
            byte,
        })
    }
}

/// Removes interim responses. Whether a server sends them depends on timing, and the client drops them.
fn without_interim(mut response: &[u8]) -> &[u8] {
    while let Ok(Some((head, length))) = ResponseHead::parse(response, false)
        && head.is_interim()
    {
        response = &response[length..];
    }
    response
}

/// The number of equal items at the beginning.
fn count_equal<T: PartialEq>(
    one: impl Iterator<Item = T>,
    other: impl Iterator<Item = T>,
) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// The text of the line, or of the part around the byte at `index` if the line is too long.
fn line_around(line: &[u8], index: usize) -> String {
    match line.get(index.saturating_sub(CONTEXT)..) {
        Some(rest) if rest.len() < line.len() && line.len() > LINE_MAX => {
            // The part must not begin in the middle of a character.
            let is_inside = |octet: &&u8| matches!(octet, 0x80..=0xBF);
            let inside = rest.iter().take_while(is_inside).count();
            format!("…{}", escape_for_terminal(&rest[inside..], LINE_MAX))
        }
        _ => escape_for_terminal(line, LINE_MAX),
    }
}

/// Replaces each byte of the value of Date, and each digit of CreateTime, by a dash.
fn without_dates(response: &[u8]) -> Vec<u8> {
    let begins_time = |before: &[u8]| {
        before.ends_with(b"<CreateTime>") || before.ends_with(b"<CreateTime><![CDATA[")
    };
    let mut bytes = Vec::with_capacity(response.len());
    let mut is_head = true;
    for line in lines(response) {
        is_head &= !matches!(line, b"\r\n" | b"\n");
        let name = line.get(..5).unwrap_or(b"");
        let is_date = is_head && name.eq_ignore_ascii_case(b"Date:");
        let mut is_time = false;
        for (index, octet) in line.iter().enumerate() {
            is_time = octet.is_ascii_digit() && (is_time || begins_time(&line[..index]));
            let is_date = is_date && index >= 5 && !matches!(octet, b'\r' | b'\n');
            bytes.push(if is_date || is_time { b'-' } else { *octet });
        }
    }
    bytes
}

/// Splits a text into lines. Each line includes its line end.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|octet| *octet == b'\n').collect()
}
