//! Programs of `<run>` rules: their arguments and input, their output, their limits, and the end of all their
//! processes.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::layout::sources;
use crate::support::control_socket::ShortFolder;
use crate::support::*;

/// Starts a server with these rules. `FOLDER` in the rules is replaced by the folder of the test.
fn start(name: &str, rules: &str) -> (Program, PathBuf) {
    let (path, folder) = rules_file(name, rules);
    (Program::start(&["--rules", path.to_str().unwrap()]), folder)
}

/// Writes a rules file. Returns its path and the folder of the test.
fn rules_file(name: &str, rules: &str) -> (PathBuf, PathBuf) {
    let folder = folder(name);
    let path = folder.join("rules.xml");
    let rules = rules.replace("FOLDER", folder.to_str().unwrap());
    fs::write(&path, format!("<rules>{rules}</rules>")).unwrap();
    (path, folder)
}

/// Sends a message. Returns the content of the response.
fn reply_to(program: &Program, xml: &str) -> String {
    let answer = ask(&mut connect(program.address), &post(xml));
    assert_eq!(answer.status, 200);
    answer.content
}

/// Sends a new text message. Returns the text of the reply, or `success`.
fn say(program: &Program, content: &str) -> String {
    static MSG_ID: AtomicU64 = AtomicU64::new(1);
    let msg_id = MSG_ID.fetch_add(1, Ordering::Relaxed);
    let reply = reply_to(program, &text_of("oUser1", msg_id, content));
    if reply == "success" {
        return reply;
    }
    element(&reply, "Content").to_owned()
}

#[test]
fn user_text_is_one_argument_whatever_it_holds() {
    let (program, _) = start(
        "arguments",
        r#"<on Content="*"><run>/bin/sh -c <arg>printf '[%s]' "$#" "$@"</arg> <arg>sh</arg><arg>-- {1}</arg><arg>{1}</arg><arg></arg></run></on>"#,
    );
    for content in [
        "$(touch /tmp/x) `id` ${HOME}",
        "a'b\"c\\d",
        "--help",
        "-n -e -x",
        "two\nlines\tand a tab",
        "; rm -rf / | cat > /dev/null &",
        "* ? [a-z] ~ !!",
        "你好，世界 👋",
        "<b>&amp;</b>",
    ] {
        assert_eq!(say(&program, content), format!("[3][-- {content}][{content}][]"));
    }
    program.stop_silent();
}

#[test]
fn white_space_in_the_rule_splits_arguments_but_white_space_of_the_user_does_not() {
    let (program, _) = start(
        "words",
        "<on Content=\"*\"><run>\n  printf\n    [%s]  a\t{1}--{Content} b\n</run></on>",
    );
    assert_eq!(say(&program, "x y  z"), "[a][x y  z--x y  z][b]");
    program.stop_silent();
}

#[test]
fn the_message_is_on_standard_input_and_in_the_environment() {
    let folder = folder("environment");
    let rules = folder.join("rules.xml");
    fs::write(
        &rules,
        r#"<rules><on Content="stdin"><run>/bin/sh -c <arg>printf ' '; sed 's/]]&gt;/)/g'</arg></run></on>
           <on><run>/bin/sh -c <arg>env | grep -v -e ^WECHAT_RUN= -e ^PWD= -e ^SHLVL= -e ^_= | sort</arg></run></on></rules>"#,
    )
    .unwrap();
    let manager = folder.join("notify");
    let _manager = UnixDatagram::bind(&manager).unwrap();
    let program = Program::spawn(
        command()
            .env("WECHAT_TOKEN", TOKEN)
            .env("WECHAT_PATH", "/wx")
            .env("CREDENTIALS_DIRECTORY", folder.join("none"))
            .env("NOTIFY_SOCKET", &manager)
            .env("API_KEY", "for the program")
            .env("PATH", "/usr/bin:/bin")
            .args(["--listen", "127.0.0.1:0", "--rules", rules.to_str().unwrap()]),
    );
    let xml = "<xml><ToUserName>gh_1</ToUserName><FromUserName>oUser1</FromUserName>\
        <CreateTime>1700000000</CreateTime><MsgType> event </MsgType><Event>scancode_push</Event>\
        <EventKey>k</EventKey><ScanCodeInfo><ScanResult><![CDATA[a=$(b)\nc]]></ScanResult></ScanCodeInfo>\
        <Url>http://e/</Url><a.b>no name</a.b><MsgID>1</MsgID><MsgId>2</MsgId></xml>";
    assert_eq!(
        element(&reply_to(&program, xml), "Content"),
        "API_KEY=for the program\nPATH=/usr/bin:/bin\nWECHAT_CREATETIME=1700000000\n\
         WECHAT_EVENT=scancode_push\nWECHAT_EVENTKEY=k\nWECHAT_FROMUSERNAME=oUser1\nWECHAT_MSGID=1\n\
         WECHAT_MSGTYPE=event\nWECHAT_SCANRESULT=a=$(b)\nWECHAT_TOUSERNAME=gh_1\n\
         WECHAT_URL=http://e/\nc"
    );
    let xml = text_of("oUser1", 1, "stdin");
    assert_eq!(element(&reply_to(&program, &xml), "Content"), xml.replace("]]>", ")"));
    program.stop_silent();
}

/// A program may run `wechat send`, so a user must not be able to set its settings. The settings are all the variables
/// that the source code names.
#[test]
fn no_field_sets_a_variable_that_is_a_setting() {
    let mut settings: Vec<String> = sources()
        .iter()
        .filter(|(file, _)| !file.starts_with("program/"))
        .flat_map(|(_, code)| code.split("\"WECHAT_").skip(1).collect::<Vec<_>>())
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect();
    assert!(settings.contains(&"CALLBACK_URL".to_owned()) && settings.len() > 10, "{settings:?}");
    settings.extend(["TOPIC", "HISTORY", "RUN", "VAR_dish", "VAR_"].map(str::to_owned));
    let (program, _) = start(
        "settings",
        r#"<on><run>/bin/sh -c <arg>env | grep ^WECHAT_ | grep -v ^WECHAT_RUN= | cut -d = -f 1 | sort; env | grep evil; echo end</arg></run></on>"#,
    );
    for (msg_id, changed) in [(1, str::to_owned as fn(&str) -> String), (2, str::to_lowercase)] {
        let elements: String = settings
            .iter()
            .map(|name| changed(name))
            .map(|name| format!("<{name}>evil</{name}>"))
            .collect();
        let xml = text_of("oUser1", msg_id, "x")
            .replace("</xml>", &format!("{elements}<Topics>t</Topics></xml>"));
        assert_eq!(
            element(&reply_to(&program, &xml), "Content"),
            "WECHAT_CONTENT\nWECHAT_CREATETIME\nWECHAT_FROMUSERNAME\nWECHAT_MSGID\nWECHAT_MSGTYPE\n\
             WECHAT_TOPICS\nWECHAT_TOUSERNAME\nend"
        );
    }
    program.stop_silent();
}

#[test]
fn a_program_gets_the_content_as_the_user_wrote_it() {
    let (program, _) = start(
        "content",
        r#"<on Text="*"><run>/bin/sh -c <arg>printf '[%s][%s][%s]' "$WECHAT_CONTENT" "$0" "$1"</arg><arg>{Content}</arg><arg>{Text}</arg></run></on>"#,
    );
    let text = " a\n b\u{3000}";
    assert_eq!(say(&program, text), format!("[{text}]").repeat(3));
    program.stop_silent();
}

#[test]
fn names_the_argument_that_is_too_long() {
    let (program, _) = start(
        "long",
        r#"<on><run failed="太长">/bin/true a <arg>{Content}{Content}{Content}</arg><arg>b</arg></run></on>"#,
    );
    let text = "x".repeat(45_000);
    assert_eq!(say(&program, &text), "太长");
    assert_eq!(say(&program, &text[..43_690]), "success", "three times 43,690 bytes are allowed");
    assert_eq!(
        program.stop(),
        [
            "cause=run-failed reason=\"/bin/true: not started: argument 2 has 135000 bytes, at most 131071 allowed\""
        ]
    );
}

#[test]
fn program_output_is_the_reply() {
    let (program, folder) =
        start("output", r#"<on Content="*"><run failed="坏了">cat FOLDER/{1}</run></on>"#);
    let print = |name: &str, output: &[u8]| {
        fs::write(folder.join(name), output).unwrap();
        let xml = text_of(&format!("o{name}"), 1, name);
        reply_to(&program, &xml)
    };
    let text =
        |name: &str, output: &str| element(&print(name, output.as_bytes()), "Content").to_owned();
    assert_eq!(print("nothing", b""), "success");
    assert_eq!(print("blank", b" \n\n"), "success");
    assert_eq!(print("success", b"<success/>"), "success");
    assert_eq!(text("plain", "晴\n多云\n\n"), "晴\n多云");
    assert_eq!(text("braces", "{Content} {1} {{ }"), "{Content} {1} {{ }");
    assert_eq!(text("less", "<3 you"), "<3 you");
    assert_eq!(text("html", "<p>x</p>"), "<p>x</p>");
    assert_eq!(
        text("element", "<text>{Content} &lt;b></text>\n"),
        "{Content} &lt;b>".replace("&lt;", "<")
    );
    assert_eq!(text("not-at-the-front", " <success/>"), "<success/>");
    assert_eq!(text("cut", &"晴".repeat(30_000)), "晴".repeat(681) + "…");
    let news = print(
        "news",
        "<news><item><Title>一</Title><Url>https://e/{1}</Url></item><item><Title>二</Title></item></news>"
            .as_bytes(),
    );
    assert!(news.contains("<ArticleCount>1</ArticleCount>"), "{news}");
    assert_eq!(element(&news, "Url"), "https://e/{1}");
    let image = print("image", b"<image>\n  <MediaId>m1</MediaId>\n</image>\n");
    assert_eq!(element(&image, "MediaId"), "m1");
    for (name, output) in [
        ("open", "<news><item>"),
        ("unknown", "<image><Media>m1</Media></image>"),
        ("two", "<text>a</text><text>b</text>"),
        ("attribute", "<text a=\"b\">c</text>"),
        ("doctype", "<text>&x;</text>"),
    ] {
        assert_eq!(text(name, output), "坏了");
    }
    assert_eq!(element(&print("bytes", b"\xff\xfe"), "Content"), "坏了");
    let mut lines = program.stop();
    assert!(lines.remove(0).starts_with("cause=text-cut "));
    assert_eq!(lines.len(), 6);
    assert_eq!(
        lines[1],
        "cause=run-failed reason=\"cat: output is not a valid reply: <image> has no <MediaId>\""
    );
    assert_eq!(lines[5], "cause=run-failed reason=\"cat: output is not UTF-8 from byte 0 on\"");
}

#[test]
fn names_the_fault_in_the_xml_that_a_program_printed() {
    let (program, folder) =
        start("printed-faults", r#"<on Content="*"><run failed="坏了">cat FOLDER/{1}</run></on>"#);
    let remedy = "in a text write &lt; for <, or put the text in <![CDATA[…]]>";
    let no_name =
        "not well-formed XML: < without a name directly after it at line 1 column 9; ".to_owned();
    let html = "<br> in <text>, which must contain only text; ".to_owned();
    let cases = [
        ("less", "<text>1 < 2</text>", no_name.clone() + remedy),
        ("cdata", "<text>x < ![CDATA[y] ]></text>", no_name + remedy),
        (
            "ampersand",
            "<text>R&D</text>",
            "not well-formed XML at line 1 column 8; ".to_owned() + remedy,
        ),
        (
            "attribute",
            "<text><a href='x'>y</a></text>",
            "XML tag with an attribute, none allowed; ".to_owned() + remedy,
        ),
        (
            "html",
            "<text>a<br/>b</text>",
            html + "for a new line write a line end; for the tag itself write &lt; for <, or put the text in <![CDATA[…]]>",
        ),
    ];
    for (name, output, _) in &cases {
        fs::write(folder.join(name), output).unwrap();
        assert_eq!(say(&program, name), "坏了");
    }
    let lines = cases.map(|(_, _, reason)| {
        format!("cause=run-failed reason=\"cat: output is not a valid reply: {reason}\"")
    });
    assert_eq!(program.stop(), lines);
}

/// A program that has answered WeChat before prints what it sent to WeChat.
#[test]
fn a_program_may_print_what_other_backends_send_to_wechat() {
    const NAMES: &str = "<ToUserName>somebody</ToUserName><FromUserName><![CDATA[gh_x]]></FromUserName>\
                         <CreateTime>1</CreateTime>";
    let (program, folder) =
        start("wechat-form", r#"<on Content="*"><run failed="坏了">cat FOLDER/{1}</run></on>"#);
    let mut number = 0;
    let mut print = |output: &str| {
        number += 1;
        let name = number.to_string();
        fs::write(folder.join(&name), output).unwrap();
        reply_to(&program, &text_of("oUser1", number, &name))
    };
    for output in ["success", "success\n", "\u{FEFF}success\r\n", "<?xml version='1.0'?><success/>"]
    {
        assert_eq!(print(output), "success", "{output:?}");
    }
    for (output, text) in [
        (" success", "success"),
        ("\nsuccess\n", "success"),
        ("success!", "success!"),
        ("success\nsuccess", "success\nsuccess"),
        ("Success", "Success"),
        ("\"success\"", "\"success\""),
        (" <xml><MsgType>text</MsgType></xml>", "<xml><MsgType>text</MsgType></xml>"),
        (" <?xml version=\"1.0\"?><text>a</text>", "<?xml version=\"1.0\"?><text>a</text>"),
        ("<xmlns>", "<xmlns>"),
        ("<?php echo 1;", "<?php echo 1;"),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<text>a</text>\n", "a"),
        ("<?xml version=\"1.0\"?>\n<xml><MsgType>text</MsgType><Content>a</Content></xml>", "a"),
        (
            "<xml>\n  <Content><![CDATA[{1} a\n b]]></Content>\n  <MsgType>\n text </MsgType></xml>\n",
            "{1} a\n b",
        ),
        ("<xml><MsgType>text</MsgType><Content>a</Content><FuncFlag>0</FuncFlag></xml>", "a"),
    ] {
        assert_eq!(element(&print(output), "Content"), text, "{output:?}");
    }
    // Each type of reply, as WeChat's manual has it, and what is sent after the names and the time.
    for (msg_type, children) in [
        ("text", "<Content><![CDATA[a]]></Content>"),
        ("image", "<Image><MediaId><![CDATA[m]]></MediaId></Image>"),
        ("voice", "<Voice><MediaId><![CDATA[m]]></MediaId></Voice>"),
        (
            "video",
            "<Video><MediaId><![CDATA[m]]></MediaId><Title><![CDATA[t]]></Title>\
             <Description><![CDATA[d]]></Description></Video>",
        ),
        (
            "music",
            "<Music><Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description>\
             <MusicUrl><![CDATA[u]]></MusicUrl><HQMusicUrl><![CDATA[h]]></HQMusicUrl></Music>",
        ),
        (
            "news",
            "<ArticleCount>1</ArticleCount><Articles><item><Title><![CDATA[t]]></Title>\
             <Description><![CDATA[d]]></Description><PicUrl><![CDATA[p]]></PicUrl>\
             <Url><![CDATA[u]]></Url></item></Articles>",
        ),
        ("transfer_customer_service", ""),
        (
            "transfer_customer_service",
            "<TransInfo><KfAccount><![CDATA[a@b]]></KfAccount></TransInfo>",
        ),
        ("transfer_biz_ai_ivr", ""),
    ] {
        let kind = format!("<MsgType><![CDATA[{msg_type}]]></MsgType>{children}</xml>");
        let sent = print(&format!("<xml>{NAMES}{kind}"));
        assert!(sent.ends_with(&kind), "{sent}\n{kind}");
        assert!(sent.starts_with("<xml><ToUserName><![CDATA[oUser1]]>"), "{sent}");
        assert!(sent.contains("<FromUserName><![CDATA[gh_1]]>"), "{sent}");
        assert!(!sent.contains("<CreateTime>1<"), "{sent}");
    }
    let empty_thumb =
        "<xml><MsgType>music</MsgType><Music><MusicUrl>u</MusicUrl><ThumbMediaId/></Music></xml>";
    assert!(!print(empty_thumb).contains("ThumbMediaId"));
    let empty = "<xml><MsgType>text</MsgType><Content></Content></xml>";
    assert_eq!(print(empty), "success");
    let failures = [
        ("<xml></xml>", "<xml> has no <MsgType>"),
        (
            "<xml><MsgType>txt</MsgType><Content>a</Content></xml>",
            "<MsgType> is \\\"txt\\\", which no reply has",
        ),
        ("<xml><MsgType>text</MsgType></xml>", "<xml> has no <Content>"),
        ("<xml><MsgType>image</MsgType><MediaId>m</MediaId></xml>", "<xml> has no <Image>"),
        ("<xml><MsgType>image</MsgType><Image/></xml>", "<Image> has no <MediaId>"),
        (
            "<xml><MsgType>news</MsgType><ArticleCount>0</ArticleCount><Articles/></xml>",
            "<news> has no <item>",
        ),
        ("<?xml version=\"1.0\"?><html></html>", "unknown reply <html>*"),
        ("<?xml version=\"1.0\"?>hello", "*"),
        ("<xml><MsgType>text</MsgType><Content>a</Content>", "*"),
        ("<xml><MsgType>text</MsgType><Content>a</Content></xml><xml/>", "*"),
    ];
    for (output, _) in failures {
        assert_eq!(element(&print(output), "Content"), "坏了", "{output}");
    }
    let lines = program.stop();
    assert_eq!(lines.len(), failures.len(), "{lines:?}");
    for (line, (_, problem)) in lines.iter().zip(failures) {
        let problem = problem.trim_end_matches('*');
        let start =
            format!("cause=run-failed reason=\"cat: output is not a valid reply: {problem}");
        assert!(line.starts_with(&start), "{line}\n{start}");
    }
}

/// A link that is cut would be shown as its tags.
#[test]
fn cuts_long_texts_between_links_and_says_so_once() {
    let (program, folder) = start(
        "links",
        r#"<on Content="printed"><run>cat FOLDER/links</run></on>
           <on Content="fixed *"><text>{1}{1}{1}</text></on>"#,
    );
    let line = |number: usize| {
        format!(
            "{number}. <a href=\"https://example.com/article?id={number}\">第 {number} 篇文章。标题</a>\n"
        )
    };
    let lines: String = (10..50).map(line).collect();
    fs::write(folder.join("links"), &lines).unwrap();
    // 26 lines of 78 bytes fit into 2,048 bytes, and the ellipsis too.
    assert_eq!(line(10).len(), 78);
    let shown: String = (10..36).map(line).collect();
    assert_eq!(say(&program, "printed"), format!("{shown}…"));
    let whole_lines: String = (10..19).map(line).collect();
    let fixed = say(&program, &format!("fixed {}", whole_lines.trim_end()));
    assert!(fixed.ends_with("</a>\n…"), "{fixed}");
    assert_eq!(fixed.matches("<a ").count(), fixed.matches("</a>").count());
    let log = program.stop();
    let bytes = lines.trim_end().len();
    assert!(log[0].starts_with(&format!("cause=text-cut reason=\"text of {bytes} bytes is cut")));
    assert_eq!(log.len(), 1);
}

#[test]
fn logs_why_a_program_failed() {
    let (program, _) = start(
        "failures",
        r#"<on Content="exit"><run failed="{Content} 坏了">/bin/sh -c <arg>echo lost; echo >&amp;2; echo "no "quota"" >&amp;2; echo more >&amp;2; exit 3</arg></run></on>
           <on Content="mute"><run>/bin/false</run></on>
           <on Content="signal"><run failed="坏了">/bin/sh -c <arg>kill -9 $$</arg></run></on>
           <on Content="missing"><run failed="坏了">/nonexistent</run></on>
           <on Content="hang"><run timeout="1" failed="太慢">/bin/sh -c <arg>echo early; sleep 1000 &amp; echo $! > FOLDER/pid; sleep 1000</arg></run></on>
           <on Content="long"><run>/bin/sh -c <arg>head -c 300 /dev/zero | tr '\0' a >&amp;2; exit 1</arg></run></on>
           <on Content="deaf"><run timeout="1s" failed="太慢">/bin/sh -c <arg>exec >&amp;- 2>&amp;-; sleep 1000</arg></run></on>"#,
    );
    for (content, answer) in [
        ("exit", "exit 坏了"),
        ("mute", "success"),
        ("signal", "坏了"),
        ("missing", "坏了"),
        ("hang", "太慢"),
        ("deaf", "太慢"),
        ("long", "success"),
    ] {
        assert_eq!(say(&program, content), answer);
    }
    let mut lines = program.stop();
    assert_eq!(
        lines.pop().unwrap(),
        format!("cause=run-failed reason=\"/bin/sh: exit status: 1: {}…\"", "a".repeat(200))
    );
    assert_eq!(
        lines,
        [
            "cause=run-failed reason=\"/bin/sh: exit status: 3: no quota … more\"",
            "cause=run-failed reason=\"/bin/false: exit status: 1\"",
            "cause=run-failed reason=\"/bin/sh: signal: 9 (SIGKILL)\"",
            "cause=run-failed reason=\"/nonexistent: cannot start the program: there is no file /nonexistent; correct the path in the rules file\"",
            "cause=run-failed reason=\"/bin/sh: killed because it was still running after 1 s\"",
            "cause=run-failed reason=\"/bin/sh: killed because it was still running after 1 s\"",
        ]
    );
}

/// The system says only "No such file or directory", "Permission denied" or "Exec format error".
/// Also if other variables choose another language for the programs.
#[test]
fn logs_why_a_program_failed_in_the_language_of_the_server() {
    let (rules, _) = rules_file(
        "failures-zh",
        r#"<on Content="exit"><run>/bin/sh -c <arg>echo no quota >&amp;2; exit 3</arg></run></on>
           <on Content="signal"><run>/bin/sh -c <arg>kill -9 $$</arg></run></on>
           <on Content="missing"><run>/nonexistent</run></on>
           <on Content="printed"><run>echo <arg>&lt;image/></arg></run></on>
           <on Content="language"><run>/bin/sh -c <arg>echo ${{WECHAT_LANG-none} $LANG</arg></run></on>"#,
    );
    for (variable, other, expected) in [
        (
            "zh",
            "en_US.UTF-8",
            [
                "/bin/sh：退出码 3：no quota",
                "/bin/sh：被信号 9 (SIGKILL) 终止",
                "/nonexistent：无法启动程序：没有文件 /nonexistent；请改正规则文件中的路径",
                "echo：输出不是有效的回复：<image> 中没有 <MediaId>",
            ],
        ),
        (
            "en",
            "zh_CN.UTF-8",
            [
                "/bin/sh: exit status: 3: no quota",
                "/bin/sh: signal: 9 (SIGKILL)",
                "/nonexistent: cannot start the program: there is no file /nonexistent; correct the path in the rules file",
                "echo: output is not a valid reply: <image> has no <MediaId>",
            ],
        ),
    ] {
        let program = Program::spawn(
            with_rules(&mut command(), &rules).env("WECHAT_LANG", variable).env("LANG", other),
        );
        assert_eq!(say(&program, "language"), format!("none {other}"));
        for content in ["exit", "signal", "missing", "printed"] {
            say(&program, content);
        }
        let line = |reason| format!("cause=run-failed reason=\"{reason}\"");
        assert_eq!(program.stop(), expected.map(line));
    }
}

#[test]
fn logs_what_is_wrong_with_the_file_of_a_program() {
    const FIRST_LINE: &str = "the first line of FOLDER/ask";
    let missing = "which does not exist; install it, or correct the first line";
    let script = |first_line: &str| format!("{first_line}\necho hello\n").into_bytes();
    let cases: [(&[u8], u32, String); 14] = [
        (&script("#!/bin/nosuch"), 0o755, format!("{FIRST_LINE} names /bin/nosuch, {missing}")),
        (&script("#!sh"), 0o755, format!("{FIRST_LINE} names sh, {missing}")),
        (
            &script("#! /FOLDER/none -u"),
            0o755,
            format!("{FIRST_LINE} names /FOLDER/none, {missing}"),
        ),
        (
            &script("#!/bin/sh\r"),
            0o755,
            format!(
                "{FIRST_LINE} ends in a carriage return; save it with the line ends of Unix (LF)"
            ),
        ),
        (
            &script("#!/etc/passwd"),
            0o755,
            "/etc/passwd has mode 0644, so no user may execute it; chmod +x /etc/passwd".to_owned(),
        ),
        (
            &script("#!/etc"),
            0o755,
            "/etc is a folder; write the path of the program in it".to_owned(),
        ),
        (
            &script("#!/bin/sh"),
            0o644,
            "FOLDER/ask has mode 0644, so no user may execute it; chmod +x FOLDER/ask".to_owned(),
        ),
        (
            "\u{FEFF}#!/bin/sh\n".as_bytes(),
            0o755,
            "FOLDER/ask begins with a byte order mark (BOM); save it as UTF-8 without BOM"
                .to_owned(),
        ),
        (b"", 0o755, "FOLDER/ask is empty".to_owned()),
        (b"echo hello\n", 0o755, String::new()),
        (b"\n#!/bin/sh\n", 0o755, String::new()),
        (b" #!/bin/sh\n", 0o755, String::new()),
        (b"#!\n", 0o755, String::new()),
        (b"MZ\x90\0", 0o755, String::new()),
    ];
    let no_interpreter = "FOLDER/ask is neither a program of this system nor a script that begins with #! and an \
                          interpreter; write a first line such as #!/bin/sh or #!/usr/bin/env python3";
    let (program, folder) = start(
        "program-file",
        r#"<on Content="ask"><run failed="坏了">FOLDER/ask</run></on><on Content="bare"><run>no-such</run></on>
           <on Content="folder"><run>FOLDER</run></on><on Content="below"><run>FOLDER/rules.xml/ask</run></on>
           <on Content="link"><run>FOLDER/link</run></on><on Content="pipe"><run>FOLDER/pipe</run></on>"#,
    );
    let folder_name = folder.to_str().unwrap();
    let file = folder.join("ask");
    let mut expected = Vec::new();
    for (content, mode, sentence) in &cases {
        let content = String::from_utf8_lossy(content).replace("FOLDER", folder_name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(*mode)).unwrap();
        assert_eq!(say(&program, "ask"), "坏了");
        let sentence = if sentence.is_empty() { no_interpreter } else { sentence };
        expected.push(format!("FOLDER/ask: cannot start the program: {sentence}"));
    }
    // The system can start these, so their interpreter reports the error.
    for (first_line, sentence) in [
        (
            "#!/usr/bin/env no-such",
            "names no-such, which no folder of PATH has; install it, or write its whole path",
        ),
        (
            "#!/usr/bin/env sh\r",
            "ends in a carriage return; save it with the line ends of Unix (LF)",
        ),
    ] {
        fs::write(&file, script(first_line)).unwrap();
        assert_eq!(say(&program, "ask"), "坏了");
        expected.push(format!("* {FIRST_LINE} {sentence}"));
    }
    symlink("nowhere", folder.join("link")).unwrap();
    make_pipe(&folder.join("pipe"));
    for (content, sentence) in [
        (
            "bare",
            "no-such: * no folder of PATH has a program no-such; write its whole path into the rules file",
        ),
        ("folder", "FOLDER: * FOLDER is a folder; write the path of the program in it"),
        (
            "below",
            "FOLDER/rules.xml/ask: * there is no file FOLDER/rules.xml/ask; correct the path in the rules file",
        ),
        ("link", "FOLDER/link: * FOLDER/link is a link to nowhere, which does not exist"),
        ("pipe", "FOLDER/pipe: * FOLDER/pipe is not a regular file"),
    ] {
        assert_eq!(say(&program, content), "success");
        expected.push(sentence.to_owned());
    }
    let lines = program.stop();
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, expected) in lines.iter().zip(&expected) {
        let line = line.replace(folder_name, "FOLDER");
        let (start, end) = expected.split_once("* ").unwrap_or(("", expected));
        let start = format!("cause=run-failed reason=\"{start}");
        assert!(
            line.starts_with(&start) && line.ends_with(&format!("{end}\"")),
            "{line}\n{expected}"
        );
    }
}

/// Output that is not read would fill its pipe and block the program. Endless output would fill the memory.
#[test]
fn reads_and_truncates_endless_output() {
    let (program, _) = start(
        "floods",
        r#"<on Content="stderr"><run>/bin/sh -c <arg>head -c 3000000 /dev/zero >&amp;2; echo done</arg></run></on>
           <on Content="stdout"><run>/bin/sh -c <arg>head -c 3000000 /dev/zero | tr '\0' a</arg></run></on>
           <on Content="endless"><run>yes</run></on>
           <on Content="unread"><run>/bin/sh -c <arg>exec &lt;&amp;-; echo done</arg></run></on>"#,
    );
    assert_eq!(say(&program, "stderr"), "done");
    assert_eq!(say(&program, "stdout"), "a".repeat(2045) + "…");
    assert!(say(&program, "endless").starts_with("y\ny\n"));
    assert_eq!(say(&program, "unread"), "done");
    assert_eq!(
        program.stop(),
        [
            "cause=text-cut reason=\"text of 65536 bytes is cut to 2048 bytes, the most that WeChat shows\" \
          hint=\"answer in fewer words; later texts are cut without a line in the log\""
        ]
    );
}

#[test]
fn a_process_that_the_program_left_running_does_not_delay_the_reply() {
    let (program, folder) = start(
        "leftovers",
        r#"<on><run>/bin/sh -c <arg>sleep 1000 &amp; echo $! > FOLDER/pid; echo done</arg></run></on>"#,
    );
    assert_eq!(say(&program, "x"), "done");
    until_gone(fs::read_to_string(folder.join("pid")).unwrap().trim());
    program.stop_silent();
}

/// Waits until a process has ended. A zombie counts as ended.
fn until_gone(id: &str) {
    let status = Path::new("/proc").join(id).join("status");
    until("the process is gone", || {
        fs::read_to_string(&status).map_or(true, |text| text.contains("State:\tZ"))
    });
}

#[test]
fn limits_how_often_a_user_starts_a_program() {
    let (program, _) = start(
        "limit",
        r#"<on Content="cheap"><run>echo yes</run></on>
           <on Content="other"><run limit="2/1h">echo yes</run></on>
           <on Content="short"><run limit="1/1s">printf yes</run></on>
           <on Content="*"><run limit="2/1h" limited="{Content}，够了">echo yes</run></on>"#,
    );
    let msg_ids = AtomicU64::new(1);
    let ask = |user: &str, content: &str| {
        let msg_id = msg_ids.fetch_add(1, Ordering::Relaxed);
        let reply = reply_to(&program, &text_of(user, msg_id, content));
        if reply == "success" {
            return reply;
        }
        element(&reply, "Content").to_owned()
    };
    assert_eq!(ask("oUser1", "a"), "yes");
    assert_eq!(ask("oUser1", "b"), "yes");
    assert_eq!(ask("oUser1", "c"), "c，够了");
    assert_eq!(ask("oUser2", "a"), "yes");
    assert_eq!(ask("oUser1", "d"), "d，够了");
    // Another rule has its own limit, or none.
    assert_eq!(ask("oUser1", "cheap"), "yes");
    assert_eq!(ask("oUser1", "other"), "yes");
    // A refused start does not count, so a start is possible again one second after the last start.
    assert_eq!(ask("oUser3", "short"), "yes");
    until("a second passes", || ask("oUser3", "short") == "yes");
    let lines = program.stop();
    assert_eq!(
        lines[0],
        "cause=run-limited reason=\"echo: not started: user limit reached (2 per 3600 s)\""
    );
}

#[test]
fn a_failed_start_does_not_count_for_the_limit() {
    let (program, folder) = start(
        "limit-start",
        r#"<on><run limit="1/1h" limited="limited" failed="failed">FOLDER/ask</run></on>"#,
    );
    let msg_ids = AtomicU64::new(1);
    let ask = || {
        let msg_id = msg_ids.fetch_add(1, Ordering::Relaxed);
        element(&reply_to(&program, &text_of("oUser1", msg_id, "x")), "Content").to_owned()
    };
    let write_script = |script: &str, mode| {
        let file = folder.join("ask");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    };
    assert_eq!([ask(), ask()], ["failed", "failed"]);
    for (script, mode) in [
        ("#!/bin/sh\necho yes\n", 0o644),
        ("echo yes\n", 0o755),
        ("#!/usr/bin/env nonexistent\necho yes\n", 0o755),
    ] {
        write_script(script, mode);
        assert_eq!([ask(), ask()], ["failed", "failed"], "{script}");
    }
    // A program that was started counts, also if it fails.
    write_script("#!/bin/sh\nexit 127\n", 0o755);
    assert_eq!([ask(), ask()], ["failed", "limited"]);
}

#[test]
fn a_limit_survives_a_change_of_everything_but_the_command() {
    let rules = |other: &str, texts: &str, command: &str| {
        format!("<rules>{other}<on Content=\"*\"><run {texts}>{command}</run></on></rules>")
    };
    let first = rules("", "limit='1/1d' limited='no'", "echo  yes <arg>{FromUserName}</arg>");
    let (program, folder) = start("limit-reload", "");
    let path = folder.join("rules.xml");
    let msg_ids = AtomicU64::new(1);
    // Sends messages until the rules have changed. Until then, each reply must be the previous reply.
    let replace = |rules: &str, previous: &str, expected: &str| {
        fs::write(&path, rules).unwrap();
        until("the rules change", || {
            let msg_id = msg_ids.fetch_add(1, Ordering::Relaxed);
            let reply = reply_to(&program, &text_of("oUser1", msg_id, "x"));
            let text = if reply == "success" { "" } else { element(&reply, "Content") };
            assert!(text == previous || text == expected, "{text}");
            text == expected
        });
    };
    replace(&first, "", "yes oUser1");
    replace(&first, "no", "no");
    let other = "<on Event=\"CLICK\"><run>echo else</run></on>";
    let texts = "late='wait' failed='bad' limited='not now' limit='1/12h' timeout='9s'";
    let command = "<arg>echo</arg><arg>yes</arg><arg>{FromUserName}</arg>";
    replace(&rules(other, texts, command), "no", "not now");
    let twice = rules("", "limit='2/1d' limited='no'", "echo yes {FromUserName}");
    replace(&twice, "not now", "yes oUser1");
    replace(&rules("", "limit='1/1d'", "echo other"), "no", "other");
}

#[test]
fn runs_64_programs_at_once_and_fails_the_next() {
    let (program, folder) = start(
        "at-once",
        r#"<on Content="wait"><run failed="忙">/bin/sh -c <arg>exec &lt; FOLDER/fifo; echo x >> FOLDER/runs; cat</arg></run></on>
           <on><run failed="忙">echo free</run></on>"#,
    );
    let fifo = folder.join("fifo");
    make_pipe(&fifo);
    // The programs read the pipe until all writers have closed it.
    let mut open = fs::OpenOptions::new();
    let writer = open.read(true).write(true).open(&fifo).unwrap();
    let mut streams = Vec::new();
    for number in 0..64 {
        let mut stream = connect(program.address);
        let xml = text_of(&format!("oUser{number}"), 1, "wait");
        stream.write_all(&post(&xml)).unwrap();
        streams.push(stream);
    }
    let runs = folder.join("runs");
    until("all programs run", || {
        fs::read_to_string(&runs).unwrap_or_default().lines().count() == 64
    });
    assert_eq!(say(&program, "one more"), "忙");
    let is_supervisor = |stat: &&String| stat.contains(" (exe) ");
    assert_eq!(children_of(program.id()).iter().filter(is_supervisor).count(), 64);
    drop(writer);
    for stream in &mut streams {
        assert_eq!(read_answer(stream, false).content, "success");
    }
    assert_eq!(say(&program, "one more"), "free");
    let lines = program.stop();
    assert_eq!(
        lines,
        ["cause=run-failed reason=\"echo: not started: limit of 64 running programs reached\""]
    );
}

/// The child processes of a process, including zombies. Each item is the content of `/proc/ID/stat`.
fn children_of(parent: u32) -> Vec<String> {
    let stat = |process: fs::DirEntry| fs::read_to_string(process.path().join("stat")).ok();
    let stats = fs::read_dir("/proc").unwrap().flatten().filter_map(stat);
    // The process name is in parentheses and may contain any character. The state and the parent's id follow.
    let is_child = |stat: &String| {
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        rest.split(' ').nth(1) == Some(&parent.to_string())
    };
    stats.filter(is_child).collect()
}

#[test]
fn leaves_no_process_and_no_descriptor_after_500_runs() {
    let (program, _) = start(
        "five-hundred",
        r#"<on Content="fail"><run>/bin/false</run></on><on Content="none"><run>/nonexistent</run></on>
           <on><run>echo yes</run></on>"#,
    );
    let mut kept = connect(program.address);
    assert_eq!(ask(&mut kept, &get("/")).status, 200);
    let before = program.descriptors() + 3;
    // The first run starts the two shells of the killer, which need three descriptors.
    say(&program, "yes");
    let shells = children_of(program.id());
    assert!(shells.len() == 2 && shells.iter().all(|stat| stat.contains(" (sh) ")), "{shells:?}");
    for number in 0..500 {
        let content = ["fail", "none", "yes"][number % 3];
        say(&program, content);
        // On a slow machine, the server would close this connection if it were idle for too long.
        assert_eq!(ask(&mut kept, &get("/")).status, 200);
    }
    // The server may not have closed the last connection yet.
    until("no descriptor is left", || program.descriptors() == before);
    assert_eq!(children_of(program.id()).len(), shells.len());
    assert_eq!(program.stop().len(), 334);
}

/// A rule with a program that starts processes which detach themselves in several ways. The program writes the
/// process ids of all to FOLDER/pids.
const RUNAWAYS: &str = r#"<on><run timeout="TIMEOUT" failed="坏了">/bin/sh -c <arg>
    sleep 1000 &amp;
    timeout 1000 sleep 1000 &amp;
    setsid sleep 1000 &amp;
    (sleep 1000 &lt; /dev/null > /dev/null 2>&amp;1 &amp;)
    mine() (
      sleeping=$(grep -lx sleep /proc/[0-9]*/comm 2> /dev/null | sed 's|comm$|environ|')
      grep -l WECHAT_RUN=$WECHAT_RUN $sleeping /dev/null 2> /dev/null
    )
    until [ $(mine | wc -l) -ge 4 ]; do true; done
    (mine; echo /proc/$$/environ) | cut -d / -f 3 > FOLDER/new
    mv FOLDER/new FOLDER/pids
    sleep 1000</arg></run></on>"#;

/// Adds the arguments and variables for a server with these rules. PATH is for their programs.
fn with_rules<'c>(command: &'c mut Command, rules: &Path) -> &'c mut Command {
    command
        .env("WECHAT_TOKEN", TOKEN)
        .env("PATH", "/usr/bin:/bin")
        .args(["--listen", "127.0.0.1:0", "--rules"])
        .arg(rules)
}

/// Waits until the processes of [`RUNAWAYS`] run. Returns their process ids.
fn runaways(folder: &Path) -> Vec<String> {
    let pids = folder.join("pids");
    until("the processes run", || pids.exists());
    let pids = fs::read_to_string(pids).unwrap();
    let pids: Vec<String> = pids.lines().map(str::to_owned).collect();
    assert!(pids.len() >= 5, "{pids:?}");
    pids
}

#[test]
fn programs_end_with_the_server_whatever_signal_ends_it() {
    for signal in ["KILL", "TERM", "INT"] {
        let mut command = match signal {
            "INT" => interruptible(),
            _ => command(),
        };
        let (rules, folder) =
            rules_file(&format!("ends-{signal}"), &RUNAWAYS.replace("TIMEOUT", "60"));
        let program = Program::spawn(with_rules(&mut command, &rules));
        let mut stream = connect(program.address);
        stream.write_all(&post(&text_of("oUser1", 1, "x"))).unwrap();
        let pids = runaways(&folder);
        let kill = format!("kill -{signal} {}", program.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        pids.iter().for_each(|id| until_gone(id));
        assert_eq!(program.stop(), [""; 0]);
    }
}

/// Ctrl-C in a terminal sends SIGINT to the process group.
#[test]
fn programs_end_with_the_server_when_its_process_group_is_interrupted() {
    let mut command = interruptible();
    let (rules, folder) = rules_file("ends-group", &RUNAWAYS.replace("TIMEOUT", "60"));
    let program = Program::spawn(with_rules(&mut command, &rules).process_group(0));
    let mut stream = connect(program.address);
    stream.write_all(&post(&text_of("oUser1", 1, "x"))).unwrap();
    let pids = runaways(&folder);
    let kill = format!("kill -INT -{}", program.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    pids.iter().for_each(|id| until_gone(id));
}

#[test]
fn a_timeout_ends_a_program_with_all_processes_it_started() {
    // On a slow machine, the timeout may pass before the processes run, so there are three attempts.
    let timeout = [1, 4, 16].iter().find(|seconds| {
        let rules = RUNAWAYS.replace("TIMEOUT", &seconds.to_string());
        let (program, folder) = start("timeout", &rules);
        assert_eq!(say(&program, "x"), "坏了");
        let lines = program.stop();
        let reason = format!("killed because it was still running after {seconds} s");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains(&reason), "{lines:?}");
        let have_run = folder.join("pids").exists();
        if have_run {
            runaways(&folder).iter().for_each(|id| until_gone(id));
        }
        have_run
    });
    assert!(timeout.is_some(), "the processes never ran");
}

#[test]
fn the_timeout_holds_for_processes_that_hide_from_it() {
    // Each process has left the program's group, session, children and environment.
    let hidden = r#"(env -i setsid /bin/sh -c 'echo $$ >> FOLDER/pids; sleep 1000' &amp;)"#;
    for (name, act, took) in [
        ("asleep", "true", "killed because it was still running after 1 s"),
        ("killed", "kill -9 $PPID", "supervisor ended with signal: 9 (SIGKILL); program killed"),
        (
            "stopped",
            "kill -STOP $PPID",
            "killed because it was still running after 1 s; its supervisor did not respond",
        ),
    ] {
        let rules = format!(
            r#"<on><run timeout="1" failed="坏了">/bin/sh -c <arg>{hidden}; {hidden}
            until [ "$(wc -l &lt; FOLDER/pids)" = 2 ]; do sleep 0.01; done; {act}
            echo $$ >> FOLDER/pids; sleep 1000</arg></run></on>"#
        );
        let (program, folder) = start(&format!("hidden-{name}"), &rules);
        assert_eq!(say(&program, "x"), "坏了");
        for id in fs::read_to_string(folder.join("pids")).unwrap().lines() {
            until_gone(id);
        }
        assert_eq!(children_of(program.id()).len(), 2);
        assert_eq!(program.stop(), [format!("cause=run-failed reason=\"/bin/sh: {took}\"")]);
    }
}

#[test]
fn the_timeout_holds_if_a_program_kills_or_stops_the_killer() {
    // Kills one shell and stops the other one.
    let rules = r#"<on><run timeout="1" failed="坏了">/bin/sh -c <arg>echo $$ > FOLDER/pid
        server=$(cut -d ' ' -f 4 /proc/$PPID/stat)
        shells=$(grep -l "^[0-9]* (sh) . $server " /proc/[0-9]*/stat | cut -d / -f 3)
        set -- $shells; kill -9 $1; kill -STOP $2; echo $* > FOLDER/shells
        setsid sleep 1000</arg></run></on>"#;
    let (program, folder) = start("killer", rules);
    assert_eq!(say(&program, "x"), "坏了");
    until_gone(fs::read_to_string(folder.join("pid")).unwrap().trim());
    let shells = fs::read_to_string(folder.join("shells")).unwrap();
    assert_eq!(shells.split_ascii_whitespace().count(), 2);
    shells.split_ascii_whitespace().for_each(until_gone);
    until("there are two shells again", || children_of(program.id()).len() == 2);
    assert_eq!(program.stop().len(), 1);
}

/// A process that a program leaves running belongs to no run. It is counted, and is not killed with a later run.
#[test]
fn the_status_counts_processes_that_programs_left_running() {
    let folder = ShortFolder::new("processes-left");
    let rules = folder.path("rules.xml");
    let left = r#"<on Content="leave"><run>/bin/sh -c
        <arg>setsid sleep 1000 > /dev/null 2>&amp;1 &amp; echo $!</arg></run></on>"#;
    let slow = r#"<on><run timeout="1" failed="坏了">sleep 1000</run></on>"#;
    fs::write(&rules, format!("<rules>{left}{slow}</rules>")).unwrap();
    let control = folder.path("control");
    let program = Program::start(&["--rules", &rules, "--control", &control]);
    let count = || {
        let output = command().args(["status", "--json", "--control", &control]).output().unwrap();
        let json = String::from_utf8(output.stdout).unwrap();
        let (_, rest) = json.split_once("\"processes_left\":").unwrap();
        rest.split(',').next().unwrap().to_owned()
    };
    assert_eq!(count(), "0");
    let id = say(&program, "leave");
    until("the process is counted", || count() == "1");
    assert_eq!(say(&program, "slow"), "坏了");
    assert_eq!(count(), "1");
    assert!(Command::new("sh").args(["-c", &format!("kill {id}")]).status().unwrap().success());
    until_gone(&id);
    until("the process is not counted", || count() == "0");
    assert_eq!(program.stop().len(), 1);
}

#[test]
fn the_supervisor_kills_a_program_when_its_input_ends() {
    // Returns the exit code and what the supervisor prints.
    let supervise = |arguments: &[&str], input: &str, is_kept_open: bool| {
        let mut supervisor = command()
            .arg("supervise")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = supervisor.stdin.take().unwrap();
        // This fails if the arguments are wrong, because the supervisor then does not read its input.
        let _ = stdin.write_all(input.as_bytes());
        let stdin = is_kept_open.then_some(stdin);
        let mut printed = String::new();
        supervisor.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        drop(stdin);
        (supervisor.wait().unwrap().code().unwrap(), printed)
    };
    assert_eq!(supervise(&["60", "cat"], "5\nhello", true), (0, "+hello".into()));
    assert_eq!(
        supervise(&["60", "/bin/sh", "-c", "echo $0", "--help"], "0\n", true),
        (0, "+--help\n".into())
    );
    assert_eq!(
        supervise(&["x", "cat"], "0\n", true),
        (
            1,
            "-only the server uses supervise; expected supervise SECONDS PROGRAM [ARGUMENT]...\n"
                .into()
        )
    );
    let (code, printed) = supervise(&["60", "cat"], "", false);
    assert_eq!(code, 1);
    assert!(printed.starts_with("-cannot read the message: "), "{printed}");
    assert_eq!(
        supervise(&["60", "sleep", "1000"], "0\n", false),
        (1, "-killed because the server ended\n".into())
    );
}

/// Runs the two programs of the manual. The test plays the language model.
#[test]
fn the_programs_of_the_manual_answer_with_a_language_model() {
    let manual = fs::read_to_string(root().join("src/manual/en/programs.md")).unwrap();
    let folder = folder("model");
    for (mark, name, needs) in [
        ("```sh\n#!/bin/sh", "ask.sh", vec!["curl", "jq"]),
        ("```python\n#!/usr/bin/env python3", "ask.py", vec!["python3"]),
    ] {
        for tool in needs {
            let output = Command::new(tool).arg("--version").output();
            assert!(output.is_ok(), "{tool} does not run here; install it");
        }
        let (_, rest) = manual.split_once(mark).unwrap();
        let (body, _) = rest.split_once("```\n").unwrap();
        let first = mark.split('\n').nth(1).unwrap();
        let path = folder.join(name);
        fs::write(&path, format!("{first}{body}")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let model = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = model.local_addr().unwrap();
        let rules = folder.join("rules.xml");
        let run = format!("<run failed=\"坏了\">{} {{Text}}</run>", path.to_str().unwrap());
        fs::write(&rules, format!("<rules><on>{run}</on></rules>")).unwrap();
        let program = Program::spawn(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("PATH", std::env::var_os("PATH").unwrap())
                .env("API_KEY", "sk-1")
                .env("API_URL", format!("http://{address}/v1/chat/completions"))
                .args(["--listen", "127.0.0.1:0", "--rules", rules.to_str().unwrap()]),
        );
        let reply = |answer: &'static str| {
            let model = model.try_clone().unwrap();
            let asked = std::thread::spawn(move || play_model(&model, answer));
            let said = say(&program, "say \"hi\" $(id) 'x'");
            (said, asked.join().unwrap())
        };
        let answer = "{\"choices\":[{\"message\":{\"content\":\"<image><MediaId>你好</MediaId></image>\"}}]}";
        let (said, asked) = reply(answer);
        assert_eq!(said, "<image><MediaId>你好</MediaId></image>", "{name}");
        assert!(asked.contains("Bearer sk-1"), "{asked}");
        assert!(asked.contains("say \\\"hi\\\" $(id) 'x'"), "{asked}");
        assert_eq!(reply("{\"error\":\"no money\"}").0, "坏了", "{name}");
        assert_eq!(reply("").0, "坏了", "{name}");
        drop(model);
        assert_eq!(say(&program, "no model runs"), "坏了", "{name}");
        assert_eq!(program.stop().len(), 3);
    }
}

/// Accepts one request for a completion, sends `answer` as its response, and returns the request.
fn play_model(model: &TcpListener, answer: &str) -> String {
    let (mut stream, _) = model.accept().unwrap();
    let mut request = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).unwrap();
        request.extend(&part[..count]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some((head, content)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let (_, length) = head.split_once("content-length: ").unwrap();
        let length = length.split("\r\n").next().unwrap();
        if content.len() >= length.parse().unwrap() {
            break;
        }
    }
    let length = answer.len();
    let status = if answer.is_empty() { "500 Oops" } else { "200 OK" };
    let head = "Content-Type: application/json\r\nConnection: close";
    write!(stream, "HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{answer}")
        .unwrap();
    String::from_utf8(request).unwrap()
}
