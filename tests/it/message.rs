//! Messages are read by kind and by field name. Replies are written as XML, and parsing that XML gives the same
//! text again.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use wechat::wechat::{
    Age, Article, Credentials, Message, MessageError, Reply, TEXT_MAX, Token, Verified,
};
use wechat::xml::{Document, XmlError};

fn verified() -> Verified {
    let token = Token::parse("hello2021").unwrap();
    let signature = token.sign(b"1700000000", b"1").to_string();
    let credentials =
        Credentials { signature: signature.as_bytes(), timestamp: b"1700000000", nonce: b"1" };
    token.verify(&credentials, 1_700_000_000, Age::AtMost(0)).unwrap()
}

/// Parses the bytes as a message, and passes the message to `read`.
fn with_message<T>(bytes: &[u8], read: impl FnOnce(&Message<'_>) -> T) -> Result<T, MessageError> {
    let xml = Document::parse_message(bytes)?;
    Ok(read(&Message::parse(verified(), &xml)?))
}

fn describe(message: &Message<'_>) -> String {
    let mut text = String::new();
    writeln!(text, "to_user_name {:?}", message.to_user_name()).unwrap();
    writeln!(text, "from_user_name {:?}", message.from_user_name()).unwrap();
    writeln!(text, "create_time {}", message.create_time()).unwrap();
    writeln!(text, "msg_type {:?}", message.msg_type()).unwrap();
    writeln!(text, "msg_id {:?}", message.msg_id()).unwrap();
    writeln!(text, "kind {:?}", message.kind()).unwrap();
    for field in message.fields() {
        writeln!(text, "leaf {} = {:?}", field.path(), field.text()).unwrap();
    }
    text
}

#[test]
fn reads_each_fixture_as_its_description_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/message");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            let description = with_message(&fs::read(&path).unwrap(), describe);
            let expected = fs::read_to_string(path.with_extension("txt"))
                .expect("a description beside each message");
            assert_eq!(description, Ok(expected), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 70);
}

/// A text message whose element `Content` has this content.
fn text_message(content: &str) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>oUser1</FromUserName>\
         <CreateTime>1700000000</CreateTime><MsgType>text</MsgType><Content>{content}</Content></xml>"
    )
}

#[track_caller]
fn assert_refused(text: &str, error: MessageError) {
    assert_eq!(with_message(text.as_bytes(), |_| ()), Err(error), "{text}");
}

#[test]
fn refuses_content_that_is_no_message_and_names_the_element() {
    let whole = text_message("hi");
    assert_refused(
        &whole.replace("ToUserName", "To"),
        MessageError::Missing { element: "ToUserName" },
    );
    assert_refused(&whole.replace("oUser1", ""), MessageError::Missing { element: "FromUserName" });
    assert_refused(
        &whole.replace("oUser1", " \n"),
        MessageError::Missing { element: "FromUserName" },
    );
    assert_refused(
        &whole.replace("<MsgType>text</MsgType>", ""),
        MessageError::Missing { element: "MsgType" },
    );
    assert_refused(&whole.replace("1700000000", "+1"), MessageError::CreateTime);
    assert_refused(&whole.replace("1700000000", "99999999999999999999"), MessageError::CreateTime);
    assert_refused(&whole.replace("xml>", "html>"), MessageError::Root);
    assert_refused(
        &whole.replace("</Content>", "</Content><Content>x</Content>"),
        MessageError::Repeated { element: "Content" },
    );
    assert_refused(
        "<xml><ToUserName>gh_1</ToUserName><Encrypt>x</Encrypt></xml>",
        MessageError::Encrypted,
    );
}

#[track_caller]
fn assert_not_xml(text: &[u8], expected: XmlError) {
    let error = with_message(text, |_| ()).unwrap_err();
    assert_eq!(error, MessageError::Xml(expected), "{}", text.escape_ascii());
}

#[test]
fn refuses_malformed_xml_with_its_position() {
    assert_not_xml(b"", XmlError::Syntax { line: 1, column: 1 });
    assert_not_xml(b"{\"a\": 1}", XmlError::Syntax { line: 1, column: 1 });
    assert_not_xml(b"<xml>\n<a></b></xml>", XmlError::Syntax { line: 2, column: 4 });
    assert_not_xml(b"<xml><a>&nbsp;</a></xml>", XmlError::Syntax { line: 1, column: 9 });
    assert_not_xml(b"<xml></xml><xml></xml>", XmlError::Syntax { line: 1, column: 12 });
    assert_not_xml(b"<xml>\xff</xml>", XmlError::Utf8(5));
    assert_not_xml(b"<xml>\xed\xa0\x80</xml>", XmlError::Utf8(5));
    for open in ["<xml><![CDATA[a", "<xml><a", "<xml><a/", "<?xml version='1.0'", "<xml><"] {
        assert!(
            matches!(with_message(open.as_bytes(), |_| ()), Err(MessageError::Xml(_))),
            "{open}"
        );
    }
    let many = format!("<xml>{}</xml>", "<a/>".repeat(256));
    assert_not_xml(many.as_bytes(), XmlError::TooManyElements);
}

/// Checks that an element with this content has this text.
#[track_caller]
fn assert_text(content: &str, text: &str) {
    let found = with_message(text_message(content).as_bytes(), |message| {
        message.field("Content").map(str::to_owned)
    });
    assert_eq!(found, Ok(Some(text.to_owned())), "{content}");
}

/// XML 1.0 2.4, 2.7, 2.11, 4.1, 4.6
#[test]
fn reads_text_as_xml_defines_it() {
    assert_text("", "");
    assert_text(" a ", " a ");
    assert_text("<![CDATA[]]>", "");
    assert_text("<![CDATA[a]]>b<![CDATA[c]]>", "abc");
    assert_text(" <![CDATA[ a ]]>\n", "  a \n");
    assert_text("&lt;&gt;&amp;&apos;&quot;", "<>&'\"");
    assert_text("a&#x4F60;&#22909;b", "a你好b");
    assert_text("<![CDATA[&lt;&#13;]]>", "&lt;&#13;");
    assert_text("a<![CDATA[&lt;\r&]]>&gt;", "a&lt;\n&>");
    assert_text("a\r\nb\rc\n\rd", "a\nb\nc\n\nd");
    assert_text("<![CDATA[a\r\nb\rc]]>", "a\nb\nc");
    assert_text("a&#13;&#10;b", "a\r\nb");
    assert_text("a > b ]> c ]] > d", "a > b ]> c ]] > d");
    assert_text("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b");
}

#[test]
fn refuses_malformed_text_with_its_position() {
    // The column of the first character in `Content`.
    let begin = u32::try_from(text_message("").find("</Content>").unwrap()).unwrap() + 1;
    for (content, at) in [
        ("&", 0),
        ("a&b", 1),
        ("a&b;", 1),
        ("你&#;", 1),
        ("&#x;", 0),
        ("&#+65;", 0),
        ("&#xG;", 0),
        ("&#X41;", 0),
        ("&#0;", 0),
        ("&#8;", 0),
        ("&#xD800;", 0),
        ("&#xFFFF;", 0),
        ("&#99999999999;", 0),
        ("a]]>", 1),
        ("<a:b/>", 2),
        ("<a></A>", 3),
        ("</a>", 0),
    ] {
        let column = begin + at;
        assert_not_xml(text_message(content).as_bytes(), XmlError::Syntax { line: 1, column });
    }
    // A `<` that is meant as text, or a misspelt CDATA section.
    for content in
        ["<1/>", "<-a/>", "< b", "<3 x", "</ b", "<>", "<=>", "< ![CDATA[x] ]>", "<[CDATA[x]]>"]
    {
        let column = begin;
        assert_not_xml(text_message(content).as_bytes(), XmlError::NoName { line: 1, column });
    }
    for text in
        ["<xml/>a", "a<xml/>", "<xml/><![CDATA[a]]>", "<xml>", "</xml>", "<xml></xml></xml>"]
    {
        let error = with_message(text.as_bytes(), |_| ()).unwrap_err();
        assert!(
            matches!(error, MessageError::Xml(XmlError::Syntax { line: 1, .. })),
            "{text}: {error}"
        );
    }
}

#[test]
fn accepts_names_as_xml_defines_them() {
    let names = "<é/><_/><a-b.c9/><你好/><a\u{B7}/>";
    let content = text_message("x").replace("</xml>", &format!("{names}</xml>"));
    let found = with_message(content.as_bytes(), |message| {
        let names = message.fields().map(|field| field.name().to_owned());
        names.skip(5).collect::<Vec<_>>()
    });
    assert_eq!(found.unwrap(), ["é", "_", "a-b.c9", "你好", "a\u{B7}"]);
    for name in ["<×/>", "<a×/>", "<\u{B7}/>"] {
        let content = text_message(name);
        let error = with_message(content.as_bytes(), |_| ()).unwrap_err();
        assert!(
            matches!(error, MessageError::Xml(XmlError::Syntax { .. } | XmlError::NoName { .. })),
            "{name}"
        );
    }
}

#[test]
fn reads_nested_elements_by_path_and_by_name() {
    let nested = "<A><B><C>1</C></B>x<B>2</B><D/></A><C>3</C>";
    let content = text_message("x").replace("</xml>", &format!("{nested}</xml>"));
    let found = with_message(content.as_bytes(), |message| {
        let fields = message.fields().skip(5);
        let fields: Vec<_> = fields.map(|field| (field.path(), field.text().to_owned())).collect();
        assert_eq!(message.field("A/B/C"), Some("1"));
        // The first B has child elements, so it is not a field.
        assert_eq!(message.field("A/B"), None);
        assert_eq!(message.field("B"), Some("2"));
        assert_eq!(message.field("C"), Some("1"));
        assert_eq!((message.field("A"), message.field("A/E")), (None, None));
        fields
    });
    let expected = [("A/B/C", "1"), ("A/B", "2"), ("A/D", ""), ("C", "3")];
    assert_eq!(found.unwrap(), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
}

#[test]
fn accepts_at_most_256_elements() {
    // A message has six elements: the root and its five children. `count` empty elements are added.
    let with = |count: usize| {
        text_message("").replace("</xml>", &format!("{}</xml>", "<a/>".repeat(count)))
    };
    let fits = 256 - 6;
    assert!(with_message(with(fits).as_bytes(), |_| ()).is_ok());
    assert_not_xml(with(fits + 1).as_bytes(), XmlError::TooManyElements);
}

#[test]
fn refuses_attributes() {
    for tag in [
        "a b='c'",
        "a b",
        "a xmlns='c'",
        "a\txmlns:d='c'",
        "a\n\nb",
        "a/b='c'",
        "a='b'",
        "a b='c'/",
        "/a b='c'",
        "a<b",
    ] {
        assert_not_xml(text_message(&format!("<{tag}>")).as_bytes(), XmlError::Attribute);
    }
    // In a CDATA section, the same characters are text.
    let in_cdata = text_message("<![CDATA[<a b='c'> <!-- ]] > ]>]]>");
    let content =
        with_message(in_cdata.as_bytes(), |message| message.field("Content").map(str::to_owned));
    assert_eq!(content.unwrap().unwrap(), "<a b='c'> <!-- ]] > ]>");
}

#[test]
fn refuses_markup_other_than_tags_and_cdata() {
    for markup in
        ["<!-- a -->", "<!DOCTYPE xml>", "<?a b?>", "<!ENTITY a 'b'>", "<![IGNORE[a]]>", "<!>"]
    {
        assert_not_xml(text_message(markup).as_bytes(), XmlError::Markup);
        assert_not_xml(format!("{markup}{}", text_message("")).as_bytes(), XmlError::Markup);
    }
    for before in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "\u{FEFF}",
        "\u{FEFF}\r\n<?xml version='1.0'?>\n",
        "\0 ",
    ] {
        let text = format!("{before}{}", text_message("hi"));
        assert!(with_message(text.as_bytes(), |_| ()).is_ok(), "{text:?}");
    }
    let spaced = text_message("hi")
        .replace("<Content>", "<Content\t >")
        .replace("</Content>", "</Content\n><EventKey />");
    assert!(with_message(spaced.as_bytes(), |_| ()).is_ok());
}

#[test]
fn reads_or_refuses_64_kib_of_hostile_shapes() {
    let fill = |piece: &str| piece.repeat(64 * 1024 / piece.len());
    for shape in [
        "<a>",
        "<a/>",
        "&",
        "<![CDATA[]]>",
        "]]>",
        "=",
        "<a xmlns:b='c'>",
        "<!--",
        "\u{1}",
        "]]",
        "&#x20;",
    ] {
        for text in [text_message(&fill(shape)), fill(shape)] {
            // The test only checks that parsing returns.
            let _ = with_message(text.as_bytes(), |_| ());
        }
    }
}

#[test]
fn finds_a_field_by_path_and_by_name() {
    let event = fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/message/event-scancode-push.xml"),
    )
    .unwrap();
    with_message(&event, |message| {
        assert_eq!(message.field("ScanResult"), Some("1"));
        assert_eq!(message.field("ScanCodeInfo/ScanResult"), Some("1"));
        assert_eq!(message.field("ScanCodeInfo"), None);
        assert_eq!(message.field("/ScanResult"), None);
        assert_eq!(message.field("Content"), None);
    })
    .unwrap();
}

/// Writes a text reply, parses its XML, and returns its text; `None` if no XML is written.
fn round_trip(content: &str) -> Option<String> {
    with_message(text_message("hi").as_bytes(), |message| {
        let mut out = Vec::new();
        Reply::text(content).write_to(message, 1_700_000_001, &mut out);
        let read = |reply: &Message<'_>| reply.field("Content").unwrap().to_owned();
        (!out.is_empty()).then(|| with_message(&out, read).unwrap())
    })
    .unwrap()
}

/// The XML of a reply to a message with this MsgType.
fn written(reply: &Reply<'_>, msg_type: &str) -> String {
    let mut out = Vec::new();
    let message = text_message("hi").replace("<MsgType>text<", &format!("<MsgType>{msg_type}<"));
    with_message(message.as_bytes(), |message| reply.write_to(message, 1_700_000_001, &mut out))
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// Music with this URL and this ThumbMediaId.
fn music(url: &'static str, thumb: &'static str) -> Reply<'static> {
    Reply::Music {
        title: "t".into(),
        description: "d".into(),
        music_url: url.into(),
        hq_music_url: "".into(),
        thumb_media_id: thumb.into(),
    }
}

#[test]
fn writes_each_reply_as_the_documented_xml_with_the_names_swapped() {
    let article = |n: &str| Article {
        title: format!("t{n}").into(),
        description: "d".into(),
        pic_url: "http://e/p".into(),
        url: "http://e/?a=1&b=2".into(),
    };
    let replies = [
        ("text", Reply::text("hello")),
        ("image", Reply::Image { media_id: "m1".into() }),
        ("voice", Reply::Voice { media_id: "m2".into() }),
        (
            "video",
            Reply::Video { media_id: "m3".into(), title: "t".into(), description: "d".into() },
        ),
        (
            "music",
            Reply::Music {
                title: "t".into(),
                description: "d".into(),
                music_url: "http://e/m".into(),
                hq_music_url: "http://e/h".into(),
                thumb_media_id: "t3".into(),
            },
        ),
        ("news", Reply::News(vec![article("1"), article("2")])),
        (
            "transfer_customer_service",
            Reply::TransferCustomerService { kf_account: Some("a@b".into()) },
        ),
        ("transfer_biz_ai_ivr", Reply::TransferBizAiIvr),
        ("music-without-thumbnail", music("http://e/m", "")),
    ];
    for (name, reply) in &replies {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reply").join(name);
        let expected =
            fs::read_to_string(path.with_extension("xml")).expect("a fixture for each reply");
        assert_eq!(written(reply, "event"), expected, "{name}");
    }
    assert_eq!(
        written(&music("http://e/m", "\0"), "text"),
        written(&music("http://e/m", ""), "text")
    );
    assert_eq!(written(&music("", ""), "text"), "");
    assert_eq!(written(&Reply::Success, "text"), "");
    assert_eq!(written(&Reply::News(Vec::new()), "text"), "");
    for empty in ["", "\0"] {
        assert_eq!(written(&Reply::Image { media_id: empty.into() }, "text"), "");
        assert_eq!(written(&Reply::Voice { media_id: empty.into() }, "text"), "");
        let untitled = Article { title: empty.into(), ..article("1") };
        assert_eq!(written(&Reply::News(vec![untitled.clone()]), "event"), "");
        let titled = written(&Reply::News(vec![untitled, article("2")]), "text");
        assert!(titled.contains("<ArticleCount>1<") && titled.contains("[t2]"), "{titled}");
    }
    let to_any_account = written(&Reply::TransferCustomerService { kf_account: None }, "text");
    assert!(to_any_account.ends_with("<![CDATA[transfer_customer_service]]></MsgType></xml>"));
}

#[test]
fn reply_text_survives_writing_and_parsing() {
    for content in [
        "你好",
        "]]>",
        "]]]]>>",
        "a]]>b]]>c",
        "]]",
        "]",
        "]]>]]>",
        "<a href=\"x\">&amp;</a>",
        " \n a",
        "😀",
        "]]&gt;",
    ] {
        assert_eq!(round_trip(content).as_deref(), Some(content));
    }
    // All strings of five of these characters, which include the characters of CDATA markup.
    let alphabet = ["]", ">", "<", "!", "a"];
    for number in 0..alphabet.len().pow(5) {
        let content: String = (0..5)
            .map(|digit| alphabet[number / alphabet.len().pow(digit) % alphabet.len()])
            .collect();
        assert_eq!(round_trip(&content), Some(content));
    }
}

#[test]
fn repairs_replies_that_wechat_would_not_show() {
    assert_eq!(round_trip(""), None);
    assert_eq!(round_trip("\0\u{1}\u{FFFE}"), None);
    let odd = "a\u{FFFE}\u{C}b";
    for reply in [Reply::text(odd), Reply::Image { media_id: odd.into() }] {
        assert!(written(&reply, "text").contains("<![CDATA[ab]]>"), "{reply:?}");
    }
    // At each position, because the writer checks eight bytes at a time.
    for bad in ['\0', '\u{8}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
        for position in 0..20 {
            let text: String = (0..20).map(|at| if at == position { bad } else { 'a' }).collect();
            assert_eq!(round_trip(&text), Some("a".repeat(19)), "{bad:?} at {position}");
        }
    }
    for good in ["\t\n", "\u{7f}\u{80}\u{9f}", "\u{ffbf}\u{ffbe}\u{fffd}", "，。￥", "\u{10ffff}"]
    {
        assert_eq!(round_trip(&good.repeat(5)), Some(good.repeat(5)));
    }
    assert_eq!(round_trip("a\0b\u{1b}c").as_deref(), Some("abc"));
    assert_eq!(round_trip("a\r\nb\nc").as_deref(), Some("a\nb\nc"));
    assert_eq!(round_trip("]]\0>").as_deref(), Some("]]>"));
    let longest = "a".repeat(TEXT_MAX);
    assert_eq!(round_trip(&longest).as_deref(), Some(&longest[..]));
    assert_eq!(
        round_trip(&format!("{longest}a")).unwrap(),
        format!("{}…", &longest[..TEXT_MAX - 3])
    );
    let wide = round_trip(&"你".repeat(TEXT_MAX)).unwrap();
    assert_eq!(wide, format!("{}…", "你".repeat(681)));
    assert!(wide.len() <= TEXT_MAX);
}

#[test]
fn a_user_name_cannot_inject_elements_into_a_reply() {
    let mut out = Vec::new();
    let evil =
        text_message("hi").replace("oUser1", "<![CDATA[a]]]]><![CDATA[></FromUserName><Evil>]]>");
    with_message(evil.as_bytes(), |message| {
        assert_eq!(message.from_user_name(), "a]]></FromUserName><Evil>");
        Reply::text("hello").write_to(message, 1, &mut out);
    })
    .unwrap();
    let to = with_message(&out, |reply| reply.to_user_name().to_owned());
    assert_eq!(to.unwrap(), "a]]></FromUserName><Evil>");
}
