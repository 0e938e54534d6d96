//! Reading a rules file, to its end and whatever is wrong in it, so that all mistakes are reported
//! at once.

use super::fields;
use super::pattern::Pattern;
use super::rule_set::{Condition, Diagnostic, Rule, Rules};
use crate::text::digits;
use crate::xml::{Document, Element, Position};

/// China's time, where nothing else is said: eight hours ahead of GMT, in seconds.
const UTC_OFFSET: i64 = 8 * 3600;

pub(super) fn rules(bytes: &[u8]) -> Result<Rules, Vec<Diagnostic>> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let text =
        str::from_utf8(bytes).map_err(|error| vec![not_utf_8(bytes, error.valid_up_to())])?;
    let document = Document::parse_file(text)
        .map_err(|error| vec![Diagnostic::new(error.position, error.to_string())])?;
    let mut reader = Reader::default();
    let rules = reader.rules(document.root(), Places::new(text));
    if reader.mistakes.is_empty() {
        return Ok(rules);
    }
    let mut place = Places::new(text);
    let placed = |(offset, message)| Diagnostic::new(place.of(offset), message);
    Err(reader.mistakes.into_iter().map(placed).collect())
}

/// Lines and columns of bytes of a text that are asked for from front to back.
struct Places<'t> {
    text: &'t str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Places<'t> {
    const fn new(text: &'t str) -> Self {
        Self {
            text,
            offset: 0,
            line: 1,
            column: 1,
        }
    }

    fn of(&mut self, offset: usize) -> Position {
        for character in self.text.get(self.offset..offset).unwrap_or("").chars() {
            (self.line, self.column) = match character {
                '\n' => (self.line.saturating_add(1), 1),
                _ => (self.line, self.column.saturating_add(1)),
            };
        }
        self.offset = offset.max(self.offset);
        Position {
            line: self.line,
            column: self.column,
        }
    }
}

#[derive(Default)]
pub(super) struct Reader {
    /// Each with the byte of the text that it is about, in their order there.
    pub(super) mistakes: Vec<(usize, String)>,
}

/// Says where the text ends that is UTF-8.
fn not_utf_8(bytes: &[u8], end: usize) -> Diagnostic {
    let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or(b""));
    let place = Places::new(&text).of(end);
    Diagnostic::new(place, "not UTF-8 from here on; save the file as UTF-8")
}

/// What the replies of a rule may rely on.
#[derive(Clone, Copy)]
pub(super) struct ParseContext {
    pub(super) stars: usize,
    /// Whether only messages match, and no events.
    pub(super) is_for_messages: bool,
    /// Whether a program printed it: then braces are braces, and what is too much is cut when it is
    /// sent.
    pub(super) is_printed: bool,
}

impl Reader {
    /// Notes a mistake at a byte of the text.
    pub(super) fn mistake(&mut self, offset: usize, message: impl Into<String>) {
        let at = self.mistakes.partition_point(|(known, _)| *known <= offset);
        self.mistakes.insert(at, (offset, message.into()));
    }

    /// `<rules utc-offset="…">` and its `<on>`s.
    fn rules(&mut self, root: Element<'_>, mut places: Places<'_>) -> Rules {
        if root.name() != "rules" {
            self.mistake(
                root.offset(),
                format!("root element is <{}>, <rules> expected", root.name()),
            );
            return Rules::new(Vec::new(), UTC_OFFSET);
        }
        let mut utc_offset = UTC_OFFSET;
        for (name, value, offset) in root.attributes() {
            if name != "utc-offset" {
                self.mistake(
                    offset,
                    fields::unknown("attribute", name, name, &[&["utc-offset"]]),
                );
            } else if let Some(seconds) = parse_utc_offset(value) {
                utc_offset = seconds;
            } else {
                self.mistake(
                    offset,
                    format!("utc-offset is {value:?}, -14:00 to +14:00 allowed"),
                );
            }
        }
        self.no_text_in(root);
        let mut rules = Vec::new();
        for element in root.children() {
            if element.name() == "on" {
                rules.push(self.rule(element, places.of(element.offset()).line));
            } else {
                let name = element.name();
                self.mistake(
                    element.offset(),
                    fields::unknown("element", &format!("<{name}>"), name, &[&["on"]]),
                );
            }
        }
        Rules::new(rules, utc_offset)
    }

    /// `<on Field="pattern" …>` and its replies.
    fn rule(&mut self, on: Element<'_>, line: u32) -> Rule {
        let mut summary = String::from("on");
        let mut conditions = Vec::new();
        for (name, value, offset) in on.attributes() {
            summary.push_str(&format!(" {name}={value:?}"));
            let pattern = Pattern::parse(value);
            match fields::field(name) {
                None => self.mistake(
                    offset,
                    fields::unknown("field", name, name, &[fields::FIELDS]),
                ),
                Some(field) => match pattern {
                    Ok(pattern) => conditions.push(Condition {
                        field,
                        pattern,
                        place: 0,
                    }),
                    Err(error) => self.mistake(offset, error.to_string()),
                },
            }
        }
        self.no_text_in(on);
        let context = ParseContext {
            stars: conditions
                .iter()
                .map(|condition| condition.pattern.stars())
                .sum(),
            is_for_messages: conditions.iter().any(is_for_messages),
            is_printed: false,
        };
        let mut answers = Vec::new();
        for (number, element) in on.children().enumerate() {
            summary.push_str(if number == 0 { ": " } else { " or " });
            summary.push_str(element.name());
            answers.extend(self.answer(element, context));
        }
        if on.children().next().is_none() {
            self.mistake(
                on.offset(),
                "<on> without a reply; write <success/> for none",
            );
        }
        Rule {
            line,
            summary,
            conditions,
            answers,
        }
    }
}

fn is_for_messages(condition: &Condition) -> bool {
    let Condition { field, pattern, .. } = condition;
    match *field {
        "Content" | "MsgId" => !pattern.matches_absence(),
        "MsgType" => pattern
            .keywords()
            .is_some_and(|mut texts| texts.all(|text| text != "event")),
        _ => false,
    }
}

/// `("+" / "-") 2DIGIT ":" 2DIGIT` in seconds. The earth's clocks go from -12:00 to +14:00.
fn parse_utc_offset(text: &str) -> Option<i64> {
    let (sign, time) = match text.split_at_checked(1)? {
        ("+", time) => (1_i64, time),
        ("-", time) => (-1, time),
        _ => return None,
    };
    let two = |text: &str, most: i64| {
        let number = i64::try_from(digits::parse_decimal(text).ok()?).ok()?;
        (text.len() == 2 && number <= most).then_some(number)
    };
    let (hours, minutes) = time.split_once(':')?;
    let seconds = two(hours, 14)? * 3600 + two(minutes, 59)? * 60;
    (seconds <= 14 * 3600).then_some(sign * seconds)
}
