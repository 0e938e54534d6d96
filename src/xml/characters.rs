//! The characters of XML 1.0: those it allows, those of a name, and those that references mean.

use std::borrow::Cow;

use crate::text::digits::{parse_decimal, parse_hex};

/// `Char`: the characters that XML 1.0 allows (2.2).
pub(crate) const fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// The text without the characters that XML does not allow. Most texts hold none.
pub(super) fn without_non_characters(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut suspects = (0..).zip(bytes).filter(|(_, octet)| is_suspect(**octet));
    match suspects.any(|(offset, _)| starts_with_non_character(&bytes[offset..])) {
        true => Cow::Owned(text.chars().filter(|&it| is_char(it)).collect()),
        false => Cow::Borrowed(text),
    }
}

/// Whether an octet of UTF-8 may begin a character that [`is_char`] refuses.
pub(super) const fn is_suspect(octet: u8) -> bool {
    matches!(octet, 0..=0x1F | 0xEF)
}

/// Whether UTF-8 begins with a character that [`is_char`] refuses: a control character, U+FFFE (EF BF BE) or U+FFFF
/// (EF BF BF).
pub(super) const fn starts_with_non_character(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0..=8 | 0xB | 0xC | 0xE..=0x1F, ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..]
    )
}

/// `S` (2.3).
pub(super) const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The index of the first byte that is not `S`.
pub(super) fn find_non_space(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|octet| !is_space(*octet))
}

/// The text without `S` at both ends. Programs often indent a CDATA section.
pub(crate) fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    let start = find_non_space(bytes).unwrap_or(bytes.len());
    let last = bytes.iter().rposition(|octet| !is_space(*octet));
    &text[start..last.map_or(start, |last| last + 1)]
}

/// A byte that a text holds as it is, and that begins no character that XML does not allow.
pub(super) const fn is_plain(octet: u8) -> bool {
    !matches!(octet, b'<' | b'&' | b']' | 0xEF | ..=0x08 | 0x0B..=0x1F)
}

/// `NameStartChar` (2.3) without the colon, since no namespace prefix can be declared.
pub(super) const fn is_name_start(character: char) -> bool {
    match character {
        '\0'..='\x7F' => matches!(character, 'A'..='Z' | 'a'..='z' | '_'),
        _ => matches!(character, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
            | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
            | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}'),
    }
}

/// `NameChar` (2.3) without the colon.
pub(super) const fn is_name_char(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// What a piece of text is in the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Text,
    Cdata,
}

/// A piece of text with LF for each line end and characters for references.
///
/// # Errors
/// The offset of a malformed or unknown reference.
pub(super) fn decode(text: &str, piece: Piece) -> Result<String, usize> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let (Piece::Text, Some((plain, reference))) = (piece, rest.split_once('&')) {
        let offset = text.len() - reference.len() - 1;
        let (character, after) = consume_reference(reference).ok_or(offset)?;
        decoded.push_str(&with_line_feeds(plain));
        decoded.push(character);
        rest = after;
    }
    decoded.push_str(&with_line_feeds(rest));
    Ok(decoded)
}

/// The text with LF for each line end: CR LF, CR and LF (2.11).
pub(super) fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// `Name ";" | "#" [0-9]+ ";" | "#x" [0-9a-fA-F]+ ";"`, after `&`: the character, and the text after the reference.
fn consume_reference(text: &str) -> Option<(char, &str)> {
    let (name, after) = text.split_once(';')?;
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
