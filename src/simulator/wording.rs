//! The texts of the simulator. They say what is wrong, what WeChat expects, and what to do.
//!
//! Each row of a table has a pattern and the arguments of `write!`. Each table is an exhaustive `match`.

use std::io::ErrorKind::{
    AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable,
};

use super::capture::CaptureError;
use super::check::Finding;
use super::difference::{ByteDifference, Line};
use super::fault::{Fault, StatusHint, is_tls};
use super::test_message::{TestMessageError, TestMessageWarning};
use super::timing::WECHAT_TIMEOUT;
use super::verdict::AnswerKind;
use crate::client::ExchangeError::*;
use crate::http::ResponseError;
use crate::text::display::{excerpt, format_duration};
use crate::text::wording::wording;
use crate::wechat::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, DecryptError, TEXT_MAX};
use crate::xml::XmlError;

const SECONDS: u64 = WECHAT_TIMEOUT.as_secs();

wording! { Finding {
    Self::Fault(fault) => "{fault}";
    Self::ByteOrderMark => "the content begins with a byte order mark (EF BB BF); \
        save the program's files as UTF-8 without BOM";
    Self::Gzip => "the content is compressed with gzip, which WeChat does not ask for; \
        switch compression off for this URL";
    Self::Utf16 => "the content is UTF-16; send UTF-8 without a byte order mark";
    Self::Html { excerpt } => "the content is an HTML page: {excerpt}; \
        check for an error page, and that this is the URL of the program";

    Self::WelcomePage { server } => "the content is the welcome page of {server}, so no location in its \
        configuration passes this URL on; check its server_name and location";

    Self::PortNotCalled { port } => "WeChat calls only ports 80 and 443, so it does not reach port {port}; \
        in the console, enter a URL without a port";
    Self::NoIpv4 => "the host has only an IPv6 address, and WeChat calls only IPv4 addresses; \
        give the domain an IPv4 address (DNS record A)";
    Self::StatusOk { took } => "status 200 after {}", format_duration(*took);
    Self::EchostrReturned => "the content is the echostr and nothing else";
    Self::EchostrMissing => "the content is empty; it must be the value of the query parameter echostr";
    Self::EchostrQuoted => "the echostr is in quotes, as frameworks write a string in JSON; \
        send it as plain text (text/plain)";
    Self::EchostrAfterSpace => "white space precedes the echostr; \
        remove blank lines at the start of the program's files";
    Self::EchostrBeforeSpace => "white space follows the echostr; \
        print it without a line end, and remove blank lines at the end of the program's files";
    Self::EchostrInHtml { before } =>
        "the echostr is in an HTML page, after {before}; send it alone, as plain text";
    Self::EchostrSurrounded { before, after } =>
        "the echostr is not alone: {before} before it, {after} after it; send nothing else";
    Self::EchostrTruncated { received, sent } =>
        "only the first {received} of {sent} bytes of the echostr came back; check Content-Length";
    Self::EchostrReplaced { excerpt } => "the content is {excerpt} instead of the echostr; check that \
        both sides have the same token, and that the query (?signature=…) reaches the program";
    Self::EchostrChunked => "the content is chunked, and some report that the token check then fails; \
        send Content-Length";
    Self::WrongSignatureAccepted => "a wrong signature is accepted too, so the program does not check \
        signatures, and anyone can send it messages; compare signature with the SHA-1 of token, \
        timestamp and nonce, sorted";
    Self::WrongSignatureRefused { status } => "a wrong signature is refused with status {status}";
    Self::WrongSignatureNotJudged => "a wrong signature is not judged, because it gets the same kind of answer as \
        the right one; correct the failure above and check again";
    Self::WrongSignatureUnanswered { fault } => "a wrong signature gets no answer: {fault}";

    Self::OnlySpace => "the content is only white space; for no reply send the 7 bytes success, or nothing";
    Self::SuccessNotExact { excerpt } =>
        "the content is {excerpt}; for no reply send exactly the 7 bytes success, or nothing";
    Self::Json { excerpt } => "the content is JSON: {excerpt}; a reply is XML";
    Self::NotXml { excerpt } => "the content is {excerpt}; expected XML for a reply, or success or nothing for no reply";
    Self::DeclarationAfterSpace => "white space precedes the XML declaration, where XML allows none; \
        remove blank lines at the start of the program's files";
    Self::TextAfterRoot { excerpt } => "{excerpt} follows </xml>; send nothing after the end of the reply";
    Self::BrokenXml { error: error @ XmlError::Utf8(_) } => "{error}; send UTF-8";
    Self::BrokenXml { error: error @ XmlError::Open } => "{error}; check that Content-Length counts bytes";
    Self::BrokenXml { error: error @ XmlError::TooManyElements } => "{error}";
    Self::BrokenXml { error: error @ (XmlError::Attribute | XmlError::Markup | XmlError::NoName { .. }
        | XmlError::Syntax { .. }) } =>
        "{error}; in a text write &amp; and &lt; for & and <, or use CDATA, and close each tag";
    Self::NotWellFormed { error } => "not well-formed XML at line {} column {}: {error}",
        error.position.line, error.position.column;
    Self::UnusualXml { error: XmlError::Attribute } =>
        "a tag has an attribute, which WeChat's own XML never has; remove it";
    Self::UnusualXml { .. } =>
        "the XML has a comment or an instruction, which WeChat's own XML never has; remove it";
    Self::NonXmlCharacter { character } => "the content has the character U+{:04X}, which XML does not \
        allow; remove control characters", u32::from(*character);
    Self::WrongRoot { name } => "the root element is <{name}>, expected <xml>";

    Self::UnexpectedEncryption => "the reply is encrypted although the message was plain, or it is \
        encrypted twice; give the program the EncodingAESKey only for the encrypted modes, and encrypt once";
    Self::PlainInSafeMode => "the reply is plain, but safe mode (安全模式) accepts only encrypted replies; \
        give the program the EncodingAESKey, or choose 兼容模式 in the console";
    Self::ReplyToUnsubscribe => "the user has unsubscribed and cannot receive a reply; answer success";
    Self::NamesNotSwapped => "ToUserName and FromUserName are not swapped; \
        in a reply ToUserName is the user's openid, and FromUserName is the account";
    Self::NameMissing { name, expected } => "{name} is missing, expected {expected}";
    Self::NameWrong { name, found, expected } => "{name} is {found}, expected {expected}";
    Self::TimeMissing { name } => "{name} is missing, expected seconds since 1970";
    Self::TimeInMilliseconds { name, time } =>
        "{name} is {time}, apparently milliseconds, expected seconds since 1970";
    Self::TimeNotNumber { name, found } => "{name} is {found}, expected whole seconds since 1970";
    Self::MsgTypeMissing { known } => "MsgType is missing; there are {known}";
    Self::MsgTypeUnknown { found, known } => "MsgType is {found}; there are {known}";
    Self::ElementMissing { path, msg_type } => "{path} is missing or empty, and {msg_type} cannot do without";
    Self::ElementOmitted { path } => "{path} is missing, and the manual requires it";
    Self::ThumbMediaIdEmpty => "Music/ThumbMediaId is empty, for which WeChat shows the fault prompt; \
        leave the element out, or give it a MediaId";
    Self::ContentEmpty => "Content is empty, for which WeChat shows the fault prompt; for no reply send success";
    Self::ContentTooLong { length } => "Content has {length} bytes of UTF-8, at most {TEXT_MAX} allowed";
    Self::NoArticles => "news without articles, expected Articles/item";
    Self::TooManyArticlesToEvent { count } => "{count} articles, at most {ARTICLES_MAX} allowed in a reply to \
        an event; WeChat drops the other articles";
    Self::TooManyArticlesToMessage { count } => "{count} articles, at most {ARTICLES_MAX_TO_MESSAGE} \
        allowed in a reply to a message; WeChat drops the other articles";
    Self::ArticleCountMissing => "ArticleCount is missing, expected the number of articles";
    Self::ArticleCountWrong { found, count } => "ArticleCount is {found}, expected {count}, the number of \
        items in Articles";
    Self::ArticlesUntitled { count } => "articles without a Title: {count}; every article requires one";

    Self::Repeated { name } => "{name} occurs more than once, at most once allowed";
    Self::EnvelopeElementMissing { name } => "{name} is missing, and an encrypted reply requires it";
    Self::NotSigned { error } => "{error}";
    Self::MsgSignatureWrong { found } => "MsgSignature is {found}, \
        expected the SHA-1 of token, TimeStamp, Nonce and Encrypt, sorted";
    Self::NotOpened { error: error @ (DecryptError::Padding | DecryptError::TooShort { .. } | DecryptError::Length { .. }) } =>
        "{error}; check that both sides have the same EncodingAESKey";
    Self::NotOpened { error: error @ DecryptError::AppId } => "{error}; check that both sides have the same appid";
    Self::NotOpened { error: error @ DecryptError::Empty } =>
        "{error}; for no reply send success or nothing, unencrypted";
    Self::NotOpened { error: error @ (DecryptError::Base64 | DecryptError::Blocks { .. }) } => "{error}";

    Self::AsCaptured { took } => "as captured, after {}", format_duration(*took);
    Self::NotAsCaptured => "not as captured";
    Self::NothingCaptured { took } => "status 200 after {}; no captured response to compare with",
        format_duration(*took);
} }

wording! { Fault {
    Self::NoAnswer { error: Resolve { error }, host, .. } =>
        "cannot resolve the host name {host}: {error}; check its spelling and its DNS record";
    Self::NoAnswer { error: Connect { address, error }, port, .. } if error.kind() == ConnectionRefused =>
        "nothing listens at {address}; check that the program runs, and that {port} is its port";
    Self::NoAnswer { error: Connect { address, error }, .. }
        if [HostUnreachable, NetworkUnreachable, AddrNotAvailable].contains(&error.kind()) =>
        "cannot connect to {address}: {error}; check the address";
    Self::NoAnswer { error: Connect { address, error }, .. } => "cannot connect to {address}: {error}";
    Self::NoAnswer { error: ConnectTimeout { address }, port, .. } => "the connection to {address} timed out; \
        check that the firewall and the cloud's security group allow port {port}";
    Self::NoAnswer { error: Closed, .. } => "the connection was closed without an answer; \
        read the log of the program, and check that this port is not for HTTPS";
    Self::NoAnswer { error: Timeout, .. } => "connected, but no answer within the {SECONDS} s that WeChat \
        waits; check whether the program is busy or waits for something";
    Self::NoAnswer { error: Head { error: ResponseError::NotHttp, excerpt: start }, .. } if is_tls(start) =>
        "the answer is TLS, not HTTP; this port is for HTTPS, give the port for plain HTTP";
    Self::NoAnswer { error: Head { error: ResponseError::NotHttp, excerpt: start }, .. } => "the answer is not HTTP, it begins \
        with {}; check which program listens at this port", excerpt(start);
    Self::NoAnswer { error: Head { error, .. }, .. } =>
        "the head of the answer is not valid HTTP: {error}; correct the program that writes it";
    Self::NoAnswer { error: HeadClosed, .. } => "the connection was closed in the middle of the head of the \
        answer; end the head with an empty line";
    Self::NoAnswer { error: HeadTimeout, .. } => "the head of the answer is incomplete after {SECONDS} s; \
        send it faster, and end it with an empty line";

    Self::Redirect { status, location } => "status {status} redirects to {location}, but WeChat follows no \
        redirects; answer at this URL, or enter the other URL in the console";
    Self::Status { status, error_text: Some(text), hint } => "status {status} with the message {text}; {hint}";
    Self::Status { status, error_text: None, hint } => "status {status}; {hint}";
    Self::ContentTooLong => "the content is longer than 64 KiB, and no answer to WeChat is that long; \
        check that this is the URL of the program";
    Self::LengthNotReached { length, received } => "Content-Length is {length}, but the connection was \
        closed after {received} bytes; send the whole content";
    Self::LengthNotInTime { length, received } => "Content-Length is {length}, but only {received} bytes \
        arrived within {SECONDS} s; send the whole content";
    Self::LengthExceeded { length, surplus } => "Content-Length is {length}, but {surplus} more bytes follow; \
        it must count bytes, not characters";
    Self::Chunk { error } =>
        "the chunks of the content are not valid HTTP: {error}; correct the program that writes them";
    Self::LastChunkMissing =>
        "the connection was closed in the middle of chunked content; end it with a chunk of size 0";
    Self::LastChunkNotInTime =>
        "the chunked content is incomplete after {SECONDS} s; end it with a chunk of size 0";
    Self::Reset => "the connection was reset in the middle of the content; read the log of the program";
    Self::NotClosed => "the content has no end after {SECONDS} s, because there is no Content-Length and the \
        connection stays open; send Content-Length, or close the connection";
} }

wording! { StatusHint {
    Self::Https => "this port is for HTTPS, give the port for plain HTTP";
    Self::PlainRefused => "to send an encrypted message, use wechat send --encrypted";
    Self::Timestamp => "check both clocks; to sign a captured request again, use wechat replay --resign";
    Self::OwnPage { server, status: 404 | 405 } => "this is {server}'s own page, so no location in the \
        configuration of {server} passes this URL on; check its server_name and location";
    Self::OwnPage { server, .. } => "this is {server}'s own page, so {server} has not passed the request on; \
        read the error log of {server}";
    Self::Status { status: 401 | 403 } => "check that both sides have the same token (in the encrypted modes also the same \
        EncodingAESKey and appid), and that nothing else refuses requests to this URL";
    Self::Status { status: 404 } => "check that the program serves this path";
    Self::Status { status: 405 } => "the program must accept GET (token check) and POST (messages) at the same URL";
    Self::Status { status: 502 | 504 } => "the proxy does not reach the program; \
        check that the program runs, and its address in the configuration of the proxy";
    Self::Status { status: 500..=599 } => "the program failed; read its log";
    Self::Status { .. } => "WeChat accepts only 200";
} }

wording! { AnswerKind {
    Self::Unusable => "unusable answer";
    Self::Empty => "no reply (empty)";
    Self::Success => "no reply (success)";
    Self::NoMsgType => "reply without MsgType";
    Self::Reply { msg_type } => "{msg_type}";
    Self::Encrypted { inside: Some(kind) } => "{kind}, encrypted";
    Self::Encrypted { inside: None } => "encrypted reply";
} }

wording! { Line {
    Self::Text { text } => "{text}";
    Self::Omitted { count } => "… {count} more lines";
} }

wording! { ByteDifference {
    Self::Changed { captured, received } => "captured {}, received {}", byte(*captured), byte(*received);
    Self::Missing { captured } => "captured {}, but the answer ends here", byte(*captured);
    Self::Added { received } => "received {}, but the captured response ends here", byte(*received);
} }

fn byte(byte: u8) -> String {
    format!("'{}' (0x{byte:02x})", byte.escape_ascii())
}

wording! { TestMessageError {
    Self::Empty => "nothing to send, expected a text or Field=Value";
    Self::Repeated { path } => "{path} is given more than once, at most once allowed";
    Self::NoMsgType { field } => "{field:?} is given without MsgType; add for example MsgType=image or \
        Event=CLICK; for a text that contains = write Content=…";
} }

wording! { TestMessageWarning {
    Self::EventWithMsgType { msg_type } =>
        "Event with MsgType {msg_type:?}; WeChat's events have MsgType event, so leave MsgType out";
    Self::UnknownMsgType { msg_type, similar: Some(similar) } =>
        "WeChat has no MsgType {msg_type:?}, did you mean {similar}?";
    Self::UnknownMsgType { msg_type, similar: None } =>
        "MsgType is {msg_type:?}, which WeChat's manual does not have";
    Self::MisspeltEvent { event, similar } => "WeChat has no Event {event:?}, did you mean {similar}?";
    Self::FieldsMissing { is_event: false, kind, names } =>
        "WeChat never sends MsgType {kind} without {}; add {}", names.join(", "), arguments(names);
    Self::FieldsMissing { is_event: true, kind, names } =>
        "WeChat never sends Event {kind} without {}; add {}", names.join(", "), arguments(names);
} }

/// The arguments that add these fields.
fn arguments(names: &[&str]) -> String {
    let arguments: Vec<String> = names.iter().map(|name| format!("{name}=…")).collect();
    arguments.join(" ")
}

wording! { CaptureError {
    Self::Surplus { count } => "{count} bytes after the request, none allowed";
    Self::Short { missing } => "the content is {missing} bytes shorter than Content-Length says";
    Self::RequestLine => "no request line, which --resign needs";
    Self::ParameterMissing { name } => "no query parameter {name}, which --resign needs";
    Self::EncryptMissing =>
        "msg_signature in the query, but no element Encrypt in the content, which --resign needs";
} }
