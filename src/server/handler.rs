//! The trait that the user of the server implements. It gives the response for each request.

use super::peer::Peer;
use crate::http::{Request, Response};

/// Answers requests. Several threads call it at once.
///
/// Closures do not implement this trait, because Rust cannot infer that the response of a closure borrows from the
/// request, unless the parameter is bounded by `Fn` itself.
pub trait Handler: Sync {
    /// Returns the response to this request. The response may borrow from `scratch`, a buffer with arbitrary content.
    /// `None` closes the connection without a response.
    fn handle<'r>(
        &self,
        request: &Request<'r>,
        peer: &Peer<'_>,
        scratch: &'r mut Vec<u8>,
    ) -> Option<Response<'r>>;
}
