//! The text of a leaf of a rules file, as its author meant it.

use crate::xml::{Element, trim};

/// The text of a leaf. Where it is CDATA, what is in there as it is; otherwise without the
/// indentation that the file gives it.
pub(super) fn text_of(leaf: Element<'_>) -> String {
    let text = leaf.text();
    let inner = leaf
        .source()
        .split_once('>')
        .map_or("", |(_, behind)| behind);
    let inner = inner.rsplit_once("</").map_or("", |(inner, _)| inner);
    if !trim(inner).starts_with("<![CDATA[") || !trim(inner).ends_with("]]>") {
        return without_indentation(text);
    }
    // The white space around the sections is the file's; a line end in it is one character here.
    let outside = |part: &str| part.replace("\r\n", "\n").len();
    let before = inner.len().saturating_sub(inner.trim_start().len());
    let after = inner.trim_end().len();
    let before = outside(inner.get(..before).unwrap_or(""));
    let after = text
        .len()
        .saturating_sub(outside(inner.get(after..).unwrap_or("")));
    text.get(before..after).unwrap_or(text).to_owned()
}

/// The lines without what all of them but the first begin with, and without the empty ones around.
fn without_indentation(text: &str) -> String {
    let indentation = |line: &str| {
        line.len()
            .saturating_sub(line.trim_start_matches([' ', '\t']).len())
    };
    let is_blank = |line: &str| trim(line).is_empty();
    let common = text
        .split('\n')
        .skip(1)
        .filter(|line| !is_blank(line))
        .map(indentation)
        .min()
        .unwrap_or(0);
    let lines = text.split('\n').enumerate().map(|(number, line)| {
        let cut = if number == 0 {
            indentation(line)
        } else {
            common
        };
        line.get(cut..)
            .unwrap_or("")
            .trim_end_matches([' ', '\t', '\r'])
    });
    let lines: Vec<&str> = lines.collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
