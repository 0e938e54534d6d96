//! Reading a reply: an element of a rules file, or one that a program printed.

use std::borrow::Cow;
use std::sync::Arc;

use super::fields;
use super::leaf_text::text_of;
use super::parser::{ParseContext, Reader};
use super::pattern::Pattern;
use super::rule_set::Answer;
use super::run::{Limit, Program};
use super::template::{Context, Template, TemplateError};
use crate::text::digits;
use crate::wechat::{
    ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, ArticleOf, Message, Reply, ReplyOf, TEXT_MAX,
};
use crate::xml::{Document, Element};

/// The replies, named like their `MsgType`.
const REPLIES: [&str; 8] = [
    "text",
    "image",
    "voice",
    "video",
    "music",
    "news",
    "transfer_customer_service",
    "success",
];

/// Seconds after which a program is ended where nothing else is said.
const TIMEOUT: u64 = 60;

/// The longest time that a program may be given, in seconds.
const TIMEOUT_MAX: u64 = 3600;

/// The longest time and the most starts that a limit may speak of.
const LIMIT_MAX: Limit = Limit {
    count: 1000,
    seconds: 24 * 3600,
};

/// The attributes of `<run>`.
const OF_RUN: [&str; 6] = ["timeout", "limit", "failed", "limited", "late", "pickup"];

/// The reply element that a program printed. `None` if the text does not begin with a reply element.
///
/// # Errors
/// What is wrong with the element.
pub(crate) fn parse_printed_reply(
    text: &str,
    message: &Message<'_>,
) -> Option<Result<Reply<'static>, String>> {
    let name = text
        .strip_prefix('<')?
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .next()?;
    REPLIES
        .contains(&name)
        .then(|| parse_element(text, message))
}

fn parse_element(text: &str, message: &Message<'_>) -> Result<Reply<'static>, String> {
    let xml = Document::parse_message(text.as_bytes()).map_err(|error| error.to_string())?;
    let mut reader = Reader::default();
    let context = ParseContext {
        stars: 0,
        is_for_messages: false,
        is_printed: true,
    };
    let answer = reader.answer(xml.root(), context);
    let (Some(Answer::Reply(reply)), []) = (answer, reader.mistakes.as_slice()) else {
        let first = reader.mistakes.into_iter().next();
        return Err(first.map(|(_, mistake)| mistake).unwrap_or_default());
    };
    let context = Context {
        message,
        captures: Vec::new(),
        utc_offset: 0,
    };
    Ok(reply.map_texts(|template| Cow::Owned(template.fill(&context).into_owned())))
}

impl Reader {
    /// One reply, or `None` behind a mistake in it.
    pub(super) fn answer(&mut self, element: Element<'_>, context: ParseContext) -> Option<Answer> {
        if element.name() == "run" && !context.is_printed {
            return self.run(element, context).map(Answer::Run);
        }
        self.no_attributes_on(element);
        Some(Answer::Reply(match element.name() {
            "text" => ReplyOf::Text(self.text(element, context)?),
            "image" => {
                self.only(element, &["MediaId"]);
                ReplyOf::Image {
                    media_id: self.required(element, "MediaId", context),
                }
            }
            "voice" => {
                self.only(element, &["MediaId"]);
                ReplyOf::Voice {
                    media_id: self.required(element, "MediaId", context),
                }
            }
            "video" => {
                self.only(element, &["MediaId", "Title", "Description"]);
                ReplyOf::Video {
                    media_id: self.required(element, "MediaId", context),
                    title: self.leaf(element, "Title", context),
                    description: self.leaf(element, "Description", context),
                }
            }
            "music" => {
                let names = [
                    "Title",
                    "Description",
                    "MusicUrl",
                    "HQMusicUrl",
                    "ThumbMediaId",
                ];
                self.only(element, &names);
                ReplyOf::Music {
                    title: self.leaf(element, "Title", context),
                    description: self.leaf(element, "Description", context),
                    music_url: self.leaf(element, "MusicUrl", context),
                    hq_music_url: self.leaf(element, "HQMusicUrl", context),
                    thumb_media_id: self.required(element, "ThumbMediaId", context),
                }
            }
            "news" => ReplyOf::News(self.news(element, context)),
            "transfer_customer_service" => {
                self.only(element, &["KfAccount"]);
                let is_given = element.children().next().is_some();
                let kf_account = is_given.then(|| self.required(element, "KfAccount", context));
                ReplyOf::TransferCustomerService { kf_account }
            }
            "success" => {
                self.only(element, &[]);
                ReplyOf::Success
            }
            name => {
                let shown = format!("<{name}>");
                self.mistake(
                    element.offset(),
                    fields::unknown("reply", &shown, name, &[&REPLIES, &["run"]]),
                );
                return None;
            }
        }))
    }

    /// `<run timeout="…" limit="…" failed="…" limited="…" late="…" pickup="…">`, with the words of
    /// a command in it: text, of which white space makes words, then `<arg>`s, each a word.
    fn run(&mut self, run: Element<'_>, context: ParseContext) -> Option<Box<Program>> {
        let mut program = Program {
            timeout: TIMEOUT,
            command: run.source().to_owned(),
            ..Program::default()
        };
        for (name, value, offset) in run.attributes() {
            let text = match name {
                "failed" => &mut program.failed,
                "limited" => &mut program.limited,
                "late" => &mut program.late,
                _ => {
                    if let Err(mistake) = set(&mut program, name, value) {
                        self.mistake(offset, mistake);
                    }
                    continue;
                }
            };
            match Template::parse(value, context.stars) {
                Ok(template) => *text = template,
                Err(errors) => self.template_errors(errors, |_| offset),
            }
        }
        let mut words = Vec::new();
        for word in run.text().split_ascii_whitespace() {
            if word.starts_with(['"', '\'']) {
                let message = "word that begins with a quote, which no shell reads; words with white space are <arg>s";
                self.mistake(run.offset_of(word), message);
            }
            match Template::parse(word, context.stars) {
                Ok(template) => words.push(template),
                Err(errors) => self.template_errors(errors, |found| run.offset_of(found)),
            }
        }
        if let Some(offset) = run.text_after_child() {
            self.mistake(offset, "text behind an <arg>; words stand before the first");
        }
        for arg in run.children() {
            if arg.name() != "arg" {
                let (offset, name) = (arg.offset(), arg.name());
                let shown = format!("<{name}> in <run>");
                self.mistake(
                    offset,
                    fields::unknown("element", &shown, name, &[&["arg"]]),
                );
                continue;
            }
            self.no_attributes_on(arg);
            words.extend(self.template(arg, context));
        }
        match words.first().map(Template::fixed) {
            None | Some(Some("")) => self.mistake(run.offset(), "<run> without a program"),
            Some(None) => self.mistake(
                run.offset(),
                "<run> of a program whose name has places in it; only its arguments may",
            ),
            Some(Some(_)) => {}
        }
        if program.limit.is_none() && run.attributes().any(|(name, ..)| name == "limited") {
            self.mistake(run.offset(), "limited without a limit");
        }
        program.words = words;
        Some(Box::new(program))
    }

    fn text(&mut self, element: Element<'_>, context: ParseContext) -> Option<Template> {
        let template = self.template(element, context)?;
        if context.is_printed {
            return Some(template);
        }
        match template.fixed().map(str::len) {
            Some(0) => {
                self.mistake(
                    element.offset(),
                    "text is empty; write <success/> for no reply",
                );
            }
            Some(length) if length > TEXT_MAX => {
                self.mistake(
                    element.offset(),
                    format!("text of {length} bytes, at most {TEXT_MAX} allowed"),
                );
            }
            _ => {}
        }
        Some(template)
    }

    fn news(&mut self, news: Element<'_>, context: ParseContext) -> Vec<ArticleOf<Template>> {
        self.no_text_in(news);
        let mut articles = Vec::new();
        for item in news.children() {
            if item.name() != "item" {
                let shown = format!("<{}> in <news>", item.name());
                self.mistake(
                    item.offset(),
                    fields::unknown("element", &shown, item.name(), &[&["item"]]),
                );
                continue;
            }
            self.no_attributes_on(item);
            self.only(item, &["Title", "Description", "PicUrl", "Url"]);
            articles.push(ArticleOf {
                title: self.required(item, "Title", context),
                description: self.leaf(item, "Description", context),
                pic_url: self.leaf(item, "PicUrl", context),
                url: self.leaf(item, "Url", context),
            });
        }
        let count = articles.len();
        if news.children().next().is_none() {
            self.mistake(news.offset(), "<news> without an <item>");
        } else if count > ARTICLES_MAX && !context.is_printed {
            self.mistake(
                news.offset(),
                format!("{count} articles, at most {ARTICLES_MAX} allowed"),
            );
        } else if count > ARTICLES_MAX_TO_MESSAGE && context.is_for_messages {
            self.mistake(
                news.offset(),
                format!("{count} articles in answer to a message, at most {ARTICLES_MAX_TO_MESSAGE} allowed, \
                    {ARTICLES_MAX} only to an event"),
            );
        }
        articles
    }

    /// Refuses everything in an element but leaves of these names.
    fn only(&mut self, parent: Element<'_>, names: &[&str]) {
        self.no_text_in(parent);
        for child in parent.children() {
            let name = child.name();
            if !names.contains(&name) {
                let shown = format!("<{name}> in <{}>", parent.name());
                self.mistake(
                    child.offset(),
                    fields::unknown("element", &shown, name, &[names]),
                );
            }
            self.no_attributes_on(child);
        }
    }

    /// The leaf of this name in an element, at most one; empty where it is missing.
    fn leaf(&mut self, parent: Element<'_>, name: &str, context: ParseContext) -> Template {
        let mut found = parent.children().filter(|child| child.name() == name);
        let first = found.next();
        if let Some(second) = found.next() {
            self.mistake(
                second.offset(),
                format!("<{name}> twice in <{}>", parent.name()),
            );
        }
        first
            .and_then(|leaf| self.template(leaf, context))
            .unwrap_or_default()
    }

    /// The same for a leaf that must be there and say something.
    fn required(&mut self, parent: Element<'_>, name: &str, context: ParseContext) -> Template {
        let leaf = parent.children().find(|child| child.name() == name);
        if leaf.is_none_or(|leaf| leaf.is_leaf() && text_of(leaf).is_empty()) {
            let offset = leaf.unwrap_or(parent).offset();
            self.mistake(offset, format!("<{}> without a <{name}>", parent.name()));
        }
        self.leaf(parent, name, context)
    }

    /// The text of a leaf, with its places; `None` behind a mistake in it.
    fn template(&mut self, leaf: Element<'_>, context: ParseContext) -> Option<Template> {
        if let Some(child) = leaf.children().next() {
            let (child_name, name) = (child.name(), leaf.name());
            self.mistake(
                child.offset(),
                format!("<{child_name}> in <{name}>, which holds only text; write &lt; for <"),
            );
            return None;
        }
        if context.is_printed {
            return Some(Template::literal(text_of(leaf)));
        }
        match Template::parse(&text_of(leaf), context.stars) {
            Ok(template) => Some(template),
            Err(errors) => {
                self.template_errors(errors, |found| leaf.offset_of(found));
                None
            }
        }
    }

    fn template_errors(&mut self, errors: Vec<TemplateError>, offset_of: impl Fn(&str) -> usize) {
        for TemplateError { found, message } in errors {
            self.mistake(offset_of(&found), message);
        }
    }

    pub(super) fn no_text_in(&mut self, element: Element<'_>) {
        if let Some(offset) = element.text_offset() {
            self.mistake(
                offset,
                format!("text between the elements of <{}>", element.name()),
            );
        }
    }

    pub(super) fn no_attributes_on(&mut self, element: Element<'_>) {
        for (name, _, offset) in element.attributes() {
            self.mistake(
                offset,
                format!("attribute {name} on <{}>, which has none", element.name()),
            );
        }
    }
}

/// Sets what is no text.
fn set(program: &mut Program, name: &str, value: &str) -> Result<(), String> {
    match name {
        "timeout" => {
            let seconds = seconds(value).filter(|seconds| (1..=TIMEOUT_MAX).contains(seconds));
            program.timeout = seconds.ok_or_else(|| {
                format!("timeout is {value:?}, 1s to 1h allowed, such as 90s or 5m")
            })?;
        }
        "limit" => {
            let limit = limit(value).ok_or_else(|| {
                format!("limit is {value:?}, 1/1s to 1000/1d allowed, such as 20/1h")
            })?;
            program.limit = Some(limit);
        }
        "pickup" => {
            let pattern = Pattern::parse(value).map_err(|error| error.to_string())?;
            if pattern.matches_absence() {
                return Err("pickup is empty; without it, any text is one".into());
            }
            program.pickup = Some(Arc::new(pattern));
        }
        _ => {
            return Err(fields::unknown(
                "attribute",
                &format!("{name} on <run>"),
                name,
                &[&OF_RUN],
            ));
        }
    }
    Ok(())
}

/// `1*DIGIT [ "s" / "m" / "h" / "d" ]` in seconds.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let (number, unit) = text.split_at_checked(digits.len())?;
    let unit = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    digits::parse_decimal(number).ok()?.checked_mul(unit)
}

/// `1*DIGIT "/" time`
fn limit(text: &str) -> Option<Limit> {
    let (number, time) = text.split_once('/')?;
    let count = usize::try_from(digits::parse_decimal(number).ok()?).ok()?;
    let seconds = seconds(time)?;
    let is_meant =
        (1..=LIMIT_MAX.count).contains(&count) && (1..=LIMIT_MAX.seconds).contains(&seconds);
    is_meant.then_some(Limit { count, seconds })
}
