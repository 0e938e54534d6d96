//! What is found as a person can read it: foreign bytes, which no terminal shall act on, and durations.

use std::fmt::Write as _;
use std::time::Duration;

/// The bytes as text of at most so many characters: UTF-8 as it is, control characters and what is no
/// UTF-8 escaped.
pub(crate) fn escape_for_terminal(bytes: &[u8], most: usize) -> String {
    let mut text = String::new();
    let mut left = most;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if left == 0 {
                text.push('…');
                return text;
            }
            left = left.saturating_sub(1);
            if is_harmless(character) {
                text.push(character);
            } else {
                text.extend(character.escape_default());
            }
        }
        for byte in chunk.invalid() {
            if left == 0 {
                text.push('…');
                return text;
            }
            left = left.saturating_sub(1);
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The front of the bytes between quotes, for a sentence.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    format!(
        "\"{}\"",
        escape_for_terminal(bytes, 100).replace('"', "\\\"")
    )
}

/// Whether a terminal only draws it. Besides control characters, some only change the direction of
/// what stands around them, or are not seen at all.
fn is_harmless(character: char) -> bool {
    character == '\t'
        || !character.is_control()
            && !matches!(character,
            '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

/// A duration as a person reads it: in hundredths of a millisecond, below a tenth of one in microseconds,
/// from a second on in tenths of one.
/// std's formatting of floating-point numbers would do, and is 13 KB of binary.
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
    fn foreign_bytes_are_readable_and_harmless() {
        assert_eq!(
            escape_for_terminal("你好 a\"b\\".as_bytes(), 100),
            "你好 a\"b\\"
        );
        assert_eq!(
            escape_for_terminal(b"\x1b[2J\r\n\t\0", 100),
            "\\u{1b}[2J\\r\\n\t\\u{0}"
        );
        assert_eq!(
            escape_for_terminal(b"a\xFFb\xE4\xBD", 100),
            "a\\xffb\\xe4\\xbd"
        );
        assert_eq!(
            escape_for_terminal("\u{FEFF}\u{202E}".as_bytes(), 100),
            "\\u{feff}\\u{202e}"
        );
        for unseen in "\u{61C}\u{200B}\u{200F}\u{202A}\u{2066}\u{E0041}\u{7F}\u{9B}".chars() {
            assert_eq!(
                escape_for_terminal(unseen.to_string().as_bytes(), 1),
                unseen.escape_default().to_string()
            );
        }
        assert_eq!(
            escape_for_terminal("👨\u{200D}👩".as_bytes(), 9),
            "👨\u{200D}👩"
        );
        assert_eq!(escape_for_terminal(&[0xFF; 9], 2), "\\xff\\xff…");
        assert_eq!(escape_for_terminal("你好吗".as_bytes(), 2), "你好…");
        assert_eq!(escape_for_terminal("你好".as_bytes(), 2), "你好");
    }

    #[test]
    fn durations_are_short() {
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
