//! Searching bytes, for which std has no function.

/// The position of the first occurrence of `word` in `bytes`. `word` must not be empty.
pub(super) fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(word.len());
    windows.position(|window| window == word)
}
