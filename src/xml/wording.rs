//! The texts of the errors of this module.

use std::fmt::{self, Display, Formatter};

use roxmltree::Error;

use super::error::XmlError;
use super::file_reader::{ATTRIBUTES_MAX, FileError, NAMESPACES_MAX};

impl Display for XmlError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8(offset) => write!(f, "not UTF-8 from byte {offset} on"),
            Self::Attribute => f.write_str("XML tag with an attribute, none allowed"),
            Self::Markup => {
                f.write_str("XML with a comment, a document type or an instruction, none allowed")
            }
            Self::Open => f.write_str("XML with a tag or a CDATA section left open"),
            Self::TooManyElements => f.write_str("XML with over 256 elements"),
            Self::Syntax { line, column } => {
                write!(f, "not well-formed XML at line {line} column {column}")
            }
        }
    }
}

/// Displays the error without its position.
impl Display for FileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not_expected = |f: &mut Formatter<'_>, expected: &str| match self.found {
            Some(found) => write!(f, "found {found:?}, expected {expected}"),
            None => write!(f, "found the end of the line, expected {expected}"),
        };
        match &self.error {
            Error::MalformedEntityReference(_) => {
                f.write_str("& begins no reference; write &amp; for &")
            }
            Error::InvalidName(_) => f.write_str("< without a name after it; write &lt; for <"),
            Error::InvalidAttributeValue(_) | Error::InvalidChar(b'"' | b'\'', b'<', _) => {
                f.write_str("< in an attribute; write &lt; for <")
            }
            Error::InvalidCharacterData(_) => f.write_str("]]> in a text; write ]]&gt; for ]]>"),
            Error::InvalidComment(_) => f.write_str("-- is not allowed in a comment"),
            Error::DtdDetected
            | Error::UnexpectedEntityCloseTag(_)
            | Error::EntityReferenceLoop(_)
            | Error::InvalidExternalID(_)
            | Error::EntityResolver(..) => f.write_str("document type, none allowed"),
            Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::InvalidElementNamePrefix(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..) => {
                f.write_str("invalid namespace; write names without a prefix")
            }
            Error::UnexpectedDeclaration(_) => {
                f.write_str("XML declaration, allowed only at the start of the file")
            }
            Error::UnknownToken(_) if self.found.is_some() => {
                f.write_str("text outside the root element")
            }
            Error::NoRootNode => f.write_str("no root element"),
            Error::UnknownToken(_) | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
                f.write_str("the file ends inside an element; an end tag is missing")
            }
            Error::NodesLimitReached => f.write_str("too many elements"),
            Error::AttributesLimitReached => {
                write!(f, "more than {ATTRIBUTES_MAX} attributes in a tag")
            }
            Error::NamespacesLimitReached => write!(
                f,
                "more than {NAMESPACES_MAX} namespace declarations; write names without a prefix"
            ),
            Error::UnknownEntityReference(name, _) => {
                write!(f, "unknown reference &{name};, expected &amp; &lt; &gt; &apos; or &quot;")
            }
            Error::DuplicatedAttribute(name, _) => write!(f, "attribute {name} occurs twice"),
            Error::UnexpectedCloseTag(expected, found, _) => {
                write!(f, "end tag </{found}>, expected </{expected}>")
            }
            Error::NonXmlChar(character, _) => {
                write!(f, "character {character:?}, which XML does not allow")
            }
            Error::InvalidChar(expected, ..) => not_expected(f, &char::from(*expected).to_string()),
            Error::InvalidChar2("a quote", ..) => not_expected(f, "a quote (\" or ')"),
            Error::InvalidChar2(..) => not_expected(f, "white space"),
            Error::InvalidString(expected, _) => not_expected(f, expected),
        }
    }
}
