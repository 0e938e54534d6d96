//! What the account answers (被动回复用户消息): one reply a message, as XML with the two names
//! swapped.

use std::borrow::Cow;

use super::message::Message;
use crate::text::digits;
use crate::xml::writer::{
    sanitize, write_cdata, write_leaf, write_number, write_parent, write_text,
};

/// Bytes of UTF-8 in a text reply. Longer ones end in the fault prompt or vanish, by public reports.
pub const TEXT_MAX: usize = 2048;

/// Articles of a news reply to an event.
pub const ARTICLES_MAX: usize = 8;

/// Articles of a news reply to a message, since October 2018.
pub const ARTICLES_MAX_TO_MESSAGE: usize = 1;

/// What stands where a text was cut.
const CUT: &str = "…";

/// A reply to a message.
///
/// What WeChat would punish is mended when the reply is sent: an empty text becomes
/// [`Reply::Success`], because it would show the fault prompt, and so does a medium without its
/// name, or news without a title; a text over [`TEXT_MAX`] bytes is cut at
/// a character and marked; articles over [`ARTICLES_MAX`], or over one in answer to a message, are
/// left out; characters that XML cannot carry go; `\r\n` and `\r` become `\n`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// `text`
    Text(Cow<'a, str>),
    /// `image`
    Image {
        /// Its name at the media interface.
        media_id: Cow<'a, str>,
    },
    /// `voice`
    Voice {
        /// Its name at the media interface.
        media_id: Cow<'a, str>,
    },
    /// `video`
    Video {
        /// Its name at the media interface.
        media_id: Cow<'a, str>,
        /// Its title, may be empty.
        title: Cow<'a, str>,
        /// Its description, may be empty.
        description: Cow<'a, str>,
    },
    /// `music`
    Music {
        /// The title, may be empty.
        title: Cow<'a, str>,
        /// The description, may be empty.
        description: Cow<'a, str>,
        /// Where the music is, may be empty.
        music_url: Cow<'a, str>,
        /// Where it is in better quality, may be empty.
        hq_music_url: Cow<'a, str>,
        /// The thumbnail's name at the media interface.
        thumb_media_id: Cow<'a, str>,
    },
    /// `news`
    News(Vec<Article<'a>>),
    /// `transfer_customer_service`: a person takes over.
    TransferCustomerService {
        /// The person's account; any person where there is none.
        kf_account: Option<Cow<'a, str>>,
    },
    /// No reply: the literal `success`, which makes WeChat neither ask again nor show anything.
    Success,
}

/// An article of a news reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Article<'a> {
    /// Its title.
    pub title: Cow<'a, str>,
    /// Its description, shown where it is the only article.
    pub description: Cow<'a, str>,
    /// Where its picture is.
    pub pic_url: Cow<'a, str>,
    /// Where it leads.
    pub url: Cow<'a, str>,
}

impl<'a> Reply<'a> {
    /// A text.
    pub fn text(content: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(content.into())
    }

    /// The same with each text replaced, in the order of the fields.
    pub(crate) fn map<'b>(self, text: &mut dyn FnMut(Cow<'a, str>) -> Cow<'b, str>) -> Reply<'b> {
        match self {
            Self::Text(content) => Reply::Text(text(content)),
            Self::Image { media_id } => Reply::Image {
                media_id: text(media_id),
            },
            Self::Voice { media_id } => Reply::Voice {
                media_id: text(media_id),
            },
            Self::Video {
                media_id,
                title,
                description,
            } => Reply::Video {
                media_id: text(media_id),
                title: text(title),
                description: text(description),
            },
            Self::Music {
                title,
                description,
                music_url,
                hq_music_url,
                thumb_media_id,
            } => Reply::Music {
                title: text(title),
                description: text(description),
                music_url: text(music_url),
                hq_music_url: text(hq_music_url),
                thumb_media_id: text(thumb_media_id),
            },
            Self::News(articles) => {
                let article = |article: Article<'a>| Article {
                    title: text(article.title),
                    description: text(article.description),
                    pic_url: text(article.pic_url),
                    url: text(article.url),
                };
                Reply::News(articles.into_iter().map(article).collect())
            }
            Self::TransferCustomerService { kf_account } => Reply::TransferCustomerService {
                kf_account: kf_account.map(text),
            },
            Self::Success => Reply::Success,
        }
    }

    /// Appends the reply to this message as XML, sent at `create_time` in seconds since 1970;
    /// nothing where the reply is, or comes to, [`Reply::Success`].
    ///
    /// ```text
    /// <xml><ToUserName>…</ToUserName><FromUserName>…</FromUserName><CreateTime>…</CreateTime>
    /// <MsgType>…</MsgType>…</xml>
    /// ```
    pub fn write_to(&self, message: &Message<'_>, create_time: u64, out: &mut Vec<u8>) {
        // In few long pieces: each is a call, which takes longer than the copying.
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
        match self {
            // Without its name at the media interface there is nothing to show.
            Self::Image { media_id: name }
            | Self::Voice { media_id: name }
            | Self::Video { media_id: name, .. }
            | Self::Music {
                thumb_media_id: name,
                ..
            } if sanitize(name).is_empty() => {}
            Self::Text(content) => {
                let content = sanitize(content);
                if !content.is_empty() {
                    write("text", &|out| {
                        out.extend_from_slice(b"<Content><![CDATA[");
                        write_cdata(&cut(&content), out);
                        out.extend_from_slice(b"]]></Content>");
                    });
                }
            }
            Self::Image { media_id } => write("image", &|out| {
                write_parent("Image", out, |out| write_leaf("MediaId", media_id, out));
            }),
            Self::Voice { media_id } => write("voice", &|out| {
                write_parent("Voice", out, |out| write_leaf("MediaId", media_id, out));
            }),
            Self::Video {
                media_id,
                title,
                description,
            } => write("video", &|out| {
                write_parent("Video", out, |out| {
                    write_leaf("MediaId", media_id, out);
                    write_leaf("Title", title, out);
                    write_leaf("Description", description, out);
                });
            }),
            Self::Music {
                title,
                description,
                music_url,
                hq_music_url,
                thumb_media_id,
            } => {
                write("music", &|out| {
                    write_parent("Music", out, |out| {
                        write_leaf("Title", title, out);
                        write_leaf("Description", description, out);
                        write_leaf("MusicUrl", music_url, out);
                        write_leaf("HQMusicUrl", hq_music_url, out);
                        write_leaf("ThumbMediaId", thumb_media_id, out);
                    });
                });
            }
            Self::News(articles) => {
                let most = if message.is_event() {
                    ARTICLES_MAX
                } else {
                    ARTICLES_MAX_TO_MESSAGE
                };
                let titled = articles
                    .iter()
                    .filter(|article| !sanitize(&article.title).is_empty());
                let shown: Vec<_> = titled.take(most).collect();
                if !shown.is_empty() {
                    write("news", &|out| write_news(&shown, out));
                }
            }
            Self::TransferCustomerService { kf_account } => {
                write("transfer_customer_service", &|out| {
                    if let Some(account) = kf_account {
                        write_parent("TransInfo", out, |out| {
                            write_leaf("KfAccount", account, out)
                        });
                    }
                });
            }
            Self::Success => {}
        }
    }
}

fn write_news(articles: &[&Article<'_>], out: &mut Vec<u8>) {
    write_number(
        "ArticleCount",
        u64::try_from(articles.len()).unwrap_or(u64::MAX),
        out,
    );
    write_parent("Articles", out, |out| {
        for article in articles {
            write_parent("item", out, |out| {
                write_leaf("Title", &article.title, out);
                write_leaf("Description", &article.description, out);
                write_leaf("PicUrl", &article.pic_url, out);
                write_leaf("Url", &article.url, out);
            });
        }
    });
}

/// The text in at most [`TEXT_MAX`] bytes.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= TEXT_MAX {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(TEXT_MAX.saturating_sub(CUT.len()));
    let (kept, _) = text.split_at_checked(end).unwrap_or((text, ""));
    Cow::Owned(format!("{kept}{CUT}"))
}
