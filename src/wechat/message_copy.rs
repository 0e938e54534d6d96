//! A copy of a message for another thread.

use super::message::Message;
use crate::xml::Document;

/// A copy of a message, which borrows nothing.
pub(crate) struct MessageCopy {
    xml: String,
    received: u64,
}

impl MessageCopy {
    pub(crate) fn new(message: &Message<'_>) -> Self {
        Self { xml: message.xml().to_owned(), received: message.received() }
    }

    /// Passes the message to `read`.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Message<'_>) -> T) -> T {
        let xml = Document::parse_message(self.xml.as_bytes()).expect("it was parsed before");
        let message = Message::read(&xml, self.received).expect("it was a message before");
        read(&message)
    }
}
