//! A document. It consists of its source and the table of its elements.

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
    /// Parses a message, a reply printed by a program, or the answer of a backend. Elements without attributes, text,
    /// CDATA sections and an XML declaration are allowed. A byte order mark, white space and NUL at the start are
    /// skipped. Characters that XML 1.0 does not allow (2.2) are removed, because real messages contain them.
    ///
    /// # Errors
    /// [`XmlError`], for the first part that is not allowed.
    pub fn parse_message(bytes: &'a [u8]) -> Result<Self, XmlError> {
        let source = str::from_utf8(bytes).map_err(|error| XmlError::Utf8(error.valid_up_to()))?;
        let source = source.strip_prefix('\u{FEFF}').unwrap_or(source);
        let source = source.trim_start_matches(['\0', ' ', '\t', '\r', '\n']);
        let mut document = Self { source: Cow::Borrowed(source), tree: Tree::EMPTY };
        if let Err(error) = message_reader::read(source, &mut document.tree) {
            // Few messages contain such characters, so the text is searched for them only after an error.
            let Cow::Owned(source) = without_non_characters(source) else {
                return Err(error);
            };
            document.tree = Tree::EMPTY;
            message_reader::read(&source, &mut document.tree)?;
            document.source = Cow::Owned(source);
        }
        Ok(document)
    }

    /// Parses XML with attributes and comments, such as a rules file.
    ///
    /// # Errors
    /// [`FileError`], for a tag with too many attributes, or for the first place where the text is not well-formed.
    pub fn parse_file(text: &'a str) -> Result<Self, FileError> {
        let mut tree = Tree::EMPTY;
        file_reader::read(text, &mut tree)?;
        Ok(Self { source: Cow::Borrowed(text), tree })
    }

    pub(crate) fn root(&self) -> Element<'_> {
        Element::root(&self.source, &self.tree)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test fails by panicking")]
    use super::super::error::Position;
    use super::*;

    #[track_caller]
    fn message(text: &str) -> Document<'_> {
        Document::parse_message(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text:?}"))
    }

    /// Name and text of each leaf of a message.
    #[track_caller]
    fn leaves(text: &str) -> Vec<(String, String)> {
        let leaf = |leaf: Element<'_>| (leaf.name().to_owned(), leaf.text().to_owned());
        message(text).root().leaves().map(leaf).collect()
    }

    #[test]
    fn removes_characters_that_xml_does_not_allow() {
        let text =
            "<?xml version='1.0'?>\n<xml><A><![CDATA[a]]]]></A>\n<B>1&amp;2]</B> <C/></xml>\n";
        let expected = leaves(text);
        assert_eq!(expected.len(), 3);
        for character in ['\u{1}', '\u{8}', '\u{B}', '\u{C}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            for at in 0..=text.len() {
                let mut text = text.to_owned();
                text.insert(at, character);
                assert_eq!(leaves(&text), expected, "{text:?}");
                text.insert(at, character);
                assert_eq!(leaves(&text), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn removes_characters_before_it_looks_for_the_end_of_the_declaration() {
        for character in ['\u{1}', '\u{FFFF}'] {
            let text = format!(
                "<?xml ?{character}><xml><A><![CDATA[old ?><xml><A><![CDATA[new]]></A></xml>"
            );
            let a = "old ?><xml><A><![CDATA[new".to_owned();
            assert_eq!(leaves(&text), [("A".to_owned(), a)]);
        }
    }

    #[test]
    fn keeps_characters_that_xml_allows() {
        for character in ['\u{7F}', '\u{FF0C}', '\u{FEFF}', '\u{FFFD}', '\u{EFFF}', '\u{10FFFF}'] {
            let text = format!("<xml><A>{character}</A><B><![CDATA[{character}]]></B></xml>");
            let leaf = |name: &str| (name.to_owned(), character.to_string());
            assert_eq!(leaves(&text), [leaf("A"), leaf("B")]);
        }
    }

    #[test]
    fn refuses_invalid_names() {
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

    /// Collects path, text and source of an element and of all elements in it, and whether each is a leaf, has text, and
    /// has text after a child.
    fn collect_facts<'a>(
        element: Element<'a>,
        all: &mut Vec<(String, &'a str, &'a str, [bool; 3])>,
    ) {
        let text = element.text_offset().is_some();
        let is = [element.is_leaf(), text, element.text_after_child().is_some()];
        all.push((element.path(), element.text(), element.source(), is));
        element.children().for_each(|child| collect_facts(child, all));
    }

    #[test]
    fn both_readers_make_the_same_document() {
        const PIECES: [&str; 11] = [
            "",
            "a",
            " ",
            "\n",
            "\r\n",
            "&lt;",
            "&#32;",
            "<![CDATA[x]]>",
            "<![CDATA[ ]]>",
            "<b/>",
            "<c>d<e> </e></c>",
        ];
        let mut count = 0;
        for number in 0..PIECES.len().pow(4) {
            let piece = |power: u32| PIECES[number / PIECES.len().pow(power) % PIECES.len()];
            let text = format!("<xml>{}{}{}{}</xml>", piece(0), piece(1), piece(2), piece(3));
            let file = Document::parse_file(&text).unwrap_or_else(|error| panic!("{error}"));
            let message = message(&text);
            let (mut from_file, mut from_message) = (Vec::new(), Vec::new());
            collect_facts(file.root(), &mut from_file);
            collect_facts(message.root(), &mut from_message);
            assert_eq!(from_file, from_message, "{text:?}");
            count += 1;
        }
        assert_eq!(count, 11 * 11 * 11 * 11);
    }

    #[test]
    fn a_file_has_attributes_and_offsets() {
        let text = "<r a='1'>\n <!-- c --> x <on b=\"&lt;2\" n:c='3' xmlns:n='u'/>y<on/>z</r>";
        let document = Document::parse_file(text).unwrap_or_else(|error| panic!("{error}"));
        let root = document.root();
        let at = |part: &str| text.find(part);
        assert_eq!(root.attributes().collect::<Vec<_>>(), [("a", "1", 3)]);
        assert_eq!((root.text(), root.text_offset()), ("\n  x ", at("x <on")));
        assert_eq!(root.text_after_child(), at("y<on/>"));
        let attributes = root.children().map(|on| on.attributes().collect::<Vec<_>>());
        let b = ("b", "<2", at("b=").unwrap_or_default());
        let c = ("c", "3", at("n:c").unwrap_or_default());
        assert_eq!(attributes.collect::<Vec<_>>(), [vec![b, c], vec![]]);
        let second = root.children().nth(1);
        assert_eq!(second.map(Element::offset), at("<on/>"));
        assert_eq!(second.map(Element::source), Some("<on/>"));
    }

    #[test]
    fn removes_the_prefix_of_a_name_in_a_file() {
        let text = "<p:bb xmlns:p='u'><p:b>1</p:b></p:bb>";
        let document = Document::parse_file(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(document.root().name(), "bb");
        assert_eq!(document.root().text_at("b"), Some("1"));
    }

    #[test]
    fn a_file_may_have_64_attributes_in_each_tag_and_8_namespaces() {
        let parse = |text: &str| {
            let parsed = Document::parse_file(text).map(|_| ());
            parsed.map_err(|error| (error.position, error.to_string()))
        };
        // Quotes outside tags are no attributes.
        let quotes = "'\"".repeat(100);
        let attributes = |count: usize| -> String {
            (0..count).map(|number| format!("\ta{number} = \"x>='\"")).collect()
        };
        let text = |count| {
            format!(
                "<?x {quotes}?><r{0}><!--<b {quotes}--><a{0}/>{quotes}>{quotes}\n\
                 <![CDATA[<b {quotes}]]><!--><b \"-->\n<c{1}></c></r>",
                attributes(64),
                attributes(count),
            )
        };
        assert_eq!(parse(&text(64)), Ok(()));
        let error = "more than 64 attributes in a tag".to_owned();
        assert_eq!(parse(&text(65)), Err((Position { line: 3, column: 1 }, error)));
        let declarations = |count: usize| -> String {
            let element = |number| format!("\n<a xmlns:p{number} = 'u{number}'><b xmlns=''/></a>");
            format!("<r>{}</r>", (0..count).map(element).collect::<String>())
        };
        assert_eq!(parse(&declarations(4)), Ok(()));
        let error = "more than 8 namespace declarations; write names without a prefix".to_owned();
        assert_eq!(parse(&declarations(5)), Err((Position { line: 6, column: 1 }, error)));
    }

    #[test]
    fn a_file_error_says_what_is_wrong_and_where() {
        for (text, line, column, message) in [
            ("", 1, 1, "no element in the file"),
            ("hello", 1, 1, "text before the first element, none allowed"),
            ("</a>", 1, 1, "end tag </a> without a start tag; add <a> before it"),
            ("<a>\n<b>", 2, 4, "the file ends, but <b> in line 2 has no end tag; add </b>"),
            ("<a/>\nx", 2, 1, "text after the end of <a>, none allowed"),
            ("<a/>\n<b/>", 2, 1, "<b> after the end of <a>; move it before </a>"),
            ("<a/>\n<a/>", 2, 1, "second <a>; write the content of both in one <a>"),
            ("<a></a>\n</a>", 2, 1, "second </a>; remove one of the two"),
            ("<a></a>\n</b>", 2, 1, "</b> after the end of <a>; remove it"),
            ("<a>\n</b></a>", 2, 1, "end tag </b>, expected </a> for <a> in line 1"),
            ("<a>\n＜b＞</b></a>", 2, 1, "full-width ＜; write <"),
            (
                "<a>&x;</a>",
                1,
                4,
                "unknown reference &x;, expected &amp; &lt; &gt; &apos; or &quot;; write other characters as they are",
            ),
            ("<a>R&D &x;</a>", 1, 5, "& begins no reference; write &amp; for &"),
            ("<a>&#0;</a>", 1, 4, "& begins no reference; write &amp; for &"),
            (
                "<a>1 < 2</a>",
                1,
                6,
                "< without a name directly after it; in a text write &lt; for <, or put the text in <![CDATA[…]]>",
            ),
            (
                "<a>x </ a>",
                1,
                6,
                "< without a name directly after it; in a text write &lt; for <, or put the text in <![CDATA[…]]>",
            ),
            (
                "<a>x<b</a>",
                1,
                5,
                "the tag <b has no >; in a text write &lt; for <, or put the text in <![CDATA[…]]>",
            ),
            (
                "<a>< ![CDATA[x] ]></a>",
                1,
                4,
                "a CDATA section begins with exactly <![CDATA[ and ends with ]]>",
            ),
            (
                "<a><![cdata[x]]></a>",
                1,
                4,
                "a CDATA section begins with exactly <![CDATA[ and ends with ]]>",
            ),
            (
                "<a><[CDATA[x]]></a>",
                1,
                4,
                "a CDATA section begins with exactly <![CDATA[ and ends with ]]>",
            ),
            ("<a><![CDATA[x] ]></a>", 1, 4, "<![CDATA[ without an end; write ]]> after it"),
            (
                "<a><!- x -></a>",
                1,
                4,
                "<! begins neither a comment <!-- nor a text <![CDATA[; write &lt; for <, or put the text in <![CDATA[…]]>",
            ),
            ("<a><!-- x</a>", 1, 4, "<!-- without an end; write --> after it"),
            ("<a b=“c”/>", 1, 6, "found '“', expected a quote (\" or '); write \""),
            (
                "<a b＝\"c\"/>",
                1,
                5,
                "in the tag <a: found '＝', expected = and a value in quotes; write '='",
            ),
            (
                "<a\u{3000}b=\"c\"/>",
                1,
                3,
                "found a full-width space, expected white space; write a space",
            ),
            (
                "<a b='c'd='e'/>",
                1,
                9,
                "found 'd', expected white space after the value; in a value write &quot; for \"",
            ),
            ("<a b=c/>", 1, 6, "found 'c', expected a quote (\" or ')"),
            (
                "<a>x<b && y></a>",
                1,
                8,
                "in the tag <b: found '&', expected an attribute, NAME=\"VALUE\"",
            ),
            ("<a b/>", 1, 5, "in the tag <a: found '/', expected = and a value in quotes"),
            (
                "<a 1=\"c\"/>",
                1,
                4,
                "in the tag <a: found '1', expected an attribute, NAME=\"VALUE\"",
            ),
            ("<a / >", 1, 5, "found a space, expected >"),
            (
                "<a b\n='c'\n",
                1,
                1,
                "the tag <a has no >; in a text write &lt; for <, or put the text in <![CDATA[…]]>",
            ),
            ("<a b='c", 1, 6, "the value of this attribute has no closing '"),
            (
                "<a x='<'/>",
                1,
                7,
                "< in the value of an attribute; if the value ends before it, add the closing ', else write &lt; for <",
            ),
            ("<a x='1' x='2'/>", 1, 10, "attribute x occurs twice"),
            ("<a>]]></a>", 1, 4, "]]> without <![CDATA[ before it; write ]]&gt; for ]]> in a text"),
            ("<a>\u{1}</a>", 1, 4, "character U+0001, which XML does not allow; remove it"),
            (
                "<a><!-- -- --></a>",
                1,
                4,
                "-- in a comment, none allowed; a comment begins with <!-- and ends with -->",
            ),
            ("<p:a/>", 1, 2, "invalid namespace; write names without a prefix"),
            (
                "\n<?xml version='1.0'?><a/>",
                2,
                1,
                "XML declaration, allowed only at the start of the file",
            ),
            (
                "<?xml version=1.0?><a/>",
                1,
                15,
                "invalid XML declaration; write <?xml version=\"1.0\" encoding=\"UTF-8\"?>, or none",
            ),
            ("<!DOCTYPE a><a/>", 1, 1, "document type, none allowed"),
        ] {
            let error = Document::parse_file(text).map(|_| ()).err();
            let error = error.unwrap_or_else(|| panic!("{text:?} is well-formed"));
            assert_eq!(error.position, Position { line, column }, "{text:?}");
            assert_eq!(error.to_string(), message, "{text:?}");
        }
    }
}
