//! The results of the checks of a backend: findings, and their severity. `wording.rs` has the sentences.

use std::time::Duration;

use super::fault::Fault;
use crate::wechat::{DecryptError, SignatureError};
use crate::xml::{FileError, XmlError};

/// One result of a check.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) severity: Severity,
    pub(crate) finding: Finding,
}

/// How serious a finding is for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// It works, but by some reports not everywhere; or it works although it should not.
    Warning,
    /// WeChat would refuse it.
    Error,
}

/// A finding. An `excerpt`, `found`, `before` or `after` is foreign text in quotes, safe for a
/// terminal. A `name` or `path` is that of an element in the answer, a `took` the time until its last byte.
#[derive(Debug)]
pub(crate) enum Finding {
    /// The answer cannot be used, whatever the request was.
    Fault(Fault),

    // Any content.
    /// A byte order mark precedes the content.
    ByteOrderMark,
    /// Content compressed with gzip, which the request did not ask for.
    Gzip,
    /// Content in UTF-16.
    Utf16,
    /// An HTML page.
    Html { excerpt: String },

    // The token check.
    /// The answer to the signed request came with status 200.
    StatusOk { took: Duration },
    /// The answer is the echostr.
    EchostrReturned,
    /// The answer has no content.
    EchostrMissing,
    /// The echostr is in quotes, as in JSON.
    EchostrQuoted,
    /// White space precedes the echostr.
    EchostrAfterSpace,
    /// White space follows the echostr.
    EchostrBeforeSpace,
    /// The echostr is part of an HTML page.
    EchostrInHtml { before: String },
    /// Other text surrounds the echostr.
    EchostrSurrounded { before: String, after: String },
    /// The answer is the beginning of the echostr; both lengths in bytes.
    EchostrTruncated { received: usize, sent: usize },
    /// The answer is another text, without the echostr.
    EchostrReplaced { excerpt: String },
    /// The echostr came back in chunks.
    EchostrChunked,
    /// The answer to a wrong signature was the answer to the right one.
    WrongSignatureAccepted,
    /// A wrong signature was refused.
    WrongSignatureRefused { status: u16 },
    /// A wrong signature got no answer.
    WrongSignatureUnanswered { fault: Fault },

    // The shape of an answer to a message.
    /// Only white space.
    OnlySpace,
    /// `success` with other bytes, or in other letters.
    SuccessNotExact { excerpt: String },
    /// JSON.
    Json { excerpt: String },
    /// Neither XML nor any of the above.
    NotXml { excerpt: String },
    /// White space precedes the XML declaration.
    DeclarationAfterSpace,
    /// Text follows the end of the root.
    TextAfterRoot { excerpt: String },
    /// The XML cannot be read.
    BrokenXml { error: XmlError },
    /// XML with an attribute, a comment or an instruction is not well-formed.
    NotWellFormed { error: FileError },
    /// XML with an attribute, a comment or an instruction, which WeChat's parser may accept.
    UnusualXml { error: XmlError },
    /// A character that XML cannot carry.
    NonXmlCharacter { character: char },
    /// The root has another name than `xml`.
    WrongRoot { name: String },

    // The elements of a reply.
    /// The reply to a plain message is encrypted, or it is encrypted twice.
    UnexpectedEncryption,
    /// The reply in safe mode is plain.
    PlainInSafeMode,
    /// A reply to the event that the user has unsubscribed.
    ReplyToUnsubscribe,
    /// ToUserName and FromUserName are those of the message.
    NamesNotSwapped,
    /// An element is missing or empty, and its value is known.
    NameMissing { name: &'static str, expected: String },
    /// An element has another value than the expected one.
    NameWrong { name: &'static str, found: String, expected: String },
    /// A time is missing or empty.
    TimeMissing { name: &'static str },
    /// A time is too large for seconds.
    TimeInMilliseconds { name: &'static str, time: u64 },
    /// A time is not a whole number.
    TimeNotNumber { name: &'static str, found: String },
    /// The type of the reply is missing; `known` lists the types there are.
    MsgTypeMissing { known: String },
    /// The type of the reply is none of `known`.
    MsgTypeUnknown { found: String, known: String },
    /// An element that replies of this type need is missing or empty.
    ElementMissing { path: &'static str, msg_type: &'static str },
    /// An element is missing or empty that the manual requires and some programs omit.
    ElementOmitted { path: &'static str },
    /// The text of the reply is empty.
    ContentEmpty,
    /// The text of the reply is too long.
    ContentTooLong { length: usize },
    /// News without articles.
    NoArticles,
    /// More articles than WeChat shows in the reply to an event.
    TooManyArticlesToEvent { count: usize },
    /// More articles than WeChat shows in the reply to a message.
    TooManyArticlesToMessage { count: usize },
    /// The number of articles is missing or empty.
    ArticleCountMissing,
    /// The number of articles is not the number of items.
    ArticleCountWrong { found: String, count: usize },
    /// Articles without a title.
    ArticlesUntitled { count: usize },

    // The envelope of an encrypted reply.
    /// An element occurs more than once.
    Repeated { name: &'static str },
    /// An element of the envelope is missing or empty.
    EnvelopeElementMissing { name: &'static str },
    /// The timestamp or nonce cannot be signed.
    NotSigned { error: SignatureError },
    /// The signature does not match.
    MsgSignatureWrong { found: String },
    /// The signature matches, but the content cannot be decrypted.
    NotOpened { error: DecryptError },

    // Replay.
    /// The answer is the captured one.
    AsCaptured { took: Duration },
    /// The answer differs from the captured one.
    NotAsCaptured,
    /// The answer is usable, and there is no captured response.
    NothingCaptured { took: Duration },
}

impl Check {
    const fn new(severity: Severity, finding: Finding) -> Self {
        Self { severity, finding }
    }

    /// A finding that is as it should be.
    pub(super) const fn ok(finding: Finding) -> Self {
        Self::new(Severity::Ok, finding)
    }

    /// A finding that may fail, or that should not work.
    pub(super) const fn warning(finding: Finding) -> Self {
        Self::new(Severity::Warning, finding)
    }

    /// A finding that WeChat refuses.
    pub(super) const fn error(finding: Finding) -> Self {
        Self::new(Severity::Error, finding)
    }
}

/// Results in the order in which they were found.
#[derive(Default)]
pub(crate) struct Checks(pub(crate) Vec<Check>);

impl Checks {
    // Not inlined at its dozens of calls, which saves 2 KB.
    #[inline(never)]
    pub(super) fn error(&mut self, finding: Finding) {
        self.0.push(Check::error(finding));
    }

    #[inline(never)]
    pub(super) fn warning(&mut self, finding: Finding) {
        self.0.push(Check::warning(finding));
    }
}

impl From<Fault> for Check {
    fn from(fault: Fault) -> Self {
        Self::error(Finding::Fault(fault))
    }
}
