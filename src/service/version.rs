//! The version of the program.

use crate::wechat::SECURE;

/// The version, and whether this build reads encrypted messages.
pub(crate) fn version() -> String {
    let feature = if SECURE { " (secure)" } else { "" };
    format!("{}{feature}", env!("CARGO_PKG_VERSION"))
}
