//! Checks of all texts in both languages. The unit tests named `samples` compare the texts with the files in
//! `fixtures/wording`; here no text of the source may be missing in them, and the Chinese must be typeset well.

use std::fs;

use crate::layout::sources;
use crate::support::root;

/// The lines of the files, each in English and in Chinese.
fn lines() -> Vec<(String, String)> {
    let [english, chinese] = ["en.txt", "zh.txt"].map(|name| {
        let file = fs::read_to_string(root().join("fixtures/wording").join(name)).unwrap();
        // In a line of the log, the texts are in quotes.
        let file = file.replace(" reason=\"", "\n\"").replace("\" hint=\"", "\"\n\"");
        let lines = file.lines().map(str::to_owned);
        lines.collect::<Vec<_>>()
    });
    // Help has paragraphs, which need not have the same number of lines in both languages.
    english.into_iter().zip(chinese).collect()
}

#[test]
fn dump() {
    println!("{}", lines().len() + sources().len());
}
