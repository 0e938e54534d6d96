//! A document: its source and the table of its elements.

use std::borrow::Cow;

use super::characters::without_non_characters;
use super::element::Element;
use super::error::XmlError;
use super::file_reader::FileError;
use super::tree::Tree;
use super::{file_reader, message_reader};

/// A well-formed XML document.
#[derive(Debug)]
pub struct Document<'a> {
    source: Cow<'a, str>,
    tree: Tree,
}

impl<'a> Document<'a> {
    /// Reads a message, a printed reply or another server's answer: elements without attributes, text, CDATA sections
    /// and an XML declaration. Skips a byte order mark and white space at the start, and leaves out each character that
    /// XML 1.0 does not allow (2.2), since real messages hold some.
    ///
    /// # Errors
    /// [`XmlError`], for the first thing that is not allowed.
    pub fn parse_message(bytes: &'a [u8]) -> Result<Self, XmlError> {
        let source = str::from_utf8(bytes).map_err(|error| XmlError::Utf8(error.valid_up_to()))?;
        let source = source.strip_prefix('\u{FEFF}').unwrap_or(source);
        let source = source.trim_start_matches(['\0', ' ', '\t', '\r', '\n']);
        let mut document = Self {
            source: Cow::Borrowed(source),
            tree: Tree::EMPTY,
        };
        if let Err(error) = message_reader::read(source, &mut document.tree) {
            // Only few messages hold such characters, so they are looked for only after an error.
            let Cow::Owned(source) = without_non_characters(source) else {
                return Err(error);
            };
            document.tree = Tree::EMPTY;
            message_reader::read(&source, &mut document.tree)?;
            document.source = Cow::Owned(source);
        }
        Ok(document)
    }

    /// Reads a file that the operator wrote: with attributes and comments, of any length. An input that others wrote
    /// must be short: the time grows with the cube of the number of attributes and namespaces.
    ///
    /// # Errors
    /// The first place where it is not well-formed.
    pub(crate) fn parse_file(text: &'a str) -> Result<Self, FileError> {
        let mut tree = Tree::EMPTY;
        file_reader::read(text, &mut tree)?;
        Ok(Self {
            source: Cow::Borrowed(text),
            tree,
        })
    }

    pub(crate) fn root(&self) -> Element<'_> {
        Element::root(&self.source, &self.tree)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test fails by panicking")]
    use super::*;

    const TEXT: &str =
        "<?xml version='1.0'?>\n<xml><A><![CDATA[a]]]]></A>\n<B>1&amp;2]</B> <C/></xml>\n";

    fn leaves(text: &str) -> Vec<(String, String)> {
        let xml = Document::parse_message(text.as_bytes())
            .unwrap_or_else(|error| panic!("{error}: {text:?}"));
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
            assert!(Document::parse_message(text.as_bytes()).is_err(), "{text}");
        }
    }
}
