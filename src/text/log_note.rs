//! What the log says of an event.

/// Takes what the operator should know, a line each time.
pub(crate) type Report = fn(&str);
