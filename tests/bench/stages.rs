//! The time of each step of a message, in this process, without sockets and with a constant clock.
//!
//! The steps are the steps of `Callback::handle` and of the connection that calls it, each through the public interface. The
//! last two rows compare the sum of the steps with a whole call. The call can take less time, because the compiler optimizes
//! across steps, or more time, because of the work between the steps.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use wechat::callback::Callback;
use wechat::http::{Head, Request, Response, Target};
use wechat::program::Programs;
use wechat::rules::{Action, EMBEDDED, Rules};
use wechat::server;
use wechat::session::{Responder, WaitingClient};
use wechat::wechat::{Age, Message, UsedSignatures};
use wechat::xml::Document;

use crate::messages::{self, Signed};
use crate::output::{Progress, Table, figure, title};
use crate::timing::{Case, Figures, nanos_of_each};

const SAMPLES: usize = 15;

/// Runs the part `stages`. It uses no sockets and takes few seconds, so it always begins and always returns true.
pub(crate) fn run(_begin_until: Instant) -> bool {
    let progress = Progress::begin("stages");
    progress.show("a message, step by step");
    let (stages, whole) = measure();
    drop(progress);
    title(
        "stages",
        &format!("Nanoseconds per message within the process, from {SAMPLES} samples."),
    );
    let mut table = Table::new(&["stage", "median ns", "lowest ns"]);
    let mut row = |name: &str, median, lowest| {
        table.row(vec![name.to_owned(), figure(median), figure(lowest)]);
    };
    for (name, nanos) in &stages {
        row(name, nanos.median(), nanos.lowest());
    }
    let sum = |value: fn(&Figures) -> f64| stages.iter().map(|(_, nanos)| value(nanos)).sum();
    row("sum of the steps", sum(Figures::median), sum(Figures::lowest));
    let name = "all at once, through Callback::handle";
    row(name, whole.median(), whole.lowest());
    table.print();
    #[cfg(feature = "secure")]
    safe_mode();
    true
}

/// Measures the steps that are different in safe mode.
#[cfg(feature = "secure")]
fn safe_mode() {
    use wechat::callback::EncryptionPolicy;
    use wechat::wechat::Envelope;

    let (token, cipher) = (messages::token(), messages::cipher());
    let (request, credentials) = messages::encrypted_post(&messages::text_of(1, "你好"));
    let (_, content) = messages::parse(&request);
    let credentials = credentials.credentials();
    let xml = Document::parse_message(content).unwrap();
    let encrypt = Envelope::parse(&xml).unwrap().encrypt();
    let verify = || token.verify_message(black_box(&credentials), encrypt).unwrap();
    let verified = verify();
    let decrypted = cipher.decrypt(&verified).unwrap();
    let reply = decrypted.message();
    let mut callback = Callback::new(messages::token());
    callback.encryption = EncryptionPolicy::Allowed(messages::cipher());
    let now = server::now();
    let mut all_at_once = all_at_once(callback, &request, now);
    let samples = nanos_of_each(
        vec![
            Case::new(|| {
                Envelope::parse(&Document::parse_message(black_box(content)).unwrap())
                    .unwrap()
                    .mode()
            }),
            Case::new(|| verify().as_str().len()),
            Case::new(|| cipher.decrypt(black_box(&verified)).unwrap().message().len()),
            Case::new(|| decrypted.encrypt_reply(black_box(reply), &token, now, &credentials)),
            Case::new(&mut all_at_once),
        ],
        SAMPLES,
    );
    let names = [
        "envelope: Document::parse_message, Envelope::parse",
        "msg_signature: Token::verify_message",
        "decrypted message: Cipher::decrypt",
        "encrypted reply: DecryptedMessage::encrypt_reply",
        "all at once, in safe mode",
    ];
    let mut table = Table::new(&["stage in safe mode", "median ns", "lowest ns"]);
    for (name, nanos) in names.into_iter().zip(&samples) {
        let (median, lowest) = (figure(nanos.median()), figure(nanos.lowest()));
        table.row(vec![name.to_owned(), median, lowest]);
    }
    table.print();
}

/// The samples of each step, and of a call that does all steps.
type Measured = (Vec<(&'static str, Figures)>, Figures);

fn measure() -> Measured {
    let signed = Signed::now(0);
    let request = messages::captured(0);
    let (head, content) = messages::parse(&request);
    let xml = Document::parse_message(content).unwrap();
    let message = messages::message(&xml);
    let now = message.received();
    let (token, credentials) = (messages::token(), signed.credentials());
    let verify = || token.verify(black_box(&credentials), now, Age::AtMost(600)).unwrap();
    let used = UsedSignatures::default();
    let mut verified = Some(signed.verify());
    let rules = Rules::parse(EMBEDDED.as_bytes()).unwrap();
    let Action::Reply(reply) = rules.find_action(&message) else {
        panic!("the embedded rules start a program");
    };
    let mut written = Vec::new();
    reply.write_to(&message, now, &mut written);
    let (mut scratch, mut output) = (Vec::new(), Vec::new());
    let mut all_at_once = all_at_once(Callback::new(messages::token()), &request, now);
    let cases = vec![
        Case::new(|| Head::parse(black_box(&request))),
        Case::new(|| read_query(black_box(&head.target))),
        Case::new(verify),
        // The call consumes the verified signature and returns it.
        Case::new(|| {
            let again = verified.take().map(|verified| used.use_for(verified, content));
            verified = again.and_then(Result::ok);
            assert!(verified.is_some());
        }),
        // This step consumes a verified signature, so it is measured together with the signature check. The time of the
        // check is subtracted below, sample by sample.
        Case::new(|| {
            let xml = Document::parse_message(black_box(content)).unwrap();
            Message::parse(verify(), &xml).unwrap().create_time()
        }),
        Case::new(|| {
            black_box(rules.find_action(black_box(&message)));
        }),
        Case::new(|| {
            scratch.clear();
            reply.write_to(black_box(&message), now, &mut scratch);
        }),
        Case::new(|| {
            output.clear();
            Response::xml(black_box(written.as_slice())).write_to(&head, now, &mut output);
        }),
        Case::new(&mut all_at_once),
    ];
    with_names(nanos_of_each(cases, SAMPLES))
}

/// Adds the names of the steps. The samples are in the order of `measure`.
fn with_names(samples: Vec<Figures>) -> Measured {
    let Ok(
        [head, query, signature, use_once, signature_and_message, rules, reply, response, whole],
    ) = <[Figures; 9]>::try_from(samples)
    else {
        panic!("the number of cases is not the number of names");
    };
    let message = signature_and_message.merge(&signature, |both, signature| both - signature);
    let stages = vec![
        ("head: Head::parse", head),
        ("query: Query::parameters", query),
        ("signature: Token::verify", signature),
        ("used once: UsedSignatures::use_for", use_once),
        ("message: Document::parse_message, Message::parse", message),
        ("rules: Rules::find_action", rules),
        ("reply: Reply::write_to", reply),
        ("response: Response::write_to", response),
    ];
    (stages, whole)
}

/// Finds the parameters of a request as `Callback::handle` does.
fn read_query(target: &Target<'_>) -> usize {
    let parameters = target.query().parameters();
    let known = parameters
        .filter(|(name, _)| matches!(&**name, b"signature" | b"timestamp" | b"nonce" | b"echostr"));
    known.map(|(_, value)| value.len()).sum()
}

/// A call that does all steps, from the bytes of a request to the bytes of its response.
fn all_at_once(callback: Callback, request: &[u8], now: u64) -> impl FnMut() {
    let programs = Programs::new("/nonexistent", Vec::new(), server::report);
    let responder = Responder::open(None, programs, server::report).unwrap();
    let (mut scratch, mut output) = (Vec::new(), Vec::new());
    move || {
        let client = WaitingClient { now: &|| now, uptime: &|| now, is_connected: &|| true };
        let (head, content) = messages::parse(black_box(request));
        let request = Request { head, content };
        let response = thread::scope(|scope| {
            callback.handle(&request, &client, &mut scratch, |message| {
                responder.respond(message, &client, scope)
            })
        });
        output.clear();
        response.unwrap().write_to(&head, now, &mut output);
        assert!(output.starts_with(b"HTTP/1.1 200 "));
    }
}
