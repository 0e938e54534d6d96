//! The input buffer of a connection, which holds the bytes that were received and are not processed yet.

use std::io::{self, Read};

use crate::http::limits;

/// Bytes of the buffer at the start of a connection. Most requests fit in it.
const INITIAL_LENGTH: usize = 4 * 1024;

/// Maximum bytes of the buffer. A head and content of the maximum length fit in it.
pub(super) const LENGTH_MAX: usize = limits::HEAD + limits::CONTENT;

/// A buffer that grows only as bytes arrive, whatever length a client declares. A thread uses the same buffer for all
/// its connections.
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Default for Input {
    fn default() -> Self {
        Self { bytes: vec![0; INITIAL_LENGTH], start: 0, end: 0 }
    }
}

impl Input {
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Reads once from the source. Returns the number of bytes read, which is 0 at the end of the source.
    pub(super) fn fill(&mut self, mut source: impl Read) -> io::Result<usize> {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start.., 0);
                self.end -= self.start;
                self.start = 0;
            } else {
                let length = (self.bytes.len() * 2).min(LENGTH_MAX);
                self.bytes.resize(length, 0);
            }
        }
        let count = source.read(&mut self.bytes[self.end..])?;
        self.end += count;
        Ok(count)
    }

    /// Appends all `bytes`, and clears them. There must be room for them within [`LENGTH_MAX`].
    pub(super) fn append(&mut self, bytes: &mut Vec<u8>) {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let count = self.fill(&mut rest).expect("a slice is read without an error");
            assert!(count > 0, "no room for the bytes");
        }
        bytes.clear();
    }

    /// Drops the first `count` unread bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Drops `count` unread bytes that follow the first `kept` unread bytes.
    pub(super) fn remove(&mut self, kept: usize, count: usize) {
        let to = self.start + kept;
        self.bytes.copy_within(to + count..self.end, to);
        self.end -= count;
    }

    /// Drops all bytes, and frees memory that a long request needed.
    pub(super) fn reset(&mut self) {
        (self.start, self.end) = (0, 0);
        self.bytes.truncate(INITIAL_LENGTH);
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_bytes_of_its_source_in_order() {
        let mut input = Input::default();
        let source: Vec<u8> = (0..=255).cycle().take(3 * LENGTH_MAX).collect();
        let (mut source, mut expected) = (&source[..], &source[..]);
        while !expected.is_empty() {
            while input.unread().len() < 5_000
                && input.fill(&mut source).is_ok_and(|count| count > 0)
            {}
            let count = input.unread().len().min(4_999);
            assert_eq!(input.unread()[..count], expected[..count]);
            input.consume(count);
            expected = &expected[count..];
        }
        assert!(input.bytes.len() <= LENGTH_MAX);
    }

    #[test]
    fn removes_bytes_after_a_head() {
        let mut input = Input::default();
        assert!(input.fill(&b"xheadchunkrest"[..]).is_ok());
        input.consume(1);
        input.remove(4, 5);
        assert_eq!(input.unread(), b"headrest");
    }
}
