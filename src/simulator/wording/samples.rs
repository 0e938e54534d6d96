//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples, system_error};
use std::fmt::Display;
use std::io;
use std::time::Duration;

use crate::http::RequestError;
use crate::wechat::SignatureError;
use crate::xml::Document;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "simulator", collect);
}

fn collect(samples: &mut Samples) {
    add_findings(samples);
    add_faults(samples);
    use StatusHint::*;
    let own_page = |status| OwnPage { server: "nginx", status };
    let status = |status| Status { status };
    samples.add(
        "StatusHint",
        &[
            &Https,
            &PlainRefused,
            &Timestamp,
            &own_page(404),
            &own_page(502),
            &status(403),
            &status(404),
            &status(405),
            &status(502),
            &status(500),
            &status(204),
        ],
    );
    let inside = |kind| AnswerKind::Encrypted { inside: Some(Box::new(kind)) };
    samples.add(
        "AnswerKind",
        &[
            &AnswerKind::Unusable,
            &AnswerKind::Empty,
            &AnswerKind::Success,
            &AnswerKind::NoMsgType,
            &AnswerKind::Reply { msg_type: "text".to_owned() },
            &inside(AnswerKind::Success),
            &AnswerKind::Encrypted { inside: None },
        ],
    );
    samples.add("Line", &[&Line::Omitted { count: 5 }]);
    let (captured, received) = (b'a', b'\n');
    samples.add(
        "ByteDifference",
        &[
            &ByteDifference::Changed { captured, received },
            &ByteDifference::Missing { captured },
            &ByteDifference::Added { received },
        ],
    );
    let field = "EventKey=a".to_owned();
    samples.add(
        "TestMessageError",
        &[
            &TestMessageError::Empty,
            &TestMessageError::Repeated { path: "Content".to_owned() },
            &TestMessageError::NoMsgType { field },
        ],
    );
    let msg_type = || "imge".to_owned();
    let names = || vec!["MediaId", "PicUrl"];
    samples.add(
        "TestMessageWarning",
        &[
            &TestMessageWarning::EventWithMsgType { msg_type: "text".to_owned() },
            &TestMessageWarning::UnknownMsgType { msg_type: msg_type(), similar: Some("image") },
            &TestMessageWarning::UnknownMsgType { msg_type: "a".to_owned(), similar: None },
            &TestMessageWarning::MisspeltEvent { event: "Click".to_owned(), similar: "CLICK" },
            &TestMessageWarning::FieldsMissing { is_event: false, kind: "image", names: names() },
            &TestMessageWarning::FieldsMissing {
                is_event: true,
                kind: "CLICK",
                names: vec!["EventKey"],
            },
        ],
    );
    samples.add(
        "CaptureError",
        &[
            &CaptureError::Surplus { count: 5 },
            &CaptureError::Short { missing: 5 },
            &CaptureError::RequestLine,
            &CaptureError::ParameterMissing { name: "nonce" },
            &CaptureError::EncryptMissing,
        ],
    );
}

fn add_findings(samples: &mut Samples) {
    use Finding::*;
    let excerpt = || "\"hello\"".to_owned();
    let (expected, found) = (|| "\"oUser1\"".to_owned(), || "\"a\"".to_owned());
    let known = || "text image voice".to_owned();
    let took = Duration::from_millis(3);
    let (line, column) = (3, 7);
    let file_error = Document::parse_file("<a>\n<b></a>").expect_err("b has no end tag");
    samples.add(
        "Finding: any answer",
        &[
            &ByteOrderMark,
            &Gzip,
            &Utf16,
            &Html { excerpt: excerpt() },
            &WelcomePage { server: "nginx" },
        ],
    );
    samples.add(
        "Finding: token check",
        &[
            &PortNotCalled { port: 8000 },
            &NoIpv4,
            &StatusOk { took },
            &EchostrReturned,
            &EchostrMissing,
            &EchostrQuoted,
            &EchostrAfterSpace,
            &EchostrBeforeSpace,
            &EchostrInHtml { before: found() },
            &EchostrSurrounded { before: found(), after: excerpt() },
            &EchostrTruncated { received: 5, sent: 19 },
            &EchostrReplaced { excerpt: excerpt() },
            &EchostrChunked,
            &WrongSignatureAccepted,
            &WrongSignatureRefused { status: 403 },
            &WrongSignatureNotJudged,
            &WrongSignatureUnanswered { fault: super::Fault::Reset },
        ],
    );
    samples.add(
        "Finding: form of a reply",
        &[
            &OnlySpace,
            &SuccessNotExact { excerpt: excerpt() },
            &Json { excerpt: excerpt() },
            &NotXml { excerpt: excerpt() },
            &DeclarationAfterSpace,
            &TextAfterRoot { excerpt: excerpt() },
            &BrokenXml { error: XmlError::Utf8(30) },
            &BrokenXml { error: XmlError::Open },
            &BrokenXml { error: XmlError::TooManyElements },
            &BrokenXml { error: XmlError::Syntax { line, column } },
            &NotWellFormed { error: file_error },
            &UnusualXml { error: XmlError::Attribute },
            &UnusualXml { error: XmlError::Markup },
            &NonXmlCharacter { character: '\u{8}' },
            &WrongRoot { name: "html".to_owned() },
        ],
    );
    samples.add(
        "Finding: elements of a reply",
        &[
            &UnexpectedEncryption,
            &PlainInSafeMode,
            &ReplyToUnsubscribe,
            &NamesNotSwapped,
            &NameMissing { name: "ToUserName", expected: expected() },
            &NameWrong { name: "ToUserName", found: found(), expected: expected() },
            &TimeMissing { name: "CreateTime" },
            &TimeInMilliseconds { name: "CreateTime", time: 1_626_513_248_000 },
            &TimeNotNumber { name: "CreateTime", found: found() },
            &MsgTypeMissing { known: known() },
            &MsgTypeUnknown { found: found(), known: known() },
            &ElementMissing { path: "Image/MediaId", msg_type: "image" },
            &ElementOmitted { path: "Description" },
            &ThumbMediaIdEmpty,
            &ContentEmpty,
            &ContentTooLong { length: 3000 },
            &NoArticles,
            &TooManyArticlesToEvent { count: 9 },
            &TooManyArticlesToMessage { count: 9 },
            &ArticleCountMissing,
            &ArticleCountWrong { found: found(), count: 1 },
            &ArticlesUntitled { count: 1 },
        ],
    );
    samples.add(
        "Finding: envelope of an encrypted reply",
        &[
            &Repeated { name: "Encrypt" },
            &EnvelopeElementMissing { name: "Nonce" },
            &NotSigned { error: SignatureError::Malformed },
            &MsgSignatureWrong { found: found() },
            &NotOpened { error: DecryptError::Padding },
            &NotOpened { error: DecryptError::AppId },
            &NotOpened { error: DecryptError::Empty },
            &NotOpened { error: DecryptError::Base64 },
        ],
    );
    let replayed: [&dyn Display; 3] =
        [&AsCaptured { took }, &NotAsCaptured, &NothingCaptured { took }];
    samples.add("Finding: replay", &replayed);
}

fn add_faults(samples: &mut Samples) {
    use Fault::*;
    let no_answer = |error| NoAnswer { error, host: "example.com".to_owned(), port: 8000 };
    let address = ([127, 0, 0, 1], 8000).into();
    let connect = |number| no_answer(Connect { address, error: system_error(number) });
    let head = |error, excerpt: &[u8]| no_answer(Head { error, excerpt: excerpt.to_vec() });
    let (length, received) = (100, 50);
    let error_text = Some("\"no access\"".to_owned());
    let hint = StatusHint::Status { status: 403 };
    let resolve = io::Error::other("Name or service not known");
    samples.add(
        "Fault",
        &[
            &no_answer(Resolve { error: resolve }),
            &connect(111),
            &connect(113),
            &connect(104),
            &no_answer(ConnectTimeout { address }),
            &no_answer(Closed),
            &no_answer(Timeout),
            &head(ResponseError::NotHttp, b"\x15\x03\x01"),
            &head(ResponseError::NotHttp, b"SSH-2.0"),
            &head(ResponseError::StatusLine, b"HTTP/1.1 OK"),
            &no_answer(HeadClosed),
            &no_answer(HeadTimeout),
            &Redirect { status: 301, location: "\"https://example.com/\"".to_owned() },
            &Status { status: 403, error_text, hint },
            &Status { status: 403, error_text: None, hint },
            &ContentTooLong,
            &LengthNotReached { length, received },
            &LengthNotInTime { length, received },
            &LengthExceeded { length, surplus: 2 },
            &Chunk { error: RequestError::ChunkSize },
            &LastChunkMissing,
            &LastChunkNotInTime,
            &Reset,
            &NotClosed,
        ],
    );
}
