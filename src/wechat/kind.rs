//! The known kinds of messages and events, with their fields (接收普通消息, 接收事件推送).
//!
//! To add a kind, add an entry to one of the two tables below: the WeChat name, the variant, and for each field
//! the path below `<xml>`. A field holds the text as sent. Its type is `&str` if every message of the kind has
//! the field, and otherwise `Option`, which is `None` if the element is missing or empty. A message without one
//! of the `&str` fields has the kind `Other`. [`Message::field`](super::Message::field) reads the fields of all
//! kinds by name.

use crate::text::similar::nearest;
use crate::xml::{Element, trim};

/// Defines an enum from a table of kinds, and a function that reads a message as a value of the enum.
macro_rules! kinds {
    (
        $(#[$enum_doc:meta])*
        enum $enum:ident { $($more_variants:tt)* }
        $(
            $(#[$doc:meta])*
            $name:literal => $variant:ident $({
                $($(#[$field_doc:meta])* $field:ident: $type:ty = $path:literal,)+
            })?
        )+
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $enum<'a> {
            $($(#[$doc])* $variant $({ $($(#[$field_doc])* $field: $type,)+ })?,)+
            $($more_variants)*
        }

        impl<'a> $enum<'a> {
            /// The WeChat name of each kind, and the paths of its fields, with whether every message of the kind has
            /// the field.
            const TABLE: KindTable = &[$(
                ($name, &[$($(($path, <$type as FieldText<'a>>::IS_REQUIRED),)+)?]),
            )+];

            /// Reads the kind whose name `is_name` accepts. `None` if there is no such kind, or if one of
            /// its `&str` fields is missing.
            fn read(root: Element<'a>, is_name: impl Fn(&str) -> bool) -> Option<Self> {
                $(
                    if is_name($name) {
                        return Some(Self::$variant $({
                            $($field: FieldText::from_element(root.text_at($path))?,)+
                        })?);
                    }
                )+
                None
            }
        }
    };
}

/// Names and fields of kinds, for [`find_kind`].
type KindTable = &'static [(&'static str, &'static [(&'static str, bool)])];

/// A known kind of message or event: its WeChat name, and the paths of the fields that every message of the kind has.
pub(crate) struct KnownKind {
    pub(crate) name: &'static str,
    pub(crate) required: Vec<&'static str>,
}

/// Finds the kind of a message with this `MsgType`, or of an event with this `Event`.
///
/// # Errors
/// No known kind has this name. The error is the most similar known name, if one is similar.
pub(crate) fn find_kind(msg_type: &str, event: &str) -> Result<KnownKind, Option<&'static str>> {
    let (table, name) = match msg_type {
        "event" => (Event::TABLE, event),
        _ => (Kind::TABLE, msg_type),
    };
    let is_named = |known: &str| match msg_type {
        "event" => known.eq_ignore_ascii_case(name),
        _ => known == name,
    };
    let known = table.iter().find(|(known, _)| is_named(known));
    let Some((name, fields)) = known else {
        let others = (msg_type != "event").then_some("event");
        return Err(nearest(name, table.iter().map(|(known, _)| *known).chain(others)));
    };
    let required = fields.iter().filter(|(_, is_required)| *is_required);
    Ok(KnownKind { name, required: required.map(|(path, _)| *path).collect() })
}

/// A type that a field in the tables can have.
trait FieldText<'a>: Sized {
    /// Whether every message of the kind has the field.
    const IS_REQUIRED: bool;

    /// Converts the text of the field's element. `None` if the field is required but the element is missing.
    fn from_element(text: Option<&'a str>) -> Option<Self>;
}

impl<'a> FieldText<'a> for &'a str {
    const IS_REQUIRED: bool = true;

    fn from_element(text: Option<&'a str>) -> Option<Self> {
        text
    }
}

impl<'a> FieldText<'a> for Option<&'a str> {
    const IS_REQUIRED: bool = false;

    fn from_element(text: Option<&'a str>) -> Option<Self> {
        Some(text.filter(|text| !text.is_empty()))
    }
}

impl<'a> Kind<'a> {
    /// Reads the kind of the message with this `MsgType`.
    pub(super) fn parse(msg_type: &str, root: Element<'a>) -> Self {
        let kind = match msg_type {
            "event" => Event::parse(root).map(Self::Event),
            _ => Self::read(root, |name| name == msg_type),
        };
        kind.unwrap_or(Self::Other)
    }
}

impl<'a> Event<'a> {
    /// Reads the event of a message; `None` if the message has no `Event`. The case of an event's name does not
    /// matter, because the manual is not consistent about it.
    fn parse(root: Element<'a>) -> Option<Self> {
        let event = trim(root.text_at("Event")?);
        let known = Self::read(root, |name| name.eq_ignore_ascii_case(event));
        Some(known.unwrap_or(Self::Other { event }))
    }
}

kinds! {
    /// A kind of message, with its documented fields.
    enum Kind {
        /// `event`
        Event(Event<'a>),
        /// An unknown kind, or a known kind without one of its required fields.
        Other,
    }

    /// `text`
    "text" => Text {
        /// The text that the user wrote.
        content: &'a str = "Content",
        /// Number of the item that the user tapped in a customer service menu; missing if the user wrote the text.
        bizmsgmenuid: Option<&'a str> = "bizmsgmenuid",
        /// Number of the article from which the user sent the text.
        msg_data_id: Option<&'a str> = "MsgDataId",
        /// Position of the article in its news message, counted from 1.
        idx: Option<&'a str> = "Idx",
    }
    /// `image`
    "image" => Image {
        /// URL of the picture.
        pic_url: &'a str = "PicUrl",
        /// MediaId of the picture.
        media_id: &'a str = "MediaId",
    }
    /// `voice`
    "voice" => Voice {
        /// MediaId of the recording.
        media_id: &'a str = "MediaId",
        /// `amr`, `speex`, …
        format: &'a str = "Format",
        /// The recognized words, if speech recognition is switched on for the account.
        recognition: Option<&'a str> = "Recognition",
        /// MediaId of the recording as 16 kHz speex.
        media_id_16k: Option<&'a str> = "MediaId16K",
    }
    /// `video`
    "video" => Video {
        /// MediaId of the video.
        media_id: &'a str = "MediaId",
        /// MediaId of the thumbnail.
        thumb_media_id: &'a str = "ThumbMediaId",
    }
    /// `shortvideo`
    "shortvideo" => ShortVideo {
        /// MediaId of the video.
        media_id: &'a str = "MediaId",
        /// MediaId of the thumbnail.
        thumb_media_id: &'a str = "ThumbMediaId",
    }
    /// `location`
    "location" => Location {
        /// Latitude in decimal degrees.
        location_x: &'a str = "Location_X",
        /// Longitude in decimal degrees.
        location_y: &'a str = "Location_Y",
        /// Zoom of the map.
        scale: &'a str = "Scale",
        /// Name of the place.
        label: &'a str = "Label",
    }
    /// `link`
    "link" => Link {
        /// Title.
        title: &'a str = "Title",
        /// Description.
        description: &'a str = "Description",
        /// URL of the page.
        url: &'a str = "Url",
    }
    /// `file`, which the manual does not describe; the fields are from a real message.
    "file" => File {
        /// Name of the file.
        title: &'a str = "Title",
        /// Description; mostly empty.
        description: &'a str = "Description",
        /// The key by which WeChat identifies the file.
        file_key: &'a str = "FileKey",
        /// MD5 of the file, in hexadecimal.
        file_md5: &'a str = "FileMd5",
        /// Length of the file in bytes.
        file_total_len: &'a str = "FileTotalLen",
    }
    /// `miniprogrampage`
    "miniprogrampage" => MiniProgramPage {
        /// Title of the card.
        title: &'a str = "Title",
        /// AppId of the mini program.
        app_id: &'a str = "AppId",
        /// Page of the mini program.
        page_path: &'a str = "PagePath",
        /// URL of the card's picture.
        thumb_url: &'a str = "ThumbUrl",
        /// MediaId of the card's picture.
        thumb_media_id: &'a str = "ThumbMediaId",
    }
}

kinds! {
    /// An event, with its documented fields.
    enum Event {
        /// An unknown event, or a known event without one of its required fields.
        Other {
            /// The text of `Event`, as sent.
            event: &'a str,
        },
    }

    /// `subscribe`: the user follows the account.
    "subscribe" => Subscribe {
        /// `qrscene_…` if the user scanned a QR code of the account.
        event_key: Option<&'a str> = "EventKey",
        /// Ticket of the QR code.
        ticket: Option<&'a str> = "Ticket",
    }
    /// `unsubscribe`: the user no longer follows the account. A reply cannot reach the user.
    "unsubscribe" => Unsubscribe
    /// `SCAN`: a follower scans a QR code of the account.
    "SCAN" => Scan {
        /// Scene of the QR code, without the prefix `qrscene_`.
        event_key: &'a str = "EventKey",
        /// Ticket of the QR code.
        ticket: Option<&'a str> = "Ticket",
    }
    /// `LOCATION`: the user's phone reports where it is.
    "LOCATION" => Location {
        /// Latitude in decimal degrees.
        latitude: &'a str = "Latitude",
        /// Longitude in decimal degrees.
        longitude: &'a str = "Longitude",
        /// Precision in metres.
        precision: &'a str = "Precision",
    }
    /// `CLICK`: a tap on a menu item that sends a key.
    "CLICK" => Click {
        /// Key of the menu item.
        event_key: &'a str = "EventKey",
    }
    /// `VIEW`: a tap on a menu item that opens a page.
    "VIEW" => View {
        /// URL of the page.
        event_key: &'a str = "EventKey",
        /// Number of the menu, if the account has several.
        menu_id: Option<&'a str> = "MenuId",
    }
    /// `view_miniprogram`: a tap on a menu item that opens a mini program.
    "view_miniprogram" => ViewMiniProgram {
        /// Page of the mini program.
        event_key: &'a str = "EventKey",
        /// Number of the menu, if the account has several.
        menu_id: Option<&'a str> = "MenuId",
    }
    /// `scancode_push`: the user scanned a code from a menu item, and WeChat shows the result.
    "scancode_push" => ScanCodePush {
        /// Key of the menu item.
        event_key: &'a str = "EventKey",
        /// `qrcode`, `barcode`, …
        scan_type: &'a str = "ScanCodeInfo/ScanType",
        /// Content of the code.
        scan_result: &'a str = "ScanCodeInfo/ScanResult",
    }
    /// `scancode_waitmsg`: the user scanned a code from a menu item, and waits for the reply.
    "scancode_waitmsg" => ScanCodeWaitMsg {
        /// Key of the menu item.
        event_key: &'a str = "EventKey",
        /// `qrcode`, `barcode`, …
        scan_type: &'a str = "ScanCodeInfo/ScanType",
        /// Content of the code.
        scan_result: &'a str = "ScanCodeInfo/ScanResult",
    }
    /// `location_select`: the user chose a place from a menu item.
    "location_select" => LocationSelect {
        /// Key of the menu item.
        event_key: &'a str = "EventKey",
        /// Latitude in decimal degrees.
        location_x: &'a str = "SendLocationInfo/Location_X",
        /// Longitude in decimal degrees.
        location_y: &'a str = "SendLocationInfo/Location_Y",
        /// Zoom of the map.
        scale: &'a str = "SendLocationInfo/Scale",
        /// Address.
        label: &'a str = "SendLocationInfo/Label",
        /// Name of the place.
        poiname: Option<&'a str> = "SendLocationInfo/Poiname",
    }
    /// `TEMPLATESENDJOBFINISH`: the delivery of a template message succeeded or failed.
    "TEMPLATESENDJOBFINISH" => TemplateSendJobFinish {
        /// Number of the template message.
        msg_id: &'a str = "MsgID",
        /// `success`, `failed:user block`, `failed: system failed`.
        status: &'a str = "Status",
    }
    /// `MASSSENDJOBFINISH`: a mass message was sent. The results for each article can be read by field name.
    "MASSSENDJOBFINISH" => MassSendJobFinish {
        /// Number of the mass message.
        msg_id: &'a str = "MsgID",
        /// `send success`, `send fail`, `err(10001)`, …
        status: &'a str = "Status",
        /// Number of followers that the message was sent to.
        total_count: &'a str = "TotalCount",
        /// Number of followers after filtering.
        filter_count: &'a str = "FilterCount",
        /// Number of followers that received the message.
        sent_count: &'a str = "SentCount",
        /// Number of followers that did not receive the message.
        error_count: &'a str = "ErrorCount",
    }
}
