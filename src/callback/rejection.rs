//! The reasons to refuse a request that is valid HTTP. Their statuses and texts are in `wording.rs`.

use std::borrow::Cow;

use crate::http::{Response, Status};
use crate::text::log_note::LogNote;
use crate::wechat::{DecryptError, MessageError, SignatureError};

/// Why a request is refused.
pub(super) enum Rejection {
    /// The path is not the served path.
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
    /// The message is plain, but only encrypted messages are accepted.
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

/// The status of the response to a rejected request, and the texts for the response and the log.
pub(super) struct Row {
    pub(super) status: Status,
    pub(super) cause: &'static str,
    pub(super) reason: Cow<'static, str>,
    /// What the operator can do; may be empty.
    pub(super) hint: &'static str,
}

impl Rejection {
    /// The response to the rejected request. Its content is the reason.
    pub(super) fn response<'r>(&self) -> Response<'r> {
        let row = self.row();
        Response::refusal(row.status, row.into_note())
    }

    /// The response to a rejected encrypted request, which is always 403 without a reason. An attacker who
    /// learns why changed copies of an encrypted text are refused can compute the text (padding oracle).
    pub(super) fn silent_response<'r>(&self) -> Response<'r> {
        Response::silent_refusal(Status::Forbidden, self.row().into_note())
    }
}

impl Row {
    fn into_note(self) -> LogNote {
        LogNote { cause: self.cause, reason: self.reason, hint: self.hint }
    }
}
