//! The characters of XML 1.0: which it can carry, which make a name, and what references stand for.

use crate::text::digits::{parse_decimal, parse_hex};

/// `Char`, the characters that XML 1.0 can carry (2.2).
pub(crate) const fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// `S` cut off both ends (XML 1.0 2.3): CDATA is often set in white space.
pub(crate) fn trim(text: &str) -> &str {
    let is_other = |octet: &u8| !is_space(*octet);
    let octets = text.as_bytes();
    let first = octets.iter().position(is_other).unwrap_or(octets.len());
    let last = octets.iter().rposition(is_other);
    let end = last.map_or(first, |last| last.saturating_add(1));
    text.get(first..end).unwrap_or("")
}

pub(super) const XML_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// `S`, of which each character is one octet.
pub(super) const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// What of ASCII may stand in a name; a colon may not, since nothing declares what is in front of it.
pub(super) fn is_name_octet(octet: u8) -> bool {
    class(octet) & NAME != 0
}

/// What nothing has to be made of where it stands in text, and what is in no character that XML cannot
/// carry.
pub(super) fn is_plain_text(octet: u8) -> bool {
    class(octet) & PLAIN_TEXT != 0
}

const NAME: u8 = 1;
const PLAIN_TEXT: u8 = 1 << 1;

fn class(octet: u8) -> u8 {
    CLASSES.get(usize::from(octet)).copied().unwrap_or(0)
}

#[expect(
    clippy::indexing_slicing,
    reason = "made at compile time, where a panic is an error"
)]
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut octet = u8::MIN;
    loop {
        let is_name = octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.');
        let is_plain = !matches!(octet, b'<' | b'&' | b'>' | 0xEF)
            && (octet >= b' ' || matches!(octet, b'\t' | b'\n'));
        table[octet as usize] =
            if is_name { NAME } else { 0 } | if is_plain { PLAIN_TEXT } else { 0 };
        match octet.checked_add(1) {
            Some(next) => octet = next,
            None => break table,
        }
    }
};

/// `NameStartChar` without the colon (2.3).
pub(super) const fn is_name_start(character: char) -> bool {
    matches!(character, 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` without the colon.
pub(super) const fn is_name_char(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// How a piece of text stands in the input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Text,
    Cdata,
}

/// Adds a piece of text to what is decoded, line ends as LF (2.11) and references as what they stand for.
///
/// # Errors
/// At which byte of the piece a reference is none.
pub(super) fn decode(text: &str, piece: Piece, decoded: &mut String) -> Result<(), usize> {
    let is_odd = |character| character == '\r' || character == '&' && piece == Piece::Text;
    let mut rest = text;
    while let Some((front, behind)) = rest.find(is_odd).and_then(|at| rest.split_at_checked(at)) {
        decoded.push_str(front);
        if let Some(after) = behind.strip_prefix('\r') {
            decoded.push('\n');
            rest = after.strip_prefix('\n').unwrap_or(after);
        } else {
            let place = text.len().saturating_sub(behind.len());
            let (character, after) = reference(behind).ok_or(place)?;
            decoded.push(character);
            rest = after;
        }
    }
    decoded.push_str(rest);
    Ok(())
}

/// `"&" Name ";" | "&#" [0-9]+ ";" | "&#x" [0-9a-fA-F]+ ";"`: what it stands for, and what is behind it.
fn reference(text: &str) -> Option<(char, &str)> {
    let (name, after) = text.strip_prefix('&')?.split_once(';')?;
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(digits) => parse_hex(digits),
                None => parse_decimal(digits),
            };
            let code = u32::try_from(code.ok()?).ok()?;
            char::from_u32(code).filter(|character| is_char(*character))?
        }
    };
    Some((character, after))
}
