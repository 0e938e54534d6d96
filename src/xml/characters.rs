//! Classes of characters in XML 1.0, and the decoding of references.

use std::borrow::Cow;

use crate::text::digits::{parse_decimal, parse_hex};

/// Whether XML 1.0 allows this character: `Char` (2.2).
pub(crate) const fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Removes the characters that XML does not allow. Most texts have no such character and are returned borrowed.
pub(super) fn without_non_characters(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut suspects = (0..).zip(bytes).filter(|(_, octet)| is_suspect(**octet));
    match suspects.any(|(offset, _)| starts_with_non_character(&bytes[offset..])) {
        true => Cow::Owned(text.chars().filter(|&next| is_char(next)).collect()),
        false => Cow::Borrowed(text),
    }
}

/// Whether a character that [`is_char`] refuses can begin with this byte of UTF-8.
pub(super) const fn is_suspect(octet: u8) -> bool {
    matches!(octet, 0..=0x1F | 0xEF)
}

/// Whether these bytes of UTF-8 begin with a character that [`is_char`] refuses: a control character, U+FFFE
/// (EF BF BE) or U+FFFF (EF BF BF).
pub(super) const fn starts_with_non_character(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0..=8 | 0xB | 0xC | 0xE..=0x1F, ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..]
    )
}

/// Whether the byte is white space: `S` (2.3).
pub(super) const fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The index of the first byte that is not white space.
pub(super) fn find_non_space(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|octet| !is_space(*octet))
}

/// Removes white space at both ends. Programs often write white space around a CDATA section.
pub(crate) fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    let start = find_non_space(bytes).unwrap_or(bytes.len());
    let last = bytes.iter().rposition(|octet| !is_space(*octet));
    &text[start..last.map_or(start, |last| last + 1)]
}

/// Whether a byte of text is copied without a check. It is not a carriage return, and cannot begin markup, a reference,
/// `]]>` or a character that XML does not allow.
pub(super) const fn is_plain(octet: u8) -> bool {
    !matches!(octet, b'<' | b'&' | b']' | 0xEF | ..=0x08 | 0x0B..=0x1F)
}

/// Whether a name may begin with this character: `NameStartChar` (2.3), but no colon, because a message cannot declare
/// a namespace prefix.
pub(super) const fn is_name_start(character: char) -> bool {
    match character {
        '\0'..='\x7F' => matches!(character, 'A'..='Z' | 'a'..='z' | '_'),
        _ => matches!(character, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
            | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
            | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}'),
    }
}

/// Whether a name may contain this character: `NameChar` (2.3), but no colon.
pub(super) const fn is_name_char(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// The form of a piece of text in the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Text,
    Cdata,
}

/// Decodes a piece of text. Each line end becomes LF. Outside CDATA, each reference becomes its character.
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

/// Replaces each line end (CR LF or CR) by LF (2.11).
pub(super) fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// `Name ";" | "#" [0-9]+ ";" | "#x" [0-9a-fA-F]+ ";"`, which follows `&`. Returns the character and the text after the
/// reference.
pub(super) fn consume_reference(text: &str) -> Option<(char, &str)> {
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
