//! The one seam between HTTP and the account: a [`Request`] in, a [`Response`] out. No sockets, no
//! XML.

mod metrics;
mod path;
mod query;
mod rejection;

use std::borrow::Cow;
use std::hash::Hash;
use std::sync::Arc;

use crate::http::{Method, Request, Response};
use crate::session::{Caller, Outcome};
use crate::text::log_note::LogNote;
use crate::wechat::{
    Age, Cipher, Credentials, Envelope, Message, MessageError, Mode, SECURE, SignatureError, Token,
    UsedSignatures, Verified,
};
use crate::xml::Document;
use query::{Parameters, required};
use rejection::Rejection;

pub use metrics::Metrics;
pub use path::ServedPath;

/// What a person sees who opens the callback's address in a browser.
const GREETING: &[u8] = b"This is the callback of a WeChat Official Account, and it runs.\n";

/// What WeChat takes for "no reply".
const SUCCESS: &[u8] = b"success";

/// An account's callback: who may talk to it, and where.
#[derive(Debug)]
pub struct Callback {
    /// The token that requests are signed with.
    pub token: Token,
    /// The token of before, which is good too: WeChat changes over to a new one some time after it is
    /// saved in the console.
    pub previous_token: Option<Token>,
    /// Which messages are read.
    pub encryption: EncryptionPolicy,
    /// How far their timestamp may be from this clock.
    pub max_age: Age,
    /// The only path that is served; `None` serves any, since the signature is what authenticates.
    pub path: Option<ServedPath>,
    /// What it has answered so far.
    pub metrics: Arc<Metrics>,
    used: UsedSignatures,
}

/// Which messages are read: plain ones, encrypted ones, or both.
#[derive(Debug)]
pub enum EncryptionPolicy {
    /// Plain ones. Those that are encrypted are left unread, for want of a key.
    Unread,
    /// Both. Encrypted ones are opened with this, and their replies sealed.
    Allowed(Cipher),
    /// Encrypted ones; plain ones are refused.
    Required(Cipher),
}

impl EncryptionPolicy {
    /// What encrypted messages are opened with, if they are.
    pub const fn cipher(&self) -> Option<&Cipher> {
        match self {
            Self::Unread => None,
            Self::Allowed(cipher) | Self::Required(cipher) => Some(cipher),
        }
    }
}

impl Callback {
    /// The callback of the account with this token: any path, requests at most 600 seconds old.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            previous_token: None,
            encryption: EncryptionPolicy::Unread,
            max_age: Age::AtMost(600),
            path: None,
            metrics: Arc::default(),
            used: UsedSignatures::default(),
        }
    }

    /// Answers a request of this caller; `None` where they are gone before there is an answer. A
    /// verified message is answered with what `outcome` makes of it, written to `scratch`, which is
    /// cleared first.
    pub fn answer<'r>(
        &self,
        request: &Request<'r>,
        caller: &Caller<'_>,
        scratch: &'r mut Vec<u8>,
        outcome: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Option<Response<'r>> {
        scratch.clear();
        let is_elsewhere = |path: &ServedPath| !path.is_path_of(&request.head.target);
        if self.path.as_ref().is_some_and(is_elsewhere) {
            return Some(Rejection::Path.response());
        }
        let answered = match request.head.method {
            Method::Get | Method::Head => self.answer_token_check(request, caller).map(Some),
            Method::Post => self.answer_message(request, caller, scratch, outcome),
            Method::Other => Err(Rejection::Method),
        };
        answered.unwrap_or_else(|refusal| Some(refusal.response()))
    }

    /// The token check of the console: the echostr comes back, and nothing else with it.
    fn answer_token_check<'r>(
        &self,
        request: &Request<'r>,
        caller: &Caller<'_>,
    ) -> Result<Response<'r>, Rejection> {
        let parameters = Parameters::read(&request.head.target);
        if parameters.are_absent() {
            return Ok(Response::text(GREETING));
        }
        let echostr = required(parameters.echostr.as_ref(), "echostr")?;
        let (_, verified) = self.verify(&parameters, (caller.now)())?;
        self.metrics.count_token_check();
        Ok(echo(verified, echostr.clone()))
    }

    // Its frame holds a message's table: stack that a silent connection does without.
    #[inline(never)]
    fn answer_message<'r>(
        &self,
        request: &Request<'r>,
        caller: &Caller<'_>,
        scratch: &'r mut Vec<u8>,
        outcome: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Result<Option<Response<'r>>, Rejection> {
        let parameters = Parameters::read(&request.head.target);
        let (token, verified) = self.verify(&parameters, (caller.now)())?;
        if request.content.is_empty() {
            return Err(Rejection::NoContent);
        }
        let is_encrypted = parameters.speak_of_encryption();
        let cipher = self.encryption.cipher();
        if let Some(cipher) = cipher.filter(|_| is_encrypted) {
            let question = EncryptedRequest {
                content: request.content,
                parameters,
                verified,
                token,
            };
            let answered = self.answer_encrypted(cipher, question, caller, scratch, outcome);
            return Ok(answered.unwrap_or_else(|refusal| Some(refusal.silent_response())));
        }
        if let EncryptionPolicy::Required(_) = self.encryption {
            return Err(Rejection::Plain);
        }
        let xml = Document::parse_message(request.content)
            .map_err(|error| Rejection::Message(error.into()))?;
        let envelope = is_encrypted.then(|| Envelope::parse(&xml));
        let said = match &envelope {
            // Each try may be encrypted anew.
            Some(Ok(envelope)) => SignedContent::Beside(envelope, b""),
            Some(Err(_)) | None => SignedContent::Plain(request.content),
        };
        let verified = self.use_once(verified, &said)?;
        let parsed = Message::parse(verified, &xml);
        let mode = match &parsed {
            Ok(message) if message.is_beside_encrypt() => Mode::Compatible,
            Err(MessageError::Encrypted) => Mode::Safe,
            Ok(_) | Err(_) => Mode::Plain,
        };
        if mode != Mode::Plain && cipher.is_some() {
            return Err(Rejection::Missing("msg_signature"));
        }
        let message = match parsed {
            Err(MessageError::Encrypted) => return Ok(Some(self.leave_unread((caller.now)()))),
            parsed => parsed.map_err(Rejection::Message)?,
        };
        let note = self.count(&message, mode);
        if !self.write_reply(&message, caller, scratch, outcome) {
            return Ok(None);
        }
        let response = match scratch.is_empty() {
            true => Response::text(SUCCESS),
            false => Response::xml(scratch.as_slice()),
        };
        Ok(Some(with_note(response, note)))
    }

    /// The same for one that is encrypted, in compatible mode too: what is encrypted is what counts. Its
    /// refusals are for the log alone.
    #[inline(never)]
    fn answer_encrypted<'r>(
        &self,
        cipher: &Cipher,
        question: EncryptedRequest<'_>,
        caller: &Caller<'_>,
        scratch: &'r mut Vec<u8>,
        outcome: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Result<Option<Response<'r>>, Rejection> {
        let xml = Document::parse_message(question.content)
            .map_err(|error| Rejection::Message(error.into()))?;
        let envelope = match Envelope::parse(&xml) {
            Err(MessageError::Missing("Encrypt")) => return Err(Rejection::Stripped),
            parsed => parsed.map_err(Rejection::Message)?,
        };
        let parameters = &question.parameters;
        let msg_signature = parameters.msg_signature.as_ref();
        let credentials = Credentials {
            signature: required(msg_signature, "msg_signature")?,
            ..parameters.credentials()?
        };
        let sealed = question
            .token
            .verify_message(&credentials, envelope.encrypt())
            .map_err(Rejection::MessageSignature)?;
        let opened = cipher.open(&sealed).map_err(Rejection::Unopened)?;
        // The same under the same signature is WeChat asking again, encrypted anew or not. Nothing else is, nor
        // beside another plain part: by that, who has seen a message could guess what it says, again and again.
        let mode = envelope.mode();
        let said = match mode {
            Mode::Compatible => SignedContent::Beside(&envelope, opened.message()),
            Mode::Safe | Mode::Plain => SignedContent::Safe(opened.message()),
        };
        let verified = self.use_once(question.verified, &said)?;
        let inside = Document::parse_message(opened.message())
            .map_err(|error| Rejection::Inside(error.into()))?;
        if let Some(name) = envelope.difference(&inside) {
            return Err(Rejection::Differs(name.to_owned()));
        }
        let message = Message::parse(verified, &inside).map_err(Rejection::Inside)?;
        let note = self.count(&message, mode);
        let mut reply = Vec::with_capacity(REPLY);
        if !self.write_reply(&message, caller, &mut reply, outcome) {
            return Ok(None);
        }
        if reply.is_empty() {
            return Ok(Some(with_note(Response::text(SUCCESS), note)));
        }
        let now = (caller.now)();
        let written = opened.write_reply(&reply, question.token, now, &credentials, scratch);
        Ok(Some(match written {
            Ok(()) => with_note(Response::xml(scratch.as_slice()), note),
            Err(error) => Response::text(SUCCESS).with_note(LogNote {
                cause: "no-randomness",
                reason: error.to_string().into(),
                hint: "is there a /dev/urandom?",
            }),
        }))
    }

    /// Counts a message, and says in which mode it comes where that is news.
    fn count(&self, message: &Message<'_>, mode: Mode) -> Option<LogNote> {
        let is_new = self.metrics.count_message(message, mode);
        is_new.then(|| LogNote {
            cause: "mode",
            reason: match mode {
                Mode::Plain => "messages come in plain mode (明文模式)".into(),
                Mode::Compatible => "messages come in compatible mode (兼容模式)".into(),
                Mode::Safe => "messages come in safe mode (安全模式)".into(),
            },
            hint: "",
        })
    }

    /// Writes the reply to a message, nothing for no reply; `false` where its sender is gone.
    // Once for both kinds of messages, and smaller by itself also where there is only one.
    #[inline(never)]
    fn write_reply<'m>(
        &self,
        message: &'m Message<'m>,
        caller: &Caller<'_>,
        out: &mut Vec<u8>,
        outcome: impl Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> bool {
        let outcome = outcome(message);
        let reply = match &outcome {
            Outcome::Reply(reply) => reply,
            Outcome::Shared(reply) => reply,
            Outcome::Disconnected => {
                self.metrics.count_gone();
                return false;
            }
        };
        reply.write_to(message, (caller.now)(), out);
        self.metrics.count_reply(!out.is_empty());
        true
    }

    /// The answer to a message that is encrypted where nothing is decrypted: WeChat shows its user nothing,
    /// and the log says what to do.
    fn leave_unread<'r>(&self, now: u64) -> Response<'r> {
        self.metrics.count_unread(now);
        Response::text(SUCCESS).with_note(LogNote {
            cause: "encrypted",
            reason: "message is encrypted (安全模式), so it was not read".into(),
            hint: match SECURE {
                true => "give the EncodingAESKey, by WECHAT_AES_KEY or the credential aes-key; or set 兼容模式 in the console",
                false => "built without the feature secure; or set 兼容模式 in the console",
            },
        })
    }

    /// Where old requests are good, a signature that is used a second time is nothing to be wary of.
    fn use_once(
        &self,
        verified: Verified,
        said: &SignedContent<'_>,
    ) -> Result<Verified, Rejection> {
        match self.max_age {
            Age::Any => Ok(verified),
            Age::AtMost(_) => self
                .used
                .use_for(verified, said)
                .map_err(Rejection::Signature),
        }
    }

    /// Proof of a right signature, and the token that it was made with.
    fn verify(
        &self,
        parameters: &Parameters<'_>,
        now: u64,
    ) -> Result<(&Token, Verified), Rejection> {
        let credentials = parameters.credentials()?;
        match self.token.verify(&credentials, now, self.max_age) {
            Ok(verified) => return Ok((&self.token, verified)),
            Err(SignatureError::Wrong) => {}
            Err(error) => return Err(Rejection::Signature(error)),
        }
        let Some(previous) = &self.previous_token else {
            return Err(Rejection::Signature(SignatureError::Wrong));
        };
        let verified = previous.verify(&credentials, now, self.max_age);
        verified
            .map(|verified| (previous, verified))
            .map_err(Rejection::Signature)
    }
}

/// What a signature is used for, and no other.
#[derive(Hash)]
enum SignedContent<'a> {
    Plain(&'a [u8]),
    Safe(&'a [u8]),
    /// A plain part, and what was decrypted; nothing where there is no key.
    Beside(&'a Envelope<'a>, &'a [u8]),
}

/// Bytes of nearly all replies, at most.
const REPLY: usize = 1024;

/// A message whose signature was right, before it is decrypted.
struct EncryptedRequest<'a> {
    content: &'a [u8],
    parameters: Parameters<'a>,
    verified: Verified,
    token: &'a Token,
}

fn with_note<'r>(response: Response<'r>, note: Option<LogNote>) -> Response<'r> {
    match note {
        Some(note) => response.with_note(note),
        None => response,
    }
}

/// The echostr of a verified token check, and nothing else.
fn echo<'r>(_: Verified, echostr: Cow<'r, [u8]>) -> Response<'r> {
    let note = LogNote {
        cause: "token-check",
        reason: "passed".into(),
        hint: "",
    };
    Response::text(echostr).with_note(note)
}
