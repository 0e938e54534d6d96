//! A rules file is valid and its rules answer every message, or the file has errors, each at a position in the file. No
//! program is started.

#![no_main]

use fuzz::{NOW, with_message};
use libfuzzer_sys::fuzz_target;
use wechat::rules::{Action, Diagnostic, Rules};
use wechat::wechat::{ARTICLES_MAX, Message, TEXT_MAX};

const MESSAGES: [&[u8]; 5] = [
    include_bytes!("../../../fixtures/message/text-plain.xml"),
    include_bytes!("../../../fixtures/message/text-white-space.xml"),
    include_bytes!("../../../fixtures/message/voice-recognized.xml"),
    include_bytes!("../../../fixtures/message/event-click.xml"),
    include_bytes!("../../../fixtures/message/event-scancode-push.xml"),
];

/// Whether the text can be a line of a terminal or a log.
fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

fn assert_errors(errors: &[Diagnostic], bytes: &[u8]) {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(!errors.is_empty());
    assert!(errors.is_sorted_by_key(|error| (error.line, error.column)));
    for error in errors {
        let line = lines.get(usize::try_from(error.line).unwrap() - 1).unwrap();
        let column = usize::try_from(error.column).unwrap();
        assert!((1..=line.chars().count() + 1).contains(&column));
        assert!(is_line(&error.to_string()), "{error}");
    }
}

fn assert_answer(rules: &Rules, message: &Message<'_>) {
    let action = rules.find_action(message);
    // A later try of the same message gets the same reply.
    assert_eq!(format!("{action:?}"), format!("{:?}", rules.find_action(message)));
    let Action::Reply(reply) = action else {
        return;
    };
    let mut out = Vec::new();
    reply.write_to(message, NOW, &mut out);
    if out.is_empty() {
        return;
    }
    with_message(&out, |read| {
        assert_eq!(read.to_user_name(), message.from_user_name());
        assert_eq!(read.from_user_name(), message.to_user_name());
        assert!(read.field("Content").is_none_or(|text| (1..=TEXT_MAX).contains(&text.len())));
        let items = read.fields().filter(|field| field.name() == "Title").count();
        assert!(items <= if message.is_event() { ARTICLES_MAX } else { 1 });
    })
    .unwrap();
}

fuzz_target!(|bytes: &[u8]| {
    match Rules::parse(bytes) {
        Err(errors) => assert_errors(&errors, bytes),
        Ok(rules) => {
            assert!(rules.summary().all(|line| is_line(&line)));
            for message in MESSAGES {
                with_message(message, |message| assert_answer(&rules, message)).unwrap();
            }
        }
    }
});
