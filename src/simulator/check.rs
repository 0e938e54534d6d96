//! The results of checks of a backend. Each result is a `Check`: a `Finding` and its `Severity`. `wording.rs` has the
//! texts.

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

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The answer is as expected.
    Ok,
    /// The answer probably works, but the manual or public reports say that it may fail.
    Warning,
    /// WeChat would refuse the answer, or the backend is not secure.
    Error,
}

/// A finding. `excerpt`, `found`, `before` and `after` are parts of the answer, in quotes and safe for a terminal. `name`
/// and `path` are the name and the path of an element in the answer. `took` is the time until the last byte of the
/// answer.
#[derive(Debug)]
pub(crate) enum Finding {
    /// WeChat cannot use the answer, whatever the request was.
    Fault(Fault),

    // The content of any answer.
    /// A byte order mark precedes the content.
    ByteOrderMark,
    /// The content is compressed with gzip, which the request did not ask for.
    Gzip,
    /// The content is UTF-16.
    Utf16,
    /// The content is an HTML page.
    Html { excerpt: String },
    /// The content is the welcome page of a web server.
    WelcomePage { server: &'static str },

    // The token check.
    /// WeChat does not call this port.
    PortNotCalled { port: u16 },
    /// The host has only IPv6 addresses, which WeChat does not call.
    NoIpv4,
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
    /// The answer is the beginning of the echostr. `received` and `sent` are lengths in bytes.
    EchostrTruncated { received: usize, sent: usize },
    /// The answer is another text, without the echostr.
    EchostrReplaced { excerpt: String },
    /// The content with the echostr is chunked.
    EchostrChunked,
    /// The request with a wrong signature got the same answer as the request with the right signature.
    WrongSignatureAccepted,
    /// The request with a wrong signature was refused.
    WrongSignatureRefused { status: u16 },
    /// The request with a wrong signature was neither accepted nor refused: both answers contain the echostr, and other text
    /// around it.
    WrongSignatureNotJudged,
    /// The request with a wrong signature got no answer.
    WrongSignatureUnanswered { fault: Fault },

    // The shape of an answer to a message.
    /// The content is only white space.
    OnlySpace,
    /// The content is `success`, but with white space, quotes, a byte order mark or capital letters.
    SuccessNotExact { excerpt: String },
    /// The content is JSON.
    Json { excerpt: String },
    /// The content is something else that is not XML.
    NotXml { excerpt: String },
    /// White space precedes the XML declaration.
    DeclarationAfterSpace,
    /// Text follows the end of the root.
    TextAfterRoot { excerpt: String },
    /// The XML cannot be read.
    BrokenXml { error: XmlError },
    /// The XML has an attribute, a comment or an instruction, and is not well-formed.
    NotWellFormed { error: FileError },
    /// The XML has an attribute, a comment or an instruction, which WeChat's parser may accept.
    UnusualXml { error: XmlError },
    /// The content has a character that XML does not allow.
    NonXmlCharacter { character: char },
    /// The name of the root is not `xml`.
    WrongRoot { name: String },

    // The elements of a reply.
    /// The reply to a plain message is encrypted, or a reply is encrypted twice.
    UnexpectedEncryption,
    /// The reply is plain, but safe mode requires an encrypted reply.
    PlainInSafeMode,
    /// There is a reply to the event `unsubscribe`.
    ReplyToUnsubscribe,
    /// ToUserName and FromUserName are the same as in the message.
    NamesNotSwapped,
    /// ToUserName or FromUserName is missing or empty.
    NameMissing { name: &'static str, expected: String },
    /// ToUserName or FromUserName has an unexpected value.
    NameWrong { name: &'static str, found: String, expected: String },
    /// A time is missing or empty.
    TimeMissing { name: &'static str },
    /// A time is too large for seconds.
    TimeInMilliseconds { name: &'static str, time: u64 },
    /// A time is not a whole number.
    TimeNotNumber { name: &'static str, found: String },
    /// The type of the reply is missing. `known` lists all types.
    MsgTypeMissing { known: String },
    /// The type of the reply is unknown. `known` lists all types.
    MsgTypeUnknown { found: String, known: String },
    /// An element that a reply of this type requires is missing or empty.
    ElementMissing { path: &'static str, msg_type: &'static str },
    /// An element is missing. The manual requires it, but WeChat delivers the reply without it.
    ElementOmitted { path: &'static str },
    /// The music has an empty ThumbMediaId, for which WeChat shows the fault prompt.
    ThumbMediaIdEmpty,
    /// The text of the reply is empty.
    ContentEmpty,
    /// The text of the reply is too long.
    ContentTooLong { length: usize },
    /// The news has no articles.
    NoArticles,
    /// There are more articles than WeChat shows in the reply to an event.
    TooManyArticlesToEvent { count: usize },
    /// There are more articles than WeChat shows in the reply to a message.
    TooManyArticlesToMessage { count: usize },
    /// ArticleCount is missing or empty.
    ArticleCountMissing,
    /// ArticleCount is not the number of items in Articles.
    ArticleCountWrong { found: String, count: usize },
    /// This number of articles has no title.
    ArticlesUntitled { count: usize },

    // The envelope of an encrypted reply.
    /// An element of the envelope occurs more than once.
    Repeated { name: &'static str },
    /// An element of the envelope is missing or empty.
    EnvelopeElementMissing { name: &'static str },
    /// The timestamp or nonce is too long for a signature.
    NotSigned { error: SignatureError },
    /// The signature does not match.
    MsgSignatureWrong { found: String },
    /// The signature matches, but the content cannot be decrypted.
    NotOpened { error: DecryptError },

    // Replay.
    /// The answer equals the captured response.
    AsCaptured { took: Duration },
    /// The answer differs from the captured response.
    NotAsCaptured,
    /// The answer is usable, and there is no captured response.
    NothingCaptured { took: Duration },
}

impl Check {
    const fn new(severity: Severity, finding: Finding) -> Self {
        Self { severity, finding }
    }

    pub(super) const fn ok(finding: Finding) -> Self {
        Self::new(Severity::Ok, finding)
    }

    pub(super) const fn warning(finding: Finding) -> Self {
        Self::new(Severity::Warning, finding)
    }

    pub(super) const fn error(finding: Finding) -> Self {
        Self::new(Severity::Error, finding)
    }
}

/// Results in the order in which they were found.
#[derive(Default)]
pub(crate) struct Checks(pub(crate) Vec<Check>);

impl Checks {
    // Inlining this function at its dozens of calls would add 2 KB to the binary.
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
