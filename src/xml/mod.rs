//! The XML that this program takes: messages by a reader of their own, files by roxmltree.

mod characters;
mod document;
mod element;
mod file;
mod message_reader;
mod tree;
pub(crate) mod writer;

pub(crate) use characters::{is_char, trim};
pub use document::{Document, XmlError};
pub(crate) use element::Element;
pub(crate) use file::{FileDocument, FileElement, Position};
