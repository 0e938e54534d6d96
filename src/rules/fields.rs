//! The documented fields of WeChat's messages, and hints for unknown names.

use std::borrow::Cow;

use super::value::TEXT;
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

/// Maximum length of the name of a new field.
const NAME_MAX: usize = 128;

/// The names of all documented fields.
fn all() -> impl Iterator<Item = &'static str> {
    FIELDS.split_ascii_whitespace()
}

/// Parses the name of a field. The names `others` are allowed too, but are no fields. The result is owned if the field is
/// unknown. It may be a new field of WeChat.
///
/// # Errors
/// The name is similar to a known name, or it cannot be the name of a field.
pub(super) fn parse(name: &str, others: &[&'static str]) -> Result<Cow<'static, str>, Hint> {
    let fields = || all().chain([TEXT]);
    if let Some(field) = fields().find(|field| *field == name) {
        return Ok(Cow::Borrowed(field));
    }
    if let Some(similar) = nearest(name, fields().chain(others.iter().copied())) {
        return Err(Hint::DidYouMean(similar));
    }
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_';
    match (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_name) {
        true => Ok(Cow::Owned(name.to_owned())),
        false => Err(Hint::Nothing),
    }
}

/// A hint for an unknown name: the most similar known name, or all known names if none is similar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    DidYouMean(&'static str),
    Allowed(Vec<&'static str>),
    NoneAllowed,
    /// No field has a similar name. The fields are not listed, because they are too many.
    Nothing,
}

impl Hint {
    /// The hint for the name of an element or an attribute.
    pub(super) fn new(name: &str, known: &[&'static str]) -> Self {
        match nearest(name, known.iter().copied()) {
            Some(nearest) => Self::DidYouMean(nearest),
            None if known.is_empty() => Self::NoneAllowed,
            None => Self::Allowed(known.to_vec()),
        }
    }
}
