//! Reads XML with attributes and comments, by roxmltree, into the same table as messages. Only this file names roxmltree.
//!
//! Its time grows with the square or cube of the number of attributes and namespaces (64 KiB of declarations took 21 s),
//! so nothing long that others wrote may come here.

use roxmltree::{Document, Error, StringStorage};

use super::error::{FileError, FileErrorKind, Position};
use super::tree::{Attribute, Span, Text, Tree};

/// Reads the whole text into an empty tree.
///
/// # Errors
/// The first place where the text is not well-formed.
pub(super) fn read(text: &str, tree: &mut Tree) -> Result<(), FileError> {
    let document = Document::parse(text).map_err(|error| file_error(text, error))?;
    let mut open = None;
    for node in document.root_element().descendants() {
        let range = node.range();
        while let Some(number) = open
            && tree.entries[number].source.end <= range.start
        {
            open = Some(tree.entries[number].parent);
        }
        let span = Span {
            start: range.start,
            end: range.end,
        };
        if node.is_element() {
            let name = span_of(text, node.tag_name().name());
            let element = tree.add_element(open, span, name);
            open = Some(element);
            for attribute in node.attributes() {
                let offset = attribute.range().start;
                let value = match attribute.value_storage() {
                    StringStorage::Borrowed(value) => Text::Source(span_of(text, value)),
                    StringStorage::Owned(value) => {
                        let start = tree.decoded.len();
                        tree.decoded.push_str(value);
                        let end = tree.decoded.len();
                        Text::Decoded {
                            span: Span { start, end },
                            offset,
                        }
                    }
                };
                tree.attributes.push(Attribute {
                    element,
                    offset,
                    name: span_of(text, attribute.name()),
                    value,
                });
            }
        } else if let (Some(element), true, Some(storage)) =
            (open, node.is_text(), node.text_storage())
        {
            match storage {
                StringStorage::Borrowed(piece) => {
                    tree.add_text(element, text, span_of(text, piece), None);
                }
                StringStorage::Owned(piece) => tree.add_text(element, text, span, Some(piece)),
            }
        }
    }
    Ok(())
}

/// Where a slice of the text is in it.
fn span_of(text: &str, slice: &str) -> Span {
    let start = slice.as_ptr().addr() - text.as_ptr().addr();
    Span {
        start,
        end: start + slice.len(),
    }
}

fn file_error(text: &str, error: Error) -> FileError {
    let place = error.pos();
    let mut position = Position {
        line: place.row,
        column: place.col,
    };
    let end = Position::of_offset(text, text.len());
    // roxmltree reports the first byte of a character, so that it is looked up here.
    let found = || {
        let mut lines = (1..).zip(text.split('\n'));
        let (_, line) = lines.find(|(number, _)| *number == position.line)?;
        let mut characters = (1..).zip(line.chars());
        let found = characters.find(|(number, _)| *number == position.column);
        found.map(|(_, character)| character)
    };
    let kind = match error {
        Error::MalformedEntityReference(_) => FileErrorKind::BareAmpersand,
        Error::InvalidName(_) => FileErrorKind::BareLessThan,
        Error::InvalidAttributeValue(_) => FileErrorKind::LessThanInAttribute,
        Error::UnknownEntityReference(name, _) => FileErrorKind::UnknownReference { name },
        Error::DuplicatedAttribute(name, _) => FileErrorKind::DuplicateAttribute { name },
        Error::DuplicatedNamespace(prefix, _) => FileErrorKind::DuplicatePrefix { prefix },
        Error::UnknownNamespace(prefix, _) => FileErrorKind::UnknownPrefix { prefix },
        Error::InvalidXmlPrefixUri(_)
        | Error::UnexpectedXmlUri(_)
        | Error::UnexpectedXmlnsUri(_)
        | Error::InvalidElementNamePrefix(_) => FileErrorKind::ReservedNamespace,
        Error::UnexpectedCloseTag(expected, found, _) => {
            FileErrorKind::WrongEndTag { expected, found }
        }
        Error::InvalidChar(expected, ..) => FileErrorKind::NotExpected {
            expected: char::from(expected).to_string(),
            found: found(),
        },
        Error::InvalidChar2("a quote", ..) => FileErrorKind::NoQuote { found: found() },
        Error::InvalidChar2(..) => FileErrorKind::NoSpace { found: found() },
        Error::InvalidString(expected, _) => FileErrorKind::NotExpected {
            expected: expected.to_owned(),
            found: found(),
        },
        Error::NonXmlChar(character, _) => FileErrorKind::NotXmlCharacter { character },
        Error::InvalidComment(_) => FileErrorKind::DashesInComment,
        Error::InvalidCharacterData(_) => FileErrorKind::SectionEndInText,
        Error::UnexpectedDeclaration(_) => FileErrorKind::LateDeclaration,
        Error::NoRootNode => FileErrorKind::NoElement,
        Error::UnknownToken(_) if position != end => FileErrorKind::TextOutsideRoot,
        Error::UnknownToken(_) | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            position = end;
            FileErrorKind::Unfinished
        }
        Error::DtdDetected
        | Error::UnexpectedEntityCloseTag(_)
        | Error::EntityReferenceLoop(_)
        | Error::InvalidExternalID(_)
        | Error::EntityResolver(..) => FileErrorKind::DocumentType,
        Error::NodesLimitReached
        | Error::AttributesLimitReached
        | Error::NamespacesLimitReached => FileErrorKind::TooLarge,
    };
    FileError { position, kind }
}
