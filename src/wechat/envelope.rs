//! The envelope of an encrypted message: `<Encrypt>`, and the plain elements beside it in compatible mode
//! (消息加解密说明).

use std::hash::{Hash, Hasher};

use super::message::MessageError;
use crate::xml::{Document, Element, trim};

/// How messages arrive: 消息加解密方式 in the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 明文模式: plain XML.
    Plain,
    /// 兼容模式: both the plain XML and its encrypted form.
    Compatible,
    /// 安全模式: encrypted only.
    Safe,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Compatible, Self::Safe];

    /// The English name.
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

/// The content of an encrypted request.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    root: Element<'a>,
    encrypt: &'a str,
}

impl<'a> Envelope<'a> {
    /// Reads the content of a request that is encrypted, as its query says.
    ///
    /// # Errors
    /// `Root`, `Missing` or `Repeated`: `<xml>` must have one child `Encrypt`.
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

    /// The `Encrypt`, in base64.
    pub const fn encrypt(&self) -> &'a str {
        self.encrypt
    }

    /// `Compatible` if the plain message is there too, else `Safe`.
    pub fn mode(&self) -> Mode {
        match self.root.text_at("MsgType") {
            Some(_) => Mode::Compatible,
            None => Mode::Safe,
        }
    }

    /// In compatible mode, compares the plain elements with the decrypted message. Returns the name of the
    /// last one that the decrypted message has with another text, or fewer times. An element that the
    /// decrypted message does not have is ignored, since nothing reads it. In safe mode nothing is compared:
    /// that would tell an attacker whether a guess is right.
    pub fn difference(&self, decrypted: &Document<'_>) -> Option<&'a str> {
        if self.mode() != Mode::Compatible {
            return None;
        }
        let decrypted = decrypted.root();
        let is_different = |(index, plain): &(usize, Element<'a>)| {
            let has_same_path = |other: &Element<'_>| other.names().eq(plain.names());
            // In a list, compare each item with the one at the same position.
            let position = self.plain_elements().take(*index).filter(has_same_path).count();
            let mut others = decrypted.leaves().filter(has_same_path).peekable();
            let is_known = others.peek().is_some();
            let other = others.nth(position);
            is_known && other.is_none_or(|other| trim(other.text()) != trim(plain.text()))
        };
        // Always compare all: the time taken must not show which element differs.
        let different = self.plain_elements().enumerate().filter(is_different);
        different.last().map(|(_, element)| element.name())
    }

    /// The elements without children, other than `Encrypt`.
    fn plain_elements(&self) -> impl Iterator<Item = Element<'a>> {
        let is_plain = |element: &Element<'_>| element.name() != ENCRYPT;
        self.root.leaves().filter(is_plain)
    }
}

/// Hashes the plain elements only: each try of a message may be encrypted anew.
impl Hash for Envelope<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for element in self.plain_elements() {
            element.names().for_each(|name| name.hash(hasher));
            element.text().hash(hasher);
        }
    }
}
