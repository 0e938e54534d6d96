//! Reading a rules file, to its end and whatever is wrong in it, so that all mistakes are reported
//! at once.

use super::leaf::text_of;
use super::names;
use super::pattern::Pattern;
use super::rules::{Answer, ArticleTemplate, Condition, Mistake, Rule, Rules};
use super::template::Template;
use crate::account::{ARTICLES_MAX, ARTICLES_MAX_TO_MESSAGE, Document, Element, Place, TEXT_MAX};

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

/// China's time, where nothing else is said: eight hours ahead of GMT, in seconds.
const UTC_OFFSET: i64 = 8 * 3600;

pub(super) fn rules(bytes: &[u8]) -> Result<Rules, Vec<Mistake>> {
    let text =
        str::from_utf8(bytes).map_err(|error| vec![not_utf_8(bytes, error.valid_up_to())])?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let document =
        Document::written(text).map_err(|(place, message)| vec![Mistake::new(place, message)])?;
    let mut reader = Reader::default();
    let rules = reader.rules(document.root(), Places::new(text));
    if reader.mistakes.is_empty() {
        return Ok(rules);
    }
    let mut place = Places::new(text);
    let placed = |(offset, message)| Mistake::new(place.of(offset), message);
    Err(reader.mistakes.into_iter().map(placed).collect())
}

/// Lines and columns of bytes of a text that are asked for from front to back.
struct Places<'t> {
    text: &'t str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Places<'t> {
    const fn new(text: &'t str) -> Self {
        Self {
            text,
            offset: 0,
            line: 1,
            column: 1,
        }
    }

    fn of(&mut self, offset: usize) -> Place {
        for character in self.text.get(self.offset..offset).unwrap_or("").chars() {
            (self.line, self.column) = match character {
                '\n' => (self.line.saturating_add(1), 1),
                _ => (self.line, self.column.saturating_add(1)),
            };
        }
        self.offset = offset.max(self.offset);
        Place {
            line: self.line,
            column: self.column,
        }
    }
}

#[derive(Default)]
struct Reader {
    /// Each with the byte of the text that it is about, in their order there.
    mistakes: Vec<(usize, String)>,
}

/// Says where the text ends that is UTF-8.
fn not_utf_8(bytes: &[u8], end: usize) -> Mistake {
    let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or(b""));
    let place = Places::new(&text).of(end);
    Mistake::new(place, "not UTF-8 from here on; save the file as UTF-8")
}

/// What the replies of a rule may rely on.
#[derive(Clone, Copy)]
struct Scope {
    stars: usize,
    /// Whether only messages match, and no events.
    is_for_messages: bool,
}

impl Reader {
    /// Notes a mistake at a byte of the text.
    fn mistake(&mut self, offset: usize, message: impl Into<String>) {
        let at = self.mistakes.partition_point(|(known, _)| *known <= offset);
        self.mistakes.insert(at, (offset, message.into()));
    }

    /// `<rules utc-offset="…">` and its `<on>`s.
    fn rules(&mut self, root: Element<'_>, mut places: Places<'_>) -> Rules {
        if root.name() != "rules" {
            self.mistake(
                root.offset(),
                format!("root element is <{}>, <rules> expected", root.name()),
            );
            return Rules::new(Vec::new(), UTC_OFFSET);
        }
        let mut utc_offset = UTC_OFFSET;
        for (name, value, offset) in root.attributes() {
            if name != "utc-offset" {
                self.mistake(
                    offset,
                    names::unknown("attribute", name, name, &[&["utc-offset"]]),
                );
            } else if let Some(seconds) = parse_utc_offset(value) {
                utc_offset = seconds;
            } else {
                self.mistake(
                    offset,
                    format!("utc-offset is {value:?}, -14:00 to +14:00 allowed"),
                );
            }
        }
        self.no_text_in(root);
        let mut rules = Vec::new();
        for element in root.children() {
            if element.name() == "on" {
                rules.push(self.rule(element, places.of(element.offset()).line));
            } else {
                let name = element.name();
                self.mistake(
                    element.offset(),
                    names::unknown("element", &format!("<{name}>"), name, &[&["on"]]),
                );
            }
        }
        Rules::new(rules, utc_offset)
    }

    /// `<on Field="pattern" …>` and its replies.
    fn rule(&mut self, on: Element<'_>, line: u32) -> Rule {
        let mut summary = String::from("on");
        let mut conditions = Vec::new();
        for (name, value, offset) in on.attributes() {
            summary.push_str(&format!(" {name}=\"{value}\""));
            let pattern = Pattern::parse(value);
            match names::field(name) {
                None => self.mistake(
                    offset,
                    names::unknown("field", name, name, &[names::FIELDS]),
                ),
                Some(field) => match pattern {
                    Ok(pattern) => conditions.push(Condition {
                        field,
                        pattern,
                        place: 0,
                    }),
                    Err(error) => self.mistake(offset, error.to_string()),
                },
            }
        }
        self.no_text_in(on);
        let scope = Scope {
            stars: conditions
                .iter()
                .map(|condition| condition.pattern.stars())
                .sum(),
            is_for_messages: conditions.iter().any(is_for_messages),
        };
        let mut answers = Vec::new();
        for (number, element) in on.children().enumerate() {
            summary.push_str(if number == 0 { ": " } else { " or " });
            summary.push_str(element.name());
            answers.extend(self.answer(element, scope));
        }
        if on.children().next().is_none() {
            self.mistake(
                on.offset(),
                "<on> without a reply; write <success/> for none",
            );
        }
        Rule {
            line,
            summary,
            conditions,
            answers,
        }
    }

    /// One reply, or `None` behind a mistake in it.
    fn answer(&mut self, element: Element<'_>, scope: Scope) -> Option<Answer> {
        self.no_attributes_on(element);
        Some(match element.name() {
            "text" => Answer::Text(self.text(element, scope)?),
            "image" => {
                self.only(element, &["MediaId"]);
                Answer::Image {
                    media_id: self.required(element, "MediaId", scope),
                }
            }
            "voice" => {
                self.only(element, &["MediaId"]);
                Answer::Voice {
                    media_id: self.required(element, "MediaId", scope),
                }
            }
            "video" => {
                self.only(element, &["MediaId", "Title", "Description"]);
                Answer::Video {
                    media_id: self.required(element, "MediaId", scope),
                    title: self.leaf(element, "Title", scope),
                    description: self.leaf(element, "Description", scope),
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
                Answer::Music {
                    title: self.leaf(element, "Title", scope),
                    description: self.leaf(element, "Description", scope),
                    music_url: self.leaf(element, "MusicUrl", scope),
                    hq_music_url: self.leaf(element, "HQMusicUrl", scope),
                    thumb_media_id: self.required(element, "ThumbMediaId", scope),
                }
            }
            "news" => Answer::News(self.news(element, scope)),
            "transfer_customer_service" => {
                self.only(element, &["KfAccount"]);
                let is_given = element.children().next().is_some();
                let kf_account = is_given.then(|| self.required(element, "KfAccount", scope));
                Answer::TransferCustomerService { kf_account }
            }
            "success" => {
                self.only(element, &[]);
                Answer::Success
            }
            name => {
                let shown = format!("<{name}>");
                self.mistake(
                    element.offset(),
                    names::unknown("reply", &shown, name, &[&REPLIES]),
                );
                return None;
            }
        })
    }

    fn text(&mut self, element: Element<'_>, scope: Scope) -> Option<Template> {
        let template = self.template(element, scope)?;
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

    fn news(&mut self, news: Element<'_>, scope: Scope) -> Vec<ArticleTemplate> {
        self.no_text_in(news);
        let mut articles = Vec::new();
        for item in news.children() {
            if item.name() != "item" {
                let shown = format!("<{}> in <news>", item.name());
                self.mistake(
                    item.offset(),
                    names::unknown("element", &shown, item.name(), &[&["item"]]),
                );
                continue;
            }
            self.no_attributes_on(item);
            self.only(item, &["Title", "Description", "PicUrl", "Url"]);
            articles.push(ArticleTemplate {
                title: self.required(item, "Title", scope),
                description: self.leaf(item, "Description", scope),
                pic_url: self.leaf(item, "PicUrl", scope),
                url: self.leaf(item, "Url", scope),
            });
        }
        let count = articles.len();
        if news.children().next().is_none() {
            self.mistake(news.offset(), "<news> without an <item>");
        } else if count > ARTICLES_MAX {
            self.mistake(
                news.offset(),
                format!("{count} articles, at most {ARTICLES_MAX} allowed"),
            );
        } else if count > ARTICLES_MAX_TO_MESSAGE && scope.is_for_messages {
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
                    names::unknown("element", &shown, name, &[names]),
                );
            }
            self.no_attributes_on(child);
        }
    }

    /// The leaf of this name in an element, at most one; empty where it is missing.
    fn leaf(&mut self, parent: Element<'_>, name: &str, scope: Scope) -> Template {
        let mut found = parent.children().filter(|child| child.name() == name);
        let first = found.next();
        if let Some(second) = found.next() {
            self.mistake(
                second.offset(),
                format!("<{name}> twice in <{}>", parent.name()),
            );
        }
        first
            .and_then(|leaf| self.template(leaf, scope))
            .unwrap_or_default()
    }

    /// The same for a leaf that must be there and say something.
    fn required(&mut self, parent: Element<'_>, name: &str, scope: Scope) -> Template {
        let leaf = parent.children().find(|child| child.name() == name);
        if leaf.is_none_or(|leaf| text_of(leaf).is_empty()) {
            let offset = leaf.unwrap_or(parent).offset();
            self.mistake(offset, format!("<{}> without a <{name}>", parent.name()));
        }
        self.leaf(parent, name, scope)
    }

    /// The text of a leaf, with its places; `None` behind a mistake in it.
    fn template(&mut self, leaf: Element<'_>, scope: Scope) -> Option<Template> {
        if let Some(child) = leaf.children().next() {
            let (child_name, name) = (child.name(), leaf.name());
            self.mistake(
                child.offset(),
                format!("<{child_name}> in <{name}>, which holds only text; write &lt; for <"),
            );
            return None;
        }
        let template = Template::parse(&text_of(leaf), scope.stars);
        for error in template.as_ref().err().into_iter().flatten() {
            self.mistake(leaf.offset_of(&error.found), error.message.clone());
        }
        template.ok()
    }

    fn no_text_in(&mut self, element: Element<'_>) {
        if let Some(offset) = element.stray_text() {
            self.mistake(
                offset,
                format!("text between the elements of <{}>", element.name()),
            );
        }
    }

    fn no_attributes_on(&mut self, element: Element<'_>) {
        for (name, _, offset) in element.attributes() {
            self.mistake(
                offset,
                format!("attribute {name} on <{}>, which has none", element.name()),
            );
        }
    }
}

fn is_for_messages(condition: &Condition) -> bool {
    let Condition { field, pattern, .. } = condition;
    match *field {
        "Content" | "MsgId" => !pattern.matches_absence(),
        "MsgType" => pattern
            .exact()
            .is_some_and(|mut texts| texts.all(|text| text != b"event")),
        _ => false,
    }
}

/// `("+" / "-") 2DIGIT ":" 2DIGIT` in seconds. The earth's clocks go from -12:00 to +14:00.
fn parse_utc_offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1_i64, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let two = |text: &str, most: i64| {
        let is_two = text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_digit());
        text.parse::<i64>()
            .ok()
            .filter(|number| is_two && *number <= most)
    };
    let (hours, minutes) = digits.split_once(':')?;
    let seconds = two(hours, 14)?
        .checked_mul(3600)?
        .checked_add(two(minutes, 59)?.checked_mul(60)?)?;
    (seconds <= 14 * 3600).then_some(sign)?.checked_mul(seconds)
}
