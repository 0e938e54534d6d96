//! The three modes over sockets: plain, compatible and safe (明文, 兼容, 安全).

#![cfg(feature = "secure")]
use std::fs;
use std::io::Write;
use std::path::Path;

use crate::support::sealed::*;
use crate::support::tools::finish;
use crate::support::*;
use wechat::wechat::Mode;

const OTHER_KEY: &str = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR";

fn without_time(reply: &str) -> String {
    match reply.split_once("<CreateTime>") {
        None => reply.to_owned(),
        Some((before, rest)) => {
            let (_, after) = rest.split_once("</CreateTime>").unwrap();
            format!("{before}{after}")
        }
    }
}

/// Sends every message fixture to a server with each rules file in `fixtures/bots`.
#[test]
fn replies_are_equal_in_all_modes() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let xml = |folder: &str| {
        let paths = fs::read_dir(fixtures.join(folder)).unwrap();
        let mut paths: Vec<_> = paths.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "xml"));
        paths.sort();
        paths
    };
    let mut count = [0; 2];
    for rules in xml("bots") {
        let program = secure(&["--rules", rules.to_str().unwrap()]);
        let wechat = WeChat::usual();
        let mut stream = connect(program.address);
        for path in xml("message") {
            let message = fs::read_to_string(&path).unwrap();
            let replies = Mode::ALL.map(|mode| {
                let answer = ask(&mut stream, &wechat.post(&message, mode));
                without_time(&wechat.open(&answer, mode))
            });
            assert_eq!(replies[0], replies[1], "{path:?}");
            assert_eq!(replies[0], replies[2], "{path:?}");
            count[usize::from(replies[0] == "success")] += 1;
        }
    }
    assert!(count[0] > 100 && count[1] > 100, "{count:?}");
}

#[test]
fn runs_a_program_once_for_tries_that_are_encrypted_anew() {
    let folder = folder("modes-once");
    let (runs, rules) = (folder.join("runs"), folder.join("rules.xml"));
    let script = folder.join("answer");
    let text = format!("#!/bin/sh\necho run >> '{}'\ncat\n", runs.display());
    fs::write(&script, text).unwrap();
    let command = format!("<rules><on><run>sh {}</run></on></rules>", script.display());
    fs::write(&rules, command).unwrap();
    let mut command = secure_command();
    command.env("PATH", "/usr/bin:/bin");
    let program = Program::spawn(command.args(["--rules", rules.to_str().unwrap()]));
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let message = text_message("你好");
    for mode in [Mode::Safe, Mode::Compatible, Mode::Safe] {
        let answer = ask(&mut stream, &wechat.post(&message, mode));
        let reply = wechat.open(&answer, mode);
        // The program gets the message, without the envelope.
        assert!(reply.contains("oia2TjuEGTNoeX76QEjQNrcURxG8"), "{reply}");
        assert!(!reply.contains("Encrypt"), "{reply}");
    }
    assert_eq!(fs::read_to_string(runs).unwrap(), "run\n");
}

#[test]
fn answers_published_messages() {
    let mut count = 0;
    for vector in Vector::all("open") {
        let message = String::from_utf8(vector.message()).unwrap();
        let (Some(msg_signature), true) =
            (vector.get("msg_signature"), message.starts_with("<xml>"))
        else {
            continue;
        };
        count += 1;
        let mut command = secure_command();
        command
            .env("WECHAT_TOKEN", vector.must("token"))
            .env("WECHAT_AES_KEY", vector.must("aes-key"))
            .env("WECHAT_APP_ID", vector.must("app-id"));
        let program = Program::spawn(command.args(["--max-age", "0", "--require-encryption"]));
        let wechat =
            WeChat::with(vector.must("token"), vector.must("aes-key"), vector.must("app-id"));
        let [signature, timestamp, nonce] =
            ["signature", "timestamp", "nonce"].map(|name| vector.must(name));
        let target = format!(
            "/?signature={signature}&timestamp={timestamp}&nonce={nonce}&openid=o\
             &encrypt_type=aes&msg_signature={msg_signature}"
        );
        let mut stream = connect(program.address);
        for mode in [Mode::Safe, Mode::Compatible] {
            let content = content_of(vector.must("encrypt"), &message, mode);
            let answer = ask(&mut stream, &post_to(&target, "HTTP/1.1", "", &content));
            let reply = wechat.open(&answer, mode);
            let (_, sender) = message.split_once("<FromUserName><![CDATA[").unwrap();
            let (sender, _) = sender.split_once("]]>").unwrap();
            assert_eq!(element(&reply, "ToUserName"), sender, "{}", vector.name);
            assert!(answer.content.contains(&format!("<Nonce><![CDATA[{nonce}]]></Nonce>")));
        }
    }
    assert_eq!(count, 7);
}

#[test]
fn encrypts_replies_but_not_success() {
    let rules = folder("modes-success").join("rules.xml");
    let text = "<rules><on Content=\"无\"><success/></on><on Content=\"空\"><text>{Label}</text></on>\
                <on><text>有</text></on></rules>";
    fs::write(&rules, text).unwrap();
    let program = secure(&["--rules", rules.to_str().unwrap()]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let mut seen = Vec::new();
    for mode in [Mode::Compatible, Mode::Safe] {
        for content in ["无", "空"] {
            let answer = ask(&mut stream, &wechat.post(&text_message(content), mode));
            assert_eq!(answer.content, "success");
            assert_eq!(answer.field("Content-Type"), Some("text/plain; charset=utf-8"));
        }
        let answer = ask(&mut stream, &wechat.post(&text_message("?"), mode));
        assert!(answer.content.starts_with("<xml><Encrypt><![CDATA["));
        assert_eq!(answer.field("Content-Type"), Some("application/xml; charset=utf-8"));
        assert!(!answer.content.contains("oia2Tju"));
        assert_eq!(element(&wechat.open(&answer, mode), "Content"), "有");
        seen.push(answer.content);
    }
    assert_ne!(seen[0], seen[1]);
}

#[test]
fn refuses_invalid_encrypted_requests_without_a_reason() {
    let program = secure(&[]);
    let wechat = WeChat::usual();
    let message = text_message("secret words");
    let post_as = |other: &WeChat, mode| other.post(&message, mode);
    let under =
        |query: &str, content: &str| post_to(&format!("/wx?{query}"), "HTTP/1.1", "", content);
    let (content, encrypt) = wechat.content(&message, Mode::Safe);
    let (other_content, _) = wechat.content(&text_message("else"), Mode::Safe);
    let (both, both_encrypt) = wechat.content(&message, Mode::Compatible);
    let inside = |message: &str| {
        let encrypt = wechat.cipher.encrypt(message.as_bytes()).unwrap();
        under(&wechat.query(&encrypt), &content_of(&encrypt, &text_message(""), Mode::Safe))
    };
    let bare = "<xml><Encrypt>AAAA</Encrypt></xml>";
    let expectations = [
        (
            post_as(&WeChat::with(TOKEN, OTHER_KEY, APP_ID), Mode::Safe),
            // Usually the padding is invalid. But random bytes may look like valid padding, so no reason is checked.
            "bad-encryption",
            "",
        ),
        (
            post_as(&WeChat::with(TOKEN, AES_KEY, "wx2c2769f8efd9abc3"), Mode::Compatible),
            "bad-encryption",
            "appid in the decrypted text is not this account's",
        ),
        (
            under(&wechat.query("AAAA"), bare),
            "bad-encryption",
            "Encrypt has 3 bytes, expected a multiple of 16",
        ),
        (
            under(&wechat.query("!"), &bare.replace("AAAA", "!")),
            "bad-encryption",
            "Encrypt is not base64",
        ),
        (
            under(&wechat.query(&encrypt), &content.replace("</Encrypt>", "<a/></Encrypt>")),
            "plain-refused",
            "element Encrypt is missing, but the query says the message is encrypted",
        ),
        // The content of another request, and a changed msg_signature.
        (
            under(&wechat.query(&encrypt), &other_content),
            "bad-signature",
            "msg_signature does not match",
        ),
        (
            under(&wechat.query(&encrypt).replace("msg_signature=", "msg_signature=0"), &content),
            "bad-signature",
            "msg_signature is malformed, expected 40 hexadecimal digits",
        ),
        (
            under(&wechat.query(&both_encrypt), &both.replace("secret words", "other words")),
            "plain-differs",
            "element Content differs from the decrypted message",
        ),
        (
            inside("{\"MsgType\":\"text\"}"),
            "bad-message",
            "decrypted content is JSON, expected XML",
        ),
        (
            inside("<xml><Encrypt>a</Encrypt></xml>"),
            "bad-message",
            "decrypted message: message is encrypted",
        ),
    ];
    let mut stream = connect(program.address);
    let mut answers = Vec::new();
    for (request, ..) in &expectations {
        let answer = ask(&mut stream, request);
        assert_eq!((answer.status, answer.content.as_str()), (403, "refused\n"));
        answers.push(answer.head.replace(answer.field("Date").unwrap(), ""));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let lines = program.stop();
    assert_eq!(lines.len(), expectations.len());
    for (line, (_, cause, reason)) in lines.iter().zip(&expectations) {
        assert!(line.contains(&format!(" cause={cause} reason=\"{reason}")), "{line}");
        for secret in [TOKEN, AES_KEY, OTHER_KEY, "words", "oia2Tju", &encrypt[..20]] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[test]
fn log_hints_name_the_setting_to_check() {
    let wechat = WeChat::usual();
    let program = secure(&[]);
    let mut stream = connect(program.address);
    let other_app = WeChat::with(TOKEN, AES_KEY, "wx1").post(&text_message("a"), Mode::Safe);
    let (content, _) = wechat.content(&text_message("a"), Mode::Safe);
    let other_content = post_to(&format!("/?{}", wechat.query("")), "HTTP/1.1", "", &content);
    for request in [other_app, other_content] {
        assert_eq!(ask(&mut stream, &request).status, 403);
    }
    let mut lines = program.stop();
    let vectors = Vector::all("refuse");
    let is_other_key = |vector: &&Vector| vector.name == "other-key";
    let vector = vectors.iter().find(is_other_key).unwrap();
    let mut command = secure_command();
    command.env("WECHAT_AES_KEY", vector.must("aes-key")).arg("--require-encryption");
    let program = Program::spawn(&mut command);
    let mut stream = connect(program.address);
    let encrypt = vector.must("encrypt");
    let target = format!("/?{}", wechat.query(encrypt));
    let content = content_of(encrypt, "", Mode::Safe);
    let other_key = post_to(&target, "HTTP/1.1", "", &content);
    for request in [other_key, post(&text_message("a"))] {
        assert_eq!(ask(&mut stream, &request).status, 403);
    }
    lines.extend(program.stop());
    for (line, hint) in lines.iter().zip([
        "compare the appid with the one in the WeChat console",
        "the token is right, because signature matches; find out what changed Encrypt or msg_signature",
        "compare the EncodingAESKey with the one in the WeChat console",
        "choose 安全模式 in the WeChat console, or run without --require-encryption",
    ]) {
        assert!(line.ends_with(&format!(" hint=\"{hint}\"")), "{line}");
    }
    assert_eq!(lines.len(), 4);
}

/// An attacker who sees an encrypted message must not be able to send a plain message instead.
#[test]
fn refuses_a_plain_message_made_from_an_encrypted_one() {
    let program = secure(&[]);
    let wechat = WeChat::usual();
    let message = text_message("one");
    let (content, encrypt) = wechat.content(&message, Mode::Safe);
    let (both, both_encrypt) = wechat.content(&message, Mode::Compatible);
    let mut stream = connect(program.address);
    let mut status = |query: &str, content: &str| {
        let answer = ask(&mut stream, &post_to(&format!("/wx?{query}"), "HTTP/1.1", "", content));
        (answer.status, answer.content)
    };
    let plain_query = |query: &str| query.split_once("&openid").unwrap().0.to_owned();
    let query = wechat.query(&encrypt);
    assert_eq!(status(&query, &content).0, 200);
    // The signature of an encrypted message cannot be used again without the encryption parameters.
    let reused = (403, "signature was already used for other content\n".to_owned());
    for plain in [text_message("two"), message.clone()] {
        assert_eq!(status(&plain_query(&query), &plain), reused);
    }
    // Encryption parameters, but no `Encrypt` in the content.
    let refused = (403, "refused\n".to_owned());
    let query = wechat.query(&both_encrypt);
    for stripped in [
        query.clone(),
        query.replace("&encrypt_type=aes", ""),
        query.split_once("&msg_signature").unwrap().0.to_owned(),
    ] {
        assert_eq!(status(&stripped, &message), refused);
    }
    let missing = (400, "parameter msg_signature is missing or empty\n".to_owned());
    for content in [&content, &both] {
        let query = wechat.query(&both_encrypt);
        assert_eq!(status(&plain_query(&query), content), missing);
        let query = query.split_once("&msg_signature").unwrap().0.to_owned();
        assert_eq!(status(&query, content), refused);
    }
    let twice = both.replace("</xml>", "<Encrypt>AAAA</Encrypt></xml>");
    assert_eq!(status(&wechat.query(&both_encrypt), &twice), refused);
    let reasons: Vec<String> = program
        .stop()
        .iter()
        .map(|line| line.split_once(" cause=").unwrap().1.to_owned())
        .collect();
    let stripped = "plain-refused reason=\"element Encrypt is missing, but the query says the message is encrypted\"";
    let missing = "missing-parameter reason=\"parameter msg_signature is missing or empty\" \
        hint=\"to test by hand, use wechat send --encrypted\"";
    assert_eq!(reasons[3..6], [stripped; 3], "{reasons:#?}");
    assert_eq!(reasons[6..10], [missing; 4]);
    assert_eq!(
        reasons[10..],
        [
            "bad-message reason=\"element Encrypt occurs twice\" hint=\"to test by hand, use wechat send\""
        ]
    );
}

/// The plain elements beside `Encrypt` are not signed. An attacker who sees an encrypted message could send it again
/// with guessed plain elements, and the responses could show which guess is right.
#[test]
fn a_guess_beside_an_encrypted_message_reveals_nothing() {
    let program = secure(&[]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let (content, encrypt) = wechat.content(&text_message("731902"), Mode::Safe);
    let guess = |guess: &str| content.replace("<Encrypt>", &format!("{guess}<Encrypt>"));
    let (right, wrong) = ("<Content>731902</Content>", "<Content>731903</Content>");
    let compatible = |content: &str| format!("<MsgType>text</MsgType>{content}");
    let mut post = |target: &str, content: &str| {
        let answer = ask(&mut stream, &post_to(target, "HTTP/1.1", "", content));
        (answer.status, answer.content)
    };
    let refused = (403, "refused\n".to_owned());
    let target = format!("/wx?{}", wechat.query(&encrypt));
    // In safe mode, right and wrong guesses get equal responses.
    for beside in ["", "", right, wrong, "<Label>a</Label>"] {
        assert_eq!(post(&target, &guess(beside)).0, 200, "{beside}");
    }
    let other_name = content.replace("gh_7f083739789a", "gh_other");
    assert_eq!(post(&target, &other_name).0, 200);
    // The signature was used in safe mode, so it is refused in compatible mode.
    for beside in ["", "<Label>a</Label>", right, wrong] {
        let beside = compatible(beside);
        assert_eq!(post(&target, &guess(&beside)), refused, "{beside}");
    }
    assert_eq!(post(&target, &guess("<MsgType>event</MsgType>")), refused);
    // A guess that arrives before the message itself uses the signature, so all other content is refused.
    let target = format!("/wx?{}", wechat.query(&encrypt));
    for beside in [compatible(wrong), compatible(right), compatible("")] {
        assert_eq!(post(&target, &guess(&beside)), refused, "{beside}");
    }
    assert_eq!(post(&target, &content), refused);
    let target = format!("/wx?{}", wechat.query(&encrypt));
    for (beside, status) in [(right, 200), (wrong, 403), (right, 200), ("", 403)] {
        let beside = compatible(beside);
        assert_eq!(post(&target, &guess(&beside)).0, status, "{beside}");
    }
}

#[test]
fn accepts_one_decrypted_message_per_signature() {
    let program = secure(&[]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let mut status = |query: &str, content: &str| {
        let request = post_to(&format!("/wx?{query}"), "HTTP/1.1", "", content);
        ask(&mut stream, &request).status
    };
    let encrypt = |text: &str| wechat.content(&text_message(text), Mode::Safe).1;
    let (one, other) = (encrypt("one"), encrypt("other"));
    for beside in ["", "<MsgType>text</MsgType>"] {
        let content = |encrypt: &str| format!("<xml>{beside}<Encrypt>{encrypt}</Encrypt></xml>");
        let query = wechat.query(&one);
        assert_eq!(status(&query, &content(&one)), 200);
        // Another message with the same timestamp and nonce has the same signature.
        let value = |name: &str| {
            let (_, rest) = query.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap()
        };
        let (timestamp, nonce) = (value("timestamp").as_bytes(), value("nonce").as_bytes());
        let (plain_query, _) = query.split_once("&msg_signature").unwrap();
        let msg_signature = wechat.token.sign_message(timestamp, nonce, &other);
        let query = format!("{plain_query}&msg_signature={msg_signature}");
        assert_eq!(status(&query, &content(&other)), 403);
    }
    // A request that was refused because msg_signature is missing also uses its signature.
    let query = signed_now();
    let both = content_of(&one, &text_message("one"), Mode::Compatible);
    assert_eq!(status(&query, &both), 400);
    assert_eq!(status(&query, &text_message("other")), 403);
    let lines = program.stop();
    let is_reused = |line: &&String| line.contains(" cause=reused-signature ");
    assert_eq!(lines.iter().filter(is_reused).count(), 3, "{lines:#?}");
}

#[test]
fn treats_empty_and_raw_encryption_parameters_as_plain() {
    let program = secure(&[]);
    let mut stream = connect(program.address);
    let mut status = |added: &str| {
        let target = format!("/wx?{}{added}", signed_now());
        let request = post_to(&target, "HTTP/1.1", "", &text_message("a"));
        ask(&mut stream, &request).status
    };
    for added in ["&encrypt_type=", "&encrypt_type=raw", "&msg_signature=", "&openid=o"] {
        assert_eq!(status(added), 200, "{added}");
    }
    for added in ["&encrypt_type=aes", "&encrypt_type=aes2", "&msg_signature=0"] {
        assert_eq!(status(added), 403, "{added}");
    }
    let lines = program.stop();
    assert_eq!(lines.len(), 3);
    for line in lines {
        assert!(line.contains(" cause=plain-refused "), "{line}");
    }
}

/// A plain element is compared with the decrypted element at the same path.
#[test]
fn compares_plain_elements_with_decrypted_ones_by_path() {
    let program = secure(&[]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let message = |inside: &str| text_message("a").replace("<MsgId>", &format!("{inside}<MsgId>"));
    let inside = message("<A><X>1</X></A><X>2</X><L><X>3</X></L><L><X>4</X></L>");
    let (_, encrypt) = wechat.content(&inside, Mode::Compatible);
    for (beside, status) in [
        ("<X>2</X>", 200),
        ("<X>1</X>", 403),
        ("<L><X>3</X></L><X>2</X>", 200),
        ("<L><X>4</X></L>", 403),
        ("<L><X>3</X></L><A><X>1</X></A><L><X>4</X></L>", 200),
        ("<L><X>3</X></L><L><X>3</X></L>", 403),
        ("<X>2</X><X>2</X>", 403),
        ("<Content>a</Content>", 403),
        ("<B><X>9</X></B>", 200),
        ("<X>\n 2 </X>", 200),
    ] {
        let content = content_of(&encrypt, &message(beside), Mode::Compatible);
        let target = format!("/wx?{}", wechat.query(&encrypt));
        let answer = ask(&mut stream, &post_to(&target, "HTTP/1.1", "", &content));
        assert_eq!(answer.status, status, "{beside}");
    }
}

/// WeChat sends no white space there, but other clients may.
#[test]
fn ignores_white_space_around_an_encrypt() {
    let program = secure(&[]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let (content, encrypt) = wechat.content(&text_message("a"), Mode::Safe);
    let spaced =
        content.replace("<Encrypt>", "<Encrypt>\n  ").replace("</Encrypt>", "\n</Encrypt>");
    let target = format!("/wx?{}", wechat.query(&encrypt));
    let answer = ask(&mut stream, &post_to(&target, "HTTP/1.1", "", &spaced));
    assert_eq!(element(&wechat.open(&answer, Mode::Safe), "Content"), "a");
    for odd in [
        content.replace("xml>", "foo>"),
        content.replace("<Encrypt>", "<Encrypt><a>").replace("</Encrypt>", "</a></Encrypt>"),
    ] {
        let target = format!("/wx?{}", wechat.query(&encrypt));
        let answer = ask(&mut stream, &post_to(&target, "HTTP/1.1", "", &odd));
        assert_eq!(answer.status, 403, "{odd}");
    }
}

/// The signed strings have no separators, so a `msg_signature` is also the `signature` of other strings.
#[test]
fn refuses_a_msg_signature_as_signature_of_other_content() {
    let program = secure(&[]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let forged = text_message("forged");
    let mut matching = 0;
    for number in 0..40 {
        let (_, encrypt) = wechat.content(&text_message(&number.to_string()), Mode::Safe);
        let query = wechat.query(&encrypt);
        let between = |name: &str| {
            let (_, rest) = query.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().to_owned()
        };
        let (timestamp, nonce) = (between("timestamp"), between("nonce"));
        let msg_signature = between("msg_signature");
        for both in [format!("{nonce}{encrypt}"), format!("{encrypt}{nonce}")] {
            let signature = wechat.token.sign(timestamp.as_bytes(), both.as_bytes());
            matching += u32::from(signature.to_string() == msg_signature);
            let both = both.replace('+', "%2B");
            let query = format!("signature={msg_signature}&timestamp={timestamp}&nonce={both}");
            for (query, content) in
                [(query.clone(), forged.as_str()), (format!("{query}&echostr=1"), "")]
            {
                let target = format!("/wx?{query}");
                let request = match content {
                    "" => get(&target),
                    content => post_to(&target, "HTTP/1.1", "", content),
                };
                let answer = ask(&mut stream, &request);
                let length = both.replace("%2B", "+").len();
                let reason = format!("nonce has {length} bytes, at most 40 allowed\n");
                assert_eq!((answer.status, answer.content), (403, reason));
            }
        }
    }
    assert!(matching > 10, "{matching}");
}

#[test]
fn refuses_plain_messages_if_encryption_is_required() {
    let program = secure(&["--require-encryption"]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    let message = text_message("one");
    for request in [
        wechat.post(&message, Mode::Plain),
        post_to(&format!("/?{}&encrypt_type=raw", signed_now()), "HTTP/1.1", "", &message),
    ] {
        let answer = ask(&mut stream, &request);
        let reason = "message is not encrypted, only encrypted messages allowed\n";
        assert_eq!((answer.status, answer.content.as_str()), (403, reason));
    }
    for mode in [Mode::Compatible, Mode::Safe] {
        let answer = ask(&mut stream, &wechat.post(&message, mode));
        assert_eq!(element(&wechat.open(&answer, mode), "Content"), "one");
    }
    // The token check is plain in all modes.
    let check = get(&format!("/?{}&echostr=123", signed_now()));
    assert_eq!(ask(&mut stream, &check).content, "123");
    let lines = program.stop();
    for line in &lines[..2] {
        assert!(line.contains("403 POST / ") || line.contains("403 POST /wx "), "{line}");
        assert!(line.contains(" cause=plain-refused "), "{line}");
    }
}

#[test]
fn start_message_says_which_messages_are_read() {
    let said = |required: &str, key: Option<&str>| {
        let mut command = command();
        command
            .env("WECHAT_TOKEN", TOKEN)
            .env("WECHAT_APP_ID", APP_ID)
            .env("WECHAT_REQUIRE_ENCRYPTION", required)
            .envs(key.map(|key| ("WECHAT_AES_KEY", key)))
            .args(["serve", "--listen", "127.0.0.1:0"]);
        let mut program = Program::spawn(&mut command);
        let line = program.next_line();
        // There is no previous secret, so the next line is not about a previous secret.
        assert!(
            program
                .next_line()
                .starts_with("note: no control socket (/nonexistent does not exist); ")
        );
        let plain = WeChat::usual().post(&text_message("a"), Mode::Plain);
        let answer = ask(&mut connect(program.address), &plain);
        (line, answer.status)
    };
    let all = "accepting encrypted and plain messages of wx2c2769f8efd9abc2\n".to_owned();
    assert_eq!(said("0", Some(AES_KEY)), (all, 200));
    let encrypted = "accepting only encrypted messages of wx2c2769f8efd9abc2\n".to_owned();
    assert_eq!(said("1", Some(AES_KEY)), (encrypted, 403));
    let unread = "note: no EncodingAESKey; cannot read encrypted messages of wx2c2769f8efd9abc2\n"
        .to_owned();
    assert_eq!(said("0", None), (unread, 200));
}

#[test]
fn accepts_old_and_new_keys_and_tokens_during_a_rotation() {
    let folder = folder("modes-rotation");
    for (name, secret) in [
        ("token", "newtoken"),
        ("token-previous", TOKEN),
        ("aes-key", OTHER_KEY),
        ("aes-key-previous", AES_KEY),
    ] {
        fs::write(folder.join(name), format!("{secret}\n")).unwrap();
    }
    let mut command = command();
    command.env("CREDENTIALS_DIRECTORY", &folder).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--app-id",
        APP_ID,
    ]);
    let mut program = Program::spawn(&mut command);
    for said in [
        "accepting encrypted and plain messages of wx2c2769f8efd9abc2\n",
        "also accepting the previous token\n",
        "also accepting the previous EncodingAESKey\n",
    ] {
        assert_eq!(program.next_line(), said);
    }
    let mut stream = connect(program.address);
    let message = text_message("one");
    for token in ["newtoken", TOKEN] {
        for key in [AES_KEY, OTHER_KEY] {
            // `WeChat::open` checks and decrypts the reply with only this token and this key.
            let wechat = WeChat::with(token, key, APP_ID);
            let answer = ask(&mut stream, &wechat.post(&message, Mode::Safe));
            assert_eq!(element(&wechat.open(&answer, Mode::Safe), "Content"), "one");
        }
    }
    let third = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
    for wechat in [WeChat::with("oldtoken", AES_KEY, APP_ID), WeChat::with(TOKEN, third, APP_ID)] {
        assert_eq!(ask(&mut stream, &wechat.post(&message, Mode::Safe)).status, 403);
    }
}

#[test]
fn logs_a_new_mode_and_counts_modes_in_the_status() {
    let control = folder("modes-status").join("control");
    let control = control.to_str().unwrap();
    let program = secure(&["--control", control]);
    let wechat = WeChat::usual();
    let mut stream = connect(program.address);
    for mode in [Mode::Plain, Mode::Safe, Mode::Safe, Mode::Compatible, Mode::Safe, Mode::Plain] {
        let answer = ask(&mut stream, &wechat.post(&text_message("a"), mode));
        assert_eq!(answer.status, 200);
    }
    let said = finish(command().args(["status", "--json", "--control", control]));
    let modes = "\"modes\":{\"plain\":2,\"compatible\":1,\"safe\":3},\"unread\":0,";
    assert!(said.out.contains(modes), "{}", said.out);
    assert!(said.out.contains("\"version\":\"0.1.0 (secure)\""), "{}", said.out);
    let lines = program.stop();
    let reasons: Vec<&str> =
        lines.iter().map(|line| line.split_once(" cause=mode reason=").unwrap().1).collect();
    let safe = "\"messages arrive in safe mode (安全模式)\"";
    let compatible = "\"messages arrive in compatible mode (兼容模式)\"";
    assert_eq!(reasons, [safe, compatible]);

    // Messages without a reply are counted too. A plain message is logged because it follows an encrypted message.
    let rules = folder("modes-news").join("rules.xml");
    fs::write(&rules, "<rules/>").unwrap();
    let program = secure(&["--rules", rules.to_str().unwrap()]);
    let mut stream = connect(program.address);
    for mode in [Mode::Safe, Mode::Plain] {
        let answer = ask(&mut stream, &wechat.post(&text_message("a"), mode));
        assert_eq!((answer.status, answer.content.as_str()), (200, "success"));
    }
    let lines = program.stop();
    assert!(lines[0].ends_with(&format!(" cause=mode reason={safe}")));
    assert!(lines[1].ends_with(" cause=mode reason=\"messages arrive in plain mode (明文模式)\""));
    assert_eq!(lines.len(), 2);
}

/// The server writes nothing to a closed connection.
#[test]
fn counts_an_encrypted_try_whose_client_disconnected() {
    let folder = folder("modes-gone");
    let control = folder.join("control").to_str().unwrap().to_owned();
    let (rules, begun, go) = slow_rules(&folder);
    let program = secure(&["--rules", &rules, "--control", &control]);
    let wechat = WeChat::usual();
    let message = text_message("slow");
    let mut first = connect(program.address);
    first.write_all(&wechat.post(&message, Mode::Safe)).unwrap();
    until("the program runs", || begun.exists());
    let status_has = |count: &str| {
        let said = finish(command().args(["status", "--json", "--control", &control]));
        said.out.contains(count)
    };
    let mut second = connect(program.address);
    second.write_all(&wechat.post(&message, Mode::Safe)).unwrap();
    until("the second try waits", || status_has("\"tries_joined\":1,"));
    drop(second);
    until("the server notices that the client disconnected", || status_has("\"given_up\":1,"));
    fs::write(&go, "").unwrap();
    let answer = read_answer(&mut first, false);
    let reply = wechat.open(&answer, Mode::Safe);
    assert_eq!(element(&reply, "Content"), "done");
}
