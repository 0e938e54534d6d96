//! The texts of the errors of this module.

use std::fmt::{self, Display, Formatter};

use super::error::XmlError;
use super::fault::{AfterRoot, Expected, Fault, OpenElement, Root};
use super::file_reader::{ATTRIBUTES_MAX, FileError, NAMESPACES_MAX};
use crate::text::wording::wording;

wording! { XmlError {
    Self::Utf8(offset) => "not UTF-8 from byte {offset} on";
    Self::Attribute => "XML tag with an attribute, none allowed";
    Self::Markup => "XML with a comment, a document type or an instruction, none allowed";
    Self::Open => "XML with a tag or a CDATA section left open";
    Self::TooManyElements => "XML with over 256 elements";
    Self::NoName { line, column } => "not well-formed XML: < without a name directly after it at line {line} column {column}";
    Self::Syntax { line, column } => "not well-formed XML at line {line} column {column}";
} }

/// How to write a text in which `<` is no markup.
pub(crate) const ESCAPE_TEXT: &str = "write &lt; for <, or put the text in <![CDATA[…]]>";

/// Displays the error without its position.
impl Display for FileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

wording! { Fault {
    Self::NoRoot => "no element in the file";
    Self::TextBeforeRoot => "text before the first element, none allowed";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::Element { name: found } } if name == found =>
        "second <{name}>; write the content of both in one <{name}>";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::Element { name: found } } =>
        "<{found}> after the end of <{name}>; move it before </{name}>";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::EndTag { name: found } } if name == found =>
        "second </{name}>; remove one of the two";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::EndTag { name: found } } =>
        "</{found}> after the end of <{name}>; remove it";
    Self::AfterRoot { root: Root { name, .. }, found: AfterRoot::Text } =>
        "text after the end of <{name}>, none allowed";
    Self::NoName => "< without a name directly after it; in a text {ESCAPE_TEXT}";
    Self::Markup => "<! begins neither a comment <!-- nor a text <![CDATA[; {ESCAPE_TEXT}";
    Self::CdataStart => "a CDATA section begins with exactly <![CDATA[ and ends with ]]>";
    Self::OpenSection { start, end } => "{start} without an end; write {end} after it";
    Self::HyphensInComment => "-- in a comment, none allowed; a comment begins with <!-- and ends with -->";
    Self::DocumentType => "document type, none allowed";
    Self::LateDeclaration => "XML declaration, allowed only at the start of the file";
    Self::Declaration => "invalid XML declaration; write <?xml version=\"1.0\" encoding=\"UTF-8\"?>, or none";
    Self::OpenElement { name, line } => "the file ends, but <{name}> in line {line} has no end tag; add </{name}>";
    Self::OpenTag { name } => "the tag <{name} has no >; in a text {ESCAPE_TEXT}";
    Self::NoStartTag { name } => "end tag </{name}> without a start tag; add <{name}> before it";
    Self::OtherEndTag { found, expected: OpenElement { name, position, .. } } =>
        "end tag </{found}>, expected </{name}> for <{name}> in line {}", position.line;
    Self::FullWidthTag => "full-width ＜; write <";
    Self::InTag { tag, found, expected: expected @ (Expected::Attribute | Expected::Equals) } =>
        "in the tag <{tag}: {}", unexpected(*found, *expected);
    Self::InTag { found, expected, .. } => "{}", unexpected(*found, *expected);
    Self::LessThanInValue { quote } =>
        "< in the value of an attribute; if the value ends before it, add the closing {quote}, else write &lt; for <";
    Self::OpenValue { quote } => "the value of this attribute has no closing {quote}";
    Self::RepeatedAttribute { name } => "attribute {name} occurs twice";
    Self::Ampersand => "& begins no reference; write &amp; for &";
    Self::UnknownReference { name } =>
        "unknown reference &{name};, expected &amp; &lt; &gt; &apos; or &quot;; write other characters as they are";
    Self::EndOfCdata => "]]> without <![CDATA[ before it; write ]]&gt; for ]]> in a text";
    Self::NonCharacter { character } =>
        "character U+{:04X}, which XML does not allow; remove it", u32::from(*character);
    Self::TooManyAttributes => "more than {ATTRIBUTES_MAX} attributes in a tag";
    Self::TooManyNamespaces =>
        "more than {NAMESPACES_MAX} namespace declarations; write names without a prefix";
    Self::Namespace => "invalid namespace; write names without a prefix";
    Self::Other => "not well-formed XML";
} }

/// What was found in a tag, and what is expected.
fn unexpected(found: Option<char>, expected: Expected) -> String {
    let expected = match expected {
        Expected::TagEnd => ">",
        Expected::Space => "white space",
        Expected::SpaceAfterValue => "white space after the value; in a value write &quot; for \"",
        Expected::Attribute => "an attribute, NAME=\"VALUE\"",
        Expected::Equals => "= and a value in quotes",
        Expected::Quote => "a quote (\" or ')",
    };
    match (found, found.and_then(ascii_of)) {
        (Some(found), Some(ascii)) => {
            format!("found {}, expected {expected}; write {}", name_of(found), name_of(ascii))
        }
        (Some(found), None) => format!("found {}, expected {expected}", name_of(found)),
        (None, _) => format!("found the end of the file, expected {expected}"),
    }
}

fn name_of(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        '\n' | '\r' => "the end of the line".to_owned(),
        '\u{3000}' => "a full-width space".to_owned(),
        _ if character.is_control() || character.is_whitespace() => {
            format!("U+{:04X}", u32::from(character))
        }
        '\'' | '"' => character.to_string(),
        _ => format!("'{character}'"),
    }
}

/// The ASCII character that is meant by a full-width character or a typographic quote.
fn ascii_of(character: char) -> Option<char> {
    match character {
        '\u{3000}' => Some(' '),
        '“' | '”' | '„' | '«' | '»' => Some('"'),
        '‘' | '’' => Some('\''),
        '！'..='～' => char::from_u32(u32::from(character) - 0xFEE0),
        _ => None,
    }
}
