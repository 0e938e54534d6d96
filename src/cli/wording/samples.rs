//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples, system_error};
use std::net::Ipv4Addr;

use crate::http::UrlError;
use crate::rules::RulesError;
use crate::simulator::{CaptureError, TestMessageError};
use crate::text::file::ReadError;
use crate::wechat::{Token, TokenError};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "cli", collect);
}

fn collect(samples: &mut Samples) {
    samples.add("constants", &[&TITLE, &USAGE, &FLAGS, &FLAG, &ENVIRONMENT, &DEFAULT, &EMBEDDED_RULES]);
    samples.add("help", &[&COMMANDS, &MANUAL, &flags_of("serve"), &more_sections(5), &EPILOGUE]);
    add_errors(samples);
    add_usage_errors(samples);
    samples.add(
        "ServiceSign",
        &[&ServiceSign::Variable("INVOCATION_ID"), &ServiceSign::Address(address()), &ServiceSign::Socket],
    );
    use SecretFlaw::*;
    samples.add("SecretFlaw", &[&ByteOrderMark, &Utf16, &Quotes, &Space, &Assignment]);
    let id = AppId::parse("wx5823bf96d3bd56c7").expect("an appid");
    let mut callback = Callback::new(token());
    callback.previous_token = Some(token());
    let missing = (PathBuf::from("/run/wechat/control"), system_error(2));
    let denied = (PathBuf::from("/run/wechat/control"), system_error(13));
    for no_control_socket in [&missing, &denied] {
        let greeting = Greeting {
            address: address(),
            callback: &callback,
            app_id: Some(id.clone()),
            generated_token: Some(GeneratedToken {
                token: "0123456789abcdef".to_owned(),
                program: "wechat".to_owned(),
                url: None,
            }),
            no_control_socket: Some(no_control_socket),
        };
        let greeting = greeting.to_string();
        // The first line has the version.
        samples.add("Greeting", &[&greeting.split_once('\n').expect("several lines").1]);
    }
    samples.add("Greeting: encryption", &[&accepting_all(id.as_str()), &accepting_encrypted(id.as_str()), &PREVIOUS_AES_KEY]);
    samples.add_notes("notes", &[notify_failed(&system_error(111)), panicked(None)]);
    for severity in [Severity::Ok, Severity::Warning, Severity::Error] {
        samples.add("with_severity", &[&with_severity(severity, &"…", str::to_owned)]);
    }
    let url = url();
    samples.add("verify", &[&accepted(&url), &curl_check("https://example.com/wx?…", "7184512393016023851")]);
    samples.add("send", &[&DELIVERED, &SHOWN_NOTHING, &try_number(1), &no_answer(Duration::from_secs(5))]);
    samples.add("send: answer", &[&answer("text", Duration::from_millis(3)), &raw_is_incomplete(50)]);
    samples.add("replay", &[&replayed("a.request", &"…"), &first_difference(5, &"…")]);
}

fn address() -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, 8000).into()
}

fn token() -> Token {
    Token::parse("hello2021").expect("a token")
}

fn url() -> Url {
    Url::parse("http://127.0.0.1:8000/").expect("a URL")
}

fn add_errors(samples: &mut Samples) {
    let path = || PathBuf::from("/run/wechat/control");
    let file = || PathBuf::from("a.request");
    let control = |number| Error::Control { path: path(), error: system_error(number) };
    let too_long = Error::Control { path: path(), error: FileTooLarge.into() };
    let timed_out = Error::Control { path: path(), error: TimedOut.into() };
    samples.add(
        "Error",
        &[
            &Error::Usage(UsageError::NoToken),
            &Error::File { path: file(), error: ReadError::NotRegularFile },
            &Error::CaptureEmpty(file()),
            &Error::Capture { path: file(), error: CaptureError::RequestLine },
            &Error::NoRequest(PathBuf::from("captures")),
            &Error::Replay { failed: 1, all: 3 },
            &Error::Random(system_error(2)),
            &Error::Listen { address: address(), error: system_error(98) },
            &Error::Serve(system_error(24)),
            &Error::ControlSocket { path: path(), error: system_error(13) },
            &control(2),
            &control(13),
            &timed_out,
            &too_long,
            &control(104),
            &Error::ControlClosed(path()),
            &Error::ControlAnswer { path: path(), answer: "…".to_owned() },
            &Error::NotReady(url()),
            &Error::NotChecked("https://example.com/wx".to_owned()),
            &Error::NotDelivered,
            &Error::NotInTime,
            &Error::Output(system_error(28)),
            &Error::Rules { path: file(), error: RulesError::Unreadable(ReadError::NotRegularFile) },
        ],
    );
}

fn add_usage_errors(samples: &mut Samples) {
    use UsageError::*;
    let name = |text: &str| text.into();
    let origin = || "WECHAT_TOKEN".to_owned();
    let service = |credential: Option<&str>, reason| {
        NoTokenForService { credential: credential.map(PathBuf::from), reason }
    };
    samples.add(
        "UsageError",
        &[
            &UnknownCommand { name: name("sent"), similar: Some("send") },
            &UnknownCommand { name: name("start"), similar: None },
            &NoHelp { name: name("sent"), similar: Some("send") },
            &NoHelp { name: name("start"), similar: None },
            &UnknownFlag { name: name("--jsn"), similar: Some("--json"), command: "status" },
            &UnknownFlag { name: name("--a"), similar: None, command: "status" },
            &SecretFlag { name: name("--token"), variable: "WECHAT_TOKEN" },
            &SecretFlag { name: name("--aes-key"), variable: "WECHAT_AES_KEY" },
            &UnexpectedArgument { argument: name("a"), command: "status" },
            &MissingValue { flag: "--listen", placeholder: "ADDR:PORT" },
            &UnexpectedValue("--json"),
            &Repeated("--listen"),
            &Conflict("--encrypted", "--compatible"),
            &Value { name: "WECHAT_MAX_AGE", value: name("a"), expected: "…" },
            &Url { name: "--url", value: name("a"), error: UrlError::Scheme },
            &TestMessage(TestMessageError::Empty),
            &NotUtf8(name("a")),
            &NothingToReplay,
            &StandardInput(NotListening::Tcp),
            &StandardInput(NotListening::OtherProtocol),
            &NoToken,
            &service(Some("/run/credentials/token"), ServiceSign::Socket),
            &service(None, ServiceSign::Variable("INVOCATION_ID")),
            &Secret { origin: origin(), flaw: SecretFlaw::Quotes },
            &Token { origin: origin(), error: TokenError::Length { length: 2 } },
            &AesKey { origin: origin(), error: AesKeyError::Length { length: 42 } },
            &NoAesKey("--encrypted"),
            &PreviousAesKeyAlone,
            &NoAppId,
            &NotSecure("--encrypted"),
        ],
    );
}
