//! The path that is served.

use crate::http::Target;

/// A path without percent-encoding and without a slash at its end, so that `/wx` and `/wx/` are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedPath(Vec<u8>);

impl ServedPath {
    /// A path as it stands in a request target: it begins with a slash, is percent-encoded, and has
    /// no query. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let target = Target::origin(text.as_bytes()).ok()?;
        let is_path_alone = target.path() == text.as_bytes();
        is_path_alone.then(|| Self(without_final_slash(&target.decoded_path()).to_owned()))
    }

    pub(super) fn is_path_of(&self, target: &Target<'_>) -> bool {
        without_final_slash(&target.decoded_path()) == self.0
    }
}

fn without_final_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}
