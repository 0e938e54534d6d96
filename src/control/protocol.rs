//! What can be asked at the control socket, and how an answer begins.

/// What can be asked.
pub(crate) const STATUS: &str = "status";
pub(crate) const STATUS_JSON: &str = "status json";
pub(crate) const STOP: &str = "stop";

/// How an answer begins that is one.
pub(crate) const OK: &str = "ok\n";
