//! The text of a leaf of a rules file, as its author means it: without the indentation of the file, unless it is CDATA.

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

/// The white space before the first and after the last CDATA section of an element, if there is no text around them.
/// Line ends are `\n`, as in the parsed text.
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

/// The lines without the indentation that all but the first share, and without empty lines at both ends.
fn without_indentation(text: &str) -> String {
    let is_indentation = [' ', '\t'];
    let indentation = |line: &str| line.len() - line.trim_start_matches(is_indentation).len();
    let shared = text
        .split('\n')
        .skip(1)
        .filter(|line| !trim(line).is_empty())
        .map(indentation)
        .min()
        .unwrap_or(0);
    let lines = text.split('\n').enumerate().map(|(number, line)| {
        let removed = match number {
            0 => indentation(line),
            _ => shared,
        };
        // A blank line can be shorter than the indentation.
        let line = line.get(removed..).unwrap_or("");
        line.trim_end_matches([' ', '\t', '\r'])
    });
    let lines: Vec<&str> = lines.collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
