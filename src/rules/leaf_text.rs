//! The text of a leaf in a rules file. Indentation is removed, but a text in CDATA is not changed.

use crate::xml::{Element, trim};

pub(super) fn text_of(leaf: Element<'_>) -> String {
    let text = leaf.text();
    match space_around_cdata(leaf.source()) {
        Some((before, after)) => text
            .strip_prefix(&before)
            .and_then(|text| text.strip_suffix(&after))
            .unwrap_or(text)
            .to_owned(),
        None => without_indentation(text),
    }
}

/// White space before the first and after the last CDATA section of an element; `None` if there is no CDATA section, or
/// if text comes before the first or after the last. Line ends are `\n`, as in the parsed text.
fn space_around_cdata(source: &str) -> Option<(String, String)> {
    let (_, after_start_tag) = source.split_once('>')?;
    let (content, _) = after_start_tag.rsplit_once("</")?;
    let sections = trim(content);
    if !(sections.starts_with("<![CDATA[") && sections.ends_with("]]>")) {
        return None;
    }
    let (before, after) = content.split_once(sections)?;
    let with_line_feeds = |space: &str| space.replace("\r\n", "\n").replace('\r', "\n");
    Some((with_line_feeds(before), with_line_feeds(after)))
}

/// Removes empty lines at both ends, white space at the end of each line, and indentation. The first line, which follows
/// the start tag, loses its whole indentation. The other lines lose the indentation that they have in common.
fn without_indentation(text: &str) -> String {
    let blanks = [' ', '\t'];
    let indentation = |line: &str| line.len() - line.trim_start_matches(blanks).len();
    let common = text
        .split('\n')
        .skip(1)
        .filter(|line| !trim(line).is_empty())
        .map(indentation)
        .min()
        .unwrap_or(0);
    let lines = text.split('\n').enumerate().map(|(number, line)| {
        let removed = match number {
            0 => indentation(line),
            _ => common,
        };
        // A blank line can be shorter than the common indentation.
        let line = line.get(removed..).unwrap_or("");
        line.trim_end_matches([' ', '\t', '\r'])
    });
    let lines: Vec<&str> = lines.collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
