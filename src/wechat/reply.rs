//! The reply to a message (被动回复用户消息), which is written as XML. The sender of a reply is the receiver of the
//! message, and the receiver of a reply is the sender of the message. The limits in this file are from public
//! reports, because the manual is vague about them.

use std::borrow::Cow;

use super::cut::cut_with_ellipsis;
use super::message::Message;
use crate::text::digits;
use crate::xml::writer::{
    sanitize, write_cdata, write_leaf, write_number, write_parent, write_text,
};

/// Maximum length of the text in a text reply, in bytes of UTF-8. For a longer text, WeChat shows nothing or its
/// fault prompt.
pub const TEXT_MAX: usize = 2048;

/// Maximum length of every text of a reply that a rule fills in or a program prints, in bytes of UTF-8; the rest is cut
/// off. It is twice [`TEXT_MAX`], because characters that are not sent count too.
pub(crate) const FIELD_MAX: usize = 2 * TEXT_MAX;

/// Maximum number of articles in a news reply to an event.
pub const ARTICLES_MAX: usize = 8;

/// Maximum number of articles in a news reply to a message other than an event (since October 2018).
pub const ARTICLES_MAX_TO_MESSAGE: usize = 1;

/// The types of replies (MsgType). Each has the path of the element that WeChat requires in a reply of this type, or
/// `None`. To add a type, add it here, in [`ReplyOf`], and in `rules/reply_parser.rs`, and show it in the sample of the
/// rules.
pub(crate) const MSG_TYPES: &[(&str, Option<&str>)] = &[
    ("text", Some("Content")),
    ("image", Some("Image/MediaId")),
    ("voice", Some("Voice/MediaId")),
    ("video", Some("Video/MediaId")),
    ("music", Some("Music/ThumbMediaId")),
    ("news", None),
    ("transfer_customer_service", None),
    ("transfer_biz_ai_ivr", None),
];

/// A reply to a message.
///
/// For some replies, WeChat would show its fault prompt (该公众号提供的服务出现故障).
/// [`Reply::write_to`] changes these replies:
/// - An empty text, a medium without MediaId, music without a URL and without a MediaId, and news without an article
///   that has a title become [`Reply::Success`].
/// - A text longer than [`TEXT_MAX`] bytes is cut at the end of a line, a sentence or a character, but not inside an
///   element such as `<a href="…">…</a>`. It then ends in `…`.
/// - Articles without a title are left out. So are articles above the limit, which is [`ARTICLES_MAX`] for an
///   event and [`ARTICLES_MAX_TO_MESSAGE`] for other messages.
/// - Characters that XML does not allow are removed; `\r\n` and `\r` become `\n`.
pub type Reply<'a> = ReplyOf<Cow<'a, str>>;

/// An article of a news reply.
pub type Article<'a> = ArticleOf<Cow<'a, str>>;

/// A reply whose texts have the type `T`. In a [`Reply`] they are strings; in a rule they are templates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyOf<T> {
    /// `text`
    Text(T),
    /// `image`
    Image {
        /// MediaId of the uploaded picture.
        media_id: T,
    },
    /// `voice`
    Voice {
        /// MediaId of the uploaded recording.
        media_id: T,
    },
    /// `video`
    Video {
        /// MediaId of the uploaded video.
        media_id: T,
        /// Title; may be empty.
        title: T,
        /// Description; may be empty.
        description: T,
    },
    /// `music`
    Music {
        /// Title; may be empty.
        title: T,
        /// Description; may be empty.
        description: T,
        /// URL of the music; may be empty.
        music_url: T,
        /// URL of the music in better quality; may be empty.
        hq_music_url: T,
        /// MediaId of the uploaded thumbnail. If it is empty, the element is not sent: WeChat plays music without it, but
        /// shows its fault prompt if the element is empty.
        thumb_media_id: T,
    },
    /// `news`
    News(Vec<ArticleOf<T>>),
    /// `transfer_customer_service`: the customer service takes over the conversation.
    TransferCustomerService {
        /// The customer service account that takes over; `None` lets WeChat choose.
        kf_account: Option<T>,
    },
    /// `transfer_biz_ai_ivr`: the AI reply (智能回复) of the account answers the user.
    TransferBizAiIvr,
    /// No reply. The response is `success`; WeChat shows nothing, and does not send the message again.
    Success,
}

/// An article whose texts have the type `T`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArticleOf<T> {
    /// Title; an article without a title is left out.
    pub title: T,
    /// Description; WeChat shows it only for a single article.
    pub description: T,
    /// URL of the picture.
    pub pic_url: T,
    /// URL of the page that opens when the user taps the article.
    pub url: T,
}

impl<T> ReplyOf<T> {
    /// This reply with each text replaced by the result of `f`. `f` is called in the order of the fields.
    pub(crate) fn map_texts<U>(&self, mut f: impl FnMut(&T) -> U) -> ReplyOf<U> {
        match self {
            Self::Text(content) => ReplyOf::Text(f(content)),
            Self::Image { media_id } => ReplyOf::Image { media_id: f(media_id) },
            Self::Voice { media_id } => ReplyOf::Voice { media_id: f(media_id) },
            Self::Video { media_id, title, description } => ReplyOf::Video {
                media_id: f(media_id),
                title: f(title),
                description: f(description),
            },
            Self::Music { title, description, music_url, hq_music_url, thumb_media_id } => {
                ReplyOf::Music {
                    title: f(title),
                    description: f(description),
                    music_url: f(music_url),
                    hq_music_url: f(hq_music_url),
                    thumb_media_id: f(thumb_media_id),
                }
            }
            Self::News(articles) => {
                let article = |article: &ArticleOf<T>| ArticleOf {
                    title: f(&article.title),
                    description: f(&article.description),
                    pic_url: f(&article.pic_url),
                    url: f(&article.url),
                };
                ReplyOf::News(articles.iter().map(article).collect())
            }
            Self::TransferCustomerService { kf_account } => {
                ReplyOf::TransferCustomerService { kf_account: kf_account.as_ref().map(f) }
            }
            Self::TransferBizAiIvr => ReplyOf::TransferBizAiIvr,
            Self::Success => ReplyOf::Success,
        }
    }
}

impl<'a> Reply<'a> {
    /// A text reply.
    pub fn text(content: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(content.into())
    }

    /// A copy that holds only what is sent in reply to `message`, to be kept for later tries.
    pub(crate) fn to_kept(&self, message: &Message<'_>) -> Reply<'static> {
        let is_text = matches!(self, Self::Text(_));
        let mut kept = self.map_texts(|text| {
            let text = sanitize(text);
            Cow::Owned(match is_text {
                true => truncate(&text).into_owned(),
                false => text[..text.floor_char_boundary(FIELD_MAX)].to_owned(),
            })
        });
        if let Reply::News(articles) = &mut kept {
            articles.retain(|article| !article.title.is_empty());
            articles.truncate(articles_max(message));
            articles.shrink_to_fit();
            if articles.is_empty() {
                return Reply::Success;
            }
        }
        kept
    }

    /// The bytes of a text that is cut when it is sent; `None` for every other reply.
    pub(crate) fn bytes_if_cut(&self) -> Option<usize> {
        let Self::Text(text) = self else {
            return None;
        };
        let is_long = |bytes: &usize| *bytes > TEXT_MAX;
        Some(text.len()).filter(is_long).map(|_| sanitize(text).len()).filter(is_long)
    }

    /// The bytes of memory that the reply uses (an estimate).
    pub(crate) fn bytes(&self) -> usize {
        // An allocation is rounded up.
        let articles = if let Self::News(articles) = self { articles.len() } else { 0 };
        let mut bytes = size_of::<Self>() + 16 + articles * size_of::<Article<'_>>();
        self.map_texts(|text| bytes += text.len() + text.len() / 8 + 16);
        bytes
    }

    /// Appends the XML of the reply to `out`. `message` is the message that the reply is for; `create_time` is in
    /// seconds since 1970. Appends nothing if the reply is or becomes [`Reply::Success`].
    ///
    /// ```text
    /// <xml><ToUserName>…</ToUserName><FromUserName>…</FromUserName><CreateTime>…</CreateTime>
    /// <MsgType>…</MsgType>…</xml>
    /// ```
    pub fn write_to(&self, message: &Message<'_>, create_time: u64, out: &mut Vec<u8>) {
        // Few calls with long pieces, because a call takes longer than copying the bytes.
        let mut write = |msg_type: &str, children: &dyn Fn(&mut Vec<u8>)| {
            out.extend_from_slice(b"<xml><ToUserName><![CDATA[");
            write_text(message.from_user_name(), out);
            out.extend_from_slice(b"]]></ToUserName><FromUserName><![CDATA[");
            write_text(message.to_user_name(), out);
            out.extend_from_slice(b"]]></FromUserName><CreateTime>");
            digits::write_decimal(create_time, out);
            out.extend_from_slice(b"</CreateTime><MsgType><![CDATA[");
            out.extend_from_slice(msg_type.as_bytes());
            out.extend_from_slice(b"]]></MsgType>");
            children(out);
            out.extend_from_slice(b"</xml>");
        };
        let mut write_medium =
            |msg_type, parent, media_id: &str, fields: &[(&str, &Cow<'_, str>)]| {
                if !sanitize(media_id).is_empty() {
                    write(msg_type, &|out| write_fields(parent, fields, out));
                }
            };
        match self {
            Self::Text(content) => {
                let content = sanitize(content);
                if !content.is_empty() {
                    write("text", &|out| {
                        out.extend_from_slice(b"<Content><![CDATA[");
                        write_cdata(&truncate(&content), out);
                        out.extend_from_slice(b"]]></Content>");
                    });
                }
            }
            Self::Image { media_id } => {
                let fields = [("MediaId", media_id)];
                write_medium("image", "Image", media_id, &fields);
            }
            Self::Voice { media_id } => {
                let fields = [("MediaId", media_id)];
                write_medium("voice", "Voice", media_id, &fields);
            }
            Self::Video { media_id, title, description } => {
                let fields =
                    [("MediaId", media_id), ("Title", title), ("Description", description)];
                write_medium("video", "Video", media_id, &fields);
            }
            Self::Music { title, description, music_url, hq_music_url, thumb_media_id } => {
                let fields = [
                    ("Title", title),
                    ("Description", description),
                    ("MusicUrl", music_url),
                    ("HQMusicUrl", hq_music_url),
                    ("ThumbMediaId", thumb_media_id),
                ];
                let has_thumb = !sanitize(thumb_media_id).is_empty();
                let sent = if has_thumb { &fields[..] } else { &fields[..4] };
                let sources = [music_url, hq_music_url, thumb_media_id];
                let source = sources.into_iter().find(|source| !sanitize(source).is_empty());
                write_medium("music", "Music", source.map_or("", |source| source), sent);
            }
            Self::News(articles) => {
                let titled = articles.iter().filter(|article| !sanitize(&article.title).is_empty());
                let shown: Vec<_> = titled.take(articles_max(message)).collect();
                if !shown.is_empty() {
                    write("news", &|out| write_news(&shown, out));
                }
            }
            Self::TransferCustomerService { kf_account } => {
                write("transfer_customer_service", &|out| {
                    if let Some(account) = kf_account {
                        write_fields("TransInfo", &[("KfAccount", account)], out);
                    }
                });
            }
            Self::TransferBizAiIvr => write("transfer_biz_ai_ivr", &|_| {}),
            Self::Success => {}
        }
    }
}

/// Maximum number of articles in a news reply to this message.
fn articles_max(message: &Message<'_>) -> usize {
    match message.is_event() {
        true => ARTICLES_MAX,
        false => ARTICLES_MAX_TO_MESSAGE,
    }
}

fn write_fields(parent: &str, fields: &[(&str, &Cow<'_, str>)], out: &mut Vec<u8>) {
    write_parent(parent, out, |out| {
        fields.iter().for_each(|(name, text)| write_leaf(name, text, out));
    });
}

fn write_news(articles: &[&Article<'_>], out: &mut Vec<u8>) {
    write_number("ArticleCount", articles.len() as u64, out);
    write_parent("Articles", out, |out| {
        for article in articles {
            let fields = [
                ("Title", &article.title),
                ("Description", &article.description),
                ("PicUrl", &article.pic_url),
                ("Url", &article.url),
            ];
            write_fields("item", &fields, out);
        }
    });
}

/// Cuts a text to [`TEXT_MAX`] bytes, including the ellipsis.
fn truncate(text: &str) -> Cow<'_, str> {
    match text.len() > TEXT_MAX {
        true => Cow::Owned(cut_with_ellipsis(text, TEXT_MAX)),
        false => Cow::Borrowed(text),
    }
}
