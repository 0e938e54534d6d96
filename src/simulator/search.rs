//! Searches bytes, because std has no function for this.

/// The position of the first occurrence of `word` in `bytes`. `word` must not be empty.
pub(super) fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(word.len());
    windows.position(|window| window == word)
}
