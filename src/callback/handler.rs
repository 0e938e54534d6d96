//! Handles the requests of one account: the token check (接入指南), and messages in all three modes
//! (消息加解密说明).

use std::borrow::Cow;
use std::sync::Arc;

use super::metrics::Metrics;
use super::other_content::OtherContent;
use super::path::{ServedPath, is_usual_for_files};
use super::query::{CallbackQuery, required};
use super::rejection::Rejection;
use super::wording;
use crate::http::{ContentDecision, Head, Method, Request, Response, Target};
use crate::session::{Outcome, WaitingClient};
use crate::wechat::{
    Age, Cipher, Credentials, DecryptedMessage, Envelope, Message, MessageError, Mode,
    SignatureError, Token, UsedSignatures, Verified,
};
use crate::xml::Document;

/// The response content that tells WeChat to show no reply.
const SUCCESS: &[u8] = b"success";

/// The callback of one account: its secrets, its limits and its counts.
#[derive(Debug)]
pub struct Callback {
    /// The current token. WeChat signs its requests with it.
    pub token: Token,
    /// The previous token, which is accepted too. After a new token is saved in the console, WeChat uses the
    /// previous token for a while.
    pub previous_token: Option<Token>,
    /// Which messages are accepted; also holds the keys that decrypt messages.
    pub encryption: EncryptionPolicy,
    /// Maximum difference between the timestamp of a request and this machine's clock.
    pub max_age: Age,
    /// The only path that is served; any path if `None`. Any path is safe, because the signature authenticates
    /// a request.
    pub path: Option<ServedPath>,
    /// Counts of messages and replies.
    pub metrics: Arc<Metrics>,
    /// Signatures that were used lately.
    used: UsedSignatures,
}

/// Which messages are accepted.
#[derive(Debug)]
pub enum EncryptionPolicy {
    /// There is no key. Plain messages are read, and so is the plain part of messages in compatible mode.
    /// Messages in safe mode are not read; they get no reply.
    NoKey,
    /// Plain and encrypted messages are read. Encrypted messages get encrypted replies.
    Allowed(Cipher),
    /// Encrypted messages are read. Plain messages are refused.
    Required(Cipher),
}

impl EncryptionPolicy {
    /// The cipher that decrypts messages; `None` without a key.
    pub const fn cipher(&self) -> Option<&Cipher> {
        match self {
            Self::NoKey => None,
            Self::Allowed(cipher) | Self::Required(cipher) => Some(cipher),
        }
    }
}

/// An encrypted message, after decryption.
struct Encrypted<'a> {
    envelope: Envelope<'a>,
    mode: Mode,
    credentials: Credentials<'a>,
    message: DecryptedMessage<'a>,
}

impl<'a> Encrypted<'a> {
    /// Checks the `msg_signature`, then decrypts the message.
    fn decrypt(
        cipher: &'a Cipher,
        token: &Token,
        query: &'a CallbackQuery<'_>,
        xml: &'a Document<'_>,
    ) -> Result<Self, Rejection> {
        let envelope = match Envelope::parse(xml) {
            Err(MessageError::Missing { .. }) => return Err(Rejection::NoEncrypt),
            parsed => parsed.map_err(Rejection::Message)?,
        };
        let msg_signature = query.msg_signature.as_ref();
        let credentials = Credentials {
            signature: required(msg_signature, "msg_signature")?,
            ..query.credentials()?
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

    /// Parses the XML of the decrypted message. The plain elements of the envelope must agree with it.
    fn parse_decrypted(&self) -> Result<Document<'_>, Rejection> {
        let content = self.message.message();
        let xml =
            Document::parse_message(content).map_err(|error| {
                match OtherContent::recognize(content) {
                    Some(found) => Rejection::OtherContent { found, is_decrypted: true },
                    None => Rejection::DecryptedMessage(error.into()),
                }
            })?;
        match self.envelope.difference(&xml).map(str::to_owned) {
            None => Ok(xml),
            Some(element) => Err(Rejection::PlainDiffers { element }),
        }
    }
}

/// The content that a signature was used for. A request with an equal signature and different content is
/// refused.
///
/// An attacker who saw an encrypted message must not be able to guess its text by sending many requests with
/// its signature. So plain and encrypted content never compare equal, and neither does encrypted content with
/// different plain elements. The text of `Encrypt` is left out, because each try may be encrypted anew.
#[derive(Hash)]
enum SignedContent<'a> {
    /// The whole content of the request.
    Plain(&'a [u8]),
    Encrypted {
        /// The envelope with its plain elements, in compatible mode.
        plain: Option<Envelope<'a>>,
        /// The decrypted message; empty without a key.
        decrypted: &'a [u8],
    },
}

impl Callback {
    /// The callback of the account with this token. It serves any path and has no key. Timestamps may differ
    /// from the clock by up to 600 seconds.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            previous_token: None,
            encryption: EncryptionPolicy::NoKey,
            max_age: Age::AtMost(600),
            path: None,
            metrics: Arc::default(),
            used: UsedSignatures::default(),
        }
    }

    /// Decides what to do with the content of a request, before it is read. Content is kept only if the signature is
    /// right, so that a stranger cannot use much memory. A wrong signature is refused at once. Any other request gets
    /// its response after its content was read and dropped, so that the connection can be kept, and invalid framing of
    /// the content is refused first.
    pub fn decide_content<'r>(&self, head: &Head<'r>, now: u64) -> ContentDecision<'r> {
        if head.method != Method::Post || self.is_wrong_path(&head.target) {
            return ContentDecision::Discard;
        }
        match self.verify(&CallbackQuery::from_target(&head.target), now) {
            Ok(_) => ContentDecision::Keep,
            Err(rejection @ Rejection::Signature(_)) => {
                ContentDecision::Refuse(rejection.response())
            }
            Err(_) => ContentDecision::Discard,
        }
    }

    fn is_wrong_path(&self, target: &Target<'_>) -> bool {
        self.path.as_ref().is_some_and(|path| !path.is_path_of(target))
    }

    /// Handles a request and returns its response; `None` if the client disconnected before the reply was
    /// known. `respond` makes the reply to a message. `scratch` is cleared, and then holds the reply.
    pub fn handle<'r>(
        &self,
        request: &Request<'r>,
        client: &WaitingClient<'_>,
        scratch: &'r mut Vec<u8>,
        respond: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Option<Response<'r>> {
        scratch.clear();
        if self.is_wrong_path(&request.head.target) {
            return Some(Rejection::Path.response());
        }
        let response = match request.head.method {
            Method::Get | Method::Head => self.handle_token_check(request, client).map(Some),
            Method::Post => self.handle_post(request, client, scratch, respond),
            Method::Other => Err(Rejection::Method),
        };
        response.unwrap_or_else(|rejection| Some(rejection.response()))
    }

    /// Handles the token check of the WeChat console; the response is the `echostr`.
    fn handle_token_check<'r>(
        &self,
        request: &Request<'r>,
        client: &WaitingClient<'_>,
    ) -> Result<Response<'r>, Rejection> {
        let query = CallbackQuery::from_target(&request.head.target);
        if query.is_from_browser() {
            if self.path.is_none() && is_usual_for_files(&request.head.target) {
                return Err(Rejection::NoFile);
            }
            return Ok(Response::text(wording::GREETING.as_bytes()));
        }
        let echostr = required(query.echostr.as_ref(), "echostr")?;
        let (_, verified) = self.verify(&query, (client.now)())?;
        self.metrics.count_token_check();
        Ok(echo(verified, echostr.clone()))
    }

    /// Handles a POST request. Its content is a message.
    fn handle_post<'r>(
        &self,
        request: &Request<'r>,
        client: &WaitingClient<'_>,
        scratch: &'r mut Vec<u8>,
        respond: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Result<Option<Response<'r>>, Rejection> {
        let query = CallbackQuery::from_target(&request.head.target);
        let (token, verified) = self.verify(&query, (client.now)())?;
        if request.content.is_empty() {
            return Err(Rejection::NoContent);
        }
        // `silent_response` says why.
        let hides_reason = query.declares_encryption() && self.encryption.cipher().is_some();
        let auth = (&query, token, verified);
        let response = self.handle_message(request.content, auth, client, scratch, respond);
        match hides_reason {
            true => Ok(response.unwrap_or_else(|rejection| Some(rejection.silent_response()))),
            false => response,
        }
    }

    /// Handles the content of a verified request. The checks of the content are here, and their order matters.
    // Not inlined, because its stack frame holds the table of XML elements. Inlined, each idle connection would
    // keep 18 KiB of stack for that table.
    #[inline(never)]
    fn handle_message<'r>(
        &self,
        content: &[u8],
        (query, token, verified): (&CallbackQuery<'_>, &Token, Verified),
        client: &WaitingClient<'_>,
        scratch: &'r mut Vec<u8>,
        respond: impl for<'m> Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> Result<Option<Response<'r>>, Rejection> {
        let cipher = self.encryption.cipher();
        let decrypting = cipher.filter(|_| query.declares_encryption());
        if decrypting.is_none() && matches!(self.encryption, EncryptionPolicy::Required(_)) {
            return Err(Rejection::PlainMessage);
        }
        // Borrowed, because moving a document would copy its table of elements (1,200 bytes).
        let document = Document::parse_message(content);
        let xml = match &document {
            Ok(xml) => xml,
            Err(error) => {
                return Err(match OtherContent::recognize(content) {
                    Some(found) => Rejection::OtherContent { found, is_decrypted: false },
                    None => Rejection::Message((*error).into()),
                });
            }
        };
        let encrypted = match decrypting {
            Some(cipher) => Some(Encrypted::decrypt(cipher, token, query, xml)?),
            None => None,
        };
        let signed = match &encrypted {
            Some(encrypted) => SignedContent::Encrypted {
                plain: (encrypted.mode == Mode::Compatible).then_some(encrypted.envelope),
                decrypted: encrypted.message.message(),
            },
            None if query.declares_encryption() => match Envelope::parse(xml) {
                Ok(envelope) => SignedContent::Encrypted { plain: Some(envelope), decrypted: b"" },
                Err(_) => SignedContent::Plain(content),
            },
            None => SignedContent::Plain(content),
        };
        let verified = self.check_not_reused(verified, &signed)?;
        let decrypted_xml = match &encrypted {
            Some(encrypted) => Some(encrypted.parse_decrypted()?),
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
                self.metrics.count_unread((client.now)());
                return Ok(Some(Response::text(SUCCESS).with_note(wording::unread())));
            }
            (Err(error), None) => return Err(Rejection::Message(error)),
        };
        let is_new_mode = self.metrics.count_message(&message, mode);
        if !self.write_reply(&message, client, scratch, respond) {
            return Ok(None);
        }
        let response = match &encrypted {
            _ if scratch.is_empty() => Response::text(SUCCESS),
            None => Response::xml(scratch.as_slice()),
            Some(Encrypted { credentials, message, .. }) => {
                match message.encrypt_reply(scratch, token, (client.now)(), credentials) {
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

    /// Writes the reply to a message; writes nothing if there is no reply. Returns `false` if the client
    /// disconnected.
    // Not inlined, which makes the binary 2 KiB smaller.
    #[inline(never)]
    fn write_reply<'m>(
        &self,
        message: &'m Message<'m>,
        client: &WaitingClient<'_>,
        out: &mut Vec<u8>,
        respond: impl Fn(&'m Message<'m>) -> Outcome<'m>,
    ) -> bool {
        let outcome = respond(message);
        let reply = match &outcome {
            Outcome::Reply(reply) => reply,
            Outcome::Shared(reply) => reply,
            Outcome::Disconnected => {
                self.metrics.count_disconnected();
                return false;
            }
        };
        reply.write_to(message, (client.now)(), out);
        self.metrics.count_reply(!out.is_empty());
        true
    }

    /// Refuses a signature that was used for different content. Not checked if `max_age` is `Any`.
    fn check_not_reused(
        &self,
        verified: Verified,
        content: &SignedContent<'_>,
    ) -> Result<Verified, Rejection> {
        match self.max_age {
            Age::Any => Ok(verified),
            Age::AtMost(_) => self.used.use_for(verified, content).map_err(Rejection::Signature),
        }
    }

    /// Checks the signature of a request. Returns the token that the request was signed with.
    fn verify(&self, query: &CallbackQuery<'_>, now: u64) -> Result<(&Token, Verified), Rejection> {
        let credentials = query.credentials()?;
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

/// The response to a verified token check.
fn echo<'r>(_: Verified, echostr: Cow<'r, [u8]>) -> Response<'r> {
    Response::text(echostr).with_note(wording::token_check_passed())
}
