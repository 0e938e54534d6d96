//! Checks the elements of a reply, according to the manual (被动回复用户消息) and to reports about replies that WeChat
//! refused.

use super::check::{Checks, Finding};
use super::test_message::TestMessage;
use crate::text::digits::parse_decimal;
use crate::text::display::{escape_for_terminal, excerpt};
use crate::wechat::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, MSG_TYPES, TEXT_MAX};
use crate::xml::{Element, is_char, trim};

/// A time of at least this value is in milliseconds, because in seconds it would be after the year 5000.
const MILLISECONDS_MIN: u64 = 100_000_000_000;

/// A type of reply for a few accounts. Sentences about the known types do not list it.
const UNLISTED_TYPE: &str = "transfer_biz_ai_ivr";

/// Checks that content has only characters that XML allows.
pub(super) fn check_characters(content: &[u8], checks: &mut Checks) {
    let text = String::from_utf8_lossy(content);
    if let Some(character) = text.chars().find(|character| !is_char(*character)) {
        checks.error(Finding::NonXmlCharacter { character });
    }
}

/// Checks that the root is named `xml`.
pub(super) fn check_root(root: Element<'_>, checks: &mut Checks) {
    if root.name() != "xml" {
        let name = escape_for_terminal(root.name().as_bytes(), 100);
        checks.error(Finding::WrongRoot { name });
    }
}

/// Checks all elements of a reply to this message.
pub(super) fn check_reply(root: Element<'_>, message: &TestMessage, checks: &mut Checks) {
    if root.text_at("Encrypt").is_some() {
        checks.error(Finding::UnexpectedEncryption);
        return;
    }
    let event = message.field("Event");
    if event.is_some_and(|event| event.eq_ignore_ascii_case("unsubscribe")) {
        checks.warning(Finding::ReplyToUnsubscribe);
    }
    check_names(root, message, checks);
    check_time(root, "CreateTime", checks);
    check_type(root, message, checks);
}

/// Checks that the two names of the message are swapped in the reply, which goes from the account to the user.
fn check_names(root: Element<'_>, message: &TestMessage, checks: &mut Checks) {
    let (user, account) = (message.user(), message.account());
    let found = |name| root.text_at(name).map_or("", trim);
    if (found("ToUserName"), found("FromUserName")) == (account, user) && user != account {
        checks.error(Finding::NamesNotSwapped);
        return;
    }
    for (name, expected) in [("ToUserName", user), ("FromUserName", account)] {
        let found = found(name);
        if found != expected {
            let expected = excerpt(expected.as_bytes());
            checks.error(match found {
                "" => Finding::NameMissing { name, expected },
                _ => Finding::NameWrong { name, found: excerpt(found.as_bytes()), expected },
            });
        }
    }
}

/// Checks an element that contains seconds since 1970.
pub(super) fn check_time(root: Element<'_>, name: &'static str, checks: &mut Checks) {
    let text = root.text_at(name).map_or("", trim);
    match parse_decimal(text) {
        _ if text.is_empty() => checks.error(Finding::TimeMissing { name }),
        Ok(time) if time < MILLISECONDS_MIN => {}
        // WeChat delivers such replies. A TimeStamp in milliseconds was reported to fail.
        Ok(time) if name == "CreateTime" && text.len() == 13 => {
            checks.warning(Finding::TimeInMilliseconds { name, time });
        }
        Ok(time) => checks.error(Finding::TimeInMilliseconds { name, time }),
        Err(_) => {
            checks.error(Finding::TimeNotNumber { name, found: excerpt(text.as_bytes()) });
        }
    }
}

/// Checks MsgType, and the elements that a reply of this type requires.
fn check_type(root: Element<'_>, message: &TestMessage, checks: &mut Checks) {
    let found = root.text_at("MsgType").map_or("", trim);
    let Some(&(msg_type, required)) = MSG_TYPES.iter().find(|(name, _)| *name == found) else {
        let names = MSG_TYPES.iter().map(|(name, _)| *name);
        let known: Vec<&str> = names.filter(|name| *name != UNLISTED_TYPE).collect();
        let known = known.join(" ");
        checks.error(match found {
            "" => Finding::MsgTypeMissing { known },
            _ => Finding::MsgTypeUnknown { found: excerpt(found.as_bytes()), known },
        });
        return;
    };
    if msg_type == "news" {
        check_news(root, message, checks);
    }
    let Some(path) = required else {
        return;
    };
    let text = root.text_at(path);
    match (msg_type, text) {
        ("text", Some("")) => checks.error(Finding::ContentEmpty),
        ("text", Some(text)) if text.len() > TEXT_MAX => {
            checks.error(Finding::ContentTooLong { length: text.len() });
        }
        (_, Some(text)) if msg_type == "text" || !trim(text).is_empty() => {}
        ("music", None) => checks.warning(Finding::ElementOmitted { path }),
        ("music", Some(_)) => checks.error(Finding::ThumbMediaIdEmpty),
        _ => checks.error(Finding::ElementMissing { path, msg_type }),
    }
}

fn check_news(root: Element<'_>, message: &TestMessage, checks: &mut Checks) {
    let articles = root.children().find(|child| child.name() == "Articles");
    let items: Vec<Element<'_>> = articles.map_or_else(Vec::new, |articles| {
        let children = articles.children();
        children.filter(|child| child.name() == "item").collect()
    });
    let count = items.len();
    if count == 0 {
        checks.error(Finding::NoArticles);
    } else if message.is_event() && count > ARTICLES_MAX {
        checks.warning(Finding::TooManyArticlesToEvent { count });
    } else if !message.is_event() && count > ARTICLES_MAX_TO_MESSAGE {
        checks.warning(Finding::TooManyArticlesToMessage { count });
    }
    let found = root.text_at("ArticleCount").map_or("", trim);
    if found.is_empty() {
        checks.error(Finding::ArticleCountMissing);
    } else if found != count.to_string() {
        let found = excerpt(found.as_bytes());
        checks.error(Finding::ArticleCountWrong { found, count });
    }
    let is_untitled =
        |item: &&Element<'_>| item.text_at("Title").is_none_or(|title| trim(title).is_empty());
    let count = items.iter().filter(is_untitled).count();
    if count > 0 {
        checks.error(Finding::ArticlesUntitled { count });
    }
}
