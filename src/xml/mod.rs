//! The XML that this program reads and writes: messages by a reader of its own, files by roxmltree, both into one table of
//! elements.

mod characters;
mod document;
mod element;
mod error;
mod file_reader;
mod message_reader;
mod tree;
mod wording;
pub(crate) mod writer;

pub(crate) use characters::{is_char, trim};
pub use document::Document;
pub(crate) use element::Element;
pub use error::{Position, XmlError};
pub use file_reader::FileError;
