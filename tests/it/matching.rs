//! Which message matches which condition: what a user writes or says, when, and of several elements of one name.

use std::fs;

use crate::rules::{THEN, find_reply_at, rules};
use crate::support::*;
use wechat::rules::{EMBEDDED, Rules, SAMPLE, STARTER};

/// A voice message with this recognition.
fn voice(recognition: &str) -> String {
    text_message("").replace("[text]", "[voice]").replace(
        "<Content><![CDATA[]]></Content>",
        &format!("<MediaId>m</MediaId><Recognition><![CDATA[{recognition}]]></Recognition>"),
    )
}

fn event(tail: &str) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1</CreateTime>\
         <MsgType>event</MsgType>{tail}</xml>"
    )
}

/// The text of the reply to a message; empty if there is no reply.
fn reply(rules: &Rules, xml: &str) -> String {
    reply_at(rules, THEN, xml)
}

fn reply_at(rules: &Rules, received: u64, xml: &str) -> String {
    match find_reply_at(rules, received, xml).as_str() {
        "" => String::new(),
        reply => element(reply, "Content").to_owned(),
    }
}

const UNSUPPORTED: [&str; 3] = [
    "【收到不支持的消息类型，暂无法显示】",
    "\n【收到不支持的消息类型，暂无法显示】 ",
    "[Unsupported Message]",
];

#[test]
fn keywords_are_found_however_a_phone_writes_them() {
    for field in ["Content", "Text"] {
        // With and without the index of keywords.
        for other in ["", "|*x*"] {
            let rules = rules(&format!(
                "<rules><on {field}='帮助|help|?{other}'><text>帮</text></on>
                 <on {field}='1{other}'><text>一</text></on>
                 <on {field}='❤{other}'><text>心</text></on>
                 <on {field}='好吗？{other}'><text>问</text></on>
                 <on {field}='从*到*'><text>{{1}},{{2}}</text></on>
                 <on><text>没有</text></on></rules>"
            ));
            for (content, expected) in [
                ("？", "帮"),
                ("ｈｅｌｐ", "帮"),
                ("Ｈｅｌｐ！", "帮"),
                ("\u{3000}帮助", "帮"),
                ("帮助\u{200B}", "帮"),
                ("\u{A0}帮助", "帮"),
                ("\u{FEFF}帮助\u{FEFF}", "帮"),
                ("帮助。", "帮"),
                ("帮助！！", "帮"),
                ("帮助……", "帮"),
                ("帮助～", "帮"),
                ("帮助 ！", "帮"),
                ("HELP?", "帮"),
                ("\u{2005}help\u{2060}、", "帮"),
                ("１", "一"),
                ("1.", "一"),
                ("１。 ", "一"),
                ("1️", "一"),
                ("❤️", "心"),
                ("❤", "心"),
                ("好吗?", "问"),
                ("好吗", "没有"),
                ("好吗？？", "没有"),
                ("帮 助", "没有"),
                ("。帮助", "没有"),
                ("帮助我", "没有"),
                ("……", "没有"),
                ("❤️❤️", "没有"),
                ("从北京到上海。", "北京,上海。"),
                ("从　Ａ到\u{200B}Ｂ　", "Ａ,Ｂ"),
                ("从 到 ", ","),
            ] {
                assert_eq!(reply(&rules, &text_message(content)), expected, "{field} {content:?}");
            }
        }
    }
}

#[test]
fn a_voice_matches_without_the_marks_that_wechat_adds() {
    for field in ["Recognition", "Text"] {
        let rules = rules(&format!(
            "<rules><on {field}='天气|ok'><text>晴</text></on>
             <on {field}='*吗？'><text>问 {{1}}</text></on>
             <on {field}='从*到*'><text>{{1}},{{2}}</text></on>
             <on {field}='*的价格'><text>{{1}} {{{field}}}</text></on>
             <on {field}='*'><text>说：{{1}}</text></on>
             <on><text>没有</text></on></rules>"
        ));
        for (recognition, expected) in [
            ("天气。", "晴"),
            ("天气", "晴"),
            ("ＯＫ。", "晴"),
            ("天气？！", "晴"),
            ("好吗？", "问 好"),
            ("好吗。", "说：好吗"),
            ("从北京到上海。", "北京,上海"),
            ("从北京，到上海！", "北京，,上海"),
            ("苹果的价格。", "苹果 苹果的价格。"),
            ("你好，世界。", "说：你好，世界"),
            ("。", "说：。"),
        ] {
            assert_eq!(reply(&rules, &voice(recognition)), expected, "{field} {recognition:?}");
        }
    }
}

#[test]
fn other_fields_keep_their_marks_and_keys_their_case() {
    let rules = rules(
        "<rules><on EventKey='Menu_A|菜单'><text>菜单</text></on>
         <on ScanResult='abc'><text>码</text></on>
         <on Event='SCAN'><text>扫</text></on></rules>",
    );
    for (tail, expected) in [
        ("<Event>CLICK</Event><EventKey>Menu_A</EventKey>", "菜单"),
        ("<Event>CLICK</Event><EventKey>\n Ｍenu_A </EventKey>", "菜单"),
        ("<Event>CLICK</Event><EventKey>menu_a</EventKey>", ""),
        ("<Event>CLICK</Event><EventKey>菜单。</EventKey>", ""),
        ("<Event>x</Event><ScanResult>ＡBC</ScanResult>", "码"),
        ("<Event>x</Event><ScanResult>abc.</ScanResult>", ""),
        ("<Event>scan</Event>", "扫"),
    ] {
        assert_eq!(reply(&rules, &event(tail)), expected, "{tail}");
    }
}

#[test]
fn text_is_what_the_user_wrote_or_said() {
    let rules = rules(
        "<rules><on Text='天气*'><text>{1} {Text}</text></on>
         <on Text='你好|a|b'><text>您好</text></on>
         <on Content='你好'><text>不会</text></on>
         <on Text='*'><text>[{Text}]</text></on>
         <on Text=''><text>没有{Text}</text></on></rules>",
    );
    for (message, expected) in [
        (text_message("你好！"), "您好"),
        (text_message(" 天气 北京。"), "北京。  天气 北京。"),
        (text_message(" 别的\n"), "[ 别的\n]"),
        (voice("你好。"), "您好"),
        (voice("天气北京。"), "北京 天气北京。"),
        (voice(""), "没有"),
        (voice(" \u{3000}\n"), "没有"),
        (voice("").replace("<Recognition><![CDATA[]]></Recognition>", ""), "没有"),
        (text_message("x").replace("[text]", "[image]"), "没有"),
        (event("<Event>CLICK</Event><EventKey>你好</EventKey>"), "没有"),
        // Not WeChat's notice.
        (
            text_message("收到【收到不支持的消息类型，暂无法显示】"),
            "[收到【收到不支持的消息类型，暂无法显示】]",
        ),
    ] {
        assert_eq!(reply(&rules, &message), expected, "{message}");
    }
    for notice in UNSUPPORTED {
        assert_eq!(reply(&rules, &text_message(notice)), "没有", "{notice:?}");
    }
    // A strange message with two texts that differ.
    let both = voice("a").replace("</xml>", "<Content>你好</Content></xml>");
    assert_eq!(reply(&rules, &both), "您好");
    let content = self::rules(
        "<rules><on Content='x'><text>1</text></on><on Text='a'><success/></on></rules>",
    );
    assert_eq!(reply(&content, &both.replace("你好", "x")), "1");
}

#[test]
fn the_given_rules_answer_stickers_and_empty_voices_as_unsupported() {
    for (name, text, echo) in
        [("embedded", EMBEDDED, "在吗"), ("starter", STARTER, "收到"), ("sample", SAMPLE, "在吗")]
    {
        let rules = rules(text);
        let mut messages = UNSUPPORTED.map(text_message).to_vec();
        messages.extend([voice(""), text_message("").replace("[text]", "[link]")]);
        for message in &messages {
            assert!(reply(&rules, message).starts_with("抱歉，"), "{name}: {message}");
        }
        for message in [text_message("在吗"), voice("在吗。")] {
            assert!(reply(&rules, &message).contains(echo), "{name}: {message}");
        }
    }
}

#[test]
fn time_and_weekday_are_those_of_the_utc_offset() {
    // THEN is 2021-07-17 17:14:08 in China, a Saturday.
    for (attributes, offset, expected) in [
        ("time='17:14-17:15'", "", true),
        ("time='09:14-09:15'", "", false),
        ("time='09:14-09:15'", "+00:00", true),
        ("time='17:15-17:14'", "", false),
        ("time='22:00-02:00' weekday='5'", "-07:30", true),
        ("time='22:00-02:00' weekday='5'", "-08:30", true),
        ("time='22:00-02:00' weekday='5'", "-07:00", false),
        ("time='22:00-02:00' weekday='6'", "-07:30", false),
        ("time='00:00-24:00' weekday='6'", "", true),
        ("weekday='6|7'", "", true),
        ("weekday='1-5'", "", false),
        ("weekday='7-5'", "", false),
        ("weekday='1-5'", "-10:00", true),
        ("Text='人工*' time='09:00-12:00|13:00-18:00' weekday='6-2'", "", true),
        ("Text='别的' time='09:00-18:00'", "", false),
    ] {
        let rules = rules(&format!(
            "<rules {}><on {attributes}><text>开</text></on></rules>",
            match offset {
                "" => String::new(),
                offset => format!("utc-offset='{offset}'"),
            }
        ));
        let is_open = reply(&rules, &text_message("人工")) == "开";
        assert_eq!(is_open, expected, "{attributes} {offset}");
    }
    let rules = rules("<rules><on time='23:00-01:00' weekday='6'><text>夜</text></on></rules>");
    let midnight = 1_626_537_600;
    let opened = |seconds: u64| reply_at(&rules, seconds, &text_message("a")) == "夜";
    assert!(!opened(midnight - 3601) && opened(midnight - 3600) && opened(midnight + 3599));
    assert!(!opened(midnight + 3600) && !opened(midnight + 82_800) && !opened(midnight - 86_400));
}

/// Two templates of one popup are two `<List>` elements.
#[test]
fn a_condition_holds_if_any_element_of_the_name_matches() {
    let popup =
        fs::read_to_string(root().join("fixtures/message/event-subscribe-msg-popup.xml")).unwrap();
    let reply_of = |conditions: &str, text: &str| {
        let rules = rules(&format!("<rules><on {conditions}><text>{text}</text></on></rules>"));
        reply(&rules, &popup)
    };
    assert_eq!(reply_of("SubscribeStatusString='accept'", "{SubscribeStatusString}"), "accept");
    assert_eq!(reply_of("SubscribeStatusString='reject'", "{SubscribeStatusString}"), "accept");
    assert_eq!(reply_of("SubscribeStatusString='rej*' TemplateId='T*'", "{1} {2}"), "ect 1");
    assert_eq!(reply_of("TemplateId='T2|T3*'", "{1}!"), "!");
    assert_eq!(reply_of("TemplateId='T3'", "x"), "");
    assert_eq!(reply_of("TemplateId=''", "x"), "");
    let ten = (0..10).map(|number| format!("<Url>u{number}</Url>")).collect::<String>();
    let rules = rules(
        "<rules><on Url='U9'><text>{Url}</text></on><on Content='b|c'><text>{Content}</text></on></rules>",
    );
    assert_eq!(reply(&rules, &event(&format!("<Event>x</Event>{ten}"))), "u0");
    // The index of keywords finds each of several contents.
    let nested = event("<Event>x</Event><a><Content>a</Content></a><b><Content>Ｃ。</Content></b>");
    assert_eq!(reply(&rules, &nested), "a");
}

/// More fields than the values of which fit on the stack.
#[test]
fn rules_may_use_many_fields() {
    let names = [
        "Url",
        "Title",
        "Label",
        "Scale",
        "Ticket",
        "Format",
        "MediaId",
        "PicUrl",
        "Description",
        "Content",
    ];
    let conditions: String = names.iter().map(|name| format!(" {name}='*'")).collect();
    let placeholders: String = (1..=names.len()).map(|number| format!("{{{number}}}")).collect();
    let rules = rules(&format!("<rules><on{conditions}><text>{placeholders}</text></on></rules>"));
    let elements: String = names.iter().map(|name| format!("<{name}>{name};</{name}>")).collect();
    let expected: String = names.iter().map(|name| format!("{name};")).collect();
    assert_eq!(reply(&rules, &event(&elements)), expected);
}

#[test]
fn fields_that_accounts_receive_are_known() {
    for (event, names) in [
        ("wx_verify_dispatch", "Provider Contact DispatchTime"),
        ("user_get_card", "UnionId"),
        ("card_merchant_check_result", "IsPass MerchantId Reason"),
        (
            "cloud_invoice_invoiceresult_event",
            "fpqqlsh nsrsbh status title title_type bank_no tax_no",
        ),
        ("update_invoice_status", "Code CardId Status"),
        ("add_store_audit_info", "audit_id is_upgrade poiid reason status"),
        ("create_map_poi_audit_info", "map_poi_id name address latitude longitude sh_remark"),
        (
            "guide_qrcode_scan_event",
            "action openid qrcode_guide_account qrcode_guide_openid qrcode_info",
        ),
        ("device_text", "DeviceID DeviceType SessionID OpenID Content"),
        ("user_scan_product", "KeyStandard KeyStr Country Province City Sex Scene ExtInfo"),
        ("weapp_audit_fail", "Reason ScreenShot FailTime"),
    ] {
        for name in names.split(' ') {
            let file = format!(
                "<rules><on Event='{event}' {name}='*'><text>{{{name}}}</text></on></rules>"
            );
            let (rules, warnings) = Rules::check(file.as_bytes()).unwrap();
            let mut warnings = warnings.iter().map(ToString::to_string);
            assert!(warnings.all(|warning| !warning.contains("field")), "{name}");
            let message = self::event(&format!("<Event>{event}</Event><{name}>值</{name}>"));
            assert_eq!(reply(&rules, &message), "值");
        }
    }
    // A new field of WeChat.
    let file = "<rules><on NewFloor='3'><text>{NewFloor}</text></on></rules>";
    assert_eq!(reply(&rules(file), &event("<Event>x</Event><a><NewFloor>3</NewFloor></a>")), "3");
}
