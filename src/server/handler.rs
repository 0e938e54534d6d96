//! What the server needs from its user: a response for each request.

use super::peer::Peer;
use crate::http::{Request, Response};

/// Answers requests. Several threads call it at once.
///
/// Closures do not implement this trait: Rust cannot infer that the response of a closure borrows from its request
/// unless the parameter is bounded by `Fn` itself.
pub trait Handler: Sync {
    /// Answers the request of this peer. The response may borrow from `scratch`, a buffer with arbitrary content.
    /// `None` closes the connection without a response.
    fn handle<'r>(
        &self,
        request: &Request<'r>,
        peer: &Peer<'_>,
        scratch: &'r mut Vec<u8>,
    ) -> Option<Response<'r>>;
}
