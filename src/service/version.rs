//! The version of the program.

use crate::wechat::SECURE;

/// The version, followed by ` (secure)` if this build can read encrypted messages.
pub(crate) fn version() -> String {
    let feature = if SECURE { " (secure)" } else { "" };
    format!("{}{feature}", env!("CARGO_PKG_VERSION"))
}
