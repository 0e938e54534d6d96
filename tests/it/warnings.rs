//! Warnings of `wechat check`: no false ones, none about our own rules, and a bounded number. `fixtures/rules` has their
//! sentences.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::tools::finish;
use crate::support::*;
use wechat::rules::{self, Action, Rules};

/// The warnings about a file, each with `line:column: `.
fn warnings(text: &str) -> Vec<String> {
    match Rules::check(text.as_bytes()) {
        Ok((_, warnings)) => warnings.iter().map(ToString::to_string).collect(),
        Err(errors) => panic!("{}: {text}", errors[0]),
    }
}

#[test]
fn our_own_rules_have_no_warnings_except_placeholders() {
    assert_eq!(warnings(rules::EMBEDDED), [""; 0]);
    assert_eq!(warnings(rules::STARTER), [""; 0]);
    let sample = warnings(rules::SAMPLE);
    let is_placeholder = |warning: &String| warning.ends_with("; write your own value");
    assert!(sample.iter().all(is_placeholder), "{sample:#?}");
    for name in ["MEDIA_ID", "service1@account", "https://example.com/help"] {
        assert!(sample.iter().any(|warning| warning.contains(name)), "{name}: {sample:#?}");
    }
}

#[test]
fn the_bots_and_the_manual_have_no_false_warnings() {
    let mut count = 0;
    let mut check = |name: &str, text: &str| {
        count += 1;
        for warning in warnings(text) {
            // These bots do answer all events, and the programs of the manual are not here.
            let is_expected = warning.contains("this rule also answers") && name.contains("bots")
                || warning.contains("program cannot be started: there is no file /usr/local/bin/")
                || warning.contains("is a placeholder of the sample");
            assert!(is_expected, "{name}: {warning}");
        }
    };
    for path in files_below(&root().join("fixtures/bots")) {
        let name = path.to_str().unwrap();
        if path.parent().unwrap().ends_with("bots") && name.ends_with(".xml") {
            check(name, &fs::read_to_string(&path).unwrap());
        }
    }
    let mut pages = files_below(&root().join("src/manual/en"));
    pages.push(root().join("README.md"));
    for path in pages {
        let page = fs::read_to_string(&path).unwrap();
        for block in page.split("```xml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            if block.contains("<on") {
                let is_whole = block.contains("<rules");
                let block =
                    if is_whole { block.to_owned() } else { format!("<rules>{block}</rules>") };
                check(path.to_str().unwrap(), &block);
            }
        }
    }
    assert!(count >= 10, "only {count} files were checked");
}

/// Messages that the conditions below tell apart.
fn messages() -> Vec<String> {
    let head = "<xml><ToUserName>gh_1</ToUserName><FromUserName>oUser1</FromUserName>\
                <CreateTime>1700000000</CreateTime>";
    let bodies = [
        "<MsgType>text</MsgType><Content></Content><MsgId>1</MsgId>",
        "<MsgType>text</MsgType><Content>a</Content><MsgId>1</MsgId>",
        "<MsgType>text</MsgType><Content>A。</Content><MsgId>1</MsgId>",
        "<MsgType>text</MsgType><Content>ab</Content><MsgId>1</MsgId>",
        "<MsgType>text</MsgType><Content>【收到不支持的消息类型，暂无法显示】</Content><MsgId>1</MsgId>",
        "<MsgType>text</MsgType><Content>[Unsupported Message]</Content><MsgId>1</MsgId>",
        "<MsgType>voice</MsgType><MediaId>1</MediaId><Recognition></Recognition><MsgId>1</MsgId>",
        "<MsgType>voice</MsgType><MediaId>1</MediaId><Recognition>a。</Recognition><MsgId>1</MsgId>",
        "<MsgType>voice</MsgType><MediaId>1</MediaId><Recognition>ab</Recognition><MsgId>1</MsgId>",
        "<MsgType>voice</MsgType><MediaId>1</MediaId><MsgId>1</MsgId>",
        "<MsgType>image</MsgType><PicUrl>a</PicUrl><MediaId>1</MediaId><MsgId>1</MsgId>",
        "<MsgType>event</MsgType><Event>subscribe</Event>",
        "<MsgType>event</MsgType><Event>subscribe</Event><EventKey></EventKey>",
        "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>a</EventKey>",
        "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>A</EventKey>",
        "<MsgType>event</MsgType><Event>LOCATION</Event><Latitude>1</Latitude>",
        "<MsgType>device_event</MsgType><Event>bind</Event><DeviceID>1</DeviceID>",
        "<MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><X><L><TemplateId>a</TemplateId></L>\
         <L><TemplateId>b</TemplateId></L></X>",
    ];
    bodies.map(|body| format!("{head}{body}</xml>")).to_vec()
}

#[test]
fn a_rule_that_is_called_unreachable_matches_nothing_that_the_earlier_rule_leaves() {
    const CONDITIONS: [&str; 24] = [
        "MsgType=\"text\"",
        "MsgType=\"event\"",
        "MsgType=\"text|voice\"",
        "MsgType=\"*\"",
        "MsgType=\"voice\"",
        "Content=\"*\"",
        "Content=\"\"",
        "Content=\"a\"",
        "Content=\"a*\"",
        "Content=\"*b|a\"",
        "Content=\"[*\"",
        "Text=\"*\"",
        "Text=\"a\"",
        "Text=\"*a*\"",
        "Recognition=\"*\"",
        "Recognition=\"a*|b\"",
        "Event=\"*\"",
        "Event=\"subscribe|click\"",
        "Event=\"*b*\"",
        "EventKey=\"\"",
        "EventKey=\"*\"",
        "EventKey=\"a\"",
        "TemplateId=\"b\"",
        "time=\"00:00-12:00\"",
    ];
    let mut all = vec![String::new()];
    all.extend(CONDITIONS.map(str::to_owned));
    for (number, one) in CONDITIONS.iter().enumerate() {
        let name = |condition: &str| condition.split('=').next().unwrap().to_owned();
        let others = CONDITIONS[number + 1..].iter().step_by(3);
        all.extend(
            others.filter(|other| name(one) != name(other)).map(|other| format!("{one} {other}")),
        );
    }
    let messages = messages();
    let on = |conditions: &str| format!("<on {conditions}><text>x</text></on>");
    let matched: Vec<Vec<bool>> = all
        .iter()
        .map(|conditions| {
            let rules =
                Rules::parse(format!("<rules>{}</rules>", on(conditions)).as_bytes()).unwrap();
            let matches = |xml: &String, received| {
                with_message(xml, received, |message| {
                    !matches!(rules.find_action(message), Action::Reply(wechat::Reply::Success))
                })
            };
            let times = [1_700_000_000, 1_700_043_200];
            messages.iter().flat_map(|xml| times.map(|received| matches(xml, received))).collect()
        })
        .collect();
    let (mut called, mut included) = (0, 0);
    for (earlier, all_matched) in all.iter().zip(&matched) {
        for (later, some_matched) in all.iter().zip(&matched) {
            let file = format!("<rules>{}\n{}</rules>", on(earlier), on(later));
            let is_called = warnings(&file)
                .iter()
                .any(|warning| warning.starts_with("2:1: warning: this rule never"));
            let is_included = some_matched.iter().zip(all_matched).all(|(some, all)| !some || *all);
            assert!(is_included || !is_called, "{file}");
            called += usize::from(is_called);
            included += usize::from(is_included && some_matched.contains(&true));
        }
    }
    assert!(called > 400 && called * 2 > included, "{called} of {included} pairs were found");
}

#[test]
fn a_report_has_at_most_100_warnings_and_100_errors() {
    let rules = |rule: &str| format!("<rules>{}</rules>", rule.repeat(300));
    let warned = warnings(&rules("<on><text>a\\n</text></on>"));
    assert_eq!(warned.len(), 101);
    assert!(
        warned[100].ends_with("warning: 100 warnings reported; there may be more"),
        "{}",
        warned[100]
    );
    let file =
        rules("<on Weather=\"a\"><text>{weather}</text></on><on Contnet=\"a\"><text>a</text></on>");
    let reported = Rules::check(file.as_bytes()).unwrap_err();
    assert_eq!(reported.iter().filter(|diagnostic| diagnostic.is_error()).count(), 101);
    assert!(reported.len() <= 202, "{}", reported.len());
}

#[test]
fn a_large_file_is_compared_only_in_part() {
    // Each rule is compared with each earlier one, until the steps are used up.
    let rule = |number: usize| format!("<on MsgId=\"*{number}*x\"><success/></on>\n");
    let many: String = (100_000..104_000).map(rule).collect();
    let rules = format!(
        "<rules>\n<on Content=\"a*\"><success/></on>\n<on Content=\"ab\"><success/></on>\n{many}</rules>"
    );
    let warned = warnings(&rules);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(
        warned[0].starts_with("3:1: warning: this rule never matches: the rule in line 2 "),
        "{}",
        warned[0]
    );
}

#[test]
fn says_why_a_program_cannot_be_started() {
    let folder = folder("warned-programs");
    let rules = folder.join("rules.xml");
    for (name, content, mode, expected) in [
        ("good", "#!/bin/sh\n", 0o755, ""),
        ("mode", "#!/bin/sh\n", 0o644, "has mode 0644, so no user may execute it; chmod +x"),
        (
            "plain",
            "echo hello\n",
            0o755,
            "is neither a program of this system nor a script that begins with #!",
        ),
        (
            "crlf",
            "#!/bin/sh\r\necho\r\n",
            0o755,
            "ends in a carriage return; save it with the line ends of Unix (LF)",
        ),
        ("bom", "\u{FEFF}#!/bin/sh\n", 0o755, "begins with a byte order mark"),
        (
            "interpreter",
            "#!/nonexistent/python\n",
            0o755,
            "names /nonexistent/python, which does not exist",
        ),
        ("empty", "", 0o755, "is empty"),
    ] {
        let program = folder.join(name);
        fs::write(&program, content).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(mode)).unwrap();
        let run = format!("<run>{} {{Content}}</run>", program.display());
        fs::write(&rules, format!("<rules><on Content=\"a\">{run}</on></rules>")).unwrap();
        let checked = finish(command().arg("check").arg(&rules));
        assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{name}");
        if expected.is_empty() {
            assert_eq!(checked.out, "line 1: on Content=\"a\": run\n");
        } else {
            let start = format!("{}:1:24: warning: program cannot be started: ", rules.display());
            assert!(checked.out.starts_with(&start), "{}", checked.out);
            assert!(checked.out.contains(expected), "{}", checked.out);
        }
    }
}

#[test]
fn a_server_does_not_search_for_warnings() {
    let folder = folder("no-warnings");
    let rules = folder.join("rules.xml");
    fs::write(&rules, "<rules><on><text>a</text></on><on><run>/nonexistent</run></on></rules>")
        .unwrap();
    Program::start(&["--rules", rules.to_str().unwrap()]).stop_silent();
}
