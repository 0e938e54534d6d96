//! The encrypted modes (消息加解密说明). Messages are put into an envelope, and answers are decrypted.

use std::io;

use super::check::{Checks, Finding};
use super::reply::check_time;
use super::signed_query::SignedQuery;
use super::test_message::{RequestBody, TestMessage};
use crate::text::display::excerpt;
use crate::wechat::{Cipher, Credentials, Mode, SignatureError, Token};
use crate::xml::{Element, trim};

/// Encrypts and signs messages, and decrypts their answers.
pub(crate) struct Encryption {
    pub(crate) token: Token,
    pub(crate) cipher: Cipher,
    /// `Compatible` or `Safe`.
    pub(crate) mode: Mode,
}

impl Encryption {
    /// Encrypts and signs a message, and returns the content of its request.
    ///
    /// # Errors
    /// The source of random bytes failed.
    pub(crate) fn seal(
        &self,
        message: &TestMessage,
        query: &SignedQuery,
    ) -> io::Result<RequestBody> {
        let encrypt = self.cipher.encrypt(message.xml().as_bytes())?;
        let msg_signature = query.sign_message(&self.token, &encrypt);
        Ok(RequestBody {
            xml: message.envelope(encrypt, self.mode).xml(),
            parameters: format!("&encrypt_type=aes&msg_signature={msg_signature}"),
        })
    }

    /// Decrypts the content of an encrypted answer; `None` if this is not possible. Adds a check for each error in the
    /// envelope, whose root is `root`.
    pub(super) fn open(&self, root: Element<'_>, checks: &mut Checks) -> Option<Vec<u8>> {
        check_time(root, "TimeStamp", checks);
        for name in ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"] {
            if root.children().filter(|child| child.name() == name).count() > 1 {
                checks.error(Finding::Repeated { name });
            }
        }
        let text = |name| root.text_at(name).map_or("", trim);
        let signature = text("MsgSignature");
        for name in ["MsgSignature", "Nonce"] {
            if text(name).is_empty() {
                checks.error(Finding::EnvelopeElementMissing { name });
            }
        }
        let credentials = Credentials {
            signature: signature.as_bytes(),
            timestamp: text("TimeStamp").as_bytes(),
            nonce: text("Nonce").as_bytes(),
        };
        match self.token.verify_message(&credentials, text("Encrypt")) {
            Ok(encrypt) => match self.cipher.decrypt(&encrypt) {
                Ok(decrypted) => return Some(decrypted.message().to_vec()),
                Err(reason) => checks.error(Finding::NotOpened { error: reason }),
            },
            Err(reason @ SignatureError::TooLong { .. }) => {
                checks.error(Finding::NotSigned { error: reason });
            }
            // The missing signature is already reported.
            Err(_) if signature.is_empty() => {}
            Err(_) => {
                checks.error(Finding::MsgSignatureWrong { found: excerpt(signature.as_bytes()) })
            }
        }
        None
    }
}
