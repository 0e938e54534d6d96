//! The names that a rules file may use, and what to say of one that it may not.

use crate::text::similar::nearest;

/// Every leaf of the documented messages and events, as WeChat writes it (接收普通消息, 接收事件推送).
/// Sorted, because it is searched.
pub(super) const FIELDS: &[&str] = &[
    "AppID",
    "AppId",
    "ArticleIdx",
    "ArticleUrl",
    "AuditState",
    "AuthorizeAppId",
    "CanReprint",
    "CardId",
    "CheckState",
    "ConnectTime",
    "ConsumeSource",
    "Content",
    "Count",
    "CreateOrderTime",
    "CreateTime",
    "Desc",
    "Description",
    "Detail",
    "DeviceNo",
    "Distance",
    "ErrorCode",
    "ErrorCount",
    "ErrorStatus",
    "Event",
    "EventKey",
    "ExpireTime",
    "ExpiredTime",
    "FailOrderId",
    "FailReason",
    "FailTime",
    "Fee",
    "FileKey",
    "FileMd5",
    "FileTotalLen",
    "FilterCount",
    "Format",
    "FreeCoinCount",
    "FriendUserName",
    "FromKfAccount",
    "FromUserName",
    "Idx",
    "IsChatRoom",
    "IsGiveByFriend",
    "IsRecommendByFriend",
    "IsRestoreMemberCard",
    "IsReturnBack",
    "KfAccount",
    "Label",
    "Latitude",
    "LocationId",
    "LocationName",
    "Location_X",
    "Location_Y",
    "Longitude",
    "Major",
    "MediaId",
    "MediaId16K",
    "Memo",
    "MenuId",
    "Minor",
    "ModifyBalance",
    "ModifyBonus",
    "MsgDataId",
    "MsgID",
    "MsgId",
    "MsgType",
    "NeedReplaceContent",
    "NeedShowReprintSource",
    "OldUserCardCode",
    "OpenID",
    "OrderId",
    "OrderStatus",
    "OrderType",
    "OriginalArticleType",
    "OriginalArticleUrl",
    "OriginalFee",
    "OuterId",
    "OuterStr",
    "PageId",
    "PagePath",
    "PayCoinCount",
    "PayFinishTime",
    "PicMd5Sum",
    "PicUrl",
    "PlaceId",
    "PoiId",
    "Poiname",
    "PopupScene",
    "Precision",
    "ProductId",
    "ReceiptInfo",
    "Recognition",
    "RefundFreeCoinCount",
    "RefundPayCoinCount",
    "RefuseReason",
    "RemarkAmount",
    "Result",
    "RevokeInfo",
    "Scale",
    "ScanResult",
    "ScanType",
    "SentCount",
    "ShopId",
    "SkuInfo",
    "Source",
    "StaffOpenId",
    "Status",
    "SubscribeStatusString",
    "SuccOrderId",
    "TemplateId",
    "ThumbMediaId",
    "ThumbUrl",
    "Ticket",
    "Title",
    "ToKfAccount",
    "ToUserName",
    "TotalCount",
    "TransId",
    "UnionID",
    "UniqId",
    "Url",
    "UserCardCode",
    "UserDeclareState",
    "Uuid",
    "VendorId",
    "VerifyCode",
    "article_id",
    "article_url",
    "bizmsgmenuid",
    "count",
    "debug_str",
    "fail_idx",
    "idx",
    "msg",
    "publish_id",
    "publish_status",
];

/// What a template may name besides fields.
pub(super) const IN_TEMPLATES: &[&str] = &["date", "time"];

/// The field of this name.
pub(super) fn field(name: &str) -> Option<&'static str> {
    let place = FIELDS.binary_search(&name).ok()?;
    FIELDS.get(place).copied()
}

/// What to say of a field of a message, named by its path, that WeChat has not documented.
pub(crate) fn unknown_field(path: &str) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_known = field(name).is_some();
    (!is_known).then(|| unknown("field", name, name, &[FIELDS]))
}

/// The most names that a message lists where none is near.
const LISTED: usize = 9;

/// Says that there is nothing of this name, with the nearest name that there is, or with all of a
/// few.
pub(super) fn unknown(what: &str, shown: &str, name: &str, known: &[&[&str]]) -> String {
    let known = known.concat();
    match (nearest(name, known.iter().copied()), known.len()) {
        (Some(nearest), _) => format!("unknown {what} {shown}, did you mean {nearest}?"),
        (None, 0) => format!("unknown {what} {shown}, none allowed"),
        (None, 1..=LISTED) => format!("unknown {what} {shown}, allowed: {}", known.join(" ")),
        (None, _) => format!("unknown {what} {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sorted_and_found() {
        assert!(FIELDS.is_sorted());
        assert_eq!(field("ScanResult"), Some("ScanResult"));
        assert_eq!(field("scanresult"), None);
    }
}
