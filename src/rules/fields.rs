//! The names that a rules file may use, and what to say of one that it may not.

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
    match (nearest(name, &known), known.len()) {
        (Some(nearest), _) => format!("unknown {what} {shown}, did you mean {nearest}?"),
        (None, 0) => format!("unknown {what} {shown}, none allowed"),
        (None, 1..=LISTED) => format!("unknown {what} {shown}, allowed: {}", known.join(" ")),
        (None, _) => format!("unknown {what} {shown}"),
    }
}

/// The known name that takes the fewest edits, if those are few for its length.
fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let most = (name.chars().count() / 3).max(1);
    let (edits, nearest) = known
        .iter()
        .map(|known| (edits(name, known), *known))
        .min()?;
    (edits <= most).then_some(nearest)
}

/// How many letters have to be put in, taken out or changed to make one name of the other, whatever
/// the case of those of ASCII (Levenshtein, 1965).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_ascii_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (count, letter) in from.to_ascii_lowercase().chars().enumerate() {
        let mut left = count.saturating_add(1);
        let mut above_left = count;
        let mut next = vec![left];
        for (above, expected) in row.iter().skip(1).zip(&to) {
            let changed = above_left.saturating_add(usize::from(letter != *expected));
            above_left = *above;
            left = changed
                .min(above.saturating_add(1))
                .min(left.saturating_add(1));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
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

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("Contnet", FIELDS), Some("Content"));
        assert_eq!(nearest("content", FIELDS), Some("Content"));
        assert_eq!(nearest("Msgtype", FIELDS), Some("MsgType"));
        assert_eq!(nearest("Location_x", FIELDS), Some("Location_X"));
        assert_eq!(nearest("weather", FIELDS), None);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }
}
