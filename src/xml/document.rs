//! XML as it comes: UTF-8, without the control characters that real messages hold and XML cannot carry,
//! and read into the table of its elements.

use std::borrow::Cow;
use std::fmt;

use super::characters::is_char;
use super::element::Element;
use super::message_reader::{self, NODES_MAX};
use super::tree::Tree;
use crate::text::search;

/// UTF-8 without characters that XML 1.0 cannot carry, well-formed, its tags without attributes, with
/// CDATA sections and an XML declaration as its only other markup.
#[derive(Debug)]
pub struct Document<'a> {
    text: Cow<'a, str>,
    tree: Tree,
}

/// Why a text is not the XML of a message. It quotes nothing, since what it would quote is what a
/// user wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// Not UTF-8 from this byte on.
    Utf8(usize),
    /// A tag with more in it than a name: an attribute, or what could be read as one.
    Attribute,
    /// A comment, a document type or a processing instruction.
    Markup,
    /// A tag, a CDATA section or a declaration without its end.
    Open,
    /// More than 256 nodes.
    TooManyNodes,
    /// Not well-formed at this line and column, both counted from 1.
    Syntax {
        /// The line.
        line: u32,
        /// The column, in characters.
        column: u32,
    },
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8(at) => write!(f, "not UTF-8 from byte {at} on"),
            Self::Attribute => f.write_str("XML tag with an attribute, none allowed"),
            Self::Markup => {
                f.write_str("XML with a comment, a document type or an instruction, none allowed")
            }
            Self::Open => f.write_str("XML with a tag or a CDATA section left open"),
            Self::TooManyNodes => write!(f, "XML with over {NODES_MAX} nodes"),
            Self::Syntax { line, column } => {
                write!(f, "not well-formed XML at line {line} column {column}")
            }
        }
    }
}

impl std::error::Error for XmlError {}

impl<'a> Document<'a> {
    /// Reads bytes from front to back. A byte order mark and white space before the first tag go, and so
    /// does each character that XML 1.0 cannot carry (2.2).
    ///
    /// # Errors
    /// [`XmlError`], for the first thing that is not taken.
    pub fn scan(bytes: &'a [u8]) -> Result<Self, XmlError> {
        let text = str::from_utf8(bytes).map_err(|error| XmlError::Utf8(error.valid_up_to()))?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let text = text.trim_start_matches(['\0', ' ', '\t', '\r', '\n']);
        let mut xml = Self {
            text: Cow::Borrowed(text),
            tree: Tree::EMPTY,
        };
        if let Err(error) = message_reader::read(text, &mut xml.tree) {
            // Few hold characters that have to go: to look for them before would be one more look at all
            // others.
            let Cow::Owned(text) = without_non_characters(text) else {
                return Err(error);
            };
            xml.tree = Tree::EMPTY;
            message_reader::read(&text, &mut xml.tree)?;
            xml.text = Cow::Owned(text);
        }
        Ok(xml)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn root(&self) -> Element<'_> {
        Element::root(&self.text, &self.tree)
    }
}

/// The text without what XML cannot carry, which most texts do not hold.
pub(crate) fn without_non_characters(text: &str) -> Cow<'_, str> {
    if has_non_characters(text.as_bytes()) {
        Cow::Owned(
            text.chars()
                .filter(|&character| is_char(character))
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether UTF-8 holds a character that [`is_char`] refuses: a control character, or U+FFFE or
/// U+FFFF, which end in 0xBF 0xBE and 0xBF 0xBF behind 0xEF.
pub(super) fn has_non_characters(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((_, found)) =
        search::find_control_or(rest, [0xEF]).and_then(|front| rest.split_at_checked(front))
    {
        rest = match found {
            [0xEF, 0xBF, 0xBE | 0xBF, ..] => return true,
            [b'\t' | b'\n' | b'\r' | 0xEF, behind @ ..] => behind,
            _ => return true,
        };
    }
    false
}

/// What stands before and behind the first occurrence of the mark.
pub(crate) fn split_at_mark<'a, const N: usize>(
    bytes: &'a [u8],
    mark: &[u8; N],
) -> Option<(&'a [u8], &'a [u8])> {
    let first = *mark.first()?;
    let mut from = 0_usize;
    loop {
        let at = search::find(bytes.get(from..)?, [first])?;
        let (before, found) = bytes.split_at_checked(from.saturating_add(at))?;
        match found.strip_prefix(mark) {
            Some(after) => return Some((before, after)),
            None => from = before.len().saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test fails by panicking")]
    use super::*;

    const TEXT: &str =
        "<?xml version='1.0'?>\n<xml><A><![CDATA[a]]]]></A>\n<B>1&amp;2]</B> <C/></xml>\n";

    fn leaves(text: &str) -> Vec<(String, String)> {
        let xml =
            Document::scan(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        let leaf = |leaf: Element<'_>| (leaf.name().to_owned(), leaf.text().to_owned());
        xml.root().leaves().map(leaf).collect()
    }

    #[test]
    fn characters_that_xml_cannot_carry_go_wherever_they_stand() {
        let expected = leaves(TEXT);
        for one in [
            '\u{1}', '\u{8}', '\u{B}', '\u{C}', '\u{1F}', '\u{FFFE}', '\u{FFFF}',
        ] {
            for at in 0..=TEXT.len() {
                let mut text = TEXT.to_owned();
                text.insert(at, one);
                assert_eq!(leaves(&text), expected, "{text:?}");
                text.insert(at, one);
                assert_eq!(leaves(&text), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn a_declaration_ends_where_it_does_without_them() {
        let new = "<xml><A><![CDATA[new]]></A></xml>";
        for one in ['\u{1}', '\u{FFFF}'] {
            let text = format!("<?xml ?{one}><xml><A><![CDATA[old ?>{new}");
            let old = "old ?><xml><A><![CDATA[new".to_owned();
            assert_eq!(leaves(&text), [("A".to_owned(), old)]);
        }
    }

    #[test]
    fn those_that_it_can_carry_stay() {
        for one in [
            '\u{7F}',
            '\u{FF0C}',
            '\u{FEFF}',
            '\u{FFFD}',
            '\u{EFFF}',
            '\u{10FFFF}',
        ] {
            let text = format!("<xml><A>{one}</A><B><![CDATA[{one}]]></B></xml>");
            let leaf = |name: &str| (name.to_owned(), one.to_string());
            assert_eq!(leaves(&text), [leaf("A"), leaf("B")]);
        }
    }

    #[test]
    fn what_only_begins_like_a_name_is_none() {
        for text in [
            "<1></1>",
            "<-a></-a>",
            "<.></.>",
            "<xml><A></Ax></xml>",
            "<xml><Ax></A></xml>",
            "<xml><A></A/></xml>",
        ] {
            assert!(Document::scan(text.as_bytes()).is_err(), "{text}");
        }
    }
}
