//! Reads and writes XML. Messages are read by our own reader, and files by roxmltree. Both fill the same table of
//! elements.

mod characters;
mod document;
mod element;
mod error;
mod fault;
mod fault_finder;
mod file_reader;
mod message_reader;
mod tree;
mod wording;
pub(crate) mod writer;

pub(crate) use characters::{is_char, trim};
pub use document::Document;
pub(crate) use element::Element;
pub use error::{Position, XmlError};
pub(crate) use fault::{Fault, OpenElement, Root};
pub use file_reader::FileError;
pub(crate) use wording::ESCAPE_TEXT;
