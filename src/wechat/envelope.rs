//! The envelope of an encrypted message: the element `Encrypt`, and in compatible mode the plain elements of the
//! message (消息加解密说明).

use std::hash::{Hash, Hasher};

use super::message::MessageError;
use crate::xml::{Document, Element, trim};

/// The mode in which WeChat sends messages (消息加解密方式 in the console).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 明文模式: the message is plain XML.
    Plain,
    /// 兼容模式: each request has the plain message and the encrypted message.
    Compatible,
    /// 安全模式: the message is only sent encrypted.
    Safe,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Compatible, Self::Safe];

    /// The English name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Compatible => "compatible",
            Self::Safe => "safe",
        }
    }
}

/// The element that holds the encrypted message.
const ENCRYPT: &str = "Encrypt";

/// The content of a request with an encrypted message.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    root: Element<'a>,
    encrypt: &'a str,
}

impl<'a> Envelope<'a> {
    /// Reads the content of a request whose query says that the message is encrypted.
    ///
    /// # Errors
    /// `Root`, `Missing` or `Repeated`, because `<xml>` must have exactly one child `Encrypt`.
    pub fn parse(xml: &'a Document<'_>) -> Result<Self, MessageError> {
        let root = xml.root();
        if root.name() != "xml" {
            return Err(MessageError::Root);
        }
        let is_encrypt = |element: &Element<'_>| element.name() == ENCRYPT;
        let mut elements = root.children().filter(is_encrypt);
        let encrypt = elements.next().filter(|element| element.is_leaf());
        let encrypt = encrypt.map_or("", |element| trim(element.text()));
        match (encrypt, elements.next()) {
            (_, Some(_)) => Err(MessageError::Repeated { element: ENCRYPT }),
            ("", None) => Err(MessageError::Missing { element: ENCRYPT }),
            (encrypt, None) => Ok(Self { root, encrypt }),
        }
    }

    /// The text of `Encrypt`, which is base64.
    pub const fn encrypt(&self) -> &'a str {
        self.encrypt
    }

    /// `Compatible` if the envelope has a plain `MsgType`, else `Safe`.
    pub fn mode(&self) -> Mode {
        match self.root.text_at("MsgType") {
            Some(_) => Mode::Compatible,
            None => Mode::Safe,
        }
    }

    /// Compares the plain elements of compatible mode with the decrypted message. Returns the name of the last
    /// plain element that differs, which means that the decrypted message has another text in this element, or
    /// has the element fewer times. A plain element that is missing in the decrypted message is ignored, because
    /// nothing reads it. Nothing is compared in safe mode, because the result would tell an attacker whether a
    /// guess is right.
    pub fn difference(&self, decrypted: &Document<'_>) -> Option<&'a str> {
        if self.mode() != Mode::Compatible {
            return None;
        }
        let decrypted = decrypted.root();
        let is_different = |(index, plain): &(usize, Element<'a>)| {
            let has_same_path = |other: &Element<'_>| other.names().eq(plain.names());
            // Of several elements with this path, compare the elements at the same position.
            let position = self.plain_elements().take(*index).filter(has_same_path).count();
            let mut candidates = decrypted.leaves().filter(has_same_path).peekable();
            let is_known = candidates.peek().is_some();
            let other = candidates.nth(position);
            is_known && other.is_none_or(|other| trim(other.text()) != trim(plain.text()))
        };
        // Always compare all elements, because the time taken must not show which element differs.
        let different = self.plain_elements().enumerate().filter(is_different);
        different.last().map(|(_, element)| element.name())
    }

    /// The elements without children, except `Encrypt`.
    fn plain_elements(&self) -> impl Iterator<Item = Element<'a>> {
        let is_plain = |element: &Element<'_>| element.name() != ENCRYPT;
        self.root.leaves().filter(is_plain)
    }
}

/// Hashes only the plain elements, because each try of a message may be encrypted anew.
impl Hash for Envelope<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for element in self.plain_elements() {
            element.names().for_each(|name| name.hash(hasher));
            element.text().hash(hasher);
        }
    }
}
