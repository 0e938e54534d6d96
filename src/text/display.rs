//! Formats input so that it is safe to print, and formats durations.

use std::fmt::Write as _;
use std::time::Duration;

/// Formats bytes for a terminal: at most `max` characters, then a `…` if the bytes contain more. Characters that are
/// not printable and bytes that are not UTF-8 are escaped. An escape counts as one character.
pub(crate) fn escape_for_terminal(bytes: &[u8], max: usize) -> String {
    let mut text = String::new();
    let mut count = 0;
    for chunk in bytes.utf8_chunks() {
        let characters = chunk.valid().chars().map(Ok);
        for item in characters.chain(chunk.invalid().iter().map(Err)) {
            if count == max {
                text.push('…');
                return text;
            }
            count += 1;
            match item {
                Ok(character) if is_printable(character) => text.push(character),
                Ok(character) => text.extend(character.escape_default()),
                // Writing to a string cannot fail.
                Err(byte) => _ = write!(text, "\\x{byte:02x}"),
            }
        }
    }
    text
}

/// Quotes the first 100 characters of the bytes, for an error text.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let text = escape_for_terminal(bytes, 100).replace('"', "\\\"");
    format!("\"{text}\"")
}

/// Whether the character is safe to print. Not safe are control characters (except the tab), characters that change the
/// direction of the text, and most invisible characters.
pub(crate) fn is_printable(character: char) -> bool {
    character == '\t'
        || !character.is_control()
            && !matches!(character,
            '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

/// Formats a duration as `99 µs`, `0.19 ms` (below a second) or `5.0 s`. std's formatting of floating-point numbers would
/// add 13 KB to the binary.
pub(crate) fn format_duration(duration: Duration) -> String {
    match duration.as_micros() {
        micros @ 0..100 => format!("{micros} µs"),
        micros @ 100..1_000_000 => format!("{}.{:02} ms", micros / 1000, micros / 10 % 100),
        micros => format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{escape_for_terminal, format_duration};

    #[test]
    fn escapes_what_a_terminal_would_not_print() {
        assert_eq!(escape_for_terminal("你好 a\"b\\".as_bytes(), 100), "你好 a\"b\\");
        assert_eq!(escape_for_terminal(b"\x1b[2J\r\n\t\0", 100), "\\u{1b}[2J\\r\\n\t\\u{0}");
        assert_eq!(escape_for_terminal(b"a\xFFb\xE4\xBD", 100), "a\\xffb\\xe4\\xbd");
        assert_eq!(escape_for_terminal("\u{FEFF}\u{202E}".as_bytes(), 100), "\\u{feff}\\u{202e}");
        for unseen in "\u{61C}\u{200B}\u{200F}\u{202A}\u{2066}\u{E0041}\u{7F}\u{9B}".chars() {
            assert_eq!(
                escape_for_terminal(unseen.to_string().as_bytes(), 1),
                unseen.escape_default().to_string()
            );
        }
        assert_eq!(escape_for_terminal("👨\u{200D}👩".as_bytes(), 9), "👨\u{200D}👩");
        assert_eq!(escape_for_terminal(&[0xFF; 9], 2), "\\xff\\xff…");
        assert_eq!(escape_for_terminal("你好吗".as_bytes(), 2), "你好…");
        assert_eq!(escape_for_terminal("你好".as_bytes(), 2), "你好");
    }

    #[test]
    fn formats_durations_by_their_size() {
        let cases = [
            (0, "0 µs"),
            (99, "99 µs"),
            (199, "0.19 ms"),
            (999_999, "999.99 ms"),
            (5_060_000, "5.0 s"),
        ];
        for (micros, text) in cases {
            assert_eq!(format_duration(Duration::from_micros(micros)), text);
        }
    }
}
