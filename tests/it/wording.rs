//! Checks of the texts in both languages. The unit tests named `samples` compare all texts with the files in
//! `fixtures/wording`; here no text of the source may be missing in the files, and the Chinese must be typeset well.

use std::fs;

use crate::layout::sources;
use crate::support::root;

/// A file of `fixtures/wording`. A line of the log is replaced by its reason and its hint, one line each.
fn read(name: &str) -> String {
    let file = fs::read_to_string(root().join("fixtures/wording").join(name)).unwrap();
    let note = |line: &str| match line.split_once(" reason=\"") {
        Some((_, texts)) => texts.strip_suffix('"').unwrap().replace("\" hint=\"", "\n") + "\n",
        None => format!("{line}\n"),
    };
    file.lines().map(note).collect()
}

/// The samples below each heading, in English and in Chinese.
fn groups() -> Vec<(String, String)> {
    let [english, chinese] = ["en.txt", "zh.txt"].map(|name| {
        let file = read(name);
        file.split("\n#").map(str::to_owned).collect::<Vec<_>>()
    });
    let headings = |groups: &[String]| -> Vec<String> {
        groups.iter().filter_map(|group| Some(group.lines().next()?.to_owned())).collect()
    };
    assert_eq!(headings(&english), headings(&chinese));
    english.into_iter().zip(chinese).collect()
}

/// A text of the source, with values in braces.
struct Text {
    file: String,
    english: String,
    chinese: String,
    /// Whether it is a row of a table.
    is_row: bool,
}

/// All texts of the source that are in two languages.
fn texts() -> Vec<Text> {
    let mut texts = Vec::new();
    for (file, code) in sources() {
        let parts: Vec<&str> = code.split("en: ").collect();
        for pair in parts.windows(2) {
            let Some((english, rest)) = literal(pair[1]) else {
                continue;
            };
            let Some(zh) = rest.trim_start_matches([',', ' ', '\n']).strip_prefix("zh: ") else {
                continue;
            };
            let (chinese, _) = literal(zh).unwrap();
            let before = pair[0].trim_end();
            let is_row = before.ends_with("=>") || before.ends_with("\",");
            texts.push(Text { file: file.clone(), english, chinese, is_row });
        }
    }
    assert!(texts.len() > 600, "only {} texts were found", texts.len());
    texts
}

/// A string literal of the source without its quotes, and the source after it.
fn literal(source: &str) -> Option<(String, &str)> {
    if let Some(raw) = source.strip_prefix("r\"") {
        let (text, rest) = raw.split_once('"')?;
        return Some((text.to_owned(), rest));
    }
    let mut text = String::new();
    let mut characters = source.strip_prefix('"')?.chars();
    loop {
        match characters.next()? {
            '"' => return Some((text, characters.as_str())),
            '\\' => match characters.next()? {
                'n' => text.push('\n'),
                '\n' => characters = characters.as_str().trim_start().chars(),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// The parts of a text between its values, which are in braces.
fn fixed_parts(text: &str) -> Vec<String> {
    let text = text.replace("{{", "\0").replace("}}", "\u{1}");
    let mut parts = Vec::new();
    for (index, part) in text.split('{').enumerate() {
        let part =
            if index == 0 { part } else { part.split_once('}').map_or(part, |(_, rest)| rest) };
        parts.push(part.replace('\0', "{").replace('\u{1}', "}"));
    }
    parts
}

/// Whether these parts are in the sample in this order. If `is_whole`, nothing else may be at the start and at the end.
fn matches(parts: &[String], sample: &str, is_whole: bool) -> bool {
    let (mut rest, mut is_start) = (sample, true);
    let (last, others) = parts.split_last().unwrap();
    for part in others {
        let Some((before, after)) = rest.split_once(part.as_str()) else {
            return false;
        };
        if is_whole && is_start && !before.is_empty() {
            return false;
        }
        (rest, is_start) = (after, false);
    }
    match (is_whole, is_start) {
        (true, true) => rest == last,
        (true, false) => rest.ends_with(last.as_str()),
        (false, _) => rest.contains(last.as_str()),
    }
}

#[test]
fn each_text_of_the_source_has_a_sample() {
    let groups = groups();
    for Text { file, english, chinese, is_row } in texts() {
        let parts = [&english, &chinese].map(|text| fixed_parts(text.trim_end_matches('\n')));
        let is_sample =
            |en, zh, is_whole| matches(&parts[0], en, is_whole) && matches(&parts[1], zh, is_whole);
        let is_found = groups.iter().any(|(en, zh)| {
            // Several texts may be in one line or in several lines, but a row of a table is a line.
            let is_line = || en.lines().zip(zh.lines()).any(|(en, zh)| is_sample(en, zh, true));
            if is_row { is_line() } else { is_sample(en, zh, false) }
        });
        assert!(
            is_found,
            "{file}: {english:?} with {chinese:?} is not in fixtures/wording; add a sample in a file samples.rs"
        );
    }
}

const fn is_chinese(character: char) -> bool {
    matches!(character, '\u{4E00}'..='\u{9FFF}')
}

#[test]
fn each_chinese_text_is_chinese() {
    // A value, and the value of `WECHAT_LANG`.
    let values = ["oUser1", "zh"];
    for Text { file, chinese, .. } in texts() {
        let words = fixed_parts(&chinese).concat();
        let has_words = words.contains(|character: char| character.is_ascii_alphabetic());
        let is_text = has_words && !values.contains(&chinese.as_str());
        assert!(!is_text || words.contains(is_chinese), "{file}: {chinese:?}");
    }
}

/// Terms of WeChat, which are written as in its manual.
const TERMS: [&str; 3] = ["令牌(Token)", "密钥(EncodingAESKey)", "地址(URL)"];

#[test]
fn chinese_texts_are_typeset_well() {
    for line in read("zh.txt").lines() {
        // A pattern in quotes shows what is printed elsewhere.
        let mut text: String = line
            .split('“')
            .map(|part| part.split_once('”').map_or(part, |(_, rest)| rest))
            .collect();
        for term in TERMS {
            text = text.replace(term, "令");
        }
        let characters: Vec<char> = text.chars().collect();
        for pair in characters.windows(2) {
            let is_latin = |character: char| character.is_ascii_alphanumeric();
            let is_wrong = match (pair[0], pair[1]) {
                (before, after) if is_chinese(before) => {
                    is_latin(after) || ",;:()?!".contains(after)
                }
                (before, after) if is_chinese(after) => is_latin(before),
                (' ', after) => "，；：（）。？！、”".contains(after),
                (before, ' ') => "，；：（）。？！、".contains(before),
                _ => false,
            };
            assert!(!is_wrong, "fixtures/wording/zh.txt: {pair:?} in {line}");
        }
    }
}
