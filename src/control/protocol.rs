//! The protocol of the control socket. The client sends a command as one line, in one write. The server answers and
//! closes the connection. The answer to a known command begins with [`OK`]; any other answer is an error message.

/// Answers with the status as a table.
pub(crate) const STATUS: &str = "status";

/// Answers with the status as JSON.
pub(crate) const STATUS_JSON: &str = "status json";

/// Stops the server. `OK` is sent at once, the rest of the answer when the server has ended.
pub(crate) const STOP: &str = "stop";

/// The start of the answer to a known command.
pub(crate) const OK: &str = "ok\n";

/// Bytes of the longest line that a server reads.
pub(super) const LINE_MAX: usize = 64;
