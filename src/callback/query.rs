//! What the query of a request says.

use std::borrow::Cow;

use super::rejection::Rejection;
use crate::http::Target;
use crate::wechat::Credentials;

/// The parameters that a callback's query may hold, the first of each name.
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

    pub(super) fn are_absent(&self) -> bool {
        [&self.signature, &self.timestamp, &self.nonce, &self.echostr]
            .iter()
            .all(|value| value.is_none())
    }

    /// Whether they are those of a message in safe or compatible mode.
    pub(super) fn speak_of_encryption(&self) -> bool {
        let encrypt_type = self.encrypt_type.as_deref().unwrap_or(b"");
        let msg_signature = self.msg_signature.as_deref().unwrap_or(b"");
        !msg_signature.is_empty() || !matches!(encrypt_type, b"" | b"raw")
    }

    /// # Errors
    /// `Missing`
    pub(super) fn credentials(&self) -> Result<Credentials<'_>, Rejection> {
        Ok(Credentials {
            signature: required(self.signature.as_ref(), "signature")?,
            timestamp: required(self.timestamp.as_ref(), "timestamp")?,
            nonce: required(self.nonce.as_ref(), "nonce")?,
        })
    }
}

/// The parameter's value. An empty one counts as missing whatever its hash: a signature over
/// nothing is easy to come by.
pub(super) fn required<'p, 'a>(
    value: Option<&'p Cow<'a, [u8]>>,
    name: &'static str,
) -> Result<&'p Cow<'a, [u8]>, Rejection> {
    value
        .filter(|value| !value.is_empty())
        .ok_or(Rejection::Missing(name))
}
