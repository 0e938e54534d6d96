//! Differences between texts that patterns ignore.
//!
//! A text is folded character by character: full-width forms become ASCII, upper case becomes lower case, and U+FE0F, which
//! asks for a coloured emoji, is left out. Nothing is allocated for it.

/// Whether ASCII letters in upper and lower case are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Ignored,
    /// For keys, which programs compare.
    Kept,
}

/// Folds a character; `None` if it is left out.
pub(super) fn fold_character(character: char, case: Case) -> Option<char> {
    let narrow = match character {
        '\u{FE0F}' => return None,
        '\u{3000}' => ' ',
        '\u{FF01}'..='\u{FF5E}' => {
            // The full-width forms have the order of the ASCII characters from U+0021 to U+007E.
            let ascii = u32::from(character) - 0xFEE0;
            char::from_u32(ascii).expect("a character from U+0021 to U+007E")
        }
        other => other,
    };
    Some(match case {
        Case::Ignored => narrow.to_ascii_lowercase(),
        Case::Kept => narrow,
    })
}

pub(super) fn fold(text: &str, case: Case) -> impl Iterator<Item = char> {
    text.chars().filter_map(move |character| fold_character(character, case))
}

/// Removes a prefix, which is folded, from a text, which is not.
pub(super) fn strip_prefix<'t>(text: &'t str, prefix: &str, case: Case) -> Option<&'t str> {
    if prefix.is_empty() {
        return Some(text);
    }
    let mut rest = text.chars();
    for expected in prefix.chars() {
        let found = loop {
            if let Some(found) = fold_character(rest.next()?, case) {
                break found;
            }
        };
        if found != expected {
            return None;
        }
    }
    Some(without_selectors(rest.as_str()))
}

/// Removes a suffix, which is folded, from a text, which is not.
pub(super) fn strip_suffix<'t>(text: &'t str, suffix: &str, case: Case) -> Option<&'t str> {
    let mut rest = text.chars();
    for expected in suffix.chars().rev() {
        let found = loop {
            if let Some(found) = fold_character(rest.next_back()?, case) {
                break found;
            }
        };
        if found != expected {
            return None;
        }
    }
    Some(rest.as_str())
}

/// Splits a text after the characters that fold to the first `length` bytes of the folded text.
pub(super) fn split_at_folded(text: &str, length: usize, case: Case) -> (&str, &str) {
    let mut rest = text.chars();
    let mut left = length;
    while left > 0
        && let Some(character) = rest.next()
    {
        left -= fold_character(character, case).map_or(0, char::len_utf8);
    }
    text.split_at(text.len() - rest.as_str().len())
}

/// Removes variation selectors, which belong to the character before this text.
pub(super) fn without_selectors(text: &str) -> &str {
    text.trim_start_matches('\u{FE0F}')
}

/// Whether a character ends a sentence or a part of it.
pub(super) const fn is_sentence_mark(character: char) -> bool {
    matches!(
        character,
        '。' | '．' | '.' | '！' | '!' | '？' | '?' | '，' | ',' | '、' | '～' | '~' | '…'
    )
}
