//! The query parameters that WeChat adds to the URL of a request.

use std::borrow::Cow;

use super::rejection::Rejection;
use crate::http::Target;
use crate::wechat::Credentials;

/// The query parameters, percent-decoded. If a name occurs more than once, the first value is used.
#[derive(Default)]
pub(super) struct Parameters<'a> {
    signature: Option<Cow<'a, [u8]>>,
    timestamp: Option<Cow<'a, [u8]>>,
    nonce: Option<Cow<'a, [u8]>>,
    pub(super) echostr: Option<Cow<'a, [u8]>>,
    pub(super) msg_signature: Option<Cow<'a, [u8]>>,
    encrypt_type: Option<Cow<'a, [u8]>>,
}

impl<'a> Parameters<'a> {
    pub(super) fn read(target: &Target<'a>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in target.query().parameters() {
            let field = match &*name {
                b"signature" => &mut parameters.signature,
                b"timestamp" => &mut parameters.timestamp,
                b"nonce" => &mut parameters.nonce,
                b"echostr" => &mut parameters.echostr,
                b"msg_signature" => &mut parameters.msg_signature,
                b"encrypt_type" => &mut parameters.encrypt_type,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        parameters
    }

    /// Whether the request has no parameter of a token check. Then a person opened the URL in a browser.
    pub(super) fn are_absent(&self) -> bool {
        [&self.signature, &self.timestamp, &self.nonce, &self.echostr]
            .iter()
            .all(|value| value.is_none())
    }

    /// Whether the parameters say that the message is encrypted (safe or compatible mode).
    pub(super) fn are_encrypted(&self) -> bool {
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
