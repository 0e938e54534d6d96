//! The bytes of a connection that were read and not yet used.

use std::io::{self, Read};

use crate::http::limits;

/// What most requests fit in with room to spare. Pages that nobody writes to cost nothing.
const USUAL: usize = 4 * 1024;

/// The longest request that is kept whole.
const LONGEST: usize = limits::HEAD + limits::CONTENT;

/// A buffer that grows as bytes arrive, never by what a peer declares. It lives with its thread,
/// not with a connection.
#[derive(Debug)]
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; USUAL],
            start: 0,
            end: 0,
        }
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or(b"")
    }

    /// Reads once from the source, and returns how many bytes came; 0 at its end.
    pub(super) fn fill(&mut self, mut source: impl Read) -> io::Result<usize> {
        if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.end = self.end.saturating_sub(self.start);
                self.start = 0;
            } else {
                self.bytes
                    .resize(self.bytes.len().saturating_mul(2).min(LONGEST), 0);
            }
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or(&mut []);
        let count = source.read(room)?;
        self.end = self.end.saturating_add(count);
        Ok(count)
    }

    /// Drops so many bytes from the front.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Drops `count` bytes behind the first `kept` ones.
    pub(super) fn remove(&mut self, kept: usize, count: usize) {
        let to = self.start.saturating_add(kept).min(self.end);
        let from = to.saturating_add(count).min(self.end);
        self.bytes.copy_within(from..self.end, to);
        self.end = self.end.saturating_sub(from.saturating_sub(to));
    }

    /// Forgets everything, and gives back what a long request made it grow by.
    pub(super) fn reset(&mut self) {
        (self.start, self.end) = (0, 0);
        self.bytes.truncate(USUAL);
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_is_taken_between() {
        let mut input = Input::new();
        let source: Vec<u8> = (0..=255).cycle().take(3 * LONGEST).collect();
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
        assert!(input.bytes.len() <= LONGEST);
    }

    #[test]
    fn a_piece_can_be_taken_out_behind_a_head() {
        let mut input = Input::new();
        assert!(input.fill(&b"xheadchunkrest"[..]).is_ok());
        input.consume(1);
        input.remove(4, 5);
        assert_eq!(input.unread(), b"headrest");
    }
}
