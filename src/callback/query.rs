//! The query parameters of a callback's requests.

use std::borrow::Cow;

use super::rejection::Rejection;
use crate::http::Target;
use crate::wechat::Credentials;

/// The query parameters, percent-decoded. If one occurs twice, the first counts.
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
            let slot = match &*name {
                b"signature" => &mut parameters.signature,
                b"timestamp" => &mut parameters.timestamp,
                b"nonce" => &mut parameters.nonce,
                b"echostr" => &mut parameters.echostr,
                b"msg_signature" => &mut parameters.msg_signature,
                b"encrypt_type" => &mut parameters.encrypt_type,
                _ => continue,
            };
            slot.get_or_insert(value);
        }
        parameters
    }

    /// Whether the request has none of the parameters of a token check: a person opened the URL.
    pub(super) fn are_absent(&self) -> bool {
        [&self.signature, &self.timestamp, &self.nonce, &self.echostr]
            .iter()
            .all(|value| value.is_none())
    }

    /// Whether they are those of an encrypted message: safe or compatible mode.
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

/// The value of a parameter. An empty one counts as missing, even if it is signed.
///
/// # Errors
/// `MissingParameter`
pub(super) fn required<'p, 'a>(
    value: Option<&'p Cow<'a, [u8]>>,
    name: &'static str,
) -> Result<&'p Cow<'a, [u8]>, Rejection> {
    value.filter(|value| !value.is_empty()).ok_or(Rejection::MissingParameter { name })
}
