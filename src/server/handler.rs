//! The trait that the user of the server implements. It gives the response for each request.

use super::peer::Peer;
use crate::http::{ContentDecision, Head, Request, Response};

/// Answers requests. Several threads call it at once.
///
/// Closures do not implement this trait. A response may borrow from its request, and Rust infers that of a closure only
/// if the function that takes the closure has a bound such as `F: Fn(…)`. The bound `H: Handler` is not enough.
pub trait Handler: Sync {
    /// Decides what to do with the content of a request. Called if the content has not arrived together with the head.
    /// If the content is discarded, [`Handler::handle`] gets the request without content.
    fn decide_content<'r>(&self, head: &Head<'r>) -> ContentDecision<'r>;

    /// Returns the response to this request. The response may borrow from `scratch`, a buffer with arbitrary content.
    /// `None` closes the connection without a response.
    fn handle<'r>(
        &self,
        request: &Request<'r>,
        peer: &Peer<'_>,
        scratch: &'r mut Vec<u8>,
    ) -> Option<Response<'r>>;
}
