//! Encrypted messages when the server has no key. The tests also run in a build without encryption.

use crate::support::tools::finish;
use crate::support::*;

const SAFE: &str = "<xml>\n    <ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n    \
     <Encrypt><![CDATA[hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtI=]]></Encrypt>\n</xml>";

fn encrypted_query() -> String {
    format!(
        "{}&openid=oUser1&encrypt_type=aes&msg_signature={}",
        signed_now(),
        "5d197aaffba7e9b25a30732f161a50dee96bd5fa"
    )
}

#[test]
fn answers_safe_messages_with_success_and_logs_a_hint() {
    let control = folder("unread").join("control");
    let control = control.to_str().unwrap();
    let program = Program::start(&["--control", control]);
    let mut stream = connect(program.address);
    for query in [signed_now(), encrypted_query()] {
        let request = post_to(&format!("/wx?{query}"), "HTTP/1.1", "", SAFE);
        let answer = ask(&mut stream, &request);
        assert_eq!((answer.status, answer.content.as_str()), (200, "success"));
    }
    let said = finish(command().args(["status", "--json", "--control", control]));
    let counted = "\"modes\":{\"plain\":0,\"compatible\":0,\"safe\":2},\"unread\":2,\
         \"replies\":0,\"without_reply\":2,";
    assert!(said.out.contains(counted), "{}", said.out);
    assert!(!said.out.contains(":null"), "{}", said.out);
    let lines = program.stop();
    assert_eq!(lines.len(), 2);
    let hint = match wechat::wechat::SECURE {
        true => {
            "set the EncodingAESKey (WECHAT_AES_KEY or the credential aes-key), or choose 兼容模式 in the WeChat console"
        }
        false => {
            "this program was built without encryption (feature secure); choose 兼容模式 in the WeChat console"
        }
    };
    for line in lines {
        assert!(line.starts_with("200 POST /wx peer="), "{line}");
        assert!(
            line.ends_with(&format!(
                " cause=encrypted reason=\"message is encrypted (安全模式) and was not read\" hint=\"{hint}\""
            )),
            "{line}"
        );
    }
}

#[test]
fn answers_the_plain_part_of_compatible_messages() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    let plain = text_message("你好");
    let with = |encrypt: &str| {
        let (before, _) = plain.rsplit_once("</xml>").unwrap();
        format!("{before}<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>")
    };
    let query = encrypted_query();
    let target = format!("/wx?{query}");
    // Another try with the same signature may be encrypted anew.
    for encrypt in ["YQ==", "Yg=="] {
        let request = post_to(&target, "HTTP/1.1", "", &with(encrypt));
        let answer = ask(&mut stream, &request);
        assert_eq!(answer.status, 200);
        assert_eq!(element(&answer.content, "Content"), "你好");
    }
    // A different message with the same signature is refused.
    let whole = with("YQ==");
    let swapped = whole.replace("MsgType", "?").replace("Content>", "MsgType>");
    for other in [
        whole.replace("你好", "再见"),
        whole.replace("<Content>", "<a><Content>").replace("</Content>", "</Content></a>"),
        swapped.replace("?", "Content"),
    ] {
        let answer = ask(&mut stream, &post_to(&target, "HTTP/1.1", "", &other));
        assert_eq!(answer.status, 403, "{other}");
    }
    assert_eq!(ask(&mut stream, &post(&plain)).status, 200);
    let lines = program.stop();
    assert_eq!(lines.len(), 5, "{lines:#?}");
    let note = |mode: &str| format!(" cause=mode reason=\"messages arrive in {mode}\"");
    assert!(lines[0].ends_with(&note("compatible mode (兼容模式)")));
    assert!(lines[1..4].iter().all(|line| line.contains(" cause=reused-signature ")));
    assert!(lines[4].ends_with(&note("plain mode (明文模式)")));
}

/// The query says that the message is encrypted, but the content is a plain message.
#[test]
fn accepts_one_message_per_signature_if_the_query_says_encrypted() {
    let program = Program::start(&[]);
    let mut stream = connect(program.address);
    let target = format!("/wx?{}", encrypted_query());
    let mut status = |content: &str| {
        let request = post_to(&target, "HTTP/1.1", "", &text_message(content));
        ask(&mut stream, &request).status
    };
    let statuses = [status("one"), status("one"), status("two")];
    assert_eq!(statuses, [200, 200, 403]);
    // A message that cannot be read also uses its signature.
    let target = format!("/wx?{}", encrypted_query());
    for (content, status) in [(SAFE, 200), (&text_message("one"), 403)] {
        let request = post_to(&target, "HTTP/1.1", "", content);
        assert_eq!(ask(&mut stream, &request).status, status);
    }
}

#[test]
fn refuses_encryption_settings_without_a_key() {
    let feature = "this program was built without encryption; build it with cargo build --release --features secure";
    let refused = |variables: &[(&str, &str)], arguments: &[&str], with: &str, without: &str| {
        let mut command = command();
        command.env("WECHAT_TOKEN", TOKEN);
        command.envs(variables.iter().copied()).args(arguments);
        let said = finish(&mut command);
        let expected = match wechat::wechat::SECURE {
            true => with.to_owned(),
            false => without.replace("FEATURE", feature),
        };
        assert_eq!((said.code, said.err), (2, format!("wechat: {expected}\n")));
        assert_eq!(said.out, "");
    };
    let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    refused(
        &[("WECHAT_AES_KEY", key)],
        &["serve"],
        "the EncodingAESKey needs the appid of the account; pass --app-id APPID or set WECHAT_APP_ID",
        "WECHAT_AES_KEY: FEATURE",
    );
    refused(
        &[("WECHAT_AES_KEY", "secret=")],
        &["serve", "--app-id", "wx1"],
        "WECHAT_AES_KEY: EncodingAESKey: invalid character at position 7 (allowed: A-Z a-z 0-9 + /)",
        "WECHAT_AES_KEY: FEATURE",
    );
    refused(
        &[("WECHAT_AES_KEY_PREVIOUS", key)],
        &["serve"],
        "the previous EncodingAESKey needs the current one; set WECHAT_AES_KEY or the credential aes-key",
        "WECHAT_AES_KEY_PREVIOUS: FEATURE",
    );
    for (command, flag) in
        [("serve", "--require-encryption"), ("send", "--encrypted"), ("send", "--compatible")]
    {
        let text: &[&str] = if command == "send" { &["a"] } else { &[] };
        refused(
            &[],
            &[&[command, flag], text].concat(),
            &format!(
                "{flag} needs the EncodingAESKey; set WECHAT_AES_KEY or the credential aes-key"
            ),
            &format!("{flag}: FEATURE"),
        );
    }
    refused(
        &[("WECHAT_REQUIRE_ENCRYPTION", "1")],
        &["serve"],
        "WECHAT_REQUIRE_ENCRYPTION needs the EncodingAESKey; set WECHAT_AES_KEY or the credential aes-key",
        "WECHAT_REQUIRE_ENCRYPTION: FEATURE",
    );
    let no_token = "no token; set WECHAT_TOKEN or pass --token-file FILE";
    let secrets = [("WECHAT_AES_KEY", key), ("WECHAT_APP_ID", "wx1")];
    let previous = [("WECHAT_TOKEN_PREVIOUS", TOKEN)];
    for (variables, without) in
        [(secrets.as_slice(), "WECHAT_AES_KEY: FEATURE"), (&previous, no_token)]
    {
        let mut command = command();
        command.envs(variables.iter().copied());
        let said = finish(command.args(["serve", "--listen", "127.0.0.1:0"]));
        let expected = match wechat::wechat::SECURE {
            true => no_token.to_owned(),
            false => without.replace("FEATURE", feature),
        };
        assert_eq!((said.code, said.err), (2, format!("wechat: {expected}\n")));
    }
    let original_id = "WECHAT_APP_ID is \"gh_7f083739789a\"; \
         expected an appid such as wx5823bf96d3bd56c7 (gh_… is the original id)";
    refused(&[("WECHAT_APP_ID", "gh_7f083739789a")], &["serve"], original_id, original_id);
    let folder = folder("aes-key-credential");
    std::fs::write(folder.join("aes-key"), format!("{key}x\n")).unwrap();
    let path = folder.join("aes-key");
    refused(
        &[("CREDENTIALS_DIRECTORY", folder.to_str().unwrap())],
        &["serve", "--app-id", "wx1"],
        &format!("{path:?}: EncodingAESKey: 44 characters, 43 expected"),
        &format!("{path:?}: FEATURE"),
    );
}

#[test]
fn previous_token_is_accepted_too() {
    const OTHER: &str = "goodbye2020";
    let mut command = command();
    command.env("WECHAT_TOKEN", "another2022").env("WECHAT_TOKEN_PREVIOUS", TOKEN).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
    ]);
    let mut program = Program::spawn(&mut command);
    assert_eq!(program.next_line(), "also accepting the previous token\n");
    let mut stream = connect(program.address);
    assert_eq!(ask(&mut stream, &post(&text_message("你好"))).status, 200);
    for (token, status) in [("another2022", 200), (TOKEN, 200), (OTHER, 403)] {
        let token = wechat::wechat::Token::parse(token).unwrap();
        let timestamp = now().to_string();
        let signature = token.sign(timestamp.as_bytes(), b"1");
        let query = format!("signature={signature}&timestamp={timestamp}&nonce=1&echostr=5");
        assert_eq!(ask(&mut stream, &get(&format!("/?{query}"))).status, status);
    }
    for token in ["another2022", TOKEN] {
        let token = wechat::wechat::Token::parse(token).unwrap();
        let signature = token.sign(b"1000000000", b"1");
        let query = format!("signature={signature}&timestamp=1000000000&nonce=1&echostr=5");
        assert_eq!(ask(&mut stream, &get(&format!("/?{query}"))).status, 403);
    }
    let lines = program.stop();
    // The first two lines are about token checks that passed.
    assert_eq!(lines.len(), 5);
    assert!(lines[2].contains(" cause=bad-signature "), "{lines:#?}");
    for line in &lines[3..] {
        assert!(line.contains(" cause=stale-timestamp "), "{lines:#?}");
    }
}
