//! The documented fields of WeChat's messages, and hints for unknown names.

use std::borrow::Cow;

use super::value::TEXT;
use crate::text::similar::nearest;

/// The names of all elements with text in the documented messages and events (接收普通消息, 接收事件推送), and of those that
/// accounts with cards, invoices, stores, devices or mini programs were observed to receive. To add a field, add its name
/// here. `time`, `event` and `content` of the shop's events are not here: `{time}` is the time of day, and the others are
/// usually misspelt.
const FIELDS: &str = "
    ActionMsg ActionTime ActionType Address AppID AppId Area ArticleIdx ArticleUrl AuditState AuthorizeAppId
    BindTime BizID BusinessId CanReprint CardId CheckState City Code Company ConnectTime ConsumeSource Contact
    Content Count Country CreateOrderTime CreateTime DelayTime DeliveryID Desc Description Detail DeviceID
    DeviceNo DeviceStatus DeviceType DispatchTime Distance ErrorCode ErrorCount ErrorStatus Event EventKey
    ExpireTime ExpiredTime ExtInfo FailOrderId FailReason FailTime Fee FileKey FileMd5 FileTotalLen FilterCount
    Format FreeCoinCount FriendUserName FromKfAccount FromUserName Idx InsuredValue IsChatRoom IsGiveByFriend
    IsPass IsRecommendByFriend IsRestoreMemberCard IsReturnBack KeyStandard KeyStr KfAccount Label Lat Latitude
    Lng LocationId LocationName Location_X Location_Y Longitude LotteryId Major MediaId MediaId16K Memo MenuId
    MerchantId Minor Mobile ModifyBalance ModifyBonus Money Msg MsgDataId MsgID MsgId MsgType Name
    NeedReplaceContent NeedShowReprintSource OldUserCardCode OpType OpenID OpenPID OrderID OrderId OrderStatus
    OrderType OriginalArticleType OriginalArticleUrl OriginalFee OuterId OuterStr PageId PagePath PayCoinCount
    PayFinishTime PicMd5Sum PicUrl PlaceId PluginID PoiId Poiname PopupScene PostCode Precision ProductId
    Provider Province Reason ReasonMsg ReceiptInfo Recognition RefundFreeCoinCount RefundPayCoinCount
    RefuseReason RegionCode Remark RemarkAmount Result RevokeInfo Scale ScanResult ScanType Scene ScreenShot
    SenderAddress SenderArea SenderCity SenderProvince SentCount ServiceName ServiceType SessionFrom SessionID
    Sex ShopAppID ShopContact ShopId ShopName ShopTelphone SkuInfo Source Space_X Space_Y Space_Z StaffOpenId
    Status SubscribeStatusString SuccOrderId SuccTime Tel TemplateId ThumbMediaId ThumbUrl Ticket Title
    ToKfAccount ToUserName TotalCount TransId UnionID UnionId UniqId Url UseInsured UserCardCode
    UserDeclareState Uuid VendorId VerifyCode Version WayBillID WayBillId Weight action addr address
    aftersale_id amount api_name appeal_count appeal_from appeal_record_id appeal_status appeal_time appid
    apply_time article_id article_url attach audit_id audit_time audit_type bank_no bank_type bind_status biz_id
    bizmsgmenuid book_id brand_id comment_id complaint_order_id content_url count create_time
    customer_material_content customer_material_media_id_list debug_str delivery_id drama_id errcode errmsg
    expire_time ext_id extra_info_json fail_idx finder_nickname finish_time first fpqqlsh group_id idx
    internal_error_count is_upgrade isrisky label latitude live_status longitude map_poi_id media_id
    media_id_list message_id mp_appid msg name nickname nsrsbh open_id openid openid_error_count operation_time
    option_type order_id out_aftersale_id out_coupon_id out_order_id out_product_id out_request_no out_trade_no
    pay_time phone phone_number poiid prob product_id product_name profit_sharing_no promoter_id promoter_openid
    proof_material_id publish_id publish_status punish_description qrcode_guide_account qrcode_guide_openid
    qrcode_info reason refund_no reject_reason relation_error_count request_id result ret room_id second
    sh_remark source_context sp_openid state status status_code strategy success_count success_time suggest
    tax_no title title_type total_cost total_count trace_id trade_no transaction_id type user_openid
    user_recv_limit_count version";

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
