//! Formats input so that it is safe to print, aligns texts of both languages, and formats durations.

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

/// The columns that a text takes on a terminal.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|character| 1 + usize::from(is_wide(character))).sum()
}

/// Whether a character takes two columns of a terminal (East Asian Width W or F, Unicode TR 11). A character that is not
/// assigned counts like its neighbours. Emoji and other symbols count as narrow, because no table contains them.
#[rustfmt::skip]
const fn is_wide(character: char) -> bool {
    matches!(
        character,
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{303E}' | '\u{3041}'..='\u{3247}' | '\u{3250}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{A4CF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}'
            | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF01}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}'
            | '\u{20000}'..='\u{3FFFF}'
    )
}

/// Appends spaces to a text, so that it takes at least `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{:1$}", "", width.saturating_sub(columns(text)))
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
    use std::process::Command;
    use std::time::Duration;

    use super::{columns, escape_for_terminal, format_duration, pad};

    /// Prints a character for each code point: `1` or `2` for its columns, `-` if there is no such character, or if its
    /// width depends on the version of Unicode.
    const WIDTHS: &str = "
from unicodedata import category, east_asian_width
def width(c):
    if category(chr(c)) in ('Cn', 'Co', 'Cs') or 0x31E4 <= c <= 0x31EF or 0x4DC0 <= c <= 0x4DFF: return '-'
    return '2' if east_asian_width(chr(c)) in 'WF' else '1'
print(''.join(map(width, range(0x40000))))
";

    #[test]
    fn columns_are_those_of_unicode() {
        let output = Command::new("python3").args(["-c", WIDTHS]).output().expect("needs python3");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        let mut count = 0;
        for (number, width) in (0..).zip(output.stdout.trim_ascii_end()) {
            // Symbols and emoji, and plane 1, have narrow and wide characters in turn.
            if *width != b'-' && !matches!(number, 0x2300..0x2C00 | 0x1_0000..0x2_0000) {
                let character = char::from_u32(number).expect("an assigned character");
                assert_eq!(
                    columns(&character.to_string()),
                    usize::from(width - b'0'),
                    "{number:X}"
                );
                count += 1;
            }
        }
        assert!(count > 100_000, "{count}");
    }

    #[test]
    fn pads_to_columns() {
        assert_eq!(columns("用法：wechat"), 12);
        for (text, padded) in
            [("", "    "), ("abc", "abc "), ("选项", "选项"), ("默认值", "默认值")]
        {
            assert_eq!(pad(text, 4), padded);
        }
    }

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
