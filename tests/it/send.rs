//! `wechat send`: the messages that it sends, and how it judges the answers.

use crate::support::tools::*;
use crate::support::*;

const DELIVERED: &str = "WeChat would deliver this";
const NO_REPLY: &str = "WeChat would show the user nothing";

/// Sends a message to a backend with this answer. HEAD in the answer is replaced by ToUserName, FromUserName and
/// CreateTime.
fn send(answer: &str, arguments: &[&str]) -> Output {
    let head = "<ToUserName>oUser1</ToUserName><FromUserName>gh_0123456789ab</FromUserName>\
                <CreateTime>1700000000</CreateTime>";
    let answer = ok(&answer.replace("HEAD", head));
    run(backend(move |_| answer.clone()), &[&["send"], arguments].concat())
}

/// Asserts that this answer is accepted, that the last line is `result`, and that there are only these warnings.
#[track_caller]
fn assert_accepts(answer: &str, arguments: &[&str], result: &str, warnings: &[&str]) {
    let output = send(answer, arguments);
    assert_eq!((output.code, output.err.as_str()), (0, ""), "{}", output.out);
    assert_eq!(output.out.lines().last(), Some(result));
    assert_eq!(problems(&output), warnings);
}

/// Asserts that this answer is refused only for this reason, in which `*` matches any text.
#[track_caller]
fn assert_refuses(answer: &str, arguments: &[&str], reason: &str) {
    let output = send(answer, arguments);
    output.assert_line(&format!("failed: {reason}"));
    assert_eq!(problems(&output).len(), 1, "{}", output.out);
    assert_eq!(
        (output.code, output.err.as_str()),
        (
            1,
            "wechat: WeChat would not deliver this answer; the user may see 该公众号提供的服务出现故障，请稍后再试\n"
        )
    );
}

/// The lines with errors and warnings. Warnings are returned without `warning: `.
fn problems(output: &Output) -> Vec<&str> {
    let lines = output.out.lines();
    let problem = |line: &'_ str| line.starts_with("failed: ") || line.starts_with("warning: ");
    let problems = lines.filter(|line| problem(line));
    problems.map(|line| line.strip_prefix("warning: ").unwrap_or(line)).collect()
}

fn text_reply(content: &str) -> String {
    format!("<xml>HEAD<MsgType>text</MsgType><Content>{content}</Content></xml>")
}

#[test]
fn accepts_usable_answers() {
    let text = text_reply("好");
    assert_accepts(&text, &["你好"], DELIVERED, &[]);
    assert_accepts(&text_reply(&"x".repeat(2048)), &["a"], DELIVERED, &[]);
    assert_accepts("success", &["你好"], NO_REPLY, &[]);
    assert_accepts("", &["你好"], NO_REPLY, &[]);
    for transfer in ["transfer_customer_service", "transfer_biz_ai_ivr"] {
        let reply = format!("<xml>HEAD<MsgType>{transfer}</MsgType></xml>");
        assert_accepts(&reply, &["你好"], DELIVERED, &[]);
    }
    for (kind, name) in [("image", "Image"), ("voice", "Voice"), ("video", "Video")] {
        let reply = |media: &str| format!("<xml>HEAD<MsgType>{kind}</MsgType>{media}</xml>");
        let whole = reply(&format!("<{name}><MediaId>m</MediaId></{name}>"));
        assert_accepts(&whole, &["你好"], DELIVERED, &[]);
        let missing = format!("{name}/MediaId is missing or empty, and {kind} cannot do without");
        assert_refuses(&reply("<MediaId>m</MediaId>"), &["你好"], &missing);
    }
}

#[test]
fn warns_of_answers_that_may_fail() {
    let music = |thumb: &str| {
        format!("<xml>HEAD<MsgType>music</MsgType><Music><Title>t</Title>{thumb}</Music></xml>")
    };
    let warning = "Music/ThumbMediaId is missing, and the manual requires it";
    assert_accepts(&music(""), &["你好"], DELIVERED, &[warning]);
    for empty in [
        "<ThumbMediaId/>",
        "<ThumbMediaId><![CDATA[]]></ThumbMediaId>",
        "<ThumbMediaId> </ThumbMediaId>",
    ] {
        let reason = "Music/ThumbMediaId is empty, for which WeChat shows the fault prompt; \
            leave the element out, or give it a MediaId";
        assert_refuses(&music(empty), &["你好"], reason);
    }
    let warning = "the user has unsubscribed and cannot receive a reply; answer success";
    let unsubscribe = ["Event=unsubscribe"];
    assert_accepts(&text_reply("a"), &unsubscribe, DELIVERED, &[warning]);
    for (markup, warning) in [
        (
            "<!-- a -->",
            "the XML has a comment or an instruction, which WeChat's own XML never has; remove it",
        ),
        ("<a b=\"c\"/>", "a tag has an attribute, which WeChat's own XML never has; remove it"),
    ] {
        let answer = text_reply("a").replace("</xml>", &format!("{markup}</xml>"));
        assert_accepts(&answer, &["你好"], DELIVERED, &[warning]);
        // A long answer with attributes could take minutes to read.
        let long = answer.replace("</xml>", &format!("<c>{}</c></xml>", "x".repeat(8192)));
        assert_refuses(&long, &["你好"], "XML *");
    }
}

#[test]
fn names_what_is_wrong_with_an_answer() {
    let types = "text image voice video music news transfer_customer_service";
    for (answer, reason) in [
        (
            "success\n",
            "the content is \"success\\n\"; for no reply send exactly the 7 bytes success, or nothing",
        ),
        (
            "\"success\"",
            "the content is \"\\\"success\\\"\"; for no reply send exactly the 7 bytes success, or nothing",
        ),
        (
            " \n",
            "the content is only white space; for no reply send the 7 bytes success, or nothing",
        ),
        ("{\"a\":1}", "the content is JSON: \"{\\\"a\\\":1}\"; a reply is XML"),
        (
            "<!DOCTYPE html>",
            "the content is an HTML page: \"<!DOCTYPE html>\"; check for an error page, and that this is the URL of the program",
        ),
        (
            "好",
            "the content is \"好\"; expected XML for a reply, or success or nothing for no reply",
        ),
        (
            "[微笑]",
            "the content is \"[微笑]\"; expected XML for a reply, or success or nothing for no reply",
        ),
        (
            "\u{1f}\u{8b}",
            "the content is \"\\u{1f}\\u{8b}\"; expected XML for a reply, or success or nothing for no reply",
        ),
        ("<\0x\0m\0l\0>\0", "the content is UTF-16; send UTF-8 without a byte order mark"),
        (
            "\u{FEFF}<xml/>",
            "the content begins with a byte order mark (EF BB BF); save the program's files as UTF-8 without BOM",
        ),
        (
            "\n<?xml version=\"1.0\"?><xml/>",
            "white space precedes the XML declaration, where XML allows none; remove blank lines at the start of the program's files",
        ),
        (
            "<xml></xml>\n<b>Notice</b>: x",
            "\"<b>Notice</b>: x\" follows </xml>; send nothing after the end of the reply",
        ),
        (
            "<xml><a>",
            "not well-formed XML at line 1 column *; in a text write &amp; and &lt; for & and <, or use CDATA, and close each tag",
        ),
        (
            "<xml><a>a < b</a></xml>",
            "not well-formed XML at line 1 column *write &lt; for <, or put the text in <![CDATA[…]]>",
        ),
        (
            "<xml><a>a & b</a></xml>",
            "not well-formed XML at line 1 column *; in a text write &amp; and &lt; for & and <, or use CDATA, and close each tag",
        ),
        ("<!DOCTYPE a><xml/>", "not well-formed XML at line 1 *"),
        ("<xml><a", "*; check that Content-Length counts bytes"),
        (
            &text_reply("a\u{1}"),
            "the content has the character U+0001, which XML does not allow; remove control characters",
        ),
        ("<reply>HEAD</reply>", "the root element is <reply>, expected <xml>"),
        (
            "<xml><Encrypt>a</Encrypt></xml>",
            "the reply is encrypted although the message was plain, or it is encrypted twice; give the program the EncodingAESKey only for the encrypted modes, and encrypt once",
        ),
        (
            &text_reply(""),
            "Content is empty, for which WeChat shows the fault prompt; for no reply send success",
        ),
        (
            "<xml>HEAD<MsgType>text</MsgType></xml>",
            "Content is missing or empty, and text cannot do without",
        ),
        (&text_reply(&"好".repeat(683)), "Content has 2049 bytes of UTF-8, at most 2048 allowed"),
        ("<xml>HEAD<Content>a</Content></xml>", &format!("MsgType is missing; there are {types}")),
        (
            &text_reply("a").replace(">text<", ">Text<"),
            &format!("MsgType is \"Text\"; there are {types}"),
        ),
    ] {
        assert_refuses(answer, &["你好"], reason);
    }
}

#[test]
fn names_and_time_of_a_reply_must_match_the_message() {
    let names = "<ToUserName>o2</ToUserName><FromUserName>gh_2</FromUserName>";
    let time = "<CreateTime>1700000000</CreateTime>";
    let message = ["--from", "o2", "你好", "ToUserName=gh_2"];
    let reply =
        |head: &str| format!("<xml>{head}<MsgType>text</MsgType><Content>a</Content></xml>");
    let refuses = |head: &str, reason: &str| assert_refuses(&reply(head), &message, reason);
    for time in [time, "<CreateTime>99999999999</CreateTime>"] {
        assert_accepts(&reply(&format!("{names}{time}")), &message, DELIVERED, &[]);
    }
    refuses(
        &format!("<ToUserName>gh_2</ToUserName><FromUserName>o2</FromUserName>{time}"),
        "ToUserName and FromUserName are not swapped; in a reply ToUserName is the user's openid, and FromUserName is the account",
    );
    refuses(
        &format!("<ToUserName>o3</ToUserName><FromUserName>gh_2</FromUserName>{time}"),
        "ToUserName is \"o3\", expected \"o2\"",
    );
    refuses(
        &format!("<ToUserName>o2</ToUserName>{time}"),
        "FromUserName is missing, expected \"gh_2\"",
    );
    refuses(names, "CreateTime is missing, expected seconds since 1970");
    let milliseconds = |time: &str| {
        let warning =
            format!("CreateTime is {time}, apparently milliseconds, expected seconds since 1970");
        (reply(&format!("{names}<CreateTime>{time}</CreateTime>")), warning)
    };
    // WeChat delivers a reply with a time of 13 digits.
    let (answer, warning) = milliseconds("1700000000000");
    assert_accepts(&answer, &message, DELIVERED, &[&warning]);
    for time in ["100000000000", "17000000000000"] {
        let (answer, reason) = milliseconds(time);
        assert_refuses(&answer, &message, &reason);
    }
    for wrong in ["1700000000.5", "+1700000000", "now"] {
        refuses(
            &format!("{names}<CreateTime>{wrong}</CreateTime>"),
            &format!("CreateTime is \"{wrong}\", expected whole seconds since 1970"),
        );
    }
}

/// If account and user have the same name, it is impossible to see whether the names are swapped.
#[test]
fn equal_names_count_as_swapped() {
    let answer = "<xml><ToUserName>o</ToUserName><FromUserName>o</FromUserName>\
        <CreateTime>1</CreateTime><MsgType>text</MsgType><Content>a</Content></xml>";
    let message = ["--from", "o", "ToUserName=o", "a"];
    assert_accepts(answer, &message, DELIVERED, &[]);
}

#[test]
fn counts_the_articles_of_news() {
    let news = |count: &str, items: usize| {
        let items = "<item><Title>t</Title></item>".repeat(items);
        format!(
            "<xml>HEAD<MsgType>news</MsgType><ArticleCount>{count}</ArticleCount><Articles>{items}</Articles></xml>"
        )
    };
    let (message, event) = (["你好"], ["Event=subscribe"]);
    assert_accepts(&news("1", 1), &message, DELIVERED, &[]);
    assert_accepts(&news("8", 8), &event, DELIVERED, &[]);
    for count in [2, 8, 9] {
        let warning = format!(
            "{count} articles, at most 1 allowed in a reply to a message; WeChat drops the other articles"
        );
        assert_accepts(&news(&count.to_string(), count), &message, DELIVERED, &[&warning]);
    }
    assert_accepts(
        &news("9", 9),
        &event,
        DELIVERED,
        &["9 articles, at most 8 allowed in a reply to an event; WeChat drops the other articles"],
    );
    assert_refuses(
        &news("2", 1),
        &message,
        "ArticleCount is \"2\", expected 1, the number of items in Articles",
    );
    assert_refuses(
        &news("", 1),
        &message,
        "ArticleCount is missing, expected the number of articles",
    );
    assert_refuses(&news("0", 0), &event, "news without articles, expected Articles/item");
    assert_refuses(
        &news("1", 1).replace(">t<", "> <"),
        &event,
        "articles without a Title: 1; every article requires one",
    );
}

#[test]
fn comments_are_not_part_of_a_text() {
    for content in ["<!-- x -->hi", "h<!-- x -->i", "<![CDATA[h]]><!-- x -->&#105;<!-- y -->"] {
        let output = send(&text_reply(content), &["你好"]);
        output.assert_line("  Content: hi");
        output.assert_line(DELIVERED);
    }
}

#[test]
fn refuses_another_status_whatever_the_content_is() {
    let address = backend(|_| b"HTTP/1.1 500 oops\r\nContent-Length: 7\r\n\r\nsuccess".to_vec());
    let output = run(address, &["send", "你好"]);
    output.assert_line(
        "failed: status 500 with the message \"success\"; the program failed; read its log",
    );
    assert_eq!(output.code, 1);
}

#[test]
fn completes_messages_and_sends_them_as_in_captures() {
    let address = backend(ok);
    let sent = |arguments: &[&str]| {
        let output = run(address, &[&["send", "--raw"], arguments].concat());
        let (_, request) = output.out.split_once("\n\nPOST ").unwrap();
        let (head, xml) = request.split_once("\r\n\r\n").unwrap();
        let (xml, _) = xml.split_once("</xml>").unwrap();
        let xml = format!("{xml}</xml>");
        // `--raw` prints the XML as sent and as received, and the backend returns the XML unchanged.
        assert_eq!(output.out.matches(&xml).count(), 2, "{}", output.out);
        (head.to_owned(), xml)
    };
    let (head, xml) = sent(&["你好"]);
    let mut lines = head.lines();
    let target = lines.next().unwrap();
    assert!(is_signed(target), "{target}");
    assert!(target.starts_with("/wx?signature="), "{target}");
    assert!(target.ends_with("&openid=oUser1 HTTP/1.1"), "{target}");
    let fields: Vec<&str> = lines.collect();
    let length = format!("Content-Length: {}", xml.len());
    let host = format!("Host: {address}");
    assert_eq!(
        fields,
        [
            "User-Agent: Mozilla/4.0",
            "Accept: */*",
            &host,
            "Pragma: no-cache",
            &length,
            "Content-Type: text/xml",
        ]
    );
    with_message(&xml, now(), |message| {
        assert_eq!(message.to_user_name(), "gh_0123456789ab");
        assert_eq!(message.from_user_name(), "oUser1");
        assert!(now() - message.create_time() < 60);
        assert_eq!(message.msg_type(), "text");
        assert_eq!(message.field("Content"), Some("你好"));
        assert_eq!(message.msg_id().unwrap().len(), 17);
    });
    let (_, xml) = sent(&["--", "a=b ]]> -\u{1}\r\n"]);
    assert!(xml.contains("<![CDATA[a=b ]]]]><![CDATA[> -\u{1}\r\n]]>"), "{xml}");
    let (head, xml) = sent(&["Event=SCAN", "EventKey=1", "--from", "o/ü"]);
    assert!(head.lines().next().unwrap().ends_with("&openid=o%2F%C3%BC HTTP/1.1"), "{head}");
    with_message(&xml, now(), |message| {
        assert_eq!(message.msg_type(), "event");
        assert_eq!((message.msg_id(), message.field("EventKey")), (None, Some("1")));
    });
    for text in ["-h", "-", "--raw", "a=b"] {
        let (_, xml) = sent(&["--", text]);
        assert_eq!(element(&xml, "Content"), text);
    }
    let (_, xml) = sent(&["-"]);
    assert_eq!(element(&xml, "Content"), "-");
    let (_, xml) = sent(&["MsgType=x", "a/b=1", "c/d=2", "c/b=3"]);
    assert!(xml.contains("<c><d><![CDATA[2]]></d><b><![CDATA[3]]></b></c>"), "{xml}");
    let (_, xml) = sent(&["MsgType=x", "a/b=1", "a/c/d=2", "a/b=3"]);
    assert!(xml.contains("</c></a>\n<a><b><![CDATA[3]]></b></a>"), "{xml}");
    let nested = ["a/b=1", "a/c=2", "a/d/e=3", "f=4", "MsgType=x", "CreateTime=5", "MsgId=y"];
    let (_, xml) = sent(&nested);
    let end = "<CreateTime>5</CreateTime>\n<MsgType><![CDATA[x]]></MsgType>\n\
        <a><b><![CDATA[1]]></b><c><![CDATA[2]]></c><d><e><![CDATA[3]]></e></d></a>\n\
        <f><![CDATA[4]]></f>\n<MsgId><![CDATA[y]]></MsgId>\n</xml>";
    assert!(xml.ends_with(end), "{xml}");
    let list = [
        "Event=pic_weixin",
        "SendPicsInfo/Count=2",
        "SendPicsInfo/PicList/item/PicMd5Sum=a",
        "SendPicsInfo/PicList/item/PicMd5Sum=b",
    ];
    let (_, xml) = sent(&list);
    let infos = "<SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum><![CDATA[a]]></PicMd5Sum></item>\
        <item><PicMd5Sum><![CDATA[b]]></PicMd5Sum></item></PicList></SendPicsInfo>\n</xml>";
    assert!(xml.ends_with(infos), "{xml}");
    let (_, xml) = sent(&["MsgType=location", "Location_X=-23.1", "Scale=2.", "Label=5"]);
    let numbers = "<Location_X>-23.1</Location_X>\n<Scale><![CDATA[2.]]></Scale>\n\
        <Label><![CDATA[5]]></Label>\n";
    assert!(xml.contains(numbers), "{xml}");
    let (first, second) = (sent(&["a"]), sent(&["a"]));
    assert_ne!(first.0.lines().next(), second.0.lines().next());
    assert_ne!(number(&first.1, "MsgId"), number(&second.1, "MsgId"));
}

/// The text of an element that is written without CDATA.
fn number<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split_once('<').unwrap().0
}

#[test]
fn refuses_arguments_that_make_no_message() {
    let cases: [(&[&str], &str); 9] = [
        (&["--raw=1", "a"], "--raw takes no value"),
        (&["--from", "", "a"], "--from is \"\"; expected an openid"),
        (&[], "nothing to send, expected a text or Field=Value"),
        (&["--from", "o2"], "nothing to send, expected a text or Field=Value"),
        (&["a", "b"], "unexpected argument \"b\"; see wechat help send"),
        (&["a", "Content=b"], "Content is given more than once, at most once allowed"),
        (
            &["--from", "o1", "a", "FromUserName=o2"],
            "FromUserName is given more than once, at most once allowed",
        ),
        (
            &["MediaId=m1"],
            "\"MediaId=m1\" is given without MsgType; add for example MsgType=image or Event=CLICK; \
             for a text that contains = write Content=…",
        ),
        (&["--trees", "a"], "unknown flag \"--trees\"; did you mean --tries?"),
    ];
    for (arguments, message) in cases {
        let output = run(nowhere(), &[&["send"], arguments].concat());
        assert_eq!(
            (output.code, output.out.as_str(), output.err),
            (2, "", format!("wechat: {message}\n"))
        );
    }
    let output = run(nowhere(), &["send", "a", "Contnet=b"]);
    assert!(
        output.out.starts_with("warning: unknown field Contnet, did you mean Content?\n"),
        "{}",
        output.out
    );
}

#[test]
fn says_what_wechat_would_never_send() {
    let image = "WeChat never sends MsgType image without PicUrl, MediaId; add PicUrl=… MediaId=…";
    for (arguments, warning) in [
        (&["MsgType=image"][..], Some(image)),
        (
            &["MsgType=image", "PicUrl=http://e/p"],
            Some("WeChat never sends MsgType image without MediaId; add MediaId=…"),
        ),
        (&["MsgType=image", "PicUrl=http://e/p", "MediaId=m"], None),
        (&["MsgType=text"], Some("WeChat never sends MsgType text without Content; add Content=…")),
        (&["MsgType=event"], Some("WeChat never sends MsgType event without Event; add Event=…")),
        (&["Event=CLICK"], Some("WeChat never sends Event CLICK without EventKey; add EventKey=…")),
        (
            &["Event=scancode_push", "EventKey=k", "ScanCodeInfo/ScanType=qrcode"],
            Some(
                "WeChat never sends Event scancode_push without ScanCodeInfo/ScanResult; \
                 add ScanCodeInfo/ScanResult=…",
            ),
        ),
        (&["Event=click", "EventKey=k"], None),
        (&["Event=subscribe"], None),
        (&["Event=ENTER"], None),
        (
            &["Event=subscribed"],
            Some("WeChat has no Event \"subscribed\", did you mean subscribe?"),
        ),
        (&["MsgType=imgae"], Some("WeChat has no MsgType \"imgae\", did you mean image?")),
        (&["MsgType=evnet"], Some("WeChat has no MsgType \"evnet\", did you mean event?")),
        (&["MsgType=sticker"], Some("MsgType is \"sticker\", which WeChat's manual does not have")),
        (
            &["MsgType=text", "Event=SCAN"],
            Some(
                "Event with MsgType \"text\"; WeChat's events have MsgType event, so leave MsgType out",
            ),
        ),
    ] {
        let warnings: Vec<&str> = warning.into_iter().collect();
        assert_accepts("success", arguments, NO_REPLY, &warnings);
    }
}

#[test]
fn prints_the_fields_of_a_reply() {
    let answer = "<xml>HEAD<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles><item>\
         <Title>一</Title><Description>a\nb\u{85}</Description></item></Articles></xml>";
    let output = send(answer, &["Event=subscribe"]);
    let mut lines = output.out.lines();
    assert!(lines.next().unwrap().starts_with("news after "), "{}", output.out);
    let rest: Vec<&str> = lines.collect();
    assert_eq!(
        rest,
        [
            "  ArticleCount: 1",
            "  Articles/item/Title: 一",
            "  Articles/item/Description: a",
            "                             b\\u{85}",
            "WeChat would deliver this",
        ]
    );
}

#[test]
fn reports_a_content_length_that_counts_characters() {
    let address = backend(|_| {
        let content = "<xml><Content>你好</Content></xml>";
        let length = content.chars().count();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{content}").into_bytes()
    });
    let output = run(address, &["send", "你好"]);
    output.assert_line(
        "failed: Content-Length is 32, but 4 more bytes follow; it must count bytes, not characters",
    );
    assert_eq!(output.code, 1);
}

#[test]
fn raw_output_is_escaped_on_a_terminal_only() {
    let address = backend(|_| ok("<a>\u{1b}[2J\u{9b}1m\t\n</a>"));
    let url = format!("http://{address}");
    let environment = [("WECHAT_CALLBACK_URL", url.as_str()), ("NO_COLOR", "1")];
    let text = on_terminal("send --raw a", &environment);
    assert!(text.contains("<a>\\u{1b}[2J\\u{9b}1m\t\r\n</a>"), "{text:?}");
    assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text:?}");
    // A pipe gets the bytes unchanged.
    let output = run(address, &["send", "--raw", "a"]);
    let raw = "<a>\u{1b}[2J\u{9b}1m\t\n</a>\n";
    assert!(output.out.contains(raw), "{:?}", output.out);
}

#[test]
fn raw_output_says_that_it_is_incomplete() {
    let content = "x".repeat(64 * 1024 + 1);
    let framed = ok(&content);
    let unframed = format!("HTTP/1.1 200 OK\r\n\r\n{content}").into_bytes();
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n{content}\r\n0\r\n\r\n"
    );
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxxx".to_vec();
    for answer in [framed, unframed, chunked.into_bytes(), cut] {
        let address = backend(move |_| answer.clone());
        let output = run(address, &["send", "--raw", "a"]);
        let shown = output.out.lines().rev().find(|line| !line.is_empty()).unwrap();
        let (length, _) = shown
            .strip_prefix("--raw shows the first ")
            .and_then(|rest| rest.split_once(" bytes of the content; the rest was not received"))
            .unwrap_or_else(|| panic!("{shown}"));
        let raw = "x".repeat(length.parse().unwrap());
        assert!(output.out.ends_with(&format!("\n\n{raw}\n\n{shown}\n")), "{shown}");
        assert_eq!(output.code, 1);
    }
}

#[cfg(feature = "secure")]
#[test]
fn judges_encrypted_answers_by_their_decrypted_content() {
    use crate::support::sealed::*;

    const REPLY: &str = "<xml><ToUserName>oUser1</ToUserName><FromUserName>gh_0123456789ab</FromUserName>\
         <CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>好</Content></xml>";
    const OTHER_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";

    fn envelope(wechat: &WeChat, reply: &str, timestamp: &str) -> String {
        let encrypt = wechat.cipher.encrypt(reply.as_bytes()).unwrap();
        sealed(wechat, &encrypt, timestamp)
    }

    fn sealed(wechat: &WeChat, encrypt: &str, timestamp: &str) -> String {
        let signature = wechat.token.sign_message(timestamp.as_bytes(), b"nonce", encrypt);
        format!(
            "<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>\
             <TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[nonce]]></Nonce></xml>"
        )
    }

    /// An answer without valid padding under the usual key. Under a random other key, padding may be valid by chance.
    fn envelope_without_padding(wechat: &WeChat) -> String {
        let is_padding = |vector: &&Vector| vector.name == "padding";
        let vectors = Vector::all("refuse");
        let vector = vectors.iter().find(is_padding).unwrap();
        assert_eq!(vector.must("aes-key"), AES_KEY);
        sealed(wechat, vector.must("encrypt"), "1700000001")
    }

    #[track_caller]
    fn assert_judged(answer: &str, switch: &str, expected: &[&str]) {
        let answer = answer.to_owned();
        let address = backend(move |_| ok(&answer));
        let output = finish(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("WECHAT_AES_KEY", AES_KEY)
                // WeChat encrypts and decrypts with the current key only.
                .env("WECHAT_AES_KEY_PREVIOUS", OTHER_KEY)
                .env("WECHAT_APP_ID", APP_ID)
                .env("WECHAT_CALLBACK_URL", format!("http://{address}/wx"))
                .args(["send", switch, "你好"]),
        );
        for line in expected {
            assert!(output.out.contains(line), "{line}\n{}", output.out);
        }
        let is_fine = expected.iter().any(|line| line.starts_with("WeChat would"));
        assert_eq!(output.code, i32::from(!is_fine), "{}", output.out);
    }

    let usual = WeChat::usual();
    let right = envelope(&usual, REPLY, "1700000001");
    for switch in ["--encrypted", "--compatible"] {
        assert_judged(&right, switch, &["text, encrypted after ", "  Content: 好\n", DELIVERED]);
        assert_judged("success", switch, &["WeChat would show the user nothing"]);
        assert_judged("", switch, &["WeChat would show the user nothing"]);
        let other = WeChat::with(TOKEN, OTHER_KEY, APP_ID);
        assert_judged(
            &envelope(&other, REPLY, "1700000001"),
            switch,
            &["encrypted reply after ", "failed: "],
        );
        assert_judged(
            &envelope_without_padding(&usual),
            switch,
            &["failed: decrypted text has no valid padding, expected 1 to 32 bytes of padding; \
                 check that both sides have the same EncodingAESKey\n"],
        );
        let other = WeChat::with(TOKEN, AES_KEY, "wx1");
        assert_judged(
            &envelope(&other, REPLY, "1700000001"),
            switch,
            &[
                "failed: appid in the decrypted text is not this account's; check that both sides have the same appid\n",
            ],
        );
        let other = WeChat::with("goodbye2020", AES_KEY, APP_ID);
        assert_judged(
            &envelope(&other, REPLY, "1700000001"),
            switch,
            &[
                "failed: MsgSignature is \"",
                "\", expected the SHA-1 of token, TimeStamp, Nonce and Encrypt, sorted\n",
            ],
        );
        assert_judged(
            &envelope(&usual, REPLY, "1700000001000"),
            switch,
            &[
                "failed: TimeStamp is 1700000001000, apparently milliseconds, expected seconds since 1970\n",
            ],
        );
        assert_judged(
            &right.replace("xml>", "foo>"),
            switch,
            &["failed: the root element is <foo>, expected <xml>\n"],
        );
        assert_judged(
            &right.replace("</xml>", "\u{1}</xml>"),
            switch,
            &[
                "failed: the content has the character U+0001, which XML does not allow; remove control characters\n",
            ],
        );
        for name in ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"] {
            assert_judged(
                &right.replace("</xml>", &format!("<{name}>1</{name}></xml>")),
                switch,
                &[&format!("failed: {name} occurs more than once, at most once allowed\n")],
            );
        }
        let spaced = right.replace("<![CDATA[", "\n").replace("]]>", "\n");
        assert_judged(&spaced, switch, &["text, encrypted after ", DELIVERED]);
        let again = envelope(&usual, &right, "1700000001");
        assert_judged(
            &again,
            switch,
            &[
                "failed: the reply is encrypted although the message was plain, or it is encrypted twice; ",
            ],
        );
        assert_judged(
            &right.replace("MsgSignature", "Signature"),
            switch,
            &["failed: MsgSignature is missing, and an encrypted reply requires it\n"],
        );
        assert_judged(
            &right.replace("[nonce]", &format!("[{}]", "9".repeat(41))),
            switch,
            &["failed: nonce has 41 bytes, at most 40 allowed"],
        );
        assert_judged(
            &right.replace("Nonce", "Once"),
            switch,
            &["failed: Nonce is missing, and an encrypted reply requires it\n"],
        );
        assert_judged(
            &right.replace("TimeStamp", "Timestamp"),
            switch,
            &["failed: TimeStamp is missing, expected seconds since 1970\n"],
        );
        // The decrypted content is judged like a plain answer.
        let unswapped = REPLY.replace("oUser1", "gh_0123456789ab");
        assert_judged(
            &envelope(&usual, &unswapped, "1700000001"),
            switch,
            &[
                "text, encrypted after ",
                "failed: ToUserName is \"gh_0123456789ab\", expected \"oUser1\"\n",
            ],
        );
        assert_judged(
            &envelope(&usual, "好", "1700000001"),
            switch,
            &[
                "failed: the content is \"好\"; expected XML for a reply, or success or nothing for no reply\n",
            ],
        );
        assert_judged(
            &envelope(&usual, "", "1700000001"),
            switch,
            &["failed: decrypted message is empty; "],
        );
    }
    assert_judged(REPLY, "--compatible", &["text after ", DELIVERED]);
    assert_judged(
        REPLY,
        "--encrypted",
        &[
            "unusable answer after ",
            "failed: the reply is plain, but safe mode (安全模式) accepts only encrypted replies; give the program the EncodingAESKey, or choose 兼容模式 in the console\n",
        ],
    );
}

#[cfg(feature = "secure")]
#[test]
fn refuses_both_modes_at_once_and_explains_a_refused_plain_message() {
    use crate::support::sealed::*;

    let program = secure(&["--require-encryption"]);
    let output = run(program.address, &["send", "a"]);
    output.assert_line(
        "failed: status 403 with the message *; to send an encrypted message, use wechat send --encrypted",
    );
    let both = ["send", "--encrypted", "--compatible", "a"];
    let output = run(program.address, &both);
    let expected = "wechat: --encrypted and --compatible exclude each other; pass one of them\n";
    assert_eq!((output.code, output.err.as_str()), (2, expected));
}

/// Other backends detect an encrypted message by the parameter `encrypt_type`.
#[cfg(feature = "secure")]
#[test]
fn query_has_encrypt_type_only_in_encrypted_modes() {
    use crate::support::sealed::*;

    let (sender, targets) = std::sync::mpsc::channel();
    let address = backend(move |request| {
        sender.send(request.lines().next().unwrap().to_owned()).unwrap();
        ok("success")
    });
    for switch in ["--encrypted", "--compatible", "--tries"] {
        let mut command = command();
        command
            .env("WECHAT_TOKEN", TOKEN)
            .env("WECHAT_AES_KEY", AES_KEY)
            .env("WECHAT_APP_ID", APP_ID)
            .env("WECHAT_CALLBACK_URL", format!("http://{address}/wx"));
        assert_eq!(finish(command.args(["send", switch, "a"])).code, 0);
        let target = targets.recv().unwrap();
        let is_encrypted = switch != "--tries";
        let both = target.contains("&openid=oUser1&encrypt_type=aes&msg_signature=");
        assert_eq!(both, is_encrypted, "{target}");
        assert_eq!(target.contains("encrypt"), is_encrypted, "{target}");
    }
}

#[cfg(feature = "secure")]
#[test]
fn messages_are_encrypted_in_both_modes() {
    use crate::support::sealed::*;

    let program = secure(&["--require-encryption"]);
    for (switch, count) in [("--encrypted", 1), ("--compatible", 2)] {
        let output = finish(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("WECHAT_AES_KEY", AES_KEY)
                .env("WECHAT_CALLBACK_URL", format!("http://{}/wx", program.address))
                .args(["send", switch, "--raw", "--app-id", APP_ID, "你好"]),
        );
        assert_eq!(output.code, 0, "{}", output.out);
        // The parts are message, encrypted message, nothing, encrypted answer, decrypted answer.
        let parts: Vec<&str> = output.out.split("\n\n").collect();
        assert!(parts[0].contains("<Content><![CDATA[你好]]></Content>"), "{}", output.out);
        assert!(parts[1].contains("<Encrypt>"), "{}", output.out);
        assert!(parts[1].contains("<ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"));
        assert_eq!(parts[..2].concat().matches("你好").count(), count, "{}", output.out);
        assert!(parts[3].starts_with("<xml><Encrypt>"), "{}", output.out);
        assert!(parts[4].contains("<Content><![CDATA[你好]]></Content>"), "{}", output.out);
    }
}
