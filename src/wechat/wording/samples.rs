//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};
use crate::xml::XmlError;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "wechat", collect);
}

fn collect(samples: &mut Samples) {
    let (length, position) = (2, 7);
    samples
        .add("TokenError", &[&TokenError::Length { length }, &TokenError::Character { position }]);
    let (length, character) =
        (AesKeyError::Length { length: 42 }, AesKeyError::Character { position });
    samples.add("AesKeyError", &[&length, &character, &AesKeyError::FeatureMissing]);
    use SignatureError::*;
    let (off, max) = (700, 600);
    samples.add(
        "SignatureError",
        &[
            &Malformed,
            &TooLong { parameter: "nonce", length: 41, max: 40 },
            &Mismatch,
            &MalformedTimestamp,
            &MillisecondTimestamp,
            &Stale { off, is_ahead: false, max },
            &Stale { off, is_ahead: true, max },
            &Reused,
        ],
    );
    samples.add("plain message", &[&PLAIN_REFUSED]);
    use DecryptError::*;
    samples.add(
        "DecryptError",
        &[
            &Base64,
            &Blocks { length: 50 },
            &Padding,
            &TooShort { length: 16 },
            &Length { length: 500, rest: 300 },
            &AppId,
            &Empty,
        ],
    );
    use MessageError::*;
    let element = "MsgType";
    samples.add(
        "MessageError",
        &[
            &Xml(XmlError::Open),
            &Root,
            &Encrypted,
            &Missing { element },
            &Repeated { element },
            &CreateTime,
        ],
    );
}
