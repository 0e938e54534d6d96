//! The names of WeChat's events and types of messages, for hints about unknown ones. All names here are in lower case.

use crate::text::similar::nearest;
use crate::wechat::find_kind;

/// Types of messages that `wechat::Kind` does not have.
const TYPES: [&str; 4] = ["event", "device_text", "device_event", "hardware"];

/// Events that `wechat::Event` does not have (接收事件推送, 卡券, 门店, 客服, 发布, 认证, 设备).
const EVENTS: &str = "
    annual_renew bind card_merchant_check_result card_not_pass_check card_pass_check card_pay_order
    card_sku_remind complaint_notify create_map_poi_audit_info debug_demo enter freepublishjobfinish
    giftcard_pay_done giftcard_send_to_friend giftcard_user_accept guide_qrcode_scan_event
    kf_close_session kf_create_session kf_switch_session merchant_order naming_verify_fail
    naming_verify_success pic_photo_or_album pic_sysphoto pic_weixin poi_check_notify publishjobfinish
    qualification_verify_fail qualification_verify_success shakearoundusershake submit_invoice_title
    submit_membercard_user_info subscribe_msg_change_event subscribe_msg_popup_event
    subscribe_msg_sent_event subscribe_status unbind unsubscribe_status update_member_card
    user_authorization_cancellation user_authorization_revoke user_authorize_invoice user_consume_card
    user_del_card user_enter_session_from_card user_enter_tempsession user_get_card user_gifting_card
    user_info_modified user_pay_from_pay_cell user_scan_product user_scan_product_async
    user_scan_product_enter_session user_scan_product_verify_action user_view_card verify_expired
    wificonnected wx_verify_dispatch";

/// The first word of events that belong to other products, which have too many to list (小程序, 直播, 小店).
const FAMILIES: &str = "
    add aftersale apply betaapp cancel card change check close cloud complaint delete finish funds get
    giftcard kf minigame miniprogram modify open program scancode secbook secvod submit subscribe sys
    trade update upload user weapp withdraw wx wxa wxalive";

/// Whether WeChat has an event of this name, or may have one.
pub(super) fn is_event(name: &str) -> bool {
    let is_known = EVENTS.split_ascii_whitespace().any(|event| event == name);
    is_known || find_kind("event", name).is_ok()
}

/// Whether the name is probably one of an event that is not listed here.
pub(super) fn is_of_family(name: &str) -> bool {
    let family = name.split_once('_').map(|(family, _)| family);
    FAMILIES.split_ascii_whitespace().any(|known| Some(known) == family)
}

/// The known event with the most similar name, if one is similar.
pub(super) fn similar_event(name: &str) -> Option<&'static str> {
    let similar = find_kind("event", name).err().flatten();
    similar.or_else(|| nearest(name, EVENTS.split_ascii_whitespace()))
}

/// Whether WeChat has messages of this type.
pub(super) fn is_message_type(name: &str) -> bool {
    TYPES.contains(&name) || find_kind(name, "").is_ok()
}

/// The type of messages with the most similar name, if one is similar.
pub(super) fn similar_message_type(name: &str) -> Option<&'static str> {
    find_kind(name, "").err().flatten()
}
