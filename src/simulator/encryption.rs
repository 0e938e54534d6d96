//! The encrypted modes (消息加解密说明): how a message is posted in them, and what is in the answer.

use std::io;

use super::verdict::{Checks, look_at_seconds};
use super::{SignedQuery, TestMessage};
use crate::text::display::excerpt;
use crate::wechat::{Cipher, Credentials, Mode, OpenError, SignatureError, Token};
use crate::xml::{Element, trim};

/// What encrypts and signs a message, and opens its answer.
pub(crate) struct Encryption {
    pub(crate) token: Token,
    pub(crate) cipher: Cipher,
    /// `Compatible` or `Safe`.
    pub(crate) mode: Mode,
}

/// A message as it is posted.
pub(crate) struct RequestBody {
    /// The XML.
    pub(crate) content: String,
    /// What stands in the query behind the usual parameters.
    pub(super) parameters: String,
}

impl TestMessage {
    /// As it is posted in plain mode.
    pub(crate) fn plain(&self) -> RequestBody {
        RequestBody {
            content: self.xml(),
            parameters: String::new(),
        }
    }

    /// As it is posted encrypted: alone with the account's name, or in compatible mode beside itself.
    ///
    /// # Errors
    /// Those of the source of random bytes.
    pub(crate) fn sealed(
        &self,
        encryption: &Encryption,
        signed_query: &SignedQuery,
    ) -> io::Result<RequestBody> {
        let encrypt = encryption.cipher.seal(self.xml().as_bytes())?;
        let msg_signature = signed_query.sign_message(&encryption.token, &encrypt);
        Ok(RequestBody {
            content: self.envelope(encrypt, encryption.mode).xml(),
            parameters: format!("&encrypt_type=aes&msg_signature={msg_signature}"),
        })
    }
}

/// What is wrong where a decrypted answer is not what it should be, and what to look at.
fn fault_of_opening(error: OpenError) -> String {
    match error {
        OpenError::Padding | OpenError::Short(_) | OpenError::Length { .. } => {
            format!("{error}; is the EncodingAESKey the same on both sides?")
        }
        OpenError::AppId => format!("{error}; is the appid the same on both sides?"),
        OpenError::Empty => format!("{error}; no reply is success or nothing, not encrypted"),
        OpenError::Base64 | OpenError::Blocks(_) => error.to_string(),
    }
}

impl Encryption {
    /// What is in an encrypted answer, with this root; `None` where it cannot be opened. Says what is wrong
    /// with the envelope.
    pub(super) fn open(&self, root: Element<'_>, checks: &mut Checks) -> Option<Vec<u8>> {
        let text = |name| trim(root.text_at(name).unwrap_or(""));
        let (encrypt, signature) = (text("Encrypt"), text("MsgSignature"));
        let (timestamp, nonce) = (text("TimeStamp"), text("Nonce"));
        look_at_seconds(root, "TimeStamp", checks);
        let names = ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"];
        for name in names {
            if root.children().filter(|child| child.name() == name).count() > 1 {
                checks.fault(format!("{name} occurs twice"));
            }
        }
        for (name, text) in [("MsgSignature", signature), ("Nonce", nonce)] {
            if text.is_empty() {
                checks.fault(format!("{name} is missing, which an encrypted answer has"));
            }
        }
        let credentials = Credentials {
            signature: signature.as_bytes(),
            timestamp: timestamp.as_bytes(),
            nonce: nonce.as_bytes(),
        };
        let fault = match self.token.verify_message(&credentials, encrypt) {
            Ok(sealed) => match self.cipher.open(&sealed) {
                Ok(opened) => return Some(opened.message().to_vec()),
                Err(error) => fault_of_opening(error),
            },
            Err(error @ (SignatureError::LongTimestamp(_) | SignatureError::LongNonce(_))) => {
                error.to_string()
            }
            // That is a check already.
            Err(_) if signature.is_empty() => return None,
            Err(_) => format!(
                "MsgSignature is {}, another than the sha1 of token, TimeStamp, Nonce and Encrypt, sorted",
                excerpt(signature.as_bytes())
            ),
        };
        checks.fault(fault);
        None
    }
}
