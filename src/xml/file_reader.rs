//! Reads XML with attributes and comments into the table of elements, with roxmltree.
//!
//! Its time can grow with the square of the number of attributes in a tag, and with the cube of the number of namespace
//! declarations (64 KiB took 21 s). So a linear scan limits both numbers first.

use std::ops::Range;

use roxmltree::{Document, Error};

use super::error::Position;
use super::fault::Fault;
use super::fault_finder::{SECTIONS, find_fault};
use super::tree::{Attribute, Span, Tree};

/// Maximum number of attributes in a tag. No tag of a rules file needs more than a few.
pub(super) const ATTRIBUTES_MAX: usize = 64;

/// Maximum number of namespace declarations in a file. Rules files need none.
pub(super) const NAMESPACES_MAX: usize = 8;

/// An error in a file that is not well-formed XML.
#[derive(Debug)]
pub struct FileError {
    /// The place of the error.
    pub position: Position,
    pub(crate) fault: Fault,
}

impl std::error::Error for FileError {}

impl FileError {
    /// The first fault in a text that roxmltree refuses.
    fn new(text: &str, error: &Error) -> Self {
        if let Some((offset, fault)) = find_fault(text) {
            return Self { position: Position::from_offset(text, offset), fault };
        }
        let place = error.pos();
        let fault = match is_about_namespaces(error) {
            true => Fault::Namespace,
            false
                if place.row == 1 && text.trim_start_matches('\u{FEFF}').starts_with("<?xml ") =>
            {
                Fault::Declaration
            }
            false => Fault::Other,
        };
        Self { position: Position { line: place.row, column: place.col }, fault }
    }
}

const fn is_about_namespaces(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidXmlPrefixUri(_)
            | Error::UnexpectedXmlUri(_)
            | Error::UnexpectedXmlnsUri(_)
            | Error::InvalidElementNamePrefix(_)
            | Error::DuplicatedNamespace(..)
            | Error::UnknownNamespace(..)
    )
}

/// Reads the whole text into an empty tree.
///
/// # Errors
/// [`FileError`], for a tag with too many attributes, or for the first place where the text is not well-formed.
pub(super) fn read(text: &str, tree: &mut Tree) -> Result<(), FileError> {
    check_attributes(text)?;
    let document = Document::parse(text).map_err(|error| FileError::new(text, &error))?;
    // The number of the innermost open element.
    let mut open = None;
    for node in document.root_element().descendants() {
        let Range { start, end } = node.range();
        let source = Span { start, end };
        while let Some(number) = open
            && tree.entry(number).source.end <= start
        {
            open = Some(tree.entry(number).parent);
        }
        if node.is_element() {
            // `name` borrows from `text`, so its offset is the difference of the two addresses.
            let name = node.tag_name().name();
            let start = name.as_ptr().addr() - text.as_ptr().addr();
            let end = start + name.len();
            let element = tree.add_element(open, source, Span { start, end });
            let attributes = node.attributes().map(|attribute| Attribute {
                element,
                offset: attribute.range().start,
                name: attribute.name().to_owned(),
                value: attribute.value().to_owned(),
            });
            tree.attributes.extend(attributes);
            open = Some(element);
        } else if let (true, Some(open)) = (node.is_text(), open) {
            tree.add_text(open, text, source, node.text());
        }
    }
    Ok(())
}

/// Refuses tags with more than [`ATTRIBUTES_MAX`] attributes, and files with more than [`NAMESPACES_MAX`] namespace
/// declarations. Text that is not well-formed may be counted wrongly after the place where the parser will stop.
fn check_attributes(text: &str) -> Result<(), FileError> {
    let mut namespaces = 0;
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let tag = &rest[start..];
        if let Some((start, end)) = SECTIONS.iter().find(|(start, _)| tag.starts_with(start)) {
            rest = tag[start.len()..].split_once(end).map_or("", |(_, rest)| rest);
            continue;
        }
        rest = &tag[1..];
        for attributes in 1.. {
            let (name, after) =
                rest.split_at(rest.find(['"', '\'', '<', '>']).unwrap_or(rest.len()));
            rest = after;
            let Some(quote) = after.chars().next().filter(|end| matches!(end, '"' | '\'')) else {
                break;
            };
            rest = after[1..].split_once(quote).map_or("", |(_, rest)| rest);
            let mut words = name.split_ascii_whitespace();
            namespaces += usize::from(words.any(|word| word.starts_with("xmlns")));
            let fault = match attributes > ATTRIBUTES_MAX {
                true => Fault::TooManyAttributes,
                false if namespaces > NAMESPACES_MAX => Fault::TooManyNamespaces,
                false => continue,
            };
            let position = Position::from_offset(text, text.len() - tag.len());
            return Err(FileError { position, fault });
        }
    }
    Ok(())
}
