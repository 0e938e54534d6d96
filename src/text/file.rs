//! Reads a file that a user names.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::wording::wording;

/// The reason why a file cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// The system reports an error.
    System(io::Error),
    /// The file is a folder, a pipe, a socket or a device.
    NotRegularFile,
    /// The file is too long.
    TooLong {
        /// Bytes of the file.
        bytes: u64,
        /// Maximum bytes.
        max: u64,
    },
}

wording! { ReadError {
    Self::System(error) => "{error}";
    Self::NotRegularFile => "not a regular file";
    Self::TooLong { bytes, max } => "{bytes} bytes, at most {max} allowed";
} }

/// Reads a regular file of at most `max` bytes. Nothing else is opened, because opening a pipe waits for a writer, and a
/// device may have no end.
///
/// # Errors
/// [`ReadError`]
pub(crate) fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, ReadError> {
    let metadata = fs::metadata(path).map_err(ReadError::System)?;
    if !metadata.is_file() {
        return Err(ReadError::NotRegularFile);
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(max + 1).read_to_end(&mut content))
        .map_err(ReadError::System)?;
    match content.len() as u64 {
        read if read > max => Err(ReadError::TooLong { bytes: metadata.len().max(read), max }),
        _ => Ok(content),
    }
}
