//! The query that WeChat adds to the URL of a request.

use std::borrow::Cow;

use super::rejection::Rejection;
use crate::http::Target;
use crate::wechat::Credentials;

/// The parameters of the query, percent-decoded. If a name occurs more than once, the first value is used.
#[derive(Default)]
pub(super) struct CallbackQuery<'a> {
    signature: Option<Cow<'a, [u8]>>,
    timestamp: Option<Cow<'a, [u8]>>,
    nonce: Option<Cow<'a, [u8]>>,
    pub(super) echostr: Option<Cow<'a, [u8]>>,
    pub(super) msg_signature: Option<Cow<'a, [u8]>>,
    encrypt_type: Option<Cow<'a, [u8]>>,
}

impl<'a> CallbackQuery<'a> {
    pub(super) fn from_target(target: &Target<'a>) -> Self {
        let mut query = Self::default();
        for (name, value) in target.query().parameters() {
            let field = match &*name {
                b"signature" => &mut query.signature,
                b"timestamp" => &mut query.timestamp,
                b"nonce" => &mut query.nonce,
                b"echostr" => &mut query.echostr,
                b"msg_signature" => &mut query.msg_signature,
                b"encrypt_type" => &mut query.encrypt_type,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        query
    }

    /// Whether a person opened the URL in a browser: the query has no parameter of a token check.
    pub(super) fn is_from_browser(&self) -> bool {
        [&self.signature, &self.timestamp, &self.nonce, &self.echostr]
            .iter()
            .all(|value| value.is_none())
    }

    /// Whether the query says that the message is encrypted (safe or compatible mode).
    pub(super) fn declares_encryption(&self) -> bool {
        let has_msg_signature = self.msg_signature.as_ref().is_some_and(|text| !text.is_empty());
        has_msg_signature || !matches!(self.encrypt_type.as_deref(), None | Some(b"" | b"raw"))
    }

    /// The parameters that authenticate a request.
    ///
    /// # Errors
    /// `MissingParameter`
    pub(super) fn credentials(&self) -> Result<Credentials<'_>, Rejection> {
        Ok(Credentials {
            signature: required(self.signature.as_ref(), "signature")?,
            timestamp: required(self.timestamp.as_ref(), "timestamp")?,
            nonce: required(self.nonce.as_ref(), "nonce")?,
        })
    }
}

/// The value of a parameter that must not be missing or empty.
///
/// # Errors
/// `MissingParameter`
pub(super) fn required<'p, 'a>(
    value: Option<&'p Cow<'a, [u8]>>,
    name: &'static str,
) -> Result<&'p Cow<'a, [u8]>, Rejection> {
    value.filter(|value| !value.is_empty()).ok_or(Rejection::MissingParameter { name })
}
