//! A rules file is answered by or has mistakes, each at a place in it. No program is ever started:
//! nothing here knows [`wechat::rules::Programs`], which alone could.

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

/// Whether it stands on a line of a terminal or a log.
fn is_line(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

fn assert_mistakes(mistakes: &[Diagnostic], bytes: &[u8]) {
    let text = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(!mistakes.is_empty());
    let places: Vec<_> = mistakes
        .iter()
        .map(|mistake| (mistake.line, mistake.column))
        .collect();
    assert!(places.is_sorted());
    for (line, column) in places {
        let line = lines.get(usize::try_from(line).unwrap() - 1).unwrap();
        let column = usize::try_from(column).unwrap();
        assert!((1..=line.chars().count() + 1).contains(&column));
    }
    for Diagnostic { message, .. } in mistakes {
        assert!(is_line(message), "{message:?}");
    }
}

fn assert_answer(rules: &Rules, message: &Message<'_>) {
    let chosen = rules.answer(message);
    // WeChat may ask three times.
    assert_eq!(
        format!("{chosen:?}"),
        format!("{:?}", rules.answer(message))
    );
    let Action::Reply(reply) = chosen else {
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
        assert!(
            read.field("Content")
                .is_none_or(|text| (1..=TEXT_MAX).contains(&text.len()))
        );
        let items = read.leaves().filter(|leaf| leaf.name() == "Title").count();
        assert!(items <= if message.is_event() { ARTICLES_MAX } else { 1 });
    })
    .unwrap();
}

fuzz_target!(|bytes: &[u8]| {
    match Rules::parse(bytes) {
        Err(mistakes) => assert_mistakes(&mistakes, bytes),
        Ok(rules) => {
            assert!(rules.summary().all(|line| is_line(&line)));
            for message in MESSAGES {
                with_message(message, |message| assert_answer(&rules, message)).unwrap();
            }
        }
    }
});
