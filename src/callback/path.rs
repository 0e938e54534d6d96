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

fn without_final_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}
