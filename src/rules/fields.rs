//! The documented fields of WeChat's messages, and hints for unknown names.

use crate::text::similar::nearest;

/// The names of all elements with text in the documented messages and events (接收普通消息, 接收事件推送). To add a
/// field, add its name here.
const FIELDS: &str = "
    AppID AppId ArticleIdx ArticleUrl AuditState AuthorizeAppId CanReprint CardId CheckState ConnectTime
    ConsumeSource Content Count CreateOrderTime CreateTime Desc Description Detail DeviceNo Distance
    ErrorCode ErrorCount ErrorStatus Event EventKey ExpireTime ExpiredTime FailOrderId FailReason FailTime
    Fee FileKey FileMd5 FileTotalLen FilterCount Format FreeCoinCount FriendUserName FromKfAccount
    FromUserName Idx IsChatRoom IsGiveByFriend IsRecommendByFriend IsRestoreMemberCard IsReturnBack
    KfAccount Label Latitude LocationId LocationName Location_X Location_Y Longitude Major MediaId
    MediaId16K Memo MenuId Minor ModifyBalance ModifyBonus MsgDataId MsgID MsgId MsgType NeedReplaceContent
    NeedShowReprintSource OldUserCardCode OpenID OrderId OrderStatus OrderType OriginalArticleType
    OriginalArticleUrl OriginalFee OuterId OuterStr PageId PagePath PayCoinCount PayFinishTime PicMd5Sum
    PicUrl PlaceId PoiId Poiname PopupScene Precision ProductId ReceiptInfo Recognition RefundFreeCoinCount
    RefundPayCoinCount RefuseReason RemarkAmount Result RevokeInfo Scale ScanResult ScanType SentCount
    ShopId SkuInfo Source StaffOpenId Status SubscribeStatusString SuccOrderId TemplateId ThumbMediaId
    ThumbUrl Ticket Title ToKfAccount ToUserName TotalCount TransId UnionID UniqId Url UserCardCode
    UserDeclareState Uuid VendorId VerifyCode article_id article_url bizmsgmenuid count debug_str fail_idx
    idx msg publish_id publish_status";

/// The names of all documented fields.
pub(super) fn all() -> Vec<&'static str> {
    FIELDS.split_ascii_whitespace().collect()
}

pub(super) fn find(name: &str) -> Option<&'static str> {
    FIELDS.split_ascii_whitespace().find(|field| *field == name)
}

/// A hint for an unknown name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    DidYouMean(&'static str),
    Allowed(Vec<&'static str>),
    NoneAllowed,
    /// No known name is similar, and there are too many known names to list.
    Nothing,
}

/// The maximum number of names that a hint lists.
const LISTED_MAX: usize = 9;

impl Hint {
    pub(super) fn new(name: &str, known: &[&'static str]) -> Self {
        match (nearest(name, known.iter().copied()), known.len()) {
            (Some(nearest), _) => Self::DidYouMean(nearest),
            (None, 0) => Self::NoneAllowed,
            (None, 1..=LISTED_MAX) => Self::Allowed(known.to_vec()),
            (None, _) => Self::Nothing,
        }
    }
}
