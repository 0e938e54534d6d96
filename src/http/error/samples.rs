//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};
use OtherProtocol::*;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "http", collect);
}

fn collect(samples: &mut Samples) {
    use RequestError::*;
    samples.add(
        "RequestError",
        &[
            &Method { octet: b' ' },
            &Target,
            &TargetOctet { octet: b'"' },
            &TargetEscape,
            &TargetTooLong,
            &Version,
            &VersionNotSupported { major: 3, minor: 0 },
            &LineEnd { octet: b'\n' },
            &FieldName { octet: b':' },
            &FieldValue { octet: 0 },
            &TooManyFieldLines,
            &HeadTooLong,
            &HostMissing,
            &HostRepeated,
            &Host,
            &ContentLength,
            &ContentLengthTooLarge,
            &ContentLengthRepeated,
            &ContentTooLong { length: 70_000 },
            &LengthRequired,
            &TransferEncoding,
            &TransferCoding,
            &TransferEncodingWithLength,
            &TransferEncodingInHttp10,
            &Expectation,
            &ChunkSize,
            &ChunkExtension,
            &ChunkExtensionsTooLong,
            &ChunkEnd,
            &TrailersTooLong,
            &Incomplete,
            &HeadTimeout,
            &ContentTimeout,
        ],
    );
    let others = [Tls, Http2, Proxy, Gateway("FastCGI"), Ssh, BareContent("JSON")];
    for other in others {
        samples.add("OtherProtocol", &[&other, &other.hint()]);
    }
    let shared = ResponseError::Shared(HeadTooLong);
    samples.add("ResponseError", &[&ResponseError::NotHttp, &ResponseError::StatusLine, &shared]);
    samples.add(
        "UrlError",
        &[&UrlError::Https, &UrlError::Scheme, &UrlError::Host, &UrlError::Target],
    );
    samples.add("Octet", &[&Octet(b' ')]);
    samples.add("nothing served", &[&NOTHING_SERVED]);
}
