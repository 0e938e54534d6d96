//! The protocol of the control socket. The client sends a command as one line, or as all it sends, and may send its
//! language as a second line. The server sends a response and closes the connection. The response to a known command
//! begins with [`OK`]. Any other response is an error text.

/// Requests the status as a table.
pub(crate) const STATUS: &str = "status";

/// Requests the status as JSON.
pub(crate) const STATUS_JSON: &str = "status json";

/// Stops the server. The server sends `OK` at once, and the rest of the response when it has ended.
pub(crate) const STOP: &str = "stop";

/// The second line of a client whose user reads Chinese. Servers that do not know it answer in English.
pub(super) const CHINESE: &str = "zh";

/// The start of the response to a known command.
pub(crate) const OK: &str = "ok\n";

/// Maximum bytes of a command and its language.
pub(super) const COMMAND_MAX: usize = 64;
