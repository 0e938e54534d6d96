//! Parses a reply (被动回复用户消息). The name of the element is the `MsgType` of the reply, and its children are named as
//! in WeChat's XML.

use super::fields::Hint;
use super::leaf_text::text_of;
use super::parser::{ParseContext, Parser};
use super::problem::Problem;
use super::template::Template;
use crate::wechat::{
    ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, ArticleOf, MSG_TYPES, ReplyOf, TEXT_MAX,
};
use crate::xml::{Element, trim};

/// Names of all reply elements: the types of replies, and `success` for no reply.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    MSG_TYPES.iter().map(|(name, _)| *name).chain(["success"])
}

/// The problem that an element is not a reply. The hint also lists `others`, the other names allowed in its place.
pub(super) fn unknown_reply(element: Element<'_>, others: &[&'static str]) -> Problem {
    let known: Vec<&str> = names().chain(others.iter().copied()).collect();
    let name = element.name().to_owned();
    Problem::UnknownReply { hint: Hint::new(&name, &known), name }
}

/// Parses a reply and returns it after its name; `None` if the element is not a reply.
pub(super) fn parse(
    parser: &mut Parser,
    element: Element<'_>,
    context: ParseContext,
) -> Option<(&'static str, ReplyOf<Template>)> {
    let name = names().find(|name| *name == element.name())?;
    parser.refuse_attributes(element);
    Some((name, parse_as(name, parser, element, context)?))
}

/// Parses a reply in WeChat's own form, `<xml>…</xml>`. The names and the time in it are ignored, because the server
/// writes its own. `None` after a problem.
pub(super) fn parse_wechat_form(
    parser: &mut Parser,
    root: Element<'_>,
    context: ParseContext,
) -> Option<ReplyOf<Template>> {
    let msg_type = root.text_at("MsgType").map_or("", trim);
    let Some((msg_type, _)) = MSG_TYPES.iter().find(|(name, _)| *name == msg_type) else {
        parser.report(
            root.offset(),
            match msg_type {
                "" => Problem::MissingElement { name: "MsgType", parent: "xml".to_owned() },
                _ => Problem::UnknownMsgType { msg_type: msg_type.to_owned() },
            },
        );
        return None;
    };
    let name = match *msg_type {
        "text" => "Content",
        "image" => "Image",
        "voice" => "Voice",
        "video" => "Video",
        "music" => "Music",
        "news" => "Articles",
        "transfer_customer_service" => "TransInfo",
        _ => return Some(ReplyOf::TransferBizAiIvr),
    };
    match root.children().find(|child| child.name() == name) {
        Some(element) => parse_as(msg_type, parser, element, context),
        None if name == "TransInfo" => Some(ReplyOf::TransferCustomerService { kf_account: None }),
        None => {
            let parent = "xml".to_owned();
            parser.report(root.offset(), Problem::MissingElement { name, parent });
            None
        }
    }
}

/// Parses the children of this element as a reply with this name.
fn parse_as(
    name: &str,
    parser: &mut Parser,
    element: Element<'_>,
    context: ParseContext,
) -> Option<ReplyOf<Template>> {
    let mut reply = ReplyElement::new(parser, element, context);
    let parsed = match name {
        "text" => ReplyOf::Text(reply.text()),
        "image" => ReplyOf::Image { media_id: reply.required("MediaId") },
        "voice" => ReplyOf::Voice { media_id: reply.required("MediaId") },
        "video" => ReplyOf::Video {
            media_id: reply.required("MediaId"),
            title: reply.optional("Title").unwrap_or_default(),
            description: reply.optional("Description").unwrap_or_default(),
        },
        "music" => reply.music(),
        "news" => ReplyOf::News(reply.articles()),
        "transfer_customer_service" => ReplyOf::TransferCustomerService {
            kf_account: reply.has_children().then(|| reply.required("KfAccount")),
        },
        "transfer_biz_ai_ivr" => ReplyOf::TransferBizAiIvr,
        "success" => ReplyOf::Success,
        _ => return None,
    };
    reply.finish();
    Some(parsed)
}

/// A reply element or an `<item>` while it is parsed.
struct ReplyElement<'p, 'x> {
    parser: &'p mut Parser,
    element: Element<'x>,
    context: ParseContext,
    /// Names of the children that the parser has asked for. Other children are not allowed.
    known: Vec<&'static str>,
    /// Whether the parser has asked for the text of the element.
    is_text: bool,
}

impl<'p, 'x> ReplyElement<'p, 'x> {
    const fn new(parser: &'p mut Parser, element: Element<'x>, context: ParseContext) -> Self {
        Self { parser, element, context, known: Vec::new(), is_text: false }
    }

    /// Reports text, children and attributes that the parser has not asked for.
    fn finish(self) {
        if self.is_text || self.context.is_wechat_form {
            return;
        }
        self.parser.refuse_text(self.element);
        for child in self.element.children() {
            if self.known.contains(&child.name()) {
                self.parser.refuse_attributes(child);
            } else {
                self.parser.report_child(self.element, child, &self.known);
            }
        }
    }

    fn report(&mut self, problem: Problem) {
        self.parser.report(self.element.offset(), problem);
    }

    /// Parses the text of the element itself.
    fn text(&mut self) -> Template {
        self.is_text = true;
        let Some(template) = self.parser.parse_leaf(self.element, self.context) else {
            return Template::default();
        };
        if !self.context.is_printed {
            match template.fixed().map(str::len) {
                Some(0) => self.report(Problem::EmptyText),
                Some(bytes) if bytes > TEXT_MAX => self.report(Problem::TextTooLong { bytes }),
                _ => {}
            }
        }
        template
    }

    fn has_children(&self) -> bool {
        self.element.children().next().is_some()
    }

    /// Parses the child with this name; `None` if there is none.
    fn optional(&mut self, name: &'static str) -> Option<Template> {
        self.known.push(name);
        let mut leaves = self.element.children().filter(|child| child.name() == name);
        let first = leaves.next()?;
        if let Some(second) = leaves.next() {
            let parent = self.element.name().to_owned();
            let problem = Problem::RepeatedElement { name, parent };
            self.parser.report(second.offset(), problem);
        }
        self.parser.parse_leaf(first, self.context)
    }

    fn child(&self, name: &str) -> Option<Element<'x>> {
        self.element.children().find(|child| child.name() == name)
    }

    /// Whether there is no child with this name, or the child is empty.
    fn is_without(&self, name: &str) -> bool {
        self.child(name).is_none_or(|child| child.is_leaf() && text_of(child).is_empty())
    }

    /// Parses the child with this name. A missing or empty child is a problem.
    fn required(&mut self, name: &'static str) -> Template {
        if self.child(name).is_none() {
            let parent = self.element.name().to_owned();
            self.report(Problem::MissingElement { name, parent });
        }
        self.filled(name)
    }

    /// Parses the child with this name, if there is one. An empty child is a problem.
    fn filled(&mut self, name: &'static str) -> Template {
        if let Some(child) = self.child(name)
            && self.is_without(name)
        {
            self.parser.report(child.offset(), Problem::EmptyElement { name });
        }
        self.optional(name).unwrap_or_default()
    }

    /// Parses the children of `<music>`.
    fn music(&mut self) -> ReplyOf<Template> {
        let sources = ["MusicUrl", "HQMusicUrl", "ThumbMediaId"];
        if sources.iter().all(|source| self.is_without(source)) {
            self.report(Problem::MissingElement { name: "MusicUrl", parent: "music".to_owned() });
        }
        ReplyOf::Music {
            title: self.optional("Title").unwrap_or_default(),
            description: self.optional("Description").unwrap_or_default(),
            music_url: self.optional("MusicUrl").unwrap_or_default(),
            hq_music_url: self.optional("HQMusicUrl").unwrap_or_default(),
            thumb_media_id: match self.context.is_printed {
                true => self.optional("ThumbMediaId").unwrap_or_default(),
                false => self.filled("ThumbMediaId"),
            },
        }
    }

    /// Parses the articles of `<news>`.
    fn articles(&mut self) -> Vec<ArticleOf<Template>> {
        self.known.push("item");
        let mut articles = Vec::new();
        for item in self.element.children() {
            if item.name() == "item" {
                let mut item = ReplyElement::new(self.parser, item, self.context);
                articles.push(ArticleOf {
                    title: item.required("Title"),
                    description: item.optional("Description").unwrap_or_default(),
                    pic_url: item.optional("PicUrl").unwrap_or_default(),
                    url: item.optional("Url").unwrap_or_default(),
                });
                item.finish();
            }
        }
        let count = articles.len();
        if self.element.children().next().is_none() {
            self.report(Problem::NoArticle);
        } else if count > ARTICLES_MAX && !self.context.is_printed {
            self.report(Problem::TooManyArticles { count });
        } else if count > ARTICLES_MAX_TO_MESSAGE && self.context.excludes_events {
            self.report(Problem::TooManyArticlesToMessage { count });
        }
        articles
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::problem::Finding;
    use super::*;
    use crate::rules::{Rules, SAMPLE};

    /// The names that are allowed below this path of elements: those in the hint for an unknown element.
    fn children(path: &[&str]) -> Vec<&'static str> {
        let start: String = path.iter().map(|name| format!("<{name}>")).collect();
        let end: String = path.iter().rev().map(|name| format!("</{name}>")).collect();
        let file = format!("<rules><on>{start}<unknown-name/>{end}</on></rules>");
        let errors = Rules::parse(file.as_bytes()).unwrap_err();
        let known = errors.into_iter().find_map(|error| {
            let Finding::Error(problem) = error.finding else {
                return None;
            };
            let is_reply = !matches!(problem, Problem::UnknownReply { .. });
            assert!(is_reply, "<{}> is not parsed", path[0]);
            if let Problem::UnknownElement { hint: Hint::Allowed(known), .. } = problem {
                return Some(known);
            }
            None
        });
        known.unwrap_or_default()
    }

    /// Asserts that `text` has the element `name` of this parent, and each element that it may contain. Returns the number
    /// of these elements.
    fn assert_shown(parent: &[&str], name: &str, text: &str) -> usize {
        let (start, end) = (format!("<{name}>"), format!("</{name}>"));
        let is_shown = [&start, &format!("<{name}/>")].iter().any(|tag| text.contains(*tag));
        assert!(is_shown, "the sample does not show {name} of {parent:?}");
        let contents: String =
            text.split(&start).skip(1).filter_map(|rest| rest.split(&end).next()).collect();
        let path = [parent, &[name]].concat();
        let children = children(&path);
        1 + children.iter().map(|child| assert_shown(&path, child, &contents)).sum::<usize>()
    }

    #[test]
    fn sample_shows_every_reply_with_every_element() {
        let count: usize = names().map(|name| assert_shown(&[], name, SAMPLE)).sum();
        assert!(count >= 24, "only {count} elements were found");
    }
}
