//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "xml", collect);
}

fn collect(samples: &mut Samples) {
    let (line, column) = (3, 7);
    samples.add(
        "XmlError",
        &[
            &XmlError::Utf8(30),
            &XmlError::Attribute,
            &XmlError::Markup,
            &XmlError::Open,
            &XmlError::TooManyElements,
            &XmlError::NoName { line, column },
            &XmlError::Syntax { line, column },
        ],
    );
    samples.add("ESCAPE_TEXT", &[&ESCAPE_TEXT]);
    let name = || "text".to_owned();
    let position = || Position { line, column };
    let after = |found| Fault::AfterRoot {
        root: Root { name: "rules".to_owned(), position: position() },
        found,
    };
    let in_tag = |found, expected| Fault::InTag { tag: "on".to_owned(), found, expected };
    let expected = OpenElement { name: "on".to_owned(), parent: None, position: position() };
    samples.add(
        "Fault",
        &[
            &Fault::NoRoot,
            &Fault::TextBeforeRoot,
            &after(AfterRoot::Element { name: "rules".to_owned() }),
            &after(AfterRoot::Element { name: name() }),
            &after(AfterRoot::EndTag { name: "rules".to_owned() }),
            &after(AfterRoot::EndTag { name: name() }),
            &after(AfterRoot::Text),
            &Fault::NoName,
            &Fault::Markup,
            &Fault::CdataStart,
            &Fault::OpenSection { start: "<!--", end: "-->" },
            &Fault::HyphensInComment,
            &Fault::DocumentType,
            &Fault::LateDeclaration,
            &Fault::Declaration,
            &Fault::OpenElement { name: name(), line },
            &Fault::OpenTag { name: name() },
            &Fault::NoStartTag { name: name() },
            &Fault::OtherEndTag { found: name(), expected },
            &Fault::FullWidthTag,
            &in_tag(Some('<'), Expected::TagEnd),
            &in_tag(Some('E'), Expected::Space),
            &in_tag(Some('E'), Expected::SpaceAfterValue),
            &in_tag(Some('"'), Expected::Attribute),
            &in_tag(Some('\u{3000}'), Expected::Attribute),
            &in_tag(Some('\n'), Expected::Equals),
            &in_tag(Some('“'), Expected::Quote),
            &in_tag(Some('\u{A0}'), Expected::Quote),
            &in_tag(None, Expected::Quote),
            &Fault::LessThanInValue { quote: '"' },
            &Fault::OpenValue { quote: '"' },
            &Fault::RepeatedAttribute { name: "pickup".to_owned() },
            &Fault::Ampersand,
            &Fault::UnknownReference { name: "nbsp".to_owned() },
            &Fault::EndOfCdata,
            &Fault::NonCharacter { character: '\u{8}' },
            &Fault::TooManyAttributes,
            &Fault::TooManyNamespaces,
            &Fault::Namespace,
            &Fault::Other,
        ],
    );
}
