//! The sentences of this room's errors.

use std::fmt::{self, Display, Formatter};

use super::error::{FileError, FileErrorKind, XmlError};

impl Display for XmlError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8(offset) => write!(f, "not UTF-8 from byte {offset} on"),
            Self::Attribute => f.write_str("XML tag with an attribute, none allowed"),
            Self::Markup => {
                f.write_str("XML with a comment, a document type or an instruction, none allowed")
            }
            Self::Open => f.write_str("XML with a tag or a CDATA section left open"),
            Self::TooManyNodes => f.write_str("XML with over 256 nodes"),
            Self::Syntax { line, column } => {
                write!(f, "not well-formed XML at line {line} column {column}")
            }
        }
    }
}

/// Without the position.
impl Display for FileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FileErrorKind::BareAmpersand => f.write_str("& begins no reference; write &amp; for &"),
            FileErrorKind::BareLessThan => {
                f.write_str("< without a name after it; write &lt; for <")
            }
            FileErrorKind::LessThanInAttribute => {
                f.write_str("< in an attribute; write &lt; for <")
            }
            FileErrorKind::UnknownReference { name } => write!(
                f,
                "unknown reference &{name}; (known: &amp; &lt; &gt; &apos; &quot;); write &amp; for &"
            ),
            FileErrorKind::DuplicateAttribute { name } => {
                write!(f, "attribute {name} occurs twice")
            }
            FileErrorKind::DuplicatePrefix { prefix } => {
                write!(f, "namespace prefix {prefix} is declared twice")
            }
            FileErrorKind::UnknownPrefix { prefix } => {
                write!(f, "namespace prefix {prefix} is not declared")
            }
            FileErrorKind::ReservedNamespace => f.write_str("namespace reserved by XML"),
            FileErrorKind::WrongEndTag { expected, found } => {
                write!(f, "end tag </{found}>, expected </{expected}>")
            }
            FileErrorKind::NoQuote { found: Some(found) } => {
                write!(f, "found {found:?}, expected a quote (\" or ')")
            }
            FileErrorKind::NoQuote { found: None } => {
                f.write_str("found the end of the line, expected a quote (\" or ')")
            }
            FileErrorKind::NoSpace { found: Some(found) } => {
                write!(f, "found {found:?}, expected white space")
            }
            FileErrorKind::NoSpace { found: None } => {
                f.write_str("found the end of the line, expected white space")
            }
            FileErrorKind::NotExpected {
                expected,
                found: Some(found),
            } => {
                write!(f, "found {found:?}, expected {expected}")
            }
            FileErrorKind::NotExpected {
                expected,
                found: None,
            } => {
                write!(f, "found the end of the line, expected {expected}")
            }
            FileErrorKind::NotXmlCharacter { character } => {
                write!(f, "character {character:?}, not allowed in XML")
            }
            FileErrorKind::DashesInComment => f.write_str("-- in a comment, not allowed in XML"),
            FileErrorKind::SectionEndInText => f.write_str("]]> in a text; write ]]&gt; for ]]>"),
            FileErrorKind::TextOutsideRoot => f.write_str("text outside the root element"),
            FileErrorKind::DocumentType => f.write_str("document type, none allowed"),
            FileErrorKind::LateDeclaration => {
                f.write_str("XML declaration that is not at the start of the file")
            }
            FileErrorKind::NoElement => f.write_str("no element"),
            FileErrorKind::Unfinished => {
                f.write_str("the file ends inside an element; an end tag is missing")
            }
            FileErrorKind::TooLarge => f.write_str("too many elements, attributes or namespaces"),
        }
    }
}
