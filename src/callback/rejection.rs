//! Why the callback refuses a request that is valid HTTP. The statuses and sentences are in `wording.rs`.

use std::borrow::Cow;

use crate::http::{Response, Status};
use crate::text::log_note::LogNote;
use crate::wechat::{DecryptError, MessageError, SignatureError};

/// Why a request is refused.
pub(super) enum Rejection {
    /// The path is not the one that is served.
    Path,
    /// The method is not GET, HEAD or POST.
    Method,
    /// A query parameter is missing or empty.
    MissingParameter { name: &'static str },
    /// The `signature` is refused.
    Signature(SignatureError),
    /// A POST without content.
    NoContent,
    /// The content is not a message.
    Message(MessageError),
    /// The message is plain, and only encrypted ones are accepted.
    PlainMessage,
    /// The query says that the message is encrypted, but the content has no `Encrypt`.
    NoEncrypt,
    /// The `msg_signature` is refused.
    MessageSignature(SignatureError),
    /// `Encrypt` cannot be decrypted.
    Decrypt(DecryptError),
    /// The decrypted text is not a message.
    DecryptedMessage(MessageError),
    /// A plain element differs from the decrypted message (compatible mode).
    PlainDiffers { element: String },
}

/// What a rejected request gets, and what the log says.
pub(super) struct Row {
    pub(super) status: Status,
    pub(super) cause: &'static str,
    pub(super) reason: Cow<'static, str>,
    /// What the operator can do; may be empty.
    pub(super) hint: &'static str,
}

impl Rejection {
    /// The response to the rejected request, with the reason.
    pub(super) fn response<'r>(&self) -> Response<'r> {
        let row = self.row();
        Response::refusal(row.status, row.into_note())
    }

    /// The response to a rejected encrypted request: always 403 without a reason. An attacker who learns why a
    /// text cannot be decrypted could learn what the text says.
    pub(super) fn silent_response<'r>(&self) -> Response<'r> {
        Response::silent_refusal(Status::Forbidden, self.row().into_note())
    }
}

impl Row {
    fn into_note(self) -> LogNote {
        LogNote { cause: self.cause, reason: self.reason, hint: self.hint }
    }
}
