//! The result of parsing a request head does not depend on the bytes after the head. A part of a head is incomplete, or
//! has the same error as the whole head.

#![no_main]

use fuzz::cuts;
use libfuzzer_sys::fuzz_target;
use wechat::http::{Head, Method, limits};

fuzz_target!(|bytes: &[u8]| {
    let whole = Head::parse(bytes);
    assert!(Head::has_begun(bytes) || whole == Ok(None));
    for cut in cuts(bytes) {
        let part = Head::parse(&bytes[..cut]);
        assert!(part == Ok(None) || part == whole, "{cut}: {part:?}");
    }
    match whole {
        Ok(None) => assert!(bytes.len() < limits::HEAD),
        Ok(Some((head, length))) => {
            assert_eq!(Head::is_head_request(bytes), head.method == Method::Head);
            let alone = &bytes[..length];
            assert_eq!(Head::parse(alone), whole);
            assert_eq!(Head::parse(&alone[..length - 1]), Ok(None));
            for tail in [b"\0", b"\r", b"\n", b"G"] {
                assert_eq!(Head::parse(&[alone, tail].concat()), whole);
            }
        }
        Err(error) => {
            assert!(matches!(error.status().code().as_bytes(), [b'4' | b'5', ..]));
            let reason = error.to_string();
            assert!(reason.bytes().all(|octet| matches!(octet, b' '..=b'~')));
        }
    }
});
