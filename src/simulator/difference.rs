//! Compares the answer to a captured request with the captured response.

use super::check::{Check, Finding};
use super::fault::{check_answer, check_content};
use crate::client::{BodyEnd, ReceivedResponse};
use crate::http::ResponseHead;
use crate::text::display::escape_for_terminal;

/// The maximum number of lines of each response in a difference.
const LINES_MAX: usize = 20;

/// The maximum number of characters of a line in a difference.
const LINE_MAX: usize = 400;

/// The number of bytes before the first difference that are kept of a longer line.
const CONTEXT: usize = 100;

/// The first byte and the lines in which two responses differ.
pub(crate) struct Difference {
    /// The captured lines, from the first to the last that differs.
    pub(crate) captured: Vec<Line>,
    /// The received lines, from the first to the last that differs.
    pub(crate) received: Vec<Line>,
    /// The position of the first byte that differs, counted from 1.
    pub(crate) position: usize,
    pub(crate) byte: ByteDifference,
}

/// A line of a difference. `wording.rs` has the text.
pub(crate) enum Line {
    /// A line, safe for a terminal and perhaps truncated.
    Text { text: String },
    /// Lines that are left out.
    Omitted { count: usize },
}

/// The first byte that differs. `wording.rs` has the sentence.
pub(crate) enum ByteDifference {
    /// Both responses have one.
    Changed { captured: u8, received: u8 },
    /// The answer has ended.
    Missing { captured: u8 },
    /// The captured response has ended.
    Added { received: u8 },
}

/// Judges the answer to a captured request: whether it is the captured response, or usable if none was
/// captured.
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
        // The captured content may have been cut off by a closed connection too, but not by our timeout.
        (None, _) if answer.end != BodyEnd::Timeout => Check::ok(Finding::AsCaptured { took }),
        (_, Err(fault)) => Check::from(fault),
        (_, Ok(())) => Check::error(Finding::NotAsCaptured),
    };
    (check, difference)
}

impl Difference {
    /// Compares two responses without their interim responses. The value of Date and the digits of
    /// CreateTime may differ, but not in length.
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
        let differing = |response| {
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
            captured: differing(captured),
            received: differing(received),
            position: index + 1,
            byte,
        })
    }
}

/// The final response. Whether interim responses precede it depends on timing, and a client drops them.
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

/// The line, or the part around this byte if the line is too long.
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

/// The response with a dash for each byte of the value of Date and for each digit of CreateTime.
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

/// The lines, each with its line end.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|octet| *octet == b'\n').collect()
}
