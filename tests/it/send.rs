//! `wechat send`: what it sends, and how it judges the answers.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use crate::support::tools::*;
use crate::support::*;

/// What WeChat would be sent, and what it would make of this answer.
#[track_caller]
fn assert_judged(answer: &str, arguments: &[&str], judgement: &str) -> Said {
    let answer = answer
        .replace(
            "HEAD",
            "<ToUserName>oUser1</ToUserName><FromUserName>gh_0123456789ab</FromUserName><CreateTime>1700000000</CreateTime>",
        )
        .to_owned();
    let address = backend(move |_| ok(&answer));
    let said = run(address, arguments);
    assert!(said.out.contains(judgement), "{judgement}\n{}", said.out);
    let is_fine = judgement.starts_with("WeChat would");
    assert_eq!(said.code, i32::from(!is_fine), "{}", said.out);
    let prompt = "wechat: WeChat would not deliver this as it is, the user may see 该公众号提供的服务出现故障，请稍后再试\n";
    assert_eq!(said.err, if is_fine { "" } else { prompt });
    said
}

#[test]
fn comments_are_no_part_of_an_answers_text() {
    for (content, text) in [
        ("<!-- x -->hi", "hi"),
        ("h<!-- x -->i", "hi"),
        ("<![CDATA[h]]><!-- x -->&#105;<!-- y -->", "hi"),
    ] {
        let answer = format!("<xml>HEAD<MsgType>text</MsgType><Content>{content}</Content></xml>");
        let said = assert_judged(&answer, &["send", "你好"], "WeChat would deliver this");
        let field = format!("  Content: {text}\n");
        assert!(said.out.contains(&field), "{}", said.out);
        let warning = "warning: the XML has a comment or an instruction, which WeChat's own XML never has; remove it\n";
        assert!(said.out.contains(warning), "{}", said.out);
    }
}

#[test]
fn answers_are_judged_as_wechat_would_judge_them() {
    let text = |content: &str| {
        format!("<xml>HEAD<MsgType>text</MsgType><Content>{content}</Content></xml>")
    };
    let judged = |answer: &str, judgement: &str| {
        assert_judged(answer, &["send", "你好"], judgement);
    };
    judged(&text("好"), "WeChat would deliver this");
    judged("success", "WeChat would show the user nothing");
    judged("", "WeChat would show the user nothing");
    judged(
        "success\n",
        "failed: the content is \"success\\n\"; for no reply send exactly the 7 bytes success, or nothing\n",
    );
    judged(
        "\"success\"",
        "failed: the content is \"\\\"success\\\"\"; for no reply send exactly the 7 bytes success, or nothing\n",
    );
    judged(
        " \n",
        "failed: the content is only white space; for no reply send the 7 bytes success, or nothing\n",
    );
    judged(
        "{\"a\":1}",
        "failed: the content is JSON: \"{\\\"a\\\":1}\"; a reply is XML\n",
    );
    judged(
        "<!DOCTYPE html>",
        "failed: the content is an HTML page: \"<!DOCTYPE html>\"; check for an error page, and that this is the URL of the program\n",
    );
    judged(
        "好",
        "failed: the content is \"好\"; a reply is XML, and no reply is success or nothing\n",
    );
    judged(
        &format!("\u{FEFF}{}", text("好")),
        "failed: the content begins with a byte order mark (EF BB BF); save the program's files as UTF-8 without BOM\n",
    );
    judged(
        &format!("\n<?xml version=\"1.0\"?>{}", text("好")),
        "failed: white space precedes the XML declaration, where XML allows none; remove blank lines at the start of the program's files\n",
    );
    judged("<xml><a>", "failed: not well-formed XML at line 1 column ");
    judged(
        &text("\u{1}"),
        "failed: the content has the character U+0001, which XML does not allow; remove control characters\n",
    );
    judged(
        "<reply>HEAD</reply>",
        "failed: the root element is <reply>, expected <xml>\n",
    );
    judged(
        "<xml><Encrypt>a</Encrypt></xml>",
        "failed: the reply is encrypted although the message was plain, or it is encrypted twice; ",
    );
    judged(
        &text(""),
        "failed: Content is empty, and WeChat shows the fault prompt; for no reply send success\n",
    );
    judged(
        "<xml>HEAD<MsgType>text</MsgType></xml>",
        "failed: Content is missing or empty, and text requires it\n",
    );
    judged(
        &text(&"好".repeat(683)),
        "failed: Content has 2049 bytes of UTF-8, at most 2048 allowed",
    );
    judged(&text(&"x".repeat(2048)), "WeChat would deliver this");
    judged(
        "<xml>HEAD<Content>a</Content></xml>",
        "failed: MsgType is missing, expected one of text, image, voice, video, music, news, transfer_customer_service\n",
    );
    judged(
        &text("a").replace(">text<", ">Text<"),
        "failed: MsgType is \"Text\", expected one of text, image, voice, video, music, news, transfer_customer_service\n",
    );
    for (kind, inside) in [("image", "Image"), ("voice", "Voice"), ("video", "Video")] {
        let reply = |media: &str| format!("<xml>HEAD<MsgType>{kind}</MsgType>{media}</xml>");
        let whole = reply(&format!("<{inside}><MediaId>m</MediaId></{inside}>"));
        judged(&whole, "WeChat would deliver this");
        let missing =
            format!("failed: {inside}/MediaId is missing or empty, and {kind} requires it\n");
        judged(&reply("<MediaId>m</MediaId>"), &missing);
    }
    let said = assert_judged(
        "<xml>HEAD<MsgType>music</MsgType><Music><Title>t</Title></Music></xml>",
        &["send", "你好"],
        "WeChat would deliver this",
    );
    let warning = "warning: Music/ThumbMediaId is missing or empty, and the manual requires it\n";
    assert!(said.out.contains(warning), "{}", said.out);
    judged(
        "\u{1f}\u{8b}",
        "failed: the content is \"\\u{1f}\\u{8b}\"; a reply is XML, and no reply is success or nothing\n",
    );
    judged(
        "<\0x\0m\0l\0>\0",
        "failed: the content is UTF-16; send UTF-8 without a byte order mark\n",
    );
    judged(
        &text("a < b"),
        "failed: not well-formed XML at line 1 column ",
    );
    for odd in ["<!-- a -->", "<a b=\"c\"/>"] {
        let odd = text("a").replace("</xml>", &format!("{odd}</xml>"));
        let said = assert_judged(&odd, &["send", "你好"], "WeChat would deliver this");
        assert!(
            said.out
                .contains(", which WeChat's own XML never has; remove it\n"),
            "{}",
            said.out
        );
        // A long one could take minutes to read.
        let long = odd.replace("</xml>", &format!("<c>{}</c></xml>", "x".repeat(8192)));
        judged(&long, "failed: XML ");
    }
    judged("<!DOCTYPE a><xml/>", "failed: not well-formed XML at line ");
    let said = assert_judged(
        &text("a"),
        &["send", "Event=unsubscribe"],
        "WeChat would deliver this",
    );
    let warning = "warning: the user has unsubscribed and cannot receive a reply; answer success\n";
    assert!(said.out.contains(warning), "{}", said.out);
    judged(
        &text("a & b"),
        "; in a text write &amp; and &lt; for & and <, or use CDATA, and close each tag\n",
    );
    judged(
        "<xml><a",
        "failed: XML with a tag or a CDATA section left open; check that Content-Length counts bytes\n",
    );
    judged(
        &format!("{}\n<b>Notice</b>: x", text("a")),
        "failed: \"<b>Notice</b>: x\" follows </xml>; send nothing after the end of the reply\n",
    );
    judged(
        "[微笑]",
        "failed: the content is \"[微笑]\"; a reply is XML, and no reply is success or nothing\n",
    );
    judged(
        "<xml>HEAD<MsgType>transfer_customer_service</MsgType></xml>",
        "WeChat would deliver this",
    );
}

#[test]
fn the_head_of_a_reply_is_judged_by_the_message_it_answers() {
    let judged = |head: &str, judgement: &str| {
        let answer = format!("<xml>{head}<MsgType>text</MsgType><Content>a</Content></xml>");
        assert_judged(
            &answer,
            &["send", "--from", "o2", "你好", "ToUserName=gh_2"],
            judgement,
        );
    };
    let names = "<ToUserName>o2</ToUserName><FromUserName>gh_2</FromUserName>";
    let time = "<CreateTime>1700000000</CreateTime>";
    judged(&format!("{names}{time}"), "WeChat would deliver this");
    judged(
        &format!("<ToUserName>gh_2</ToUserName><FromUserName>o2</FromUserName>{time}"),
        "failed: ToUserName and FromUserName are not swapped; in a reply ToUserName is the user's openid, and FromUserName is the account\n",
    );
    judged(
        &format!("<ToUserName>o3</ToUserName><FromUserName>gh_2</FromUserName>{time}"),
        "failed: ToUserName is \"o3\", expected \"o2\"\n",
    );
    judged(
        &format!("<ToUserName>o2</ToUserName>{time}"),
        "failed: FromUserName is missing, expected \"gh_2\"\n",
    );
    judged(
        names,
        "failed: CreateTime is missing, expected seconds since 1970\n",
    );
    judged(
        &format!("{names}<CreateTime>1700000000000</CreateTime>"),
        "failed: CreateTime is 1700000000000, apparently milliseconds, expected seconds since 1970\n",
    );
    let at = |time: &str| format!("{names}<CreateTime>{time}</CreateTime>");
    judged(&at("99999999999"), "WeChat would deliver this");
    judged(
        &at("100000000000"),
        "failed: CreateTime is 100000000000, apparently milliseconds, expected seconds since 1970\n",
    );
    for wrong in ["1700000000.5", "+1700000000", "now"] {
        judged(
            &format!("{names}<CreateTime>{wrong}</CreateTime>"),
            &format!("failed: CreateTime is \"{wrong}\", expected whole seconds since 1970\n"),
        );
    }
}

/// Somebody who plays account and user by one name has them swapped in any case.
#[test]
fn one_name_for_both_is_swapped() {
    let answer = "<xml><ToUserName>o</ToUserName><FromUserName>o</FromUserName>\
        <CreateTime>1</CreateTime><MsgType>text</MsgType><Content>a</Content></xml>";
    let arguments = ["send", "--from", "o", "ToUserName=o", "a"];
    assert_judged(answer, &arguments, "WeChat would deliver this");
}

#[test]
fn articles_are_counted_by_what_they_answer() {
    let news = |count: &str, items: usize| {
        let items = "<item><Title>t</Title></item>".repeat(items);
        format!(
            "<xml>HEAD<MsgType>news</MsgType><ArticleCount>{count}</ArticleCount><Articles>{items}</Articles></xml>"
        )
    };
    let message = ["send", "你好"];
    let event = ["send", "Event=subscribe"];
    assert_judged(&news("1", 1), &message, "WeChat would deliver this");
    assert_judged(&news("8", 8), &event, "WeChat would deliver this");
    assert_judged(
        &news("2", 2),
        &message,
        "failed: 2 articles, at most 1 allowed in a reply to a message; WeChat drops the others\n",
    );
    assert_judged(
        &news("9", 9),
        &event,
        "failed: 9 articles, at most 8 allowed in a reply to an event; WeChat drops the others\n",
    );
    assert_judged(
        &news("2", 1),
        &message,
        "failed: ArticleCount is \"2\", expected 1, the number of items in Articles\n",
    );
    assert_judged(
        &news("0", 0),
        &event,
        "failed: news without articles, expected Articles/item\n",
    );
    assert_judged(
        &news("1", 1).replace(">t<", "> <"),
        &event,
        "failed: number of articles without a Title: 1; each requires one\n",
    );
}

#[test]
fn another_status_is_not_delivered_whatever_is_in_it() {
    let address = backend(|_| b"HTTP/1.1 500 oops\r\nContent-Length: 7\r\n\r\nsuccess".to_vec());
    let said = run(address, &["send", "你好"]);
    assert!(
        said.out.contains(
            "failed: status 500 with the message \"success\"; the program failed; read its log\n"
        ),
        "{}",
        said.out
    );
    assert_eq!(said.code, 1);
}

#[test]
fn a_message_is_sent_as_captured_and_filled_in() {
    let address = backend(ok);
    let sent = |arguments: &[&str]| {
        let said = run(address, &[&["send", "--raw"], arguments].concat());
        let (_, request) = said.out.split_once("\n\nPOST ").unwrap();
        let (head, xml) = request.split_once("\r\n\r\n").unwrap();
        let (xml, _) = xml.split_once("</xml>").unwrap();
        let xml = format!("{xml}</xml>");
        // As sent, and as it came back.
        assert_eq!(said.out.matches(&xml).count(), 2, "{}", said.out);
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
    assert!(
        xml.contains("<![CDATA[a=b ]]]]><![CDATA[> -\u{1}\r\n]]>"),
        "{xml}"
    );
    let (head, xml) = sent(&["Event=SCAN", "EventKey=1", "--from", "o/ü"]);
    assert!(
        head.lines()
            .next()
            .unwrap()
            .ends_with("&openid=o%2F%C3%BC HTTP/1.1"),
        "{head}"
    );
    with_message(&xml, now(), |message| {
        assert_eq!(message.msg_type(), "event");
        assert_eq!(
            (message.msg_id(), message.field("EventKey")),
            (None, Some("1"))
        );
    });
    for text in ["-h", "-", "--raw", "a=b"] {
        let (_, xml) = sent(&["--", text]);
        assert_eq!(element(&xml, "Content"), text);
    }
    let (_, xml) = sent(&["-"]);
    assert_eq!(element(&xml, "Content"), "-");
    let (_, xml) = sent(&["MsgType=x", "a/b=1", "c/d=2", "c/b=3"]);
    assert!(
        xml.contains("<c><d><![CDATA[2]]></d><b><![CDATA[3]]></b></c>"),
        "{xml}"
    );
    let (_, xml) = sent(&["MsgType=x", "a/b=1", "a/c/d=2", "a/b=3"]);
    assert!(
        xml.contains("</c></a>\n<a><b><![CDATA[3]]></b></a>"),
        "{xml}"
    );
    let nested = [
        "a/b=1",
        "a/c=2",
        "a/d/e=3",
        "f=4",
        "MsgType=x",
        "CreateTime=5",
        "MsgId=y",
    ];
    let (_, xml) = sent(&nested);
    let behind = "<CreateTime>5</CreateTime>\n<MsgType><![CDATA[x]]></MsgType>\n\
        <a><b><![CDATA[1]]></b><c><![CDATA[2]]></c><d><e><![CDATA[3]]></e></d></a>\n\
        <f><![CDATA[4]]></f>\n<MsgId><![CDATA[y]]></MsgId>\n</xml>";
    assert!(xml.ends_with(behind), "{xml}");
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
    let (_, xml) = sent(&[
        "MsgType=location",
        "Location_X=-23.1",
        "Scale=2.",
        "Label=5",
    ]);
    let numbers = "<Location_X>-23.1</Location_X>\n<Scale><![CDATA[2.]]></Scale>\n\
        <Label><![CDATA[5]]></Label>\n";
    assert!(xml.contains(numbers), "{xml}");
    let (first, second) = (sent(&["a"]), sent(&["a"]));
    assert_ne!(first.0.lines().next(), second.0.lines().next());
    assert_ne!(
        element_of(&first.1, "MsgId"),
        element_of(&second.1, "MsgId")
    );
}

fn element_of<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, behind) = xml.split_once(&format!("<{name}>")).unwrap();
    behind.split_once('<').unwrap().0
}

#[test]
fn what_makes_no_message_is_refused_before_anything_is_sent() {
    let cases: [(&[&str], &str); 9] = [
        (&["--raw=1", "a"], "--raw takes no value"),
        (&["--from", "", "a"], "--from is \"\", an openid allowed"),
        (&[], "nothing to send, expected a text or Field=Value"),
        (
            &["--from", "o2"],
            "nothing to send, expected a text or Field=Value",
        ),
        (&["a", "b"], "unexpected argument \"b\", see wechat --help"),
        (
            &["a", "Content=b"],
            "Content is given more than once, at most once allowed",
        ),
        (
            &["--from", "o1", "a", "FromUserName=o2"],
            "FromUserName is given more than once, at most once allowed",
        ),
        (
            &["MediaId=m1"],
            "\"MediaId=m1\" is given without MsgType; add for example MsgType=image or Event=CLICK; \
             for a text that contains = write Content=…",
        ),
        (
            &["--trees", "a"],
            "unknown flag \"--trees\", see wechat --help",
        ),
    ];
    let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
    for (arguments, message) in cases {
        let said = run(nobody, &[&["send"], arguments].concat());
        assert_eq!(
            (said.code, said.out.as_str(), said.err),
            (2, "", format!("wechat: {message}\n"))
        );
    }
    let said = run(nobody, &["send", "a", "Contnet=b"]);
    assert!(
        said.out
            .starts_with("warning: unknown field Contnet, did you mean Content?\n"),
        "{}",
        said.out
    );
}

#[test]
fn a_reply_is_shown_for_reading() {
    let said = assert_judged(
        "<xml>HEAD<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles><item>\
         <Title>一</Title><Description>a\nb\x1b</Description></item></Articles></xml>"
            .replace('\x1b', "\u{85}")
            .as_str(),
        &["send", "Event=subscribe"],
        "WeChat would deliver this",
    );
    let mut lines = said.out.lines();
    assert!(
        lines.next().unwrap().starts_with("news after "),
        "{}",
        said.out
    );
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
fn a_length_that_counts_characters_is_found_out() {
    let address = backend(|_| {
        let content = "<xml><Content>你好</Content></xml>";
        let length = content.chars().count();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{content}").into_bytes()
    });
    let said = run(address, &["send", "你好"]);
    let fault = "failed: Content-Length is 32, but 4 more bytes follow; \
                 it must count bytes, not characters\n";
    assert!(said.out.contains(fault), "{}", said.out);
    assert_eq!(said.code, 1);
}

#[test]
fn a_terminal_gets_nothing_raw_that_it_would_act_on() {
    let address = backend(|_| ok("<a>\u{1b}[2J\u{9b}1m\t\n</a>"));
    let url = format!("http://{address}");
    let environment = [("WECHAT_URL", url.as_str()), ("NO_COLOR", "1")];
    let text = on_terminal("send --raw a", &environment);
    assert!(
        text.contains("<a>\\u{1b}[2J\\u{9b}1m\t\r\n</a>"),
        "{text:?}"
    );
    assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text:?}");
    // Into a pipe they go as they are.
    let said = run(address, &["send", "--raw", "a"]);
    let raw = "<a>\u{1b}[2J\u{9b}1m\t\n</a>\n";
    assert!(said.out.contains(raw), "{:?}", said.out);
}

#[cfg(feature = "secure")]
#[test]
fn encrypted_answers_are_opened_and_judged() {
    use crate::support::sealed::*;

    const REPLY: &str = "<xml><ToUserName>oUser1</ToUserName><FromUserName>gh_0123456789ab</FromUserName>\
         <CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>好</Content></xml>";
    const OTHER_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";

    fn envelope(wechat: &WeChat, reply: &str, timestamp: &str) -> String {
        let encrypt = wechat.cipher.encrypt(reply.as_bytes()).unwrap();
        sealed(wechat, &encrypt, timestamp)
    }

    fn sealed(wechat: &WeChat, encrypt: &str, timestamp: &str) -> String {
        let signature = wechat
            .token
            .sign_message(timestamp.as_bytes(), b"nonce", encrypt);
        format!(
            "<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>\
             <TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[nonce]]></Nonce></xml>"
        )
    }

    /// An answer that surely has no padding under the usual key; under any other, chance has a say.
    fn padding_of_another_key(wechat: &WeChat) -> String {
        let is_padding = |vector: &&Vector| vector.name == "padding";
        let vectors = Vector::all("refuse");
        let vector = vectors.iter().find(is_padding).unwrap();
        assert_eq!(vector.must("aes-key"), AES_KEY);
        sealed(wechat, vector.must("encrypt"), "1700000001")
    }

    #[track_caller]
    fn judged(answer: &str, switch: &str, expected: &[&str]) {
        let answer = answer.to_owned();
        let address = backend(move |_| ok(&answer));
        let said = finish(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("WECHAT_AES_KEY", AES_KEY)
                // WeChat reads no answer under this one, whatever a server does.
                .env("WECHAT_AES_KEY_PREVIOUS", OTHER_KEY)
                .env("WECHAT_APP_ID", APP_ID)
                .env("WECHAT_URL", format!("http://{address}/wx"))
                .args(["send", switch, "你好"]),
        );
        for line in expected {
            assert!(said.out.contains(line), "{line}\n{}", said.out);
        }
        let is_fine = expected.iter().any(|line| line.starts_with("WeChat would"));
        assert_eq!(said.code, i32::from(!is_fine), "{}", said.out);
    }

    let usual = WeChat::usual();
    let right = envelope(&usual, REPLY, "1700000001");
    let delivered = "WeChat would deliver this";
    for switch in ["--encrypted", "--compatible"] {
        judged(
            &right,
            switch,
            &["text, encrypted after ", "  Content: 好\n", delivered],
        );
        judged("success", switch, &["WeChat would show the user nothing"]);
        judged("", switch, &["WeChat would show the user nothing"]);
        let other = WeChat::with(TOKEN, OTHER_KEY, APP_ID);
        judged(
            &envelope(&other, REPLY, "1700000001"),
            switch,
            &["encrypted reply after ", "failed: "],
        );
        judged(
            &padding_of_another_key(&usual),
            switch,
            &[
                "failed: decrypted text has no valid padding, expected 1 to 32 bytes of it; \
                 check that both sides have the same EncodingAESKey\n",
            ],
        );
        let other = WeChat::with(TOKEN, AES_KEY, "wx1");
        judged(
            &envelope(&other, REPLY, "1700000001"),
            switch,
            &[
                "failed: appid in the decrypted text is not this account's; check that both sides have the same appid\n",
            ],
        );
        let other = WeChat::with("goodbye2020", AES_KEY, APP_ID);
        judged(
            &envelope(&other, REPLY, "1700000001"),
            switch,
            &[
                "failed: MsgSignature is \"",
                "\", expected the SHA-1 of token, TimeStamp, Nonce and Encrypt, sorted\n",
            ],
        );
        judged(
            &envelope(&usual, REPLY, "1700000001000"),
            switch,
            &[
                "failed: TimeStamp is 1700000001000, apparently milliseconds, expected seconds since 1970\n",
            ],
        );
        judged(
            &right.replace("xml>", "foo>"),
            switch,
            &["failed: the root element is <foo>, expected <xml>\n"],
        );
        judged(
            &right.replace("</xml>", "\u{1}</xml>"),
            switch,
            &[
                "failed: the content has the character U+0001, which XML does not allow; remove control characters\n",
            ],
        );
        for name in ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"] {
            judged(
                &right.replace("</xml>", &format!("<{name}>1</{name}></xml>")),
                switch,
                &[&format!(
                    "failed: {name} occurs more than once, at most once allowed\n"
                )],
            );
        }
        let spaced = right.replace("<![CDATA[", "\n").replace("]]>", "\n");
        judged(&spaced, switch, &["text, encrypted after ", delivered]);
        let again = envelope(&usual, &right, "1700000001");
        judged(
            &again,
            switch,
            &[
                "failed: the reply is encrypted although the message was plain, or it is encrypted twice; ",
            ],
        );
        judged(
            &right.replace("MsgSignature", "Signature"),
            switch,
            &["failed: MsgSignature is missing, and an encrypted reply requires it\n"],
        );
        judged(
            &right.replace("[nonce]", &format!("[{}]", "9".repeat(41))),
            switch,
            &["failed: nonce has 41 bytes, at most 40 allowed"],
        );
        judged(
            &right.replace("Nonce", "Once"),
            switch,
            &["failed: Nonce is missing, and an encrypted reply requires it\n"],
        );
        judged(
            &right.replace("TimeStamp", "Timestamp"),
            switch,
            &["failed: TimeStamp is missing, expected seconds since 1970\n"],
        );
        // What is in it is judged as if it came plain.
        let unswapped = REPLY.replace("oUser1", "gh_0123456789ab");
        judged(
            &envelope(&usual, &unswapped, "1700000001"),
            switch,
            &[
                "text, encrypted after ",
                "failed: ToUserName is \"gh_0123456789ab\", expected \"oUser1\"\n",
            ],
        );
        judged(
            &envelope(&usual, "好", "1700000001"),
            switch,
            &[
                "failed: the content is \"好\"; a reply is XML, and no reply is success or nothing\n",
            ],
        );
        judged(
            &envelope(&usual, "", "1700000001"),
            switch,
            &["failed: decrypted message is empty; "],
        );
    }
    judged(REPLY, "--compatible", &["text after ", delivered]);
    judged(
        REPLY,
        "--encrypted",
        &[
            "plain reply after ",
            "failed: the reply is plain, but safe mode (安全模式) accepts only encrypted replies; give the program the EncodingAESKey, or choose 兼容模式 in the console\n",
        ],
    );
}

#[cfg(feature = "secure")]
#[test]
fn what_a_mode_takes_is_said() {
    use crate::support::sealed::*;

    let program = secure(&["--require-encryption"]);
    let said = run(program.address, &["send", "a"]);
    let hint = "; wechat send --encrypted sends an encrypted message\n";
    assert!(said.out.contains(hint), "{}", said.out);
    let both = ["send", "--encrypted", "--compatible", "a"];
    let said = run(program.address, &both);
    let expected = "wechat: --encrypted and --compatible, one of them allowed\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
}

/// Where it says so, since other backends look there.
#[cfg(feature = "secure")]
#[test]
fn an_encrypted_message_says_so_in_its_query() {
    use crate::support::sealed::*;

    let (sender, targets) = std::sync::mpsc::channel();
    let address = backend(move |request| {
        sender
            .send(request.lines().next().unwrap().to_owned())
            .unwrap();
        ok("success")
    });
    for switch in ["--encrypted", "--compatible", "--tries"] {
        let mut command = command();
        command
            .env("WECHAT_TOKEN", TOKEN)
            .env("WECHAT_AES_KEY", AES_KEY)
            .env("WECHAT_APP_ID", APP_ID)
            .env("WECHAT_URL", format!("http://{address}/wx"));
        assert_eq!(finish(command.args(["send", switch, "a"])).code, 0);
        let target = targets.recv().unwrap();
        let is_encrypted = switch != "--tries";
        let both = target.contains("&openid=oUser1&encrypt_type=aes&msg_signature=");
        assert_eq!(both, is_encrypted, "{target}");
        assert_eq!(target.contains("encrypt"), is_encrypted, "{target}");
    }
}

/// What is sent, as whoever has the key reads it.
#[cfg(feature = "secure")]
#[test]
fn a_message_is_sent_encrypted_in_both_modes() {
    use crate::support::sealed::*;

    let program = secure(&["--require-encryption"]);
    for (switch, count) in [("--encrypted", 1), ("--compatible", 2)] {
        let said = finish(
            command()
                .env("WECHAT_TOKEN", TOKEN)
                .env("WECHAT_AES_KEY", AES_KEY)
                .env("WECHAT_URL", format!("http://{}/wx", program.address))
                .args(["send", switch, "--raw", "--app-id", APP_ID, "你好"]),
        );
        assert_eq!(said.code, 0, "{}", said.out);
        // The message and what is posted of it, then the answer and what is in it.
        let parts: Vec<&str> = said.out.split("\n\n").collect();
        assert!(
            parts[0].contains("<Content><![CDATA[你好]]></Content>"),
            "{}",
            said.out
        );
        assert!(parts[1].contains("<Encrypt>"), "{}", said.out);
        assert!(parts[1].contains("<ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>"));
        assert_eq!(
            parts[..2].concat().matches("你好").count(),
            count,
            "{}",
            said.out
        );
        assert!(parts[3].starts_with("<xml><Encrypt>"), "{}", said.out);
        assert!(
            parts[4].contains("<Content><![CDATA[你好]]></Content>"),
            "{}",
            said.out
        );
    }
}
