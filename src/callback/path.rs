//! The path that a callback serves (RFC 3986 3.3).

use crate::http::Target;

/// A path, percent-decoded and without a slash at its end, so `/wx` and `/wx/` are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedPath(Vec<u8>);

impl ServedPath {
    /// Parses a percent-encoded path that starts with a slash. `None` if the text is not such a path, or has a
    /// query.
    pub fn parse(text: &str) -> Option<Self> {
        let target = Target::parse_origin(text.as_bytes()).ok()?;
        let has_no_query = target.path() == text.as_bytes();
        has_no_query.then(|| Self(without_final_slash(&target.decoded_path()).to_owned()))
    }

    /// Whether the target has this path.
    pub(super) fn is_path_of(&self, target: &Target<'_>) -> bool {
        without_final_slash(&target.decoded_path()) == self.0
    }
}

/// Whether a path is usual for a file: a segment begins with a dot, as in `/.well-known/x`, or the last segment has a
/// dot and an extension, as in `/favicon.ico`.
pub(super) fn is_usual_for_files(target: &Target<'_>) -> bool {
    let path = target.decoded_path();
    let mut segments = without_final_slash(&path).split(|octet| *octet == b'/');
    let is_extension = |pair: &[u8]| pair[0] == b'.' && pair[1].is_ascii_alphanumeric();
    let has_extension = |last: &[u8]| last.windows(2).any(is_extension);
    segments.clone().next_back().is_some_and(has_extension)
        || segments.any(|segment| segment.starts_with(b"."))
}

fn without_final_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}
