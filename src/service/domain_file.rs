//! The file by which WeChat checks who owns a domain for web authorization (网页授权域名): `MP_verify_….txt` at the root
//! of the domain. The operator puts it beside the rules file.

use std::fs;
use std::path::Path;

use crate::http::{Head, Method, NOTHING_SERVED, Response, Status};
use crate::text::file::{ReadError, read_file};

/// Maximum bytes of the file. WeChat's file has 16 bytes.
pub(super) const FILE_MAX: u64 = 1024;

/// The name of the file that a request asks for; `None` for any other request. The name is `"MP_verify_" 1*( ALPHA /
/// DIGIT ) ".txt"`, so it cannot lead out of a folder.
pub(super) fn requested_name<'a>(head: &Head<'a>) -> Option<&'a str> {
    let name = head.target.path().strip_prefix(b"/")?;
    let varying = name.strip_prefix(b"MP_verify_")?.strip_suffix(b".txt")?;
    let is_valid = !varying.is_empty() && varying.iter().all(u8::is_ascii_alphanumeric);
    let is_get = matches!(head.method, Method::Get | Method::Head);
    str::from_utf8(name).ok().filter(|_| is_valid && is_get)
}

/// Why there is no file to send.
pub(super) enum DomainFileError {
    /// The backend has no rules file.
    NoFolder,
    /// The folder has no file of this name.
    Missing,
    /// The file is a link to a file outside of the folder.
    Link,
    /// The user of this process may not read the file.
    NoPermission,
    /// The file is too long, or it is a folder, a pipe, a socket or a device.
    Unsuitable,
}

/// The response with the file of this name in the folder; 404 if there is none.
pub(super) fn respond<'r>(folder: Option<&Path>, name: &str) -> Response<'r> {
    match read(folder, name) {
        Ok(content) => Response::text(content),
        Err(error) => {
            let reason = NOTHING_SERVED.into();
            Response::refusal(Status::NotFound, "other-path", reason, error.hint())
        }
    }
}

fn read(folder: Option<&Path>, name: &str) -> Result<Vec<u8>, DomainFileError> {
    let folder = folder.ok_or(DomainFileError::NoFolder)?;
    let missing = |_| DomainFileError::Missing;
    // The folder of a file without a folder in its path is empty, and means the current folder.
    let folder = fs::canonicalize(folder.join(".")).map_err(missing)?;
    let path = fs::canonicalize(folder.join(name)).map_err(missing)?;
    if !path.starts_with(&folder) {
        return Err(DomainFileError::Link);
    }
    read_file(&path, FILE_MAX).map_err(|error| match error {
        ReadError::NoPermission { .. } => DomainFileError::NoPermission,
        ReadError::NotRegularFile | ReadError::TooLong { .. } => DomainFileError::Unsuitable,
        ReadError::System(_) => DomainFileError::Missing,
    })
}
