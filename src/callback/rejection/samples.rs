//! Samples of the texts of the rejections.

use super::*;
use crate::text::log_note::LogNote;
use crate::text::samples::{self, Samples};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "callback: rejections", collect);
}

fn collect(samples: &mut Samples) {
    let names = ["signature", "echostr", "msg_signature"];
    let mut rejections = vec![Rejection::Path, Rejection::Method, Rejection::NoFile];
    rejections.extend(names.map(|name| Rejection::MissingParameter { name }));
    rejections.push(Rejection::NoContent);
    let too_long = TooLong { parameter: "nonce", length: 41, max: 40 };
    let stale = Stale { off: 700, is_ahead: true, max: 600 };
    let errors =
        [Mismatch, Malformed, too_long, MalformedTimestamp, MillisecondTimestamp, stale, Reused];
    rejections.extend(errors.map(Rejection::Signature));
    rejections.push(Rejection::Message(MessageError::Root));
    for found in [DebugDemo, Json, Form, Html] {
        rejections.push(Rejection::OtherContent { found, is_decrypted: false });
        rejections.push(Rejection::OtherContent { found, is_decrypted: true });
    }
    rejections.extend([Rejection::PlainMessage, Rejection::NoEncrypt]);
    rejections.extend([Malformed, Mismatch, too_long].map(Rejection::MessageSignature));
    rejections.extend([Padding, AppId, Base64].map(Rejection::Decrypt));
    rejections.push(Rejection::DecryptedMessage(MessageError::Root));
    rejections.push(Rejection::PlainDiffers { element: "Content".to_owned() });
    let notes = rejections.iter().filter_map(|rejection| rejection.response().note().cloned());
    let notes: Vec<LogNote> = notes.collect();
    samples.add_notes("Rejection", &notes);
}
