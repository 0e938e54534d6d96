//! Judges the answer to a message as WeChat would (被动回复用户消息).

use super::check::{Check, Checks, Finding, Severity};
use super::content::check_text;
use super::encryption::Encryption;
use super::fault::check_answer;
use super::reply::{check_characters, check_reply, check_root};
use super::test_message::TestMessage;
use crate::client::ReceivedResponse;
use crate::text::display::{escape_for_terminal, excerpt};
use crate::wechat::Mode;
use crate::xml::{Document, Element, XmlError, trim};

/// Maximum length in bytes of XML that is parsed if it has attributes or comments. The time can grow with the cube of the
/// number of attributes.
const MARKUP_MAX: usize = 8 * 1024;

/// The judgement on an answer.
pub(crate) struct Verdict {
    pub(crate) kind: AnswerKind,
    /// Path and text of each leaf of the reply, without the four leaves that every reply has.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) checks: Checks,
    /// The decrypted content of an encrypted answer.
    pub(crate) decrypted: Option<Vec<u8>>,
}

/// The kind of an answer. `wording.rs` has the names.
pub(crate) enum AnswerKind {
    /// WeChat cannot use the answer. The checks have the reason.
    Unusable,
    /// The content is empty, which means no reply.
    Empty,
    /// The content is `success`, which means no reply.
    Success,
    /// A reply without MsgType.
    NoMsgType,
    /// A reply with this MsgType, which is safe for a terminal.
    Reply { msg_type: String },
    /// An encrypted answer, and the kind of its decrypted content if it can be decrypted.
    Encrypted { inside: Option<Box<Self>> },
}

impl AnswerKind {
    /// Whether the answer asks to show nothing to the user.
    pub(crate) fn is_no_reply(&self) -> bool {
        if let Self::Encrypted { inside: Some(kind) } = self {
            return kind.is_no_reply();
        }
        matches!(self, Self::Empty | Self::Success)
    }
}

impl Verdict {
    /// Judges the answer to this message, which was sent encrypted or plain.
    pub(crate) fn judge(
        answer: &ReceivedResponse<'_>,
        message: &TestMessage,
        encryption: &Option<Encryption>,
    ) -> Self {
        if let Err(fault) = check_answer(answer) {
            return Self::refuse(Finding::Fault(fault));
        }
        let judge = Judge { message, encryption };
        judge.judge_content(answer.content)
    }

    /// Whether WeChat accepts the answer: no check has the severity `Error`. An answer that asks for no reply is accepted too.
    pub(crate) fn is_accepted(&self) -> bool {
        let is_error = |check: &Check| check.severity == Severity::Error;
        !self.checks.0.iter().any(is_error)
    }

    const fn new(kind: AnswerKind, checks: Checks) -> Self {
        Self { kind, fields: Vec::new(), checks, decrypted: None }
    }

    fn refuse(finding: Finding) -> Self {
        Self::new(AnswerKind::Unusable, Checks(vec![Check::error(finding)]))
    }
}

/// Judges answers to a message, which was sent encrypted or plain.
struct Judge<'m> {
    message: &'m TestMessage,
    // Not `Option<&Encryption>`, because in a build without the feature `secure`, the compiler does not see that such a
    // reference is always `None`, and keeps the code that uses it.
    encryption: &'m Option<Encryption>,
}

impl Judge<'_> {
    fn judge_content(&self, content: &[u8]) -> Verdict {
        match content {
            b"" => Verdict::new(AnswerKind::Empty, Checks::default()),
            b"success" => Verdict::new(AnswerKind::Success, Checks::default()),
            _ => match check_shape(content) {
                Ok(()) => self.judge_xml(content),
                Err(finding) => Verdict::refuse(finding),
            },
        }
    }

    fn judge_xml(&self, content: &[u8]) -> Verdict {
        let error = match Document::parse_message(content) {
            Ok(document) => return self.judge_root(document.root(), content),
            Err(error) => error,
        };
        // WeChat's parser may accept attributes and comments, although WeChat's own XML never has them.
        let text = match (error, str::from_utf8(content)) {
            (XmlError::Attribute | XmlError::Markup | XmlError::NoName { .. }, Ok(text))
                if text.len() <= MARKUP_MAX =>
            {
                text
            }
            _ => return Verdict::refuse(Finding::BrokenXml { error }),
        };
        match Document::parse_file(text) {
            Ok(document) => {
                let mut verdict = self.judge_root(document.root(), content);
                verdict.checks.warning(Finding::UnusualXml { error });
                verdict
            }
            Err(error) => Verdict::refuse(Finding::NotWellFormed { error }),
        }
    }

    fn judge_root(&self, root: Element<'_>, content: &[u8]) -> Verdict {
        let mut checks = Checks::default();
        check_characters(content, &mut checks);
        check_root(root, &mut checks);
        match self.encryption {
            Some(encryption) if root.text_at("Encrypt").is_some() => {
                return self.judge_encrypted(encryption, root, checks);
            }
            Some(encryption) if encryption.mode == Mode::Safe => {
                return Verdict::refuse(Finding::PlainInSafeMode);
            }
            Some(_) | None => {}
        }
        if root.name() == "xml" {
            check_reply(root, self.message, &mut checks);
        }
        let kind = match root.text_at("MsgType").map_or("", trim) {
            "" => AnswerKind::NoMsgType,
            msg_type => {
                AnswerKind::Reply { msg_type: escape_for_terminal(msg_type.as_bytes(), 100) }
            }
        };
        const HEAD: [&str; 4] = ["ToUserName", "FromUserName", "CreateTime", "MsgType"];
        let leaves = root.leaves();
        let fields = leaves.map(|leaf| (leaf.path(), leaf.text().to_owned()));
        let fields = fields.filter(|(path, _)| !HEAD.contains(&path.as_str()));
        Verdict { fields: fields.collect(), ..Verdict::new(kind, checks) }
    }

    /// Judges the decrypted content of an encrypted answer like the content of a plain answer. `checks` has the errors of
    /// the envelope.
    fn judge_encrypted(
        &self,
        encryption: &Encryption,
        root: Element<'_>,
        mut checks: Checks,
    ) -> Verdict {
        let decrypted = encryption.open(root, &mut checks);
        let Some(content) = &decrypted else {
            return Verdict::new(AnswerKind::Encrypted { inside: None }, checks);
        };
        let plain = Judge { encryption: &None, ..*self };
        let mut verdict = plain.judge_content(content);
        verdict.checks.0.append(&mut checks.0);
        Verdict {
            kind: AnswerKind::Encrypted { inside: Some(Box::new(verdict.kind)) },
            decrypted,
            ..verdict
        }
    }
}

/// Checks that content looks like XML.
fn check_shape(content: &[u8]) -> Result<(), Finding> {
    let excerpt = excerpt(content);
    let trimmed = content.trim_ascii();
    let bare = trimmed.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(trimmed);
    let bare = bare.trim_ascii_start();
    Err(if bare.is_empty() {
        Finding::OnlySpace
    } else if bare.eq_ignore_ascii_case(b"success") || bare == b"\"success\"" {
        Finding::SuccessNotExact { excerpt }
    } else if let Err(finding) = check_text(content) {
        finding
    } else if matches!(bare, [b'{', ..] | [b'[', b'{' | b'[' | b'"', ..]) {
        Finding::Json { excerpt }
    } else if !bare.starts_with(b"<") {
        Finding::NotXml { excerpt }
    } else if bare.starts_with(b"<?xml") && !content.starts_with(b"<") {
        Finding::DeclarationAfterSpace
    } else if let Some(text) = text_after_root(bare) {
        let excerpt = self::excerpt(text);
        Finding::TextAfterRoot { excerpt }
    } else {
        return Ok(());
    })
}

/// The text after the end of the root, such as a warning that a program prints when it ends.
fn text_after_root(content: &[u8]) -> Option<&[u8]> {
    const END: &[u8] = b"</xml>";
    let start = content.windows(END.len()).rposition(|window| window == END)?;
    let rest = content[start + END.len()..].trim_ascii();
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::rules::{SAMPLE, parse_printed_reply};
    use crate::wechat::{Age, Credentials, MSG_TYPES, Message, Token};

    const NOW: u64 = 1_626_513_248;

    /// Writes this reply element, as in a rules file, as the reply to the message.
    fn reply(element: &str, message: &TestMessage) -> Vec<u8> {
        let token = Token::parse("0123456789abcdef").unwrap();
        let signature = token.sign(b"1626513248", b"1").to_string();
        let signature = signature.as_bytes();
        let credentials = Credentials { signature, timestamp: b"1626513248", nonce: b"1" };
        let verified = token.verify(&credentials, NOW, Age::Any).unwrap();
        let xml = message.xml();
        let document = Document::parse_message(xml.as_bytes()).unwrap();
        let message = Message::parse(verified, &document).unwrap();
        let mut written = Vec::new();
        let reply = parse_printed_reply(element, &message).unwrap().unwrap();
        reply.write_to(&message, NOW, &mut written);
        written
    }

    #[test]
    fn accepts_every_kind_of_reply_that_rules_can_give() {
        let message = vec![("Content".to_owned(), "a".to_owned())];
        let message = TestMessage::new(message, NOW, 1).unwrap();
        let judge = Judge { message: &message, encryption: &None };
        for &(name, required) in MSG_TYPES {
            let (start, end) = (format!("<{name}>"), format!("</{name}>"));
            let element = SAMPLE.split_once(&start).map(|(_, rest)| {
                let (children, _) = rest.split_once(&end).expect(name);
                [&start, children, &end].concat()
            });
            let content = reply(&element.unwrap_or(format!("<{name}/>")), &message);
            let verdict = judge.judge_content(&content);
            assert!(verdict.checks.0.is_empty(), "{name}: {:?}", verdict.checks.0);
            let is_kind = |kind| matches!(kind, AnswerKind::Reply { msg_type } if msg_type == name);
            assert!(is_kind(verdict.kind), "{name} has another MsgType");
            let has =
                |path| verdict.fields.iter().any(|(field, text)| field == path && !text.is_empty());
            assert!(required.is_none_or(has), "{name} is without {required:?}");
        }
    }
}
