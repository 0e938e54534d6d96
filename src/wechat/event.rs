//! Events (接收事件推送): what happens to an account besides messages.
//!
//! The events of the manual's current pages have a variant each. Those of cards, shops and devices,
//! whose products are mostly closed, and whatever WeChat adds, are `Other`: their leaves are
//! readable by name like all others.

use crate::xml::Element;
use crate::xml::trim;

/// An event, by its documented fields. Names are compared in either case, since the manual itself
/// varies it. An event without one of the fields that it must have is `Other`, with all its leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// `subscribe`: the user follows the account.
    Subscribe {
        /// `qrscene_…` where it was by a QR code of the account; empty or absent otherwise.
        event_key: Option<&'a str>,
        /// The QR code's ticket.
        ticket: Option<&'a str>,
    },
    /// `unsubscribe`: the user follows it no more; no reply can reach them.
    Unsubscribe,
    /// `SCAN`: a follower scans a QR code of the account.
    Scan {
        /// The context, without a prefix.
        event_key: &'a str,
        /// The QR code's ticket.
        ticket: Option<&'a str>,
    },
    /// `LOCATION`: the user lets the account know where they are.
    Location {
        /// Decimal degrees, as sent.
        latitude: &'a str,
        /// Decimal degrees, as sent.
        longitude: &'a str,
        /// Metres, as sent.
        precision: &'a str,
    },
    /// `CLICK`: a tap on a menu item that sends its key.
    Click {
        /// The item's key.
        event_key: &'a str,
    },
    /// `VIEW`: a tap on a menu item that opens a page.
    View {
        /// The page's URL.
        event_key: &'a str,
        /// The menu, where the account has several.
        menu_id: Option<&'a str>,
    },
    /// `view_miniprogram`: a tap on a menu item that opens a mini program.
    ViewMiniProgram {
        /// The page in it.
        event_key: &'a str,
        /// The menu, where the account has several.
        menu_id: Option<&'a str>,
    },
    /// `scancode_push`: a menu item let the user scan a code; WeChat shows the result.
    ScanCodePush {
        /// The item's key.
        event_key: &'a str,
        /// `qrcode`, `barcode`, …
        scan_type: &'a str,
        /// What the code says.
        scan_result: &'a str,
    },
    /// `scancode_waitmsg`: a menu item let the user scan a code, and they wait for the reply.
    ScanCodeWaitMsg {
        /// The item's key.
        event_key: &'a str,
        /// `qrcode`, `barcode`, …
        scan_type: &'a str,
        /// What the code says.
        scan_result: &'a str,
    },
    /// `pic_sysphoto`: a menu item let the user take pictures; they follow as messages.
    PicSysPhoto {
        /// The item's key.
        event_key: &'a str,
        /// The pictures' MD5 sums; none is real.
        pic_md5_sum: Vec<&'a str>,
    },
    /// `pic_photo_or_album`: a menu item let the user take pictures or choose some.
    PicPhotoOrAlbum {
        /// The item's key.
        event_key: &'a str,
        /// The pictures' MD5 sums; none is real.
        pic_md5_sum: Vec<&'a str>,
    },
    /// `pic_weixin`: a menu item let the user choose pictures.
    PicWeixin {
        /// The item's key.
        event_key: &'a str,
        /// The pictures' MD5 sums; none is real.
        pic_md5_sum: Vec<&'a str>,
    },
    /// `location_select`: a menu item let the user choose a place.
    LocationSelect {
        /// The item's key.
        event_key: &'a str,
        /// Latitude in decimal degrees, as sent.
        location_x: &'a str,
        /// Longitude in decimal degrees, as sent.
        location_y: &'a str,
        /// The zoom of the map.
        scale: &'a str,
        /// The address.
        label: &'a str,
        /// The name of the place.
        poiname: Option<&'a str>,
    },
    /// `TEMPLATESENDJOBFINISH`: a template message was delivered, or was not.
    TemplateSendJobFinish {
        /// The template message's number.
        msg_id: &'a str,
        /// `success`, `failed:user block`, `failed: system failed`.
        status: &'a str,
    },
    /// `MASSSENDJOBFINISH`: a mass message was sent; its results an article stay readable as
    /// leaves.
    MassSendJobFinish {
        /// The mass message's number.
        msg_id: &'a str,
        /// `send success`, `send fail`, `err(10001)`, …
        status: &'a str,
        /// Followers it was for.
        total_count: &'a str,
        /// Followers left after filtering.
        filter_count: &'a str,
        /// Followers it reached.
        sent_count: &'a str,
        /// Followers it did not reach.
        error_count: &'a str,
        /// The articles' URLs.
        article_url: Vec<&'a str>,
    },
    /// `PUBLISHJOBFINISH`: articles were published, or were not.
    PublishJobFinish {
        /// The job's number.
        publish_id: &'a str,
        /// 0 where it went well.
        publish_status: &'a str,
        /// The article's number, where it went well.
        article_id: Option<&'a str>,
        /// The articles' URLs.
        article_url: Vec<&'a str>,
        /// The places of the articles that failed, from 1.
        fail_idx: Vec<&'a str>,
    },
    /// `subscribe_msg_popup_event`: the user answered a question about subscription messages.
    SubscribeMsgPopup {
        /// A choice for each template.
        list: Vec<SubscribeMsgChoice<'a>>,
    },
    /// `subscribe_msg_change_event`: the user changed what they subscribe to.
    SubscribeMsgChange {
        /// A choice for each template.
        list: Vec<SubscribeMsgChoice<'a>>,
    },
    /// `subscribe_msg_sent_event`: subscription messages were delivered, or were not.
    SubscribeMsgSent {
        /// What became of each message.
        list: Vec<SubscribeMsgDelivery<'a>>,
    },
    /// `kf_create_session`: a person of the customer service took the user over.
    KfCreateSession {
        /// Their account.
        kf_account: &'a str,
    },
    /// `kf_close_session`: a person of the customer service ended the session.
    KfCloseSession {
        /// Their account.
        kf_account: &'a str,
    },
    /// `kf_switch_session`: a person of the customer service handed the user over.
    KfSwitchSession {
        /// The account before.
        from_kf_account: &'a str,
        /// The account after.
        to_kf_account: &'a str,
    },
    /// `qualification_verify_success`: the account's qualification was verified.
    QualificationVerifySuccess {
        /// Until when, in seconds since 1970.
        expired_time: &'a str,
    },
    /// `qualification_verify_fail`: the account's qualification was not verified.
    QualificationVerifyFail {
        /// When, in seconds since 1970.
        fail_time: &'a str,
        /// Why.
        fail_reason: &'a str,
    },
    /// `naming_verify_success`: the account's name was verified.
    NamingVerifySuccess {
        /// Until when, in seconds since 1970.
        expired_time: &'a str,
    },
    /// `naming_verify_fail`: the account's name was not verified.
    NamingVerifyFail {
        /// When, in seconds since 1970.
        fail_time: &'a str,
        /// Why.
        fail_reason: &'a str,
    },
    /// `annual_renew`: the yearly verification is due.
    AnnualRenew {
        /// When it ends, in seconds since 1970.
        expired_time: &'a str,
    },
    /// `verify_expired`: the verification has ended.
    VerifyExpired {
        /// When it ended, in seconds since 1970.
        expired_time: &'a str,
    },
    /// `user_info_modified`: the user changed what they had authorized.
    UserInfoModified {
        /// The user.
        open_id: &'a str,
        /// The application.
        app_id: &'a str,
        /// What it is about, by WeChat's codes.
        revoke_info: Option<&'a str>,
    },
    /// `user_authorization_revoke`: the user revoked an authorization.
    UserAuthorizationRevoke {
        /// The user.
        open_id: &'a str,
        /// The application.
        app_id: &'a str,
        /// 201 address, 202 invoice, 203 card, 204 microphone, 205 name and avatar, 206 location,
        /// 207 pictures.
        revoke_info: Option<&'a str>,
    },
    /// `user_authorization_cancellation`: the user closed their account.
    UserAuthorizationCancellation {
        /// The user.
        open_id: &'a str,
        /// The application.
        app_id: &'a str,
        /// What it is about, by WeChat's codes.
        revoke_info: Option<&'a str>,
    },
    /// Any other event.
    Other {
        /// `Event`, as sent.
        event: &'a str,
    },
}

/// What a user chose for one template of subscription messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscribeMsgChoice<'a> {
    /// The template.
    pub template_id: &'a str,
    /// `accept` or `reject`.
    pub subscribe_status_string: &'a str,
    /// Where the user was asked; not there where they changed their mind by themselves.
    pub popup_scene: Option<&'a str>,
}

impl<'a> SubscribeMsgChoice<'a> {
    fn of(list: Element<'a>) -> Option<Self> {
        Some(Self {
            template_id: list.text_at("TemplateId")?,
            subscribe_status_string: list.text_at("SubscribeStatusString")?,
            popup_scene: list.text_at("PopupScene"),
        })
    }
}

/// What became of one subscription message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscribeMsgDelivery<'a> {
    /// Its template.
    pub template_id: &'a str,
    /// Its number.
    pub msg_id: &'a str,
    /// 0 where it arrived.
    pub error_code: &'a str,
    /// `success`, …
    pub error_status: &'a str,
}

impl<'a> SubscribeMsgDelivery<'a> {
    fn of(list: Element<'a>) -> Option<Self> {
        Some(Self {
            template_id: list.text_at("TemplateId")?,
            msg_id: list.text_at("MsgID")?,
            error_code: list.text_at("ErrorCode")?,
            error_status: list.text_at("ErrorStatus")?,
        })
    }
}

impl<'a> Event<'a> {
    pub(super) fn of(root: Element<'a>) -> Option<Self> {
        let event = trim(root.text_at("Event")?);
        let documented = Self::documented(&event.to_ascii_lowercase(), root);
        Some(documented.unwrap_or(Self::Other { event }))
    }

    fn documented(name: &str, root: Element<'a>) -> Option<Self> {
        let text = |path| root.text_at(path);
        let texts = |name| root.texts(name).collect();
        let lists = || {
            root.children()
                .flat_map(Element::children)
                .filter(|child| child.name() == "List")
        };
        Some(match name {
            "subscribe" => Self::Subscribe {
                event_key: text("EventKey"),
                ticket: text("Ticket"),
            },
            "unsubscribe" => Self::Unsubscribe,
            "scan" => Self::Scan {
                event_key: text("EventKey")?,
                ticket: text("Ticket"),
            },
            "location" => Self::Location {
                latitude: text("Latitude")?,
                longitude: text("Longitude")?,
                precision: text("Precision")?,
            },
            "click" => Self::Click {
                event_key: text("EventKey")?,
            },
            "view" => Self::View {
                event_key: text("EventKey")?,
                menu_id: text("MenuId"),
            },
            "view_miniprogram" => Self::ViewMiniProgram {
                event_key: text("EventKey")?,
                menu_id: text("MenuId"),
            },
            "scancode_push" => Self::ScanCodePush {
                event_key: text("EventKey")?,
                scan_type: text("ScanCodeInfo/ScanType")?,
                scan_result: text("ScanCodeInfo/ScanResult")?,
            },
            "scancode_waitmsg" => Self::ScanCodeWaitMsg {
                event_key: text("EventKey")?,
                scan_type: text("ScanCodeInfo/ScanType")?,
                scan_result: text("ScanCodeInfo/ScanResult")?,
            },
            "pic_sysphoto" => Self::PicSysPhoto {
                event_key: text("EventKey")?,
                pic_md5_sum: texts("PicMd5Sum"),
            },
            "pic_photo_or_album" => Self::PicPhotoOrAlbum {
                event_key: text("EventKey")?,
                pic_md5_sum: texts("PicMd5Sum"),
            },
            "pic_weixin" => Self::PicWeixin {
                event_key: text("EventKey")?,
                pic_md5_sum: texts("PicMd5Sum"),
            },
            "location_select" => Self::LocationSelect {
                event_key: text("EventKey")?,
                location_x: text("SendLocationInfo/Location_X")?,
                location_y: text("SendLocationInfo/Location_Y")?,
                scale: text("SendLocationInfo/Scale")?,
                label: text("SendLocationInfo/Label")?,
                poiname: text("SendLocationInfo/Poiname"),
            },
            "templatesendjobfinish" => Self::TemplateSendJobFinish {
                msg_id: text("MsgID")?,
                status: text("Status")?,
            },
            "masssendjobfinish" => Self::MassSendJobFinish {
                msg_id: text("MsgID")?,
                status: text("Status")?,
                total_count: text("TotalCount")?,
                filter_count: text("FilterCount")?,
                sent_count: text("SentCount")?,
                error_count: text("ErrorCount")?,
                article_url: texts("ArticleUrl"),
            },
            "publishjobfinish" => Self::PublishJobFinish {
                publish_id: text("PublishEventInfo/publish_id")?,
                publish_status: text("PublishEventInfo/publish_status")?,
                article_id: text("PublishEventInfo/article_id"),
                article_url: texts("article_url"),
                fail_idx: texts("fail_idx"),
            },
            "subscribe_msg_popup_event" => Self::SubscribeMsgPopup {
                list: lists().filter_map(SubscribeMsgChoice::of).collect(),
            },
            "subscribe_msg_change_event" => Self::SubscribeMsgChange {
                list: lists().filter_map(SubscribeMsgChoice::of).collect(),
            },
            "subscribe_msg_sent_event" => Self::SubscribeMsgSent {
                list: lists().filter_map(SubscribeMsgDelivery::of).collect(),
            },
            "kf_create_session" => Self::KfCreateSession {
                kf_account: text("KfAccount")?,
            },
            "kf_close_session" => Self::KfCloseSession {
                kf_account: text("KfAccount")?,
            },
            "kf_switch_session" => Self::KfSwitchSession {
                from_kf_account: text("FromKfAccount")?,
                to_kf_account: text("ToKfAccount")?,
            },
            "qualification_verify_success" => Self::QualificationVerifySuccess {
                expired_time: text("ExpiredTime")?,
            },
            "qualification_verify_fail" => Self::QualificationVerifyFail {
                fail_time: text("FailTime")?,
                fail_reason: text("FailReason")?,
            },
            "naming_verify_success" => Self::NamingVerifySuccess {
                expired_time: text("ExpiredTime")?,
            },
            "naming_verify_fail" => Self::NamingVerifyFail {
                fail_time: text("FailTime")?,
                fail_reason: text("FailReason")?,
            },
            "annual_renew" => Self::AnnualRenew {
                expired_time: text("ExpiredTime")?,
            },
            "verify_expired" => Self::VerifyExpired {
                expired_time: text("ExpiredTime")?,
            },
            "user_info_modified" => Self::UserInfoModified {
                open_id: text("OpenID")?,
                app_id: text("AppID")?,
                revoke_info: text("RevokeInfo"),
            },
            "user_authorization_revoke" => Self::UserAuthorizationRevoke {
                open_id: text("OpenID")?,
                app_id: text("AppID")?,
                revoke_info: text("RevokeInfo"),
            },
            "user_authorization_cancellation" => Self::UserAuthorizationCancellation {
                open_id: text("OpenID")?,
                app_id: text("AppID")?,
                revoke_info: text("RevokeInfo"),
            },
            _ => return None,
        })
    }
}
