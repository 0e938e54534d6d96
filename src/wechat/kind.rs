//! The kinds of messages and events that have a type of their own (接收普通消息, 接收事件推送).
//!
//! To add a kind, add it to one of the two tables below: its WeChat name, its variant, and the path of each
//! field below `<xml>`. A field holds the text as sent. It is a `&str` if every message of the kind has it,
//! else an `Option`, which is `None` if the element is missing or empty. A message that lacks one of the
//! `&str` fields is of kind `Other`. All fields of all kinds are readable by name as well.

use crate::xml::{Element, trim};

/// Defines an enum from a table of kinds, and the function that reads a message as one of them.
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
            /// The kind with the name that `is_name` accepts; `None` without such a kind, or without one
            /// of its `&str` fields.
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

/// The type of a field in a table of kinds.
trait FieldText<'a>: Sized {
    /// The field, from its element's text; `None` if the field must be there and is not.
    fn from_element(text: Option<&'a str>) -> Option<Self>;
}

impl<'a> FieldText<'a> for &'a str {
    fn from_element(text: Option<&'a str>) -> Option<Self> {
        text
    }
}

impl<'a> FieldText<'a> for Option<&'a str> {
    fn from_element(text: Option<&'a str>) -> Option<Self> {
        Some(text.filter(|text| !text.is_empty()))
    }
}

impl<'a> Kind<'a> {
    pub(super) fn parse(msg_type: &str, root: Element<'a>) -> Self {
        let kind = match msg_type {
            "event" => Event::parse(root).map(Self::Event),
            _ => Self::read(root, |name| name == msg_type),
        };
        kind.unwrap_or(Self::Other)
    }
}

impl<'a> Event<'a> {
    /// The event of a message; `None` if the message has no `Event`. The manual itself writes the names of
    /// events in varying case, so case does not matter.
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
        /// Any other kind, or one without a field that it must have.
        Other,
    }

    /// `text`
    "text" => Text {
        /// The text that the user wrote.
        content: &'a str = "Content",
        /// Number of the item that the user tapped in a menu of the customer service, instead of writing.
        bizmsgmenuid: Option<&'a str> = "bizmsgmenuid",
        /// Number of the article that the text was sent from.
        msg_data_id: Option<&'a str> = "MsgDataId",
        /// Position of that article among several, from 1.
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
        /// The words that were recognized, if the account has speech recognition switched on.
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
    /// `file` (undocumented; fields of a real message)
    "file" => File {
        /// Name of the file.
        title: &'a str = "Title",
        /// Description; mostly empty.
        description: &'a str = "Description",
        /// WeChat's key of the file.
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
        /// Any other event, or one without a field that it must have.
        Other {
            /// `Event`, as sent.
            event: &'a str,
        },
    }

    /// `subscribe`: the user follows the account.
    "subscribe" => Subscribe {
        /// `qrscene_…` if the user came by a QR code of the account.
        event_key: Option<&'a str> = "EventKey",
        /// Ticket of that QR code.
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
        /// Decimal degrees.
        latitude: &'a str = "Latitude",
        /// Decimal degrees.
        longitude: &'a str = "Longitude",
        /// Metres.
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
    /// `TEMPLATESENDJOBFINISH`: a template message was delivered, or not.
    "TEMPLATESENDJOBFINISH" => TemplateSendJobFinish {
        /// Number of the template message.
        msg_id: &'a str = "MsgID",
        /// `success`, `failed:user block`, `failed: system failed`.
        status: &'a str = "Status",
    }
    /// `MASSSENDJOBFINISH`: a mass message was sent. The results of each article are among the message's
    /// fields by name.
    "MASSSENDJOBFINISH" => MassSendJobFinish {
        /// Number of the mass message.
        msg_id: &'a str = "MsgID",
        /// `send success`, `send fail`, `err(10001)`, …
        status: &'a str = "Status",
        /// Followers that the message was for.
        total_count: &'a str = "TotalCount",
        /// Followers left after filtering.
        filter_count: &'a str = "FilterCount",
        /// Followers that received the message.
        sent_count: &'a str = "SentCount",
        /// Followers that did not receive it.
        error_count: &'a str = "ErrorCount",
    }
}
