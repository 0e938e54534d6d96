//! The texts of `src/service`.

use super::domain_file::{DomainFileError, FILE_MAX};
use crate::http::LogNote;

const _: () = assert!(FILE_MAX == 1024, "the hint about the length has this number");

impl DomainFileError {
    /// The note of the response, which is 404.
    pub(super) fn note(&self) -> LogNote {
        LogNote {
            cause: "other-path",
            reason: "nothing is served at this path".into(),
            hint: match self {
                Self::NoFolder => {
                    "pass --rules FILE, and put the file that WeChat gave you beside that file"
                }
                Self::Missing => "put the file that WeChat gave you beside the rules file",
                Self::Link => {
                    "the file beside the rules file is a link out of its folder; copy the file there"
                }
                Self::NoPermission => {
                    "the user of the server must be able to read the file beside the rules file: chmod o+r"
                }
                Self::Unsuitable => {
                    "the file beside the rules file must be a regular file of at most 1024 bytes"
                }
            },
        }
    }
}
