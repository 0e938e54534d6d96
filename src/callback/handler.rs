//! Answers the requests of one account: the token check (接入指南), and messages in all three modes
//! (消息加解密说明).

use std::borrow::Cow;
use std::sync::Arc;

use super::metrics::Metrics;
use super::path::ServedPath;
use super::query::{Parameters, required};
use super::rejection::Rejection;
use super::wording;
use crate::http::{Method, Request, Response};
use crate::session::{Caller, Outcome};
use crate::wechat::{
    Age, Cipher, Credentials, DecryptedMessage, Envelope, Message, MessageError, Mode,
    SignatureError, Token, UsedSignatures, Verified,
};
use crate::xml::Document;

/// The content that WeChat takes for "no reply".
const SUCCESS: &[u8] = b"success";

/// The callback of an account: its secrets, and its limits.
#[derive(Debug)]
pub struct Callback {
    /// The token that requests are signed with.
    pub token: Token,
    /// The previous token, which is accepted too: after a new token is saved in the console, WeChat uses the
    /// old one for a while.
    pub previous_token: Option<Token>,
    /// Which messages are read.
    pub encryption: EncryptionPolicy,
    /// How far the timestamp of a request may be from this machine's clock.
    pub max_age: Age,
    /// The only path that is served. `None` serves any: the signature authenticates a request, not the path.
    pub path: Option<ServedPath>,
    /// Counts of the messages and replies.
    pub metrics: Arc<Metrics>,
    used: UsedSignatures,
}

/// Which messages are read.
#[derive(Debug)]
pub enum EncryptionPolicy {
    /// Plain messages. Without a key, encrypted ones cannot be read.
    Unread,
    /// Both. Encrypted messages get encrypted replies.
    Allowed(Cipher),
    /// Encrypted messages only; plain ones are refused.
    Required(Cipher),
}

impl EncryptionPolicy {
    /// The cipher, if encrypted messages are read.
    pub const fn cipher(&self) -> Option<&Cipher> {
        match self {
            Self::Unread => None,
            Self::Allowed(cipher) | Self::Required(cipher) => Some(cipher),
        }
    }
}

/// A message that arrived encrypted, after decryption.
struct Encrypted<'a> {
    envelope: Envelope<'a>,
    mode: Mode,
    credentials: Credentials<'a>,
    message: DecryptedMessage<'a>,
}

impl<'a> Encrypted<'a> {
    /// Checks the `msg_signature`, and decrypts.
    fn decrypt(
        cipher: &'a Cipher,
        token: &Token,
        parameters: &'a Parameters<'_>,
        xml: &'a Document<'_>,
    ) -> Result<Self, Rejection> {
        let envelope = match Envelope::parse(xml) {
            Err(MessageError::Missing { .. }) => return Err(Rejection::NoEncrypt),
            parsed => parsed.map_err(Rejection::Message)?,
        };
        let msg_signature = parameters.msg_signature.as_ref();
        let credentials = Credentials {
            signature: required(msg_signature, "msg_signature")?,
            ..parameters.credentials()?
        };
        let encrypt = token
            .verify_message(&credentials, envelope.encrypt())
            .map_err(Rejection::MessageSignature)?;
        Ok(Self {
            envelope,
            mode: envelope.mode(),
            credentials,
            message: cipher.decrypt(&encrypt).map_err(Rejection::Decrypt)?,
        })
    }

    /// Reads the decrypted message. Its plain elements must not contradict it.
    fn scan(&self) -> Result<Document<'_>, Rejection> {
        let xml = Document::parse_message(self.message.message())
            .map_err(|error| Rejection::DecryptedMessage(error.into()))?;
        match self.envelope.difference(&xml).map(str::to_owned) {
            None => Ok(xml),
            Some(element) => Err(Rejection::PlainDiffers { element }),
        }
    }
}

/// What a signature is used for; a request with the same signature and other content is refused.
///
/// An attacker who saw an encrypted message must not be able to try one guess after another of what it says.
/// So a plain message never equals an encrypted one, and neither do two with different plain elements. An
/// `Encrypt` is not part of it: each try of a message may be encrypted anew.
#[derive(Hash)]
enum SignedContent<'a> {
    Plain(&'a [u8]),
    Encrypted {
        /// The plain elements of compatible mode.
        plain: Option<Envelope<'a>>,
        /// Empty without a key.
        decrypted: &'a [u8],
    },
}

impl Callback {
    /// The callback of the account with this token. It serves any path and requests at most 600 seconds old.
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

    /// Answers a request; `None` if the caller disconnected before its answer was known. `outcome` answers a
    /// message. `scratch` holds the reply; it is cleared first.
    pub fn answer<'r>(
        &self,
        request: &Request<'r>,
        caller: &Caller<'_>,
        scratch: &'r mut Vec<u8>,
        outcome: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Option<Response<'r>> {
        scratch.clear();
        let is_other = |path: &ServedPath| !path.is_path_of(&request.head.target);
        if self.path.as_ref().is_some_and(is_other) {
            return Some(Rejection::Path.response());
        }
        let answered = match request.head.method {
            Method::Get | Method::Head => self.answer_token_check(request, caller).map(Some),
            Method::Post => self.answer_post(request, caller, scratch, outcome),
            Method::Other => Err(Rejection::Method),
        };
        answered.unwrap_or_else(|rejection| Some(rejection.response()))
    }

    /// Answers the token check of the console with its echostr.
    fn answer_token_check<'r>(
        &self,
        request: &Request<'r>,
        caller: &Caller<'_>,
    ) -> Result<Response<'r>, Rejection> {
        let parameters = Parameters::read(&request.head.target);
        if parameters.are_absent() {
            return Ok(Response::text(wording::GREETING.as_bytes()));
        }
        let echostr = required(parameters.echostr.as_ref(), "echostr")?;
        let (_, verified) = self.verify(&parameters, (caller.now)())?;
        self.metrics.count_token_check();
        Ok(echo(verified, echostr.clone()))
    }

    /// Answers a POST, which brings a message.
    fn answer_post<'r>(
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
        let is_decrypted = parameters.are_encrypted() && self.encryption.cipher().is_some();
        let proof = (&parameters, token, verified);
        let answered = self.answer_message(request.content, proof, caller, scratch, outcome);
        match is_decrypted {
            true => Ok(answered.unwrap_or_else(|rejection| Some(rejection.silent_response()))),
            false => answered,
        }
    }

    /// Answers a message of a verified request. All checks are here, in this order.
    // Not inlined: the frame holds the table of a message, and a connection that waits for its next request
    // should not keep stack for that (18 KiB of memory for each idle connection).
    #[inline(never)]
    fn answer_message<'r>(
        &self,
        content: &[u8],
        (parameters, token, verified): (&Parameters<'_>, &Token, Verified),
        caller: &Caller<'_>,
        scratch: &'r mut Vec<u8>,
        outcome: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Result<Option<Response<'r>>, Rejection> {
        let cipher = self.encryption.cipher();
        let decrypting = cipher.filter(|_| parameters.are_encrypted());
        if decrypting.is_none() && matches!(self.encryption, EncryptionPolicy::Required(_)) {
            return Err(Rejection::PlainMessage);
        }
        // Borrowed, because a document holds the table of its elements: moving it costs 1,200 bytes.
        let document = Document::parse_message(content);
        let xml = (document.as_ref()).map_err(|error| Rejection::Message((*error).into()))?;
        let encrypted = match decrypting {
            Some(cipher) => Some(Encrypted::decrypt(cipher, token, parameters, xml)?),
            None => None,
        };
        let signed = match &encrypted {
            Some(encrypted) => SignedContent::Encrypted {
                plain: (encrypted.mode == Mode::Compatible).then_some(encrypted.envelope),
                decrypted: encrypted.message.message(),
            },
            None if parameters.are_encrypted() => match Envelope::parse(xml) {
                Ok(envelope) => SignedContent::Encrypted { plain: Some(envelope), decrypted: b"" },
                Err(_) => SignedContent::Plain(content),
            },
            None => SignedContent::Plain(content),
        };
        let verified = self.use_once(verified, &signed)?;
        let decrypted_xml = match &encrypted {
            Some(encrypted) => Some(encrypted.scan()?),
            None => None,
        };
        let parsed = Message::parse(verified, decrypted_xml.as_ref().unwrap_or(xml));
        let mode = match (&encrypted, &parsed) {
            (Some(encrypted), _) => encrypted.mode,
            (None, Ok(message)) if message.has_encrypt() => Mode::Compatible,
            (None, Err(MessageError::Encrypted)) => Mode::Safe,
            (None, _) => Mode::Plain,
        };
        if encrypted.is_none() && mode != Mode::Plain && cipher.is_some() {
            let name = "msg_signature";
            return Err(Rejection::MissingParameter { name });
        }
        let message = match (parsed, &encrypted) {
            (Ok(message), _) => message,
            (Err(error), Some(_)) => return Err(Rejection::DecryptedMessage(error)),
            (Err(MessageError::Encrypted), None) => {
                self.metrics.count_unread((caller.now)());
                return Ok(Some(Response::text(SUCCESS).with_note(wording::unread())));
            }
            (Err(error), None) => return Err(Rejection::Message(error)),
        };
        let is_new_mode = self.metrics.count_message(&message, mode);
        if !self.write_reply(&message, caller, scratch, outcome) {
            return Ok(None);
        }
        let response = match &encrypted {
            _ if scratch.is_empty() => Response::text(SUCCESS),
            None => Response::xml(scratch.as_slice()),
            Some(Encrypted { credentials, message, .. }) => {
                match message.encrypt_reply(scratch, token, (caller.now)(), credentials) {
                    Ok(envelope) => Response::xml(envelope),
                    Err(error) => {
                        let note = wording::no_random_bytes(&error);
                        return Ok(Some(Response::text(SUCCESS).with_note(note)));
                    }
                }
            }
        };
        Ok(Some(match is_new_mode {
            true => response.with_note(wording::new_mode(mode)),
            false => response,
        }))
    }

    /// Writes the reply to a message, or nothing for no reply; `false` if the caller disconnected.
    // Not inlined: that makes the program 2 KiB smaller.
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
                self.metrics.count_disconnected();
                return false;
            }
        };
        reply.write_to(message, (caller.now)(), out);
        self.metrics.count_reply(!out.is_empty());
        true
    }

    /// Refuses a signature that was used for other content. If requests of any age are accepted, so is that.
    fn use_once(
        &self,
        verified: Verified,
        content: &SignedContent<'_>,
    ) -> Result<Verified, Rejection> {
        match self.max_age {
            Age::Any => Ok(verified),
            Age::AtMost(_) => self.used.use_for(verified, content).map_err(Rejection::Signature),
        }
    }

    /// Checks the signature; returns the token that it was made with, too.
    fn verify(
        &self,
        parameters: &Parameters<'_>,
        now: u64,
    ) -> Result<(&Token, Verified), Rejection> {
        let credentials = parameters.credentials()?;
        let verify = |token| Token::verify(token, &credentials, now, self.max_age);
        let verified = match (verify(&self.token), &self.previous_token) {
            (Err(SignatureError::Mismatch), Some(previous)) => {
                verify(previous).map(|verified| (previous, verified))
            }
            (verified, _) => verified.map(|verified| (&self.token, verified)),
        };
        verified.map_err(Rejection::Signature)
    }
}

/// The echostr of a verified token check.
fn echo<'r>(_: Verified, echostr: Cow<'r, [u8]>) -> Response<'r> {
    Response::text(echostr).with_note(wording::token_check_passed())
}
