//! The sentences of this room's errors.

use std::fmt::{self, Display, Formatter};

use roxmltree::Error;

use super::error::XmlError;
use super::file_reader::FileError;

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

/// Without the position.
impl Display for FileError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not_expected = |f: &mut Formatter<'_>, expected: &str| match self.found {
            Some(found) => write!(f, "found {found:?}, expected {expected}"),
            None => write!(f, "found the end of the line, expected {expected}"),
        };
        f.write_str(match &self.error {
            Error::MalformedEntityReference(_) => "& begins no reference; write &amp; for &",
            Error::InvalidName(_) => "< without a name after it; write &lt; for <",
            Error::InvalidAttributeValue(_) => "< in an attribute; write &lt; for <",
            Error::InvalidCharacterData(_) => "]]> in a text; write ]]&gt; for ]]>",
            Error::InvalidComment(_) => "-- in a comment, none allowed",
            Error::DtdDetected
            | Error::UnexpectedEntityCloseTag(_)
            | Error::EntityReferenceLoop(_)
            | Error::InvalidExternalID(_)
            | Error::EntityResolver(..) => "document type, none allowed",
            Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::InvalidElementNamePrefix(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..)
            | Error::NamespacesLimitReached => "invalid namespace; write names without a prefix",
            Error::UnexpectedDeclaration(_) => {
                "XML declaration, allowed only at the start of the file"
            }
            Error::UnknownToken(_) if self.found.is_some() => "text outside the root element",
            Error::NoRootNode => "no root element",
            Error::UnknownToken(_) | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
                "the file ends inside an element; an end tag is missing"
            }
            Error::NodesLimitReached | Error::AttributesLimitReached => "too many elements",
            Error::UnknownEntityReference(name, _) => {
                return write!(
                    f,
                    "unknown reference &{name};, expected &amp; &lt; &gt; &apos; or &quot;"
                );
            }
            Error::DuplicatedAttribute(name, _) => {
                return write!(f, "attribute {name} occurs twice");
            }
            Error::UnexpectedCloseTag(expected, found, _) => {
                return write!(f, "end tag </{found}>, expected </{expected}>");
            }
            Error::NonXmlChar(character, _) => {
                return write!(f, "character {character:?}, which XML does not allow");
            }
            Error::InvalidChar(expected, ..) => {
                return not_expected(f, &char::from(*expected).to_string());
            }
            Error::InvalidChar2("a quote", ..) => return not_expected(f, "a quote (\" or ')"),
            Error::InvalidChar2(..) => return not_expected(f, "white space"),
            Error::InvalidString(expected, _) => return not_expected(f, expected),
        })
    }
}
