//! Finds the first place where a file is not well-formed XML, and what is wrong there. roxmltree decides whether a file
//! is well-formed; its errors do not say enough to correct the file.

use super::characters::{consume_reference, find_non_space, is_char, is_name_char, is_name_start};
use super::error::Position;
use super::fault::{AfterRoot, Expected, Fault, OpenElement, Root};

/// Returns the first fault and its offset; `None` if this function finds none.
pub(super) fn find_fault(text: &str) -> Option<(usize, Fault)> {
    let mut finder = Finder { text, offset: 0, open: Vec::new(), root: None };
    if text.starts_with('\u{FEFF}') {
        finder.offset = '\u{FEFF}'.len_utf8();
    }
    finder.find().err()
}

/// An offset and the fault there.
type Found<T> = Result<T, (usize, Fault)>;

struct Finder<'t> {
    text: &'t str,
    /// The offset of the part that has not been read yet.
    offset: usize,
    /// The name and the offset of each open element, from the root to the innermost.
    open: Vec<(&'t str, usize)>,
    root: Option<(&'t str, usize)>,
}

/// Sections whose content is not read: start and end.
pub(super) const SECTIONS: [(&str, &str); 3] =
    [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];

/// The fault of a `<` that seems to begin a CDATA section, such as `< ![CDATA[`.
fn misspelt_cdata(text: &str) -> Option<Fault> {
    let characters = text.chars().filter(|character| !character.is_whitespace());
    let start: String = characters.take("<![CDATA".len()).collect();
    let start = start.to_ascii_uppercase();
    (start == "<![CDATA" || start.starts_with("<[CDATA")).then_some(Fault::CdataStart)
}

impl<'t> Finder<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.offset..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn position(&self, offset: usize) -> Position {
        Position::from_offset(self.text, offset)
    }

    fn fault<T>(&self, offset: usize, fault: Fault) -> Found<T> {
        Err((offset, fault))
    }

    fn find(&mut self) -> Found<()> {
        let declaration = self.offset;
        while !self.rest().is_empty() {
            let (start, rest) = (self.offset, self.rest());
            if rest.starts_with("<?xml ") && start > declaration {
                return self.fault(start, Fault::LateDeclaration);
            }
            let section = SECTIONS.iter().find(|(start, _)| rest.starts_with(start));
            if let Some(&(section, end)) = section {
                self.skip_section(section, end)?;
            } else if rest.starts_with("<!DOCTYPE") {
                return self.fault(start, Fault::DocumentType);
            } else if rest.starts_with("<!") {
                return self.fault(start, misspelt_cdata(rest).unwrap_or(Fault::Markup));
            } else if rest.starts_with("</") {
                self.skip_end_tag()?;
            } else if rest.starts_with('<') {
                self.skip_start_tag()?;
            } else {
                let length = rest.find('<').unwrap_or(rest.len());
                self.check_text(length)?;
                self.offset += length;
            }
        }
        match (self.open.last(), self.root) {
            (Some(&(name, start)), _) => {
                let line = self.position(start).line;
                self.fault(self.text.len(), Fault::OpenElement { name: name.to_owned(), line })
            }
            (None, None) => self.fault(0, Fault::NoRoot),
            (None, Some(_)) => Ok(()),
        }
    }

    fn skip_section(&mut self, start: &'static str, end: &'static str) -> Found<()> {
        let content = &self.rest()[start.len()..];
        let Some((content, _)) = content.split_once(end) else {
            return self.fault(self.offset, Fault::OpenSection { start, end });
        };
        if start == "<![CDATA[" && self.open.is_empty() {
            self.check_outside(self.offset, AfterRoot::Text)?;
        }
        if start == "<!--" && (content.contains("--") || content.ends_with('-')) {
            return self.fault(self.offset, Fault::HyphensInComment);
        }
        let begin = self.offset + start.len();
        self.check_characters(begin, content)?;
        self.offset = begin + content.len() + end.len();
        Ok(())
    }

    /// Refuses what is before or after the root element.
    fn check_outside(&self, offset: usize, found: AfterRoot) -> Found<()> {
        let fault = match (self.root, found) {
            (Some((name, start)), found) => {
                let root = Root { name: name.to_owned(), position: self.position(start) };
                Fault::AfterRoot { root, found }
            }
            (None, AfterRoot::EndTag { name }) => Fault::NoStartTag { name },
            (None, AfterRoot::Element { .. } | AfterRoot::Text) => Fault::TextBeforeRoot,
        };
        self.fault(offset, fault)
    }

    /// Checks text of this length up to the next tag.
    fn check_text(&self, length: usize) -> Found<()> {
        let text = &self.rest()[..length];
        if self.open.is_empty() {
            return match find_non_space(text.as_bytes()) {
                Some(start) => self.check_outside(self.offset + start, AfterRoot::Text),
                None => Ok(()),
            };
        }
        if let Some(end) = text.find("]]>") {
            self.check_content(self.offset, &text[..end])?;
            return self.fault(self.offset + end, Fault::EndOfCdata);
        }
        self.check_content(self.offset, text)
    }

    /// Checks the references and the characters of a text or a value.
    fn check_content(&self, offset: usize, content: &str) -> Found<()> {
        let mut rest = content;
        while let Some((before, reference)) = rest.split_once('&') {
            self.check_characters(offset + content.len() - rest.len(), before)?;
            let start = offset + content.len() - reference.len() - 1;
            let Some((_, after)) = consume_reference(reference) else {
                let name = reference.split_once(';').map(|(name, _)| name).filter(|name| {
                    name.starts_with(is_name_start) && name.chars().all(is_name_char)
                });
                let fault = name.map_or(Fault::Ampersand, |name| Fault::UnknownReference {
                    name: name.to_owned(),
                });
                return self.fault(start, fault);
            };
            rest = after;
        }
        self.check_characters(offset + content.len() - rest.len(), rest)
    }

    fn check_characters(&self, offset: usize, text: &str) -> Found<()> {
        match text.char_indices().find(|(_, character)| !is_char(*character)) {
            Some((index, character)) => {
                self.fault(offset + index, Fault::NonCharacter { character })
            }
            None => Ok(()),
        }
    }

    /// Skips a name, perhaps with a prefix. `None` if there is no name.
    fn skip_name(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let is_end = |character: char| !is_name_char(character) && character != ':';
        let (name, _) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
        self.offset += name.len();
        name.starts_with(|first| is_name_start(first) || first == ':').then_some(name)
    }

    /// Skips white space. Returns whether there is any.
    fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let length = find_non_space(rest.as_bytes()).unwrap_or(rest.len());
        self.offset += length;
        length > 0
    }

    fn skip_end_tag(&mut self) -> Found<()> {
        let start = self.offset;
        self.offset += "</".len();
        let Some(found) = self.skip_name() else {
            return self.fault(start, Fault::NoName);
        };
        self.skip_space();
        match self.next() {
            Some('>') => self.offset += 1,
            Some('<') | None => {
                return self.fault(start, Fault::OpenTag { name: format!("/{found}") });
            }
            Some(_) => return self.unexpected(self.offset, found, Expected::TagEnd),
        }
        let Some((name, element)) = self.open.pop() else {
            return self.check_outside(start, AfterRoot::EndTag { name: found.to_owned() });
        };
        if name == found {
            return Ok(());
        }
        if let Some(offset) = self.text[..start].rfind(&format!("＜{found}")) {
            return self.fault(offset, Fault::FullWidthTag);
        }
        let expected = OpenElement {
            name: name.to_owned(),
            parent: self.open.last().map(|(name, _)| (*name).to_owned()),
            position: self.position(element),
        };
        self.fault(start, Fault::OtherEndTag { found: found.to_owned(), expected })
    }

    fn skip_start_tag(&mut self) -> Found<()> {
        let start = self.offset;
        self.offset += "<".len();
        let Some(name) = self.skip_name() else {
            let fault = misspelt_cdata(&self.text[start..]).unwrap_or(Fault::NoName);
            return self.fault(start, fault);
        };
        if self.open.is_empty() && self.root.is_some() {
            self.check_outside(start, AfterRoot::Element { name: name.to_owned() })?;
        }
        self.root.get_or_insert((name, start));
        let mut names = Vec::new();
        loop {
            let has_space = self.skip_space();
            let expected = match self.next() {
                None | Some('<') => {
                    return self.fault(start, Fault::OpenTag { name: name.to_owned() });
                }
                Some('>') => {
                    self.open.push((name, start));
                    self.offset += 1;
                    return Ok(());
                }
                Some('/') if self.rest().starts_with("/>") => {
                    self.offset += "/>".len();
                    return Ok(());
                }
                Some('/') => {
                    self.offset += 1;
                    Expected::TagEnd
                }
                Some(_) if !has_space && names.is_empty() => Expected::Space,
                Some(_) if !has_space => Expected::SpaceAfterValue,
                Some(_) => {
                    let attribute = self.offset;
                    let name = self.skip_attribute(name)?;
                    if names.contains(&name) {
                        let fault = Fault::RepeatedAttribute { name: name.to_owned() };
                        return self.fault(attribute, fault);
                    }
                    names.push(name);
                    continue;
                }
            };
            return self.unexpected(self.offset, name, expected);
        }
    }

    /// Skips an attribute and returns its name.
    fn skip_attribute(&mut self, tag: &str) -> Found<&'t str> {
        let start = self.offset;
        let Some(name) = self.skip_name() else {
            return self.unexpected(start, tag, Expected::Attribute);
        };
        self.skip_space();
        if self.next() != Some('=') {
            return match name.find('＝') {
                Some(index) => self.unexpected(start + index, tag, Expected::Equals),
                None => self.unexpected(self.offset, tag, Expected::Equals),
            };
        }
        self.offset += "=".len();
        self.skip_space();
        let Some(quote) = self.next().filter(|quote| matches!(quote, '"' | '\'')) else {
            return self.unexpected(self.offset, tag, Expected::Quote);
        };
        let begin = self.offset + 1;
        let value = &self.text[begin..];
        let Some(end) = value.find(['<', quote]) else {
            return self.fault(begin - 1, Fault::OpenValue { quote });
        };
        self.check_content(begin, &value[..end])?;
        if value[end..].starts_with('<') {
            return self.fault(begin + end, Fault::LessThanInValue { quote });
        }
        self.offset = begin + end + 1;
        Ok(name)
    }

    /// The fault that something else is expected at this offset.
    fn unexpected<T>(&self, offset: usize, tag: &str, expected: Expected) -> Found<T> {
        let found = self.text[offset..].chars().next();
        self.fault(offset, Fault::InTag { tag: tag.to_owned(), found, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether roxmltree refuses the text for a reason that this module looks for.
    fn is_refused(text: &str) -> Option<bool> {
        use roxmltree::Error;
        match roxmltree::Document::parse(text) {
            Ok(_) => Some(false),
            Err(
                Error::InvalidElementNamePrefix(_)
                | Error::UnknownNamespace(..)
                | Error::UnexpectedXmlUri(_),
            ) => None,
            Err(_) => Some(true),
        }
    }

    #[test]
    fn finds_a_fault_where_roxmltree_finds_one() {
        const FILE: &str =
            "<!-- a --><r a='1' b=\"2\">\n <c/>&lt;<![CDATA[ d ]]> e<f >&#65;</f></r>\n";
        const PIECES: [&str; 22] = [
            "<",
            ">",
            "/",
            "!",
            "-",
            "&",
            ";",
            "#",
            "\"",
            "'",
            "=",
            "]",
            "[",
            "?",
            " ",
            "r",
            "1",
            "你",
            "\u{1}",
            "]]>",
            "<!--",
            "<x y='z'>",
        ];
        let mut refused = 0;
        let mut check = |text: &str| {
            // roxmltree accepts a number that is not a character.
            if let Some(is_refused) = is_refused(text).filter(|_| !text.contains("&#;")) {
                assert_eq!(
                    find_fault(text).is_some(),
                    is_refused,
                    "{text:?}: {:?}",
                    find_fault(text)
                );
                refused += usize::from(is_refused);
            }
        };
        check(FILE);
        for at in 0..FILE.len() {
            for length in 0..=3.min(FILE.len() - at) {
                let (before, after) = (&FILE[..at], &FILE[at + length..]);
                check(&format!("{before}{after}"));
                for piece in PIECES {
                    check(&format!("{before}{piece}{after}"));
                }
            }
        }
        assert!(refused > 4000, "only {refused} files were refused");
    }
}
