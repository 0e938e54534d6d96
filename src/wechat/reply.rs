//! The reply to a message (被动回复用户消息), at most one for each message: XML in which the two names of
//! the message are swapped. The limits are from public reports; the manual is vague about them.

use std::borrow::Cow;

use super::message::Message;
use crate::text::digits;
use crate::xml::writer::{
    sanitize, write_cdata, write_leaf, write_number, write_parent, write_text,
};

/// The longest text of a text reply, in bytes of UTF-8. WeChat drops a longer one or shows the fault prompt.
pub const TEXT_MAX: usize = 2048;

/// Articles in a news reply to an event, at most.
pub const ARTICLES_MAX: usize = 8;

/// Articles in a news reply to a message, at most (since October 2018).
pub const ARTICLES_MAX_TO_MESSAGE: usize = 1;

/// Ends a text that was truncated.
const ELLIPSIS: &str = "…";

/// A reply to a message.
///
/// WeChat shows its fault prompt for some replies; [`Reply::write_to`] repairs them:
/// - An empty text, a medium without its MediaId and news without a titled article become
///   [`Reply::Success`].
/// - A text over [`TEXT_MAX`] bytes is truncated at a character and ends in `…`.
/// - Articles without a title are left out, as are those over [`ARTICLES_MAX`], or over
///   [`ARTICLES_MAX_TO_MESSAGE`] if the message is no event.
/// - Characters that XML cannot carry are removed; `\r\n` and `\r` become `\n`.
pub type Reply<'a> = ReplyOf<Cow<'a, str>>;

/// An article of a news reply.
pub type Article<'a> = ArticleOf<Cow<'a, str>>;

/// The replies there are, for any type of their texts: [`Reply`] holds text, a rule holds templates.
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
        /// MediaId of the uploaded thumbnail.
        thumb_media_id: T,
    },
    /// `news`
    News(Vec<ArticleOf<T>>),
    /// `transfer_customer_service`: the customer service takes over the conversation.
    TransferCustomerService {
        /// The account that takes over; any if `None`.
        kf_account: Option<T>,
    },
    /// No reply: the literal `success`. WeChat then neither retries nor shows anything.
    Success,
}

/// [`Article`], for any type of its texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArticleOf<T> {
    /// Title; an article without one is left out.
    pub title: T,
    /// Description; WeChat shows it only for a single article.
    pub description: T,
    /// URL of the picture.
    pub pic_url: T,
    /// URL that a tap opens.
    pub url: T,
}

impl<T> ReplyOf<T> {
    /// This reply with each text replaced by `f` of it, in the order of the fields.
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
            Self::Success => ReplyOf::Success,
        }
    }
}

impl<'a> Reply<'a> {
    /// A text.
    pub fn text(content: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(content.into())
    }

    /// Appends the XML of the reply to `message`. `create_time` is in seconds since 1970. Appends nothing
    /// if the reply is [`Reply::Success`], or becomes that.
    ///
    /// ```text
    /// <xml><ToUserName>…</ToUserName><FromUserName>…</FromUserName><CreateTime>…</CreateTime>
    /// <MsgType>…</MsgType>…</xml>
    /// ```
    pub fn write_to(&self, message: &Message<'_>, create_time: u64, out: &mut Vec<u8>) {
        // In a few long pieces: the calls take longer than the copying.
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
                write_medium("music", "Music", thumb_media_id, &fields);
            }
            Self::News(articles) => {
                let max = match message.is_event() {
                    true => ARTICLES_MAX,
                    false => ARTICLES_MAX_TO_MESSAGE,
                };
                let titled = articles.iter().filter(|article| !sanitize(&article.title).is_empty());
                let shown: Vec<_> = titled.take(max).collect();
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
            Self::Success => {}
        }
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

/// The text, in at most [`TEXT_MAX`] bytes.
fn truncate(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_MAX {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(TEXT_MAX - ELLIPSIS.len());
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}
