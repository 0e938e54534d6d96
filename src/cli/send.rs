//! `wechat send`: sends a message as WeChat would and judges the answer.

use std::time::Duration;

use super::arguments::{Args, CommandSpec};
use super::error::{Error, UsageError};
use super::flags::{APP_ID, COMPATIBLE, ENCRYPTED, FROM, RAW, TOKEN_FILE, TRIES, URL};
use super::output::{Colour, Style, escape_lines, print};
use super::secrets::{require_cipher, wechat_cipher};
use super::simulator_settings::{backend_url, required_token};
use super::wording;
use crate::client::{BodyEnd, Client};
use crate::rules;
use crate::server;
use crate::simulator::{
    Check, Encryption, Fault, Severity, SignedQuery, TestMessage, Verdict, WECHAT_TIMEOUT,
    WECHAT_TRIES, check_answer, parse_field, random_number,
};
use crate::text::display::{columns, escape_for_terminal};
use crate::text::language::Text;
use crate::wechat::{Mode, Token};

#[rustfmt::skip]
pub(super) const COMMAND: CommandSpec = CommandSpec {
    name: "send",
    usage: "send [TEXT] [Field=Value]...",
    operands_max: usize::MAX,
    flags: &[&URL, &TOKEN_FILE, &APP_ID, &FROM, &TRIES, &RAW, &ENCRYPTED, &COMPATIBLE],
    summary: Text { en: "send a message as WeChat would, judge the answer", zh: "像微信一样发送消息，并判断响应" },
    description: Text { en: "\
Sends a message as WeChat would, to any backend. Shows the answer, and each
error in it that WeChat would not accept. Exits with 0 if WeChat would deliver
the answer, or if the answer asks for no reply.

  wechat send 你好
  wechat send Event=subscribe
  wechat send Event=CLICK EventKey=V1001_TODAY
  wechat send MsgType=image PicUrl=http://e/p.jpg MediaId=m1

TEXT is the Content. Field=Value sets any element of the message; an element in
another one has a path such as ScanCodeInfo/ScanResult=1. After --, TEXT is
taken literally even if it contains =. Missing elements are filled in:
ToUserName, FromUserName, CreateTime, MsgId, and MsgType (event if there is an
Event, text if there is a Content).

--encrypted and --compatible need --app-id, and the EncodingAESKey in
WECHAT_AES_KEY or in the file aes-key of $CREDENTIALS_DIRECTORY.
", zh: "\
像微信一样向任意后端发送消息。显示响应，以及其中微信不会接受的每个错误。微信会把
响应发给用户，或者响应表示不需要回复时，退出码为 0。

  wechat send 你好
  wechat send Event=subscribe
  wechat send Event=CLICK EventKey=V1001_TODAY
  wechat send MsgType=image PicUrl=http://e/p.jpg MediaId=m1

TEXT 是 Content 的内容。Field=Value 设置消息的任意元素；元素在另一个元素里时写
路径，例如 ScanCodeInfo/ScanResult=1。在 -- 之后，TEXT 即使含有 = 也按原样发送。
缺少的元素自动补全：ToUserName、FromUserName、CreateTime、MsgId 和 MsgType
（有 Event 时为 event，有 Content 时为 text）。

--encrypted 和 --compatible 需要 --app-id 和 EncodingAESKey。EncodingAESKey 在
环境变量 WECHAT_AES_KEY 或 $CREDENTIALS_DIRECTORY 的文件 aes-key 中。
" },
    run,
};

fn run(args: &Args<'_>) -> Result<(), Error> {
    let (url, token) = (backend_url(args)?, required_token(args)?);
    let style = Style::detect(args);
    let now = server::now();
    let fields = fields(args)?;
    for problem in fields.iter().filter_map(|(path, _)| rules::check_field(path).err()) {
        print(style.with_severity(Severity::Warning, &problem.to_string()))?;
    }
    // 17 digits, as in WeChat's own messages.
    let msg_id = 10_000_000_000_000_000 + random_number() % 90_000_000_000_000_000;
    let message = TestMessage::new(fields, now, msg_id).map_err(UsageError::TestMessage)?;
    if let Some(warning) = message.warning() {
        print(style.with_severity(Severity::Warning, &warning))?;
    }
    // WeChat was observed to send the same signature in all tries of a message.
    let query = SignedQuery::new(&token, now);
    let encryption = encryption(args, token)?;
    let body = match &encryption {
        Some(encryption) => encryption.seal(&message, &query).map_err(Error::Random)?,
        None => message.plain_body(),
    };
    let print_raw = |xml: &[u8]| match args.is_on(&RAW) {
        true => print([&style.escape(xml), b"\n\n".as_slice()].concat()),
        false => Ok(()),
    };
    if encryption.is_some() {
        print_raw(message.xml().as_bytes())?;
    }
    print_raw(body.xml.as_bytes())?;
    let request = message.request(&url, &query, &body);
    let fail = |fault, error| {
        print(style.check(&Check::from(fault)))?;
        Err(error)
    };
    let mut client = match Client::resolve(&url) {
        Ok(client) => client,
        Err(error) => return fail(Fault::from_exchange(error, &url), Error::NotDelivered),
    };
    let tries = if args.is_on(&TRIES) { WECHAT_TRIES } else { 1 };
    let mut try_number = 1;
    loop {
        if tries > 1 {
            print(wording::try_number(try_number))?;
        }
        let fault = match client.exchange(&request, WECHAT_TIMEOUT) {
            Ok(answer) if answer.end != BodyEnd::Timeout => {
                let verdict = Verdict::judge(&answer, &message, &encryption);
                print(report(&verdict, answer.took, style))?;
                if args.is_on(&RAW) {
                    print("\n")?;
                    print_raw(answer.content)?;
                    if answer.end != BodyEnd::Whole {
                        print(wording::raw_is_incomplete(answer.content.len()))?;
                    }
                    verdict.decrypted.as_deref().map_or(Ok(()), print_raw)?;
                }
                return conclude(&verdict);
            }
            Ok(answer) => {
                check_answer(&answer).expect_err("content that does not end in time is a fault")
            }
            Err(error) if error.is_timeout() => Fault::from_exchange(error, &url),
            Err(error) => return fail(Fault::from_exchange(error, &url), Error::NotDelivered),
        };
        if tries == 1 {
            return fail(fault, Error::NotInTime);
        }
        print(wording::no_answer(WECHAT_TIMEOUT))?;
        if try_number == tries {
            return fail(fault, Error::NotDelivered);
        }
        try_number += 1;
    }
}

/// The encryption that the flags ask for; `None` in plain mode.
fn encryption(args: &Args<'_>, token: Token) -> Result<Option<Encryption>, Error> {
    let (switch, mode) = match (args.turned_on_by(&ENCRYPTED), args.turned_on_by(&COMPATIBLE)) {
        (None, None) => return Ok(None),
        (Some(one), Some(other)) => return Err(UsageError::Conflict(one, other).into()),
        (Some(switch), None) => (switch, Mode::Safe),
        (None, Some(switch)) => (switch, Mode::Compatible),
    };
    let cipher = require_cipher(switch, || wechat_cipher(args))?;
    Ok(Some(Encryption { token, cipher, mode }))
}

/// Prints what WeChat would do with the answer.
///
/// # Errors
/// `NotDelivered` if WeChat would not deliver the answer.
fn conclude(verdict: &Verdict) -> Result<(), Error> {
    if !verdict.is_accepted() {
        return Err(Error::NotDelivered);
    }
    print(match verdict.kind.is_no_reply() {
        true => wording::SHOWN_NOTHING.get(),
        false => wording::DELIVERED.get(),
    })
}

/// The fields from the arguments: the text operand, each `Field=Value`, and the user. An operand after `--` is always
/// the text.
fn fields(args: &Args<'_>) -> Result<Vec<(String, String)>, UsageError> {
    let mut fields = Vec::new();
    let mut has_text = false;
    for (index, operand) in args.operands.iter().enumerate() {
        let text = operand.to_str().ok_or_else(|| UsageError::NotUtf8(operand.clone()))?;
        let field = parse_field(text).filter(|_| !args.is_after_separator(index));
        fields.push(match field {
            Some((path, value)) => (path.to_owned(), value.to_owned()),
            None if has_text => {
                let (argument, command) = (operand.clone(), COMMAND.name);
                return Err(UsageError::UnexpectedArgument { argument, command });
            }
            None => {
                has_text = true;
                ("Content".to_owned(), text.to_owned())
            }
        });
    }
    let user = args.value(&FROM, |user| (!user.is_empty()).then(|| user.to_owned()))?;
    if let (Some(user), false) = (user, fields.is_empty()) {
        fields.push(("FromUserName".to_owned(), user));
    }
    Ok(fields)
}

/// The text about an answer: its kind, a line for each field, and a line for each warning or error.
fn report(verdict: &Verdict, took: Duration, style: Style) -> String {
    let colour = match verdict.is_accepted() {
        true => Colour::Green,
        false => Colour::Red,
    };
    let kind = &style.paint(colour, &verdict.kind.to_string());
    let mut text = wording::answer(kind, took);
    for (path, value) in &verdict.fields {
        let indent = " ".repeat(columns(path) + 4);
        let value = escape_lines(value.as_bytes()).replace('\n', &format!("\n{indent}"));
        let path = escape_for_terminal(path.as_bytes(), usize::MAX);
        text.push_str(&format!("  {path}: {value}\n"));
    }
    for check in &verdict.checks.0 {
        text.push_str(&style.check(check));
    }
    text
}
