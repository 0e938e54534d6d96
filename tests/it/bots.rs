//! The five articles' bots from their rules files, the mistakes in broken ones, and the rules of a
//! file that changes while the server runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::*;
use wechat::rules::{self, Action, Rules};
use wechat::wechat::{Message, Reply};

/// 2021-07-17 17:14:08 in China, when the captured message was sent.
const THEN: u64 = 1_626_513_248;

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// What the rules answer to a message received at `THEN`, as it goes over the wire.
fn answer(rules: &Rules, xml: &str) -> String {
    with_message(xml, THEN, |message| match rules.answer(message) {
        Action::Reply(reply) => written(&reply, message),
        Action::Run(job) => panic!("{job:?}"),
    })
}

fn written(reply: &Reply<'_>, message: &Message<'_>) -> String {
    let mut out = Vec::new();
    reply.write_to(message, THEN, &mut out);
    String::from_utf8(out).unwrap()
}

fn rules(text: &str) -> Rules {
    Rules::parse(text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

/// The text of the reply to a text message, `None` where there is no reply.
fn say(rules: &Rules, content: &str) -> Option<String> {
    let reply = answer(rules, &text_message(content));
    (!reply.is_empty()).then(|| element(&reply, "Content").to_owned())
}

#[test]
fn each_articles_bot_answers_as_its_program_did() {
    for path in fixtures("bots") {
        let rules = rules(&fs::read_to_string(&path).unwrap());
        for entry in fs::read_dir(path.with_extension("")).unwrap() {
            let message = entry.unwrap().path();
            let Some(name) = message.to_str().unwrap().strip_suffix(".in.xml") else {
                continue;
            };
            let expected = fs::read_to_string(format!("{name}.out.xml")).unwrap_or_default();
            assert_eq!(
                answer(&rules, &fs::read_to_string(&message).unwrap()),
                expected,
                "{name}"
            );
        }
    }
}

#[test]
fn each_articles_bot_answers_over_the_wire() {
    for path in fixtures("bots") {
        let program = Program::start(&["--rules", path.to_str().unwrap()]);
        let mut stream = connect(program.address);
        for entry in fs::read_dir(path.with_extension("")).unwrap() {
            let message = entry.unwrap().path();
            let Some(name) = message.to_str().unwrap().strip_suffix(".in.xml") else {
                continue;
            };
            let expected = fs::read_to_string(format!("{name}.out.xml")).unwrap();
            let answered = ask(&mut stream, &post(&fs::read_to_string(&message).unwrap()));
            // All but the two times in it, of which one is a date.
            let timeless = |xml: &str| {
                let (front, behind) = xml.split_once("<CreateTime>").unwrap();
                let (_, behind) = behind.split_once("</CreateTime>").unwrap();
                let back = behind
                    .split_once("-07-17:")
                    .map_or(behind, |(_, behind)| behind);
                (front.to_owned(), back.to_owned())
            };
            if expected.is_empty() {
                assert_eq!(answered.content, "success", "{name}");
            } else if name.contains("003-dated") {
                assert!(
                    answered.content.ends_with(&timeless(&expected).1),
                    "{}",
                    answered.content
                );
            } else {
                assert_eq!(timeless(&answered.content), timeless(&expected), "{name}");
            }
        }
        program.stop_silent();
    }
}

#[test]
fn each_rule_is_one_line_of_the_summary() {
    let rules = rules("<rules><on Content=\"a&#10;b|&#x9B;c\"><success/></on></rules>");
    let lines: Vec<_> = rules.summary().collect();
    assert_eq!(lines, [r#"line 1: on Content="a\nb|\u{9b}c": success"#]);
}

#[test]
fn every_mistake_is_reported_with_its_line_and_column() {
    for path in fixtures("rules") {
        let output = command().arg("check").arg(&path).output().unwrap();
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            report.replace(path.to_str().unwrap(), "rules.xml"),
            expected,
            "{}",
            path.display()
        );
        assert_eq!(output.status.code(), Some(1));
        let served = command()
            .env("WECHAT_TOKEN", TOKEN)
            .arg("--rules")
            .arg(&path)
            .output()
            .unwrap();
        assert_eq!(served.status.code(), Some(1));
        assert!(
            String::from_utf8(served.stderr)
                .unwrap()
                .starts_with(&report)
        );
    }
}

#[test]
fn check_lists_the_rules_of_a_file_without_mistakes() {
    let sample = command().arg("rules").output().unwrap();
    assert_eq!(sample.stdout, rules::SAMPLE.as_bytes());
    let scratch = Scratch::new("check", rules::SAMPLE);
    let checked = command().arg("check").arg(&scratch.file).output().unwrap();
    let text = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(
        (checked.status.code(), checked.stderr.as_slice()),
        (Some(0), &b""[..])
    );
    assert_eq!(
        text.lines().count(),
        rules::SAMPLE.matches("<on").count() - 1,
        "{text}"
    );
    assert!(
        text.starts_with("line 16: on Event=\"subscribe\": text\n"),
        "{text}"
    );
    let by_environment = command()
        .arg("check")
        .env("WECHAT_RULES", &scratch.file)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(by_environment.stdout).unwrap(), text);
    let embedded = command().arg("check").output().unwrap();
    assert_eq!(embedded.status.code(), Some(0));
}

#[test]
fn the_sample_shows_every_element_and_place_once() {
    for element in [
        "text",
        "image",
        "voice",
        "video",
        "music",
        "news",
        "transfer_customer_service",
        "success",
        "item",
        "MediaId",
        "Title",
        "Description",
        "PicUrl",
        "Url",
        "MusicUrl",
        "HQMusicUrl",
        "ThumbMediaId",
        "KfAccount",
    ] {
        let tags = [format!("<{element}>"), format!("<{element}/>")];
        assert!(
            tags.iter().any(|tag| rules::SAMPLE.contains(tag)),
            "{element}"
        );
    }
    for place in [
        "{1}",
        "{2}",
        "{date}",
        "{time}",
        "{{",
        "utc-offset",
        "<![CDATA[",
        "{Content}",
    ] {
        assert!(rules::SAMPLE.contains(place), "{place}");
    }
    rules(rules::EMBEDDED);
}

#[test]
fn the_first_rule_that_matches_wins_whether_it_is_looked_up_or_tried() {
    let rules = rules(
        "<rules>
           <on Content='b*'><text>1</text></on>
           <on Content='a|B'><text>2</text></on>
           <on Content='A' MsgType='image'><text>3</text></on>
           <on Content='*'><text>4</text></on>
           <on Content='c'><text>5</text></on>
           <on Content='a'><text>6</text></on>
         </rules>",
    );
    for (content, expected) in [
        ("a", "2"),
        ("A", "2"),
        ("b", "1"),
        ("c", "4"),
        ("d", "4"),
        ("", "4"),
        (" a\n", "2"),
    ] {
        assert_eq!(
            say(&rules, content).as_deref(),
            Some(expected),
            "{content:?}"
        );
    }
}

#[test]
fn all_conditions_of_a_rule_must_hold_and_no_rule_means_no_reply() {
    let rules = rules(
        "<rules>
           <on Event='subscribe' EventKey=''><text>plain</text></on>
           <on Event='subscribe' EventKey='qrscene_*'><text>context {1}</text></on>
           <on Event='click' EventKey='K'><text>key</text></on>
         </rules>",
    );
    let event = |tail: &str| {
        format!(
            "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime>\
             <MsgType>event</MsgType>{tail}</xml>"
        )
    };
    for (tail, expected) in [
        ("<Event>subscribe</Event>", Some("plain")),
        (
            "<Event>subscribe</Event><EventKey></EventKey>",
            Some("plain"),
        ),
        (
            "<Event>subscribe</Event><EventKey>qrscene_12</EventKey>",
            Some("context 12"),
        ),
        ("<Event>CLICK</Event><EventKey>k</EventKey>", Some("key")),
        ("<Event>CLICK</Event>", None),
        ("<Event>VIEW</Event><EventKey>k</EventKey>", None),
    ] {
        let reply = answer(&rules, &event(tail));
        let said = (!reply.is_empty()).then(|| element(&reply, "Content"));
        assert_eq!(said, expected, "{tail}");
    }
}

#[test]
fn texts_lose_the_files_indentation_and_cdata_keeps_its_own() {
    for (text, expected) in [
        ("<text>a</text>", "a"),
        (
            "<text>\n      a\n        b\n\n      c  \n    </text>",
            "a\n  b\n\nc",
        ),
        ("<text>a\n      b\n      c</text>", "a\nb\nc"),
        ("<text>a\r\n      b\r\n</text>", "a\nb"),
        ("<text>a <!-- a comment --> b</text>", "a  b"),
        ("<text><![CDATA[  a\n b ]]></text>", "  a\n b "),
        ("<text>\r\n  <![CDATA[\n a]]>\r\n  </text>", "\n a"),
        (
            "<text>&lt;a href=\"https://e/?a&amp;b\"&gt;c&lt;/a&gt;</text>",
            "<a href=\"https://e/?a&b\">c</a>",
        ),
        ("<text>{{Content} {{ }</text>", "{Content} { }"),
        ("<text><![CDATA[{Content}]]></text>", "hi"),
    ] {
        let rules = rules(&format!("<rules><on>{text}</on></rules>"));
        assert_eq!(say(&rules, "hi").as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn captures_keep_their_numbers_across_alternatives_and_conditions() {
    let rules = rules(
        "<rules><on Content='从*到*|去*' FromUserName='o*Y7*'><text>{1},{2},{3},{4}</text></on>
         <on Content='从*到*|去*' FromUserName='o*G8'><text>{1},{2},{3}</text></on></rules>",
    );
    assert_eq!(
        say(&rules, "从甲到乙").as_deref(),
        Some("甲,乙,ia2TjuEGTNoeX76QEjQNrcURx")
    );
    assert_eq!(
        say(&rules, "去丙").as_deref(),
        Some("丙,,ia2TjuEGTNoeX76QEjQNrcURx")
    );
}

#[test]
fn dates_are_those_of_the_utc_offset() {
    for (offset, expected) in [
        ("", "2021-07-17 17:14:08"),
        ("utc-offset='+00:00'", "2021-07-17 09:14:08"),
        ("utc-offset='-09:30'", "2021-07-16 23:44:08"),
        ("utc-offset='+14:00'", "2021-07-17 23:14:08"),
    ] {
        let rules = rules(&format!(
            "<rules {offset}><on><text>{{date}} {{time}}</text></on></rules>"
        ));
        assert_eq!(say(&rules, "a").as_deref(), Some(expected));
    }
}

#[test]
fn one_of_several_replies_is_chosen_and_stays_chosen_for_a_message() {
    let rules = rules("<rules><on><text>a</text><text>b</text><success/></on></rules>");
    let mut seen = [0; 3];
    for number in 0..300 {
        let xml = text_message("x").replace("23456789012345678", &number.to_string());
        let reply = answer(&rules, &xml);
        assert_eq!(answer(&rules, &xml), reply);
        seen[if reply.is_empty() {
            2
        } else {
            usize::from(element(&reply, "Content") == "b")
        }] += 1;
    }
    // 300 throws of a die with three faces: a face below 40 comes once in 10^14 runs.
    assert!(seen.iter().all(|count| *count > 40), "{seen:?}");
}

#[test]
fn more_articles_than_allowed_are_left_out_when_the_reply_is_sent() {
    let rules = rules(&format!(
        "<rules><on><news>{}</news></on></rules>",
        "<item><Title>{MsgType}</Title></item>".repeat(8)
    ));
    let reply = answer(&rules, &text_message("a"));
    assert!(
        reply.contains("<ArticleCount>1</ArticleCount>") && reply.matches("<item>").count() == 1
    );
    let event = text_message("a").replace("[text]", "[event]");
    let reply = answer(&rules, &event);
    assert!(
        reply.contains("<ArticleCount>8</ArticleCount>") && reply.matches("<item>").count() == 8
    );
}

#[test]
fn a_thousand_rules_are_not_walked_for_one_exact_text() {
    let exact: String = (0..1000)
        .map(|n| format!("<on Content='key{n}|k{n}'><text>{n}</text></on>"))
        .collect();
    let rules = rules(&format!(
        "<rules>{exact}<on Content='*'><text>none</text></on></rules>"
    ));
    assert_eq!(say(&rules, "KEY999").as_deref(), Some("999"));
    assert_eq!(say(&rules, "k0").as_deref(), Some("0"));
    assert_eq!(say(&rules, "key1000").as_deref(), Some("none"));
}

/// A rules file of one test, gone when dropped.
struct Scratch {
    folder: PathBuf,
    file: PathBuf,
}

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("wechat-bots-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("rules.xml");
        fs::write(&file, text).unwrap();
        Self { folder, file }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a temporary directory hurts nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn always(content: &str) -> String {
    format!("<rules><on><text>{content}</text></on></rules>")
}

/// Asks until the answer is this one; a server that never gets there fails.
#[track_caller]
fn wait_for(program: &Program, expected: &str) {
    let mut stream = connect(program.address);
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask(&mut stream, &post(&text_message("a")));
        if element(&answer.content, "Content") == expected {
            return;
        }
        assert!(Instant::now() < end, "still {}", answer.content);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_changed_file_counts_without_a_restart_and_a_broken_one_does_not() {
    let scratch = Scratch::new("reload", &always("one"));
    let program = Program::start(&["--rules", scratch.file.to_str().unwrap()]);
    wait_for(&program, "one");
    // Written in place.
    fs::write(&scratch.file, always("two")).unwrap();
    wait_for(&program, "two");
    // Renamed over it, as editors do; of the same length.
    let other = scratch.folder.join("new.xml");
    fs::write(&other, always("six")).unwrap();
    fs::rename(&other, &scratch.file).unwrap();
    wait_for(&program, "six");
    // A broken file, then none at all: the rules of before stay.
    fs::write(&scratch.file, "<rules>\n<on>").unwrap();
    let mut stream = connect(program.address);
    let end = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < end {
        assert_eq!(
            element(
                &ask(&mut stream, &post(&text_message("a"))).content,
                "Content"
            ),
            "six"
        );
    }
    fs::remove_file(&scratch.file).unwrap();
    let end = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < end {
        assert_eq!(
            element(
                &ask(&mut stream, &post(&text_message("a"))).content,
                "Content"
            ),
            "six"
        );
    }
    // A link that comes to point elsewhere.
    fs::write(scratch.folder.join("a.xml"), always("ten")).unwrap();
    fs::write(scratch.folder.join("b.xml"), always("eleven")).unwrap();
    symlink("a.xml", &scratch.file).unwrap();
    wait_for(&program, "ten");
    symlink("b.xml", scratch.folder.join("link")).unwrap();
    fs::rename(scratch.folder.join("link"), &scratch.file).unwrap();
    wait_for(&program, "eleven");
    drop(stream);
    let lines = program.stop();
    let file = scratch.file.display().to_string();
    let kept =
        format!("cause=rules-kept reason=\"{file} cannot be used, the rules of before stay\"");
    let changed = format!("cause=rules-changed reason=\"1 rules of {file} count from now on\"");
    let expected = [
        changed.clone(),
        changed.clone(),
        format!("{file}:2:5: the file ends inside an element; an end tag is missing"),
        kept.clone(),
        format!("{file}: cannot be read: No such file or directory (os error 2)"),
        kept,
        changed.clone(),
        changed,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_is_no_file_of_rules_is_refused_and_never_waited_for() {
    let scratch = Scratch::new("odd", &always("one"));
    let check = |path: &Path| {
        let output = command().arg("check").arg(path).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout)
            .unwrap()
            .replace(path.to_str().unwrap(), "rules.xml")
    };
    assert_eq!(
        check(&scratch.folder),
        "rules.xml: cannot be read: not a regular file\n"
    );
    let pipe = scratch.folder.join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        check(&pipe),
        "rules.xml: cannot be read: not a regular file\n"
    );
    let file = scratch.folder.join("other.xml");
    fs::write(&file, b"<rules>\n <!-- \xe4\xbd\xa0\xc4 -->").unwrap();
    assert_eq!(
        check(&file),
        "rules.xml:2:8: not UTF-8 from here on; save the file as UTF-8\n"
    );
    fs::write(&file, vec![b' '; 4 * 1024 * 1024 + 1]).unwrap();
    assert_eq!(
        check(&file),
        "rules.xml: cannot be read: 4194305 bytes, at most 4194304 allowed\n"
    );
    // A running server does not wait for the pipe either.
    let program = Program::start(&["--rules", scratch.file.to_str().unwrap()]);
    fs::rename(&pipe, &scratch.file).unwrap();
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        wait_for(&program, "one");
    }
    // Written in place at the same length, its modification time set back.
    let old = scratch.folder.join("old.xml");
    fs::write(&old, always("two")).unwrap();
    fs::rename(&old, &scratch.file).unwrap();
    wait_for(&program, "two");
    let modified = fs::metadata(&scratch.file).unwrap().modified().unwrap();
    fs::write(&scratch.file, always("six")).unwrap();
    fs::File::options()
        .write(true)
        .open(&scratch.file)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    wait_for(&program, "six");
    assert_eq!(program.stop().len(), 4);
}

#[test]
fn no_message_sees_half_a_change() {
    let pair = |n: usize| {
        let word = n.to_string();
        format!(
            "<rules><on Content='*'><text>{word} {word} {word}</text></on>{}</rules>",
            "<on MsgType='image'><text>x</text></on>".repeat(200)
        )
    };
    let scratch = Scratch::new("load", &pair(0));
    let program = Program::start(&["--rules", scratch.file.to_str().unwrap()]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut stream = connect(program.address);
                while !done.load(Ordering::Relaxed) {
                    let answer = ask(&mut stream, &post(&text_message("a")));
                    let words: Vec<_> = element(&answer.content, "Content").split(' ').collect();
                    assert!(
                        words.len() == 3 && words.iter().all(|word| *word == words[0]),
                        "{words:?}"
                    );
                }
            });
        }
        for n in 1..30 {
            let new = scratch.folder.join("new.xml");
            fs::write(&new, pair(n)).unwrap();
            fs::rename(&new, &scratch.file).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        wait_for(&program, "29 29 29");
        done.store(true, Ordering::Relaxed);
    });
    assert!(
        program
            .stop()
            .iter()
            .all(|line| line.starts_with("cause=rules-changed "))
    );
}
