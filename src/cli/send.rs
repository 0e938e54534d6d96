//! `wechat send`: a message as WeChat would send it, and what WeChat would make of the answer.

use std::ffi::OsString;
use std::fmt::Write as _;

use super::Error;
use super::arguments::{Args, CommandSpec, Environment, Flag};
use super::client::{URL, token_of, url_of};
use super::output::{Colour, Style, print};
use super::secrets::{APP_ID, Keys, TOKEN_FILE};
use super::usage::UsageError;
use crate::client::{BodyEnd, Client};
use crate::rules;
use crate::server;
use crate::simulator::{
    Check, Encryption, Fault, Severity, SignedQuery, TestMessage, Verdict, WECHAT_TIMEOUT,
    WECHAT_TRIES, check_answer, parse_field, random,
};
use crate::text::display::{escape_for_terminal, format_duration};
use crate::wechat::{Mode, Token};

const FROM: Flag = Flag {
    flag: "--from",
    variable: None,
};
const ALL_TRIES: &str = "--tries";
const RAW: &str = "--raw";
const ENCRYPTED: &str = "--encrypted";
const COMPATIBLE: &str = "--compatible";
const SPEC: CommandSpec = CommandSpec {
    flags: &[&URL, &TOKEN_FILE, &FROM, &APP_ID],
    switches: &[ALL_TRIES, RAW, ENCRYPTED, COMPATIBLE],
    operands: usize::MAX,
};

pub(super) fn run(arguments: &[OsString], environment: Environment<'_>) -> Result<(), Error> {
    let given = Args::read(arguments, &SPEC, environment)?;
    let (url, token) = (url_of(&given)?, token_of(&given)?);
    // 17 digits, as WeChat's numbers have.
    let msg_id = 10_000_000_000_000_000 + random() % 90_000_000_000_000_000;
    let now = server::now();
    let fields = fields(&given)?;
    let style = Style::of(environment);
    for problem in fields
        .iter()
        .filter_map(|(path, _)| rules::check_field(path).err())
    {
        print(style.with_severity(Severity::Warning, &problem.to_string()))?;
    }
    let message = TestMessage::new(fields, now, msg_id).map_err(UsageError::TestMessage)?;
    // The same signature with every try, as observed.
    let signed_query = SignedQuery::new(&token, now);
    let encryption = encryption(&given, token)?;
    let body = match &encryption {
        Some(encryption) => encryption
            .seal(&message, &signed_query)
            .map_err(Error::Random)?,
        None => message.plain_body(),
    };
    let raw = |xml: &[u8]| match given.has(RAW) {
        true => print([&style.foreign(xml), b"\n\n".as_slice()].concat()),
        false => Ok(()),
    };
    if encryption.is_some() {
        raw(message.xml().as_bytes())?;
    }
    raw(body.xml.as_bytes())?;
    let request = message.request(&url, &signed_query, &body);
    let fail = |fault, error| {
        print(style.check(&Check::from(fault)))?;
        Err(error)
    };
    let mut client = match Client::of(&url) {
        Ok(client) => client,
        Err(error) => return fail(Fault::from_exchange(error, &url), Error::NotDelivered),
    };
    let tries = if given.has(ALL_TRIES) {
        WECHAT_TRIES
    } else {
        1
    };
    let mut late = None;
    for count in 1..=tries {
        if tries > 1 {
            print(format!("try {count}: "))?;
        }
        late = match client.exchange(&request, WECHAT_TIMEOUT) {
            Ok(answer) if answer.end == BodyEnd::Timeout => check_answer(&answer).err(),
            Ok(answer) => {
                let verdict = Verdict::judge(&answer, &message, &encryption);
                print(report(&verdict, &format_duration(answer.took), style))?;
                if given.has(RAW) {
                    print("\n")?;
                    raw(answer.content)?;
                    verdict.decrypted.as_deref().map_or(Ok(()), raw)?;
                }
                return conclude(&verdict);
            }
            Err(error) if error.is_timeout() => Some(Fault::from_exchange(error, &url)),
            Err(error) => return fail(Fault::from_exchange(error, &url), Error::NotDelivered),
        };
        if tries > 1 {
            print(format!(
                "no answer within {}\n",
                format_duration(WECHAT_TIMEOUT)
            ))?;
        }
    }
    let error = match tries {
        1 => Error::NotInTime,
        _ => Error::NotDelivered,
    };
    fail(late.expect("every try was too late"), error)
}

/// What it is sent under in the encrypted modes.
fn encryption(given: &Args<'_>, token: Token) -> Result<Option<Encryption>, Error> {
    let (switch, mode) = match (given.has(ENCRYPTED), given.has(COMPATIBLE)) {
        (false, false) => return Ok(None),
        (true, true) => return Err(UsageError::Both(ENCRYPTED, COMPATIBLE).into()),
        (true, false) => (ENCRYPTED, Mode::Safe),
        (false, true) => (COMPATIBLE, Mode::Compatible),
    };
    let cipher = Keys::of_wechat(given)?.required_by(switch)?;
    Ok(Some(Encryption {
        token,
        cipher,
        mode,
    }))
}

fn conclude(verdict: &Verdict) -> Result<(), Error> {
    if !verdict.is_accepted() {
        return Err(Error::NotDelivered);
    }
    print(match verdict.kind.is_no_reply() {
        true => "WeChat would show the user nothing\n",
        false => "WeChat would deliver this\n",
    })
}

/// The fields that were given: a text, `Field=Value`, and the user. Behind `--` all is text.
fn fields(given: &Args<'_>) -> Result<Vec<(String, String)>, UsageError> {
    let text = |value: &OsString| match value.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(UsageError::NotText(value.clone())),
    };
    let mut fields = Vec::new();
    let mut has_text = false;
    for (at, operand) in given.operands.iter().enumerate() {
        let written = text(operand)?;
        let field = parse_field(&written).filter(|_| !given.is_behind(at));
        fields.push(match field {
            Some((path, value)) => (path.to_owned(), value.to_owned()),
            None if has_text => return Err(UsageError::Argument(operand.clone())),
            None => {
                has_text = true;
                ("Content".to_owned(), written)
            }
        });
    }
    let user = given.value(&FROM, "an openid", |user| {
        (!user.is_empty()).then(|| user.to_owned())
    })?;
    if let (Some(user), false) = (user, fields.is_empty()) {
        fields.push(("FromUserName".to_owned(), user));
    }
    Ok(fields)
}

/// The answer for reading: what kind it is, its fields a line each, and what is wrong with it.
fn report(verdict: &Verdict, took: &str, style: Style) -> String {
    let colour = match verdict.is_accepted() {
        true => Colour::Green,
        false => Colour::Red,
    };
    let kind = style.paint(colour, &verdict.kind.to_string());
    let mut text = format!("{kind} after {took}\n");
    for (path, value) in &verdict.fields {
        let lines: Vec<String> = value
            .split('\n')
            .map(|line| escape_for_terminal(line.as_bytes(), usize::MAX))
            .collect();
        let indent = " ".repeat(path.chars().count().saturating_add(4));
        let path = escape_for_terminal(path.as_bytes(), usize::MAX);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {path}: {}", lines.join(&format!("\n{indent}")));
    }
    for check in &verdict.checks {
        text.push_str(&style.check(check));
    }
    text
}
