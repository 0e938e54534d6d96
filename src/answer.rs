//! The one seam between HTTP and the account: a [`Request`] in, a [`Response`] out. No sockets, no
//! XML.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::account::{
    Age, Credentials, Message, MessageError, SignatureError, Token, UsedSignatures, Verified, Xml,
};
use crate::bot::{Caller, Outcome};
use crate::http::{Method, Note, Request, Response, Status, Target};

/// What a person sees who opens the callback's address in a browser.
const GREETING: &[u8] = b"This is the callback of a WeChat Official Account, and it runs.\n";

/// What WeChat takes for "no reply".
const SUCCESS: &[u8] = b"success";

/// An account's callback: who may talk to it, and where.
#[derive(Debug)]
pub struct Callback {
    /// The token that requests are signed with.
    pub token: Token,
    /// How far their timestamp may be from this clock.
    pub max_age: Age,
    /// The only path that is served; `None` serves any, since the signature is what authenticates.
    pub path: Option<ServedPath>,
    /// What it has answered so far.
    pub tally: Arc<Tally>,
    used: UsedSignatures,
}

/// The kinds of messages that are counted, by MsgType.
const KINDS: [&str; 10] = [
    "text",
    "image",
    "voice",
    "video",
    "shortvideo",
    "location",
    "link",
    "file",
    "miniprogrampage",
    "event",
];

/// What a callback has answered so far.
#[derive(Debug, Default)]
pub struct Tally {
    messages: [AtomicU64; KINDS.len()],
    others: AtomicU64,
    replies: AtomicU64,
    successes: AtomicU64,
    given_up: AtomicU64,
    token_checks: AtomicU64,
    last_message: AtomicU64,
}

impl Tally {
    /// How many messages came of each kind, by MsgType, each try of one counted; those of kinds that the manual does not have
    /// last, as `other`.
    pub fn messages(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let kinds = KINDS.into_iter().zip(&self.messages);
        let kinds = kinds.chain([("other", &self.others)]);
        kinds.map(|(kind, count)| (kind, count.load(Ordering::Relaxed)))
    }

    /// Messages that were replied to.
    pub fn replies(&self) -> u64 {
        self.replies.load(Ordering::Relaxed)
    }

    /// Messages that got no reply, but `success`.
    pub fn successes(&self) -> u64 {
        self.successes.load(Ordering::Relaxed)
    }

    /// Messages whose sender was gone before there was an answer; mostly tries that WeChat made again.
    pub fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }

    /// When the last message came, in seconds since 1970.
    pub fn last_message(&self) -> Option<u64> {
        let last = self.last_message.load(Ordering::Relaxed);
        (last > 0).then_some(last)
    }

    /// Token checks that passed.
    pub fn token_checks(&self) -> u64 {
        self.token_checks.load(Ordering::Relaxed)
    }

    fn count_message(&self, message: &Message<'_>) {
        let msg_type = message.msg_type();
        let kinds = KINDS.iter().zip(&self.messages);
        let mut of_kind = kinds.filter(|(kind, _)| **kind == msg_type);
        self.last_message
            .store(message.received(), Ordering::Relaxed);
        one_more(of_kind.next().map_or(&self.others, |(_, count)| count));
    }
}

fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// A path without percent-encoding and without a slash at its end, so that `/wx` and `/wx/` are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedPath(Vec<u8>);

impl ServedPath {
    /// A path as it stands in a request target: it begins with a slash, is percent-encoded, and has
    /// no query. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let target = Target::origin(text.as_bytes()).ok()?;
        let is_path_alone = target.path() == text.as_bytes();
        is_path_alone.then(|| Self(without_final_slash(&target.decoded_path()).to_owned()))
    }

    fn is_path_of(&self, target: &Target<'_>) -> bool {
        without_final_slash(&target.decoded_path()) == self.0
    }
}

fn without_final_slash(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

/// Why a request is refused that HTTP finds nothing wrong with.
enum Refusal {
    Path,
    Method,
    Missing(&'static str),
    Signature(SignatureError),
    NoContent,
    Message(MessageError),
}

impl Callback {
    /// The callback of the account with this token: any path, requests at most 600 seconds old.
    pub fn new(token: Token) -> Self {
        Self {
            token,
            max_age: Age::AtMost(600),
            path: None,
            tally: Arc::default(),
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
            return Some(Refusal::Path.response());
        }
        let answered = match request.head.method {
            Method::Get | Method::Head => self.answer_token_check(request, caller).map(Some),
            Method::Post => self.answer_message(request, caller, scratch, outcome),
            Method::Other => Err(Refusal::Method),
        };
        answered.unwrap_or_else(|refusal| Some(refusal.response()))
    }

    /// The token check of the console: the echostr comes back, and nothing else with it.
    fn answer_token_check<'r>(
        &self,
        request: &Request<'r>,
        caller: &Caller<'_>,
    ) -> Result<Response<'r>, Refusal> {
        let parameters = Parameters::read(&request.head.target);
        if parameters.are_absent() {
            return Ok(Response::text(GREETING));
        }
        let echostr = required(parameters.echostr.as_ref(), "echostr")?;
        let verified = self.verify(&parameters, (caller.now)())?;
        one_more(&self.tally.token_checks);
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
    ) -> Result<Option<Response<'r>>, Refusal> {
        let parameters = Parameters::read(&request.head.target);
        let mut verified = self.verify(&parameters, (caller.now)())?;
        if request.content.is_empty() {
            return Err(Refusal::NoContent);
        }
        // Where old requests are good, one that is used a second time is nothing to be wary of.
        if self.max_age != Age::Any {
            verified = self
                .used
                .use_for(verified, request.content)
                .map_err(Refusal::Signature)?;
        }
        let xml = Xml::scan(request.content).map_err(|error| Refusal::Message(error.into()))?;
        let message = Message::parse(verified, &xml).map_err(Refusal::Message)?;
        self.tally.count_message(&message);
        let outcome = outcome(&message);
        let reply = match &outcome {
            Outcome::Reply(reply) => reply,
            Outcome::Kept(reply) => reply,
            Outcome::Gone => {
                one_more(&self.tally.given_up);
                return Ok(None);
            }
        };
        reply.write_to(&message, (caller.now)(), scratch);
        Ok(Some(if scratch.is_empty() {
            one_more(&self.tally.successes);
            Response::text(SUCCESS)
        } else {
            one_more(&self.tally.replies);
            Response::xml(scratch.as_slice())
        }))
    }

    fn verify(&self, parameters: &Parameters<'_>, now: u64) -> Result<Verified, Refusal> {
        let credentials = Credentials {
            signature: required(parameters.signature.as_ref(), "signature")?,
            timestamp: required(parameters.timestamp.as_ref(), "timestamp")?,
            nonce: required(parameters.nonce.as_ref(), "nonce")?,
        };
        self.token
            .verify(&credentials, now, self.max_age)
            .map_err(Refusal::Signature)
    }
}

/// The echostr of a verified token check, and nothing else.
fn echo<'r>(_: Verified, echostr: Cow<'r, [u8]>) -> Response<'r> {
    let note = Note {
        cause: "token-check",
        reason: "passed".into(),
        hint: "",
    };
    Response::text(echostr).with_note(note)
}

/// The parameters that a callback's query may hold, the first of each name.
#[derive(Default)]
struct Parameters<'a> {
    signature: Option<Cow<'a, [u8]>>,
    timestamp: Option<Cow<'a, [u8]>>,
    nonce: Option<Cow<'a, [u8]>>,
    echostr: Option<Cow<'a, [u8]>>,
}

impl<'a> Parameters<'a> {
    fn read(target: &Target<'a>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in target.query().parameters() {
            let slot = match &*name {
                b"signature" => &mut parameters.signature,
                b"timestamp" => &mut parameters.timestamp,
                b"nonce" => &mut parameters.nonce,
                b"echostr" => &mut parameters.echostr,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        parameters
    }

    fn are_absent(&self) -> bool {
        [&self.signature, &self.timestamp, &self.nonce, &self.echostr]
            .iter()
            .all(|value| value.is_none())
    }
}

/// The parameter's value. An empty one counts as missing whatever its hash: a signature over
/// nothing is easy to come by.
fn required<'p, 'a>(
    value: Option<&'p Cow<'a, [u8]>>,
    name: &'static str,
) -> Result<&'p Cow<'a, [u8]>, Refusal> {
    value
        .filter(|value| !value.is_empty())
        .ok_or(Refusal::Missing(name))
}

impl Refusal {
    fn response<'r>(&self) -> Response<'r> {
        let note = Note {
            cause: self.cause(),
            reason: self.reason(),
            hint: self.hint(),
        };
        Response::refusal(self.status(), note)
    }

    const fn status(&self) -> Status {
        match self {
            Self::Path => Status::NotFound,
            Self::Method => Status::MethodNotAllowed,
            Self::Signature(_) => Status::Forbidden,
            Self::Missing(_) | Self::NoContent | Self::Message(_) => Status::BadRequest,
        }
    }

    const fn cause(&self) -> &'static str {
        match self {
            Self::Path => "other-path",
            Self::Method => "other-method",
            Self::Missing(_) => "missing-parameter",
            Self::Signature(SignatureError::Malformed | SignatureError::Wrong) => "bad-signature",
            Self::Signature(SignatureError::Timestamp | SignatureError::Stale { .. }) => {
                "stale-timestamp"
            }
            Self::Signature(SignatureError::Reused) => "reused-signature",
            Self::NoContent => "no-content",
            Self::Message(MessageError::Encrypted) => "encrypted-message",
            Self::Message(_) => "bad-message",
        }
    }

    fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Path => "nothing is served at this path".into(),
            Self::Method => "method is another than GET, HEAD and POST".into(),
            Self::Missing(name) => format!("parameter {name} is missing or empty").into(),
            Self::Signature(error) => error.reason(),
            Self::NoContent => "content is empty, a message expected".into(),
            Self::Message(error) => error.to_string().into(),
        }
    }

    const fn hint(&self) -> &'static str {
        match self {
            Self::Path => "is the path in the WeChat console the one of --path?",
            Self::Signature(SignatureError::Malformed | SignatureError::Wrong) => {
                "is the token the one in the WeChat console?"
            }
            Self::Signature(SignatureError::Timestamp | SignatureError::Stale { .. }) => {
                "is this machine's clock right? --max-age says how far it may be off"
            }
            Self::Signature(SignatureError::Reused) => {
                "WeChat never does this; who can see the URLs of its requests?"
            }
            Self::Message(MessageError::Encrypted) => {
                "choose the plain mode (明文模式) in the WeChat console"
            }
            Self::Method | Self::Missing(_) | Self::NoContent | Self::Message(_) => "",
        }
    }
}
