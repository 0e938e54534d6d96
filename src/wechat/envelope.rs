//! The envelope of an encrypted message: `<Encrypt>`, and what may stand beside it (消息加解密说明).
//!
//! What is in it only `secure.rs` can read, which a build without the feature `secure` does not have.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::message::MessageError;
use crate::xml::Document;
use crate::xml::Element;
use crate::xml::trim;

/// How a message comes: what the console calls 消息加解密方式.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// 明文模式: as plain XML.
    Plain,
    /// 兼容模式: as plain XML and encrypted, side by side.
    Compatible,
    /// 安全模式: encrypted.
    Safe,
}

impl Mode {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Compatible, Self::Safe];

    /// Its name in English.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Compatible => "compatible",
            Self::Safe => "safe",
        }
    }
}

/// The root of an encrypted message.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    root: Element<'a>,
    encrypt: &'a str,
}

impl<'a> Envelope<'a> {
    /// The XML of a request that says it is encrypted.
    ///
    /// # Errors
    /// `Root`, `Missing` or `Repeated`: there is one `Encrypt`, right below `<xml>`.
    pub fn parse(xml: &'a Document<'_>) -> Result<Self, MessageError> {
        let root = xml.root();
        if root.name_octets() != b"xml" {
            return Err(MessageError::Root);
        }
        let is_encrypt = |element: &Element<'_>| element.name_octets() == NAME.as_bytes();
        let mut found = root.children().filter(is_encrypt);
        let encrypt = found.next().filter(|element| element.is_leaf());
        let encrypt = trim(encrypt.map_or("", Element::text));
        match (encrypt, found.next()) {
            (_, Some(_)) => Err(MessageError::Repeated(NAME)),
            ("", None) => Err(MessageError::Missing(NAME)),
            (encrypt, None) => Ok(Self { root, encrypt }),
        }
    }

    /// What is encrypted, in base64.
    pub const fn encrypt(&self) -> &'a str {
        self.encrypt
    }

    /// `Compatible` where the plain message stands beside it, `Safe` where not.
    pub fn mode(&self) -> Mode {
        match self.root.text_at("MsgType") {
            Some(_) => Mode::Compatible,
            None => Mode::Safe,
        }
    }

    /// In compatible mode, the last element beside `Encrypt` that the decrypted message has with another
    /// text, or less often. What it does not have at all says nothing, since nobody reads it; neither does what stands
    /// beside it in safe mode, where to compare it would tell a stranger whether a guess is right.
    pub fn difference(&self, inside: &Document<'_>) -> Option<&'a str> {
        if self.mode() != Mode::Compatible {
            return None;
        }
        let inside = inside.root();
        let differs = |(at, leaf): &(usize, Element<'a>)| {
            let is_like = |other: &Element<'_>| other.is_at_path_of(*leaf);
            // Of a list, each item with the one at its place; one too many differs from all of them.
            let place = self.plain_leaves().take(*at).filter(is_like).count();
            let mut others = inside.leaves().filter(is_like).peekable();
            let is_there = others.peek().is_some();
            let other = others.nth(place);
            is_there && other.is_none_or(|other| trim(other.text()) != trim(leaf.text()))
        };
        // To end with the first would tell by the time which it was.
        let different = self.plain_leaves().enumerate().filter(differs);
        different.last().map(|(_, leaf)| leaf.name())
    }

    fn plain_leaves(&self) -> impl Iterator<Item = Element<'a>> {
        let is_plain = |leaf: &Element<'_>| leaf.name_octets() != NAME.as_bytes();
        self.root.leaves().filter(is_plain)
    }
}

const NAME: &str = "Encrypt";

/// By its plain part alone: encrypted anew for another try, a message looks otherwise and is the same.
impl Hash for Envelope<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for leaf in self.plain_leaves() {
            leaf.names().for_each(|name| name.hash(hasher));
            leaf.text().hash(hasher);
        }
    }
}

/// An account's appid: of an Official Account `wx` and 16 more characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppId(String);

/// The most characters of an appid that are taken for one.
const APP_ID_MAX: usize = 64;

impl AppId {
    /// The appid as it stands in the WeChat console. `None` for what has another character than letters,
    /// digits, `_` and `-`, for over 64 of them, and for an account's original id (`gh_…`).
    pub fn parse(text: &str) -> Option<Self> {
        let is_known = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
        let is_app_id = (1..=APP_ID_MAX).contains(&text.len())
            && text.bytes().all(is_known)
            && !text.starts_with("gh_");
        is_app_id.then(|| Self(text.to_owned()))
    }

    /// As it stands in the console.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text cannot be an EncodingAESKey. It names no character of the text, which may be the secret
/// with a slip in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AesKeyError {
    /// So many characters, where 43 are allowed.
    Length(usize),
    /// The character at this place, counted from 1, is none of base64.
    Character(usize),
    /// This build decrypts nothing.
    Feature,
}

impl fmt::Display for AesKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => {
                write!(f, "EncodingAESKey of {length} characters, 43 allowed")
            }
            Self::Character(place) => write!(
                f,
                "EncodingAESKey with another character at place {place}, only A-Z a-z 0-9 + / allowed"
            ),
            Self::Feature => f.write_str(
                "built without the feature secure, which encrypted messages take \
                 (cargo build --release --features secure)",
            ),
        }
    }
}

impl std::error::Error for AesKeyError {}

/// Why an `Encrypt` cannot be opened, in the order in which that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpenError {
    /// It is not base64.
    Base64,
    /// So many bytes, no multiple of the cipher's 16.
    Blocks(usize),
    /// What comes out does not end in its padding: 1 to 32 bytes, each of which is their number.
    Padding,
    /// So many bytes without the padding, less than stand in front of a message.
    Short(usize),
    /// The message is said to be longer than what is left.
    Length {
        /// Its bytes, by what stands in front of it.
        length: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// Behind the message stands another appid, or it is said to be shorter than it is.
    AppId,
    /// The message has no bytes.
    Empty,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64 => f.write_str("Encrypt is not base64"),
            Self::Blocks(length) => {
                write!(f, "Encrypt of {length} bytes, a multiple of 16 expected")
            }
            Self::Padding => f.write_str("decrypted text does not end in 1 to 32 bytes of padding"),
            Self::Short(length) => {
                write!(f, "decrypted text of {length} bytes, at least 20 expected")
            }
            Self::Length { length, left } => {
                write!(f, "message of {length} bytes inside, {left} are there")
            }
            Self::AppId => f.write_str("appid inside is another account's"),
            Self::Empty => f.write_str("message inside is empty"),
        }
    }
}

impl std::error::Error for OpenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appid_is_no_original_id_and_1_to_64_letters_digits_and_dashes() {
        let longest = "x".repeat(64);
        for text in ["wx5823bf96d3bd56c7", "rust", "a_-1", &longest] {
            assert_eq!(AppId::parse(text), Some(AppId(text.to_owned())));
        }
        let longer = "x".repeat(65);
        for text in [
            "",
            "gh_10f6c3c3ac5a",
            "wx 1",
            "wx1\n",
            "wx/1",
            "号",
            &longer,
        ] {
            assert_eq!(AppId::parse(text), None, "{text}");
        }
    }
}
