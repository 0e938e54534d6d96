//! What is wrong at a place of a file that is not well-formed XML.

use super::error::Position;

/// What is wrong at a place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The file has no element.
    NoRoot,
    TextBeforeRoot,
    /// There is more after the end of the root element.
    AfterRoot {
        root: Root,
        found: AfterRoot,
    },
    /// A `<` has no name directly after it.
    NoName,
    /// `<!` begins neither a comment nor a CDATA section.
    Markup,
    /// A misspelt `<![CDATA[`.
    CdataStart,
    /// A comment, a CDATA section or an instruction has no end.
    OpenSection {
        start: &'static str,
        end: &'static str,
    },
    HyphensInComment,
    DocumentType,
    /// An XML declaration that is not at the start of the file.
    LateDeclaration,
    /// An XML declaration with something else in it than XML allows.
    Declaration,
    /// The file ends before this element does.
    OpenElement {
        name: String,
        line: u32,
    },
    /// A tag has no `>` before the next `<` or the end of the file.
    OpenTag {
        name: String,
    },
    /// An end tag before the first element.
    NoStartTag {
        name: String,
    },
    /// The end tag of another element is here.
    OtherEndTag {
        found: String,
        expected: OpenElement,
    },
    /// A start or end tag that is written with a full-width `＜`.
    FullWidthTag,
    /// A tag that continues with a character that cannot be there.
    InTag {
        /// The name of the tag.
        tag: String,
        /// The character; `None` at the end of the file.
        found: Option<char>,
        expected: Expected,
    },
    /// A `<` in the value of an attribute. If the closing quote of the value is missing, the `<` begins the next tag.
    LessThanInValue {
        quote: char,
    },
    /// The value of an attribute has no closing quote.
    OpenValue {
        quote: char,
    },
    RepeatedAttribute {
        name: String,
    },
    /// An `&` that begins no reference.
    Ampersand,
    UnknownReference {
        name: String,
    },
    /// `]]>` in a text.
    EndOfCdata,
    NonCharacter {
        character: char,
    },
    TooManyAttributes,
    TooManyNamespaces,
    Namespace,
    /// Another violation of XML.
    Other,
}

/// The root element of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) name: String,
    pub(crate) position: Position,
}

/// What comes after the root element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AfterRoot {
    Element { name: String },
    EndTag { name: String },
    Text,
}

/// An element whose end tag is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenElement {
    pub(crate) name: String,
    /// The name of the element around it.
    pub(crate) parent: Option<String>,
    pub(crate) position: Position,
}

impl OpenElement {
    /// Whether the element is in an element with one of these names, but is not itself named so.
    pub(crate) fn is_in(&self, names: &[&str]) -> bool {
        let is_named = |name: &String| names.contains(&name.as_str());
        self.parent.as_ref().is_some_and(is_named) && !is_named(&self.name)
    }
}

/// What must come next in a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    TagEnd,
    Space,
    SpaceAfterValue,
    Attribute,
    Equals,
    Quote,
}
