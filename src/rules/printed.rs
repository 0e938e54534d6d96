//! Parses the reply that a program printed as XML: an element as in a rules file, or WeChat's own form `<xml>…</xml>`. Braces
//! are literal.

use std::borrow::Cow;

use super::parser::{ParseContext, Parser};
use super::problem::{Finding, Problem};
use super::reply_parser;
use super::template::Context;
use crate::wechat::{FIELD_MAX, Message, Reply};
use crate::xml::Document;

/// Parses the output of a program as the reply to a message; `None` if the output does not begin with an XML declaration,
/// `<xml>` or the start tag of a reply.
///
/// # Errors
/// The first problem of the element.
pub(crate) fn parse_printed_reply(
    text: &str,
    message: &Message<'_>,
) -> Option<Result<Reply<'static>, Problem>> {
    if text.starts_with("<?xml ") {
        return Some(parse(text, message));
    }
    let name_and_rest = text.strip_prefix('<')?;
    let is_name_char = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let rest = name_and_rest.trim_start_matches(is_name_char);
    let name = name_and_rest.strip_suffix(rest)?;
    let is_reply = name == "xml" || reply_parser::names().any(|reply| reply == name);
    is_reply.then(|| parse(text, message))
}

fn parse(text: &str, message: &Message<'_>) -> Result<Reply<'static>, Problem> {
    let document = Document::parse_message(text.as_bytes()).map_err(Problem::Printed)?;
    let root = document.root();
    let mut parser = Parser::default();
    let is_wechat_form = root.name() == "xml";
    let context =
        ParseContext { stars: 0, excludes_events: false, is_printed: true, is_wechat_form };
    let reply = match is_wechat_form {
        true => reply_parser::parse_wechat_form(&mut parser, root, context),
        false => reply_parser::parse(&mut parser, root, context).map(|(_, reply)| reply),
    };
    for (_, finding) in parser.into_findings() {
        if let Finding::Error(problem) = finding {
            return Err(problem);
        }
    }
    let reply = reply.ok_or_else(|| reply_parser::unknown_reply(root, &[]))?;
    let context = Context { message, captures: Vec::new(), local_seconds: 0 };
    Ok(reply.map_texts(|template| Cow::Owned(template.fill(&context, FIELD_MAX).into_owned())))
}
