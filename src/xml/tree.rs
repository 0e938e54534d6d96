//! The table of a document's elements, in document order. Both readers fill it, and [`Element`](super::Element) reads it.
//! A usual message needs no allocation.

use std::ops::{Index, IndexMut};

use super::characters::{SPACE, find_non_space, trim};

/// All elements of a document, and what they hold that is not a slice of the source.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) entries: Entries,
    /// Texts and attribute values with references, line ends other than LF, or several pieces.
    pub(super) decoded: String,
    /// The attributes of all elements, in document order.
    pub(super) attributes: Vec<Attribute>,
}

/// An element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// From the `<` of its start tag to the `>` of its end tag.
    pub(super) source: Span,
    pub(super) name: Span,
    /// The text before its first child; the whole text of a leaf.
    pub(super) text: Text,
    /// Offset of the first text after a child, white space aside.
    pub(super) text_after_child: Option<usize>,
    pub(super) is_leaf: bool,
    /// The number of the element around it; the root has its own.
    pub(super) parent: usize,
}

/// An attribute.
#[derive(Debug)]
pub(super) struct Attribute {
    /// The number of its element.
    pub(super) element: usize,
    pub(super) offset: usize,
    pub(super) name: Span,
    pub(super) value: Text,
}

/// Where a text is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    /// In the source.
    Source(Span),
    /// In [`Tree::decoded`]. In the source it begins at `offset`.
    Decoded { span: Span, offset: usize },
}

/// Bytes from `start` to before `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    const EMPTY: Self = Self { start: 0, end: 0 };

    pub(super) fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }

    /// `of` without the check that no character is cut, for texts that are only compared.
    pub(super) fn bytes_of(self, text: &str) -> &[u8] {
        &text.as_bytes()[self.start..self.end]
    }
}

/// Entries that need no allocation. A text message has 7 elements, and nearly every event at most 16.
const INLINE: usize = 16;

/// The entries by number: the first inline, the others on the heap.
#[derive(Debug)]
pub(super) struct Entries {
    inline: [Entry; INLINE],
    more: Vec<Entry>,
    count: usize,
}

impl Entries {
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    fn push(&mut self, entry: Entry) -> usize {
        let number = self.count;
        match self.inline.get_mut(number) {
            Some(free) => *free = entry,
            None => self.more.push(entry),
        }
        self.count += 1;
        number
    }
}

impl Index<usize> for Entries {
    type Output = Entry;

    fn index(&self, number: usize) -> &Entry {
        match number.checked_sub(INLINE) {
            None => &self.inline[number],
            Some(number) => &self.more[number],
        }
    }
}

impl IndexMut<usize> for Entries {
    fn index_mut(&mut self, number: usize) -> &mut Entry {
        match number.checked_sub(INLINE) {
            None => &mut self.inline[number],
            Some(number) => &mut self.more[number],
        }
    }
}

impl Tree {
    pub(super) const EMPTY: Self = Self {
        entries: Entries {
            inline: [Entry {
                source: Span::EMPTY,
                name: Span::EMPTY,
                text: Text::Source(Span::EMPTY),
                text_after_child: None,
                is_leaf: true,
                parent: 0,
            }; INLINE],
            more: Vec::new(),
            count: 0,
        },
        decoded: String::new(),
        attributes: Vec::new(),
    };

    /// Adds an element without content and returns its number.
    #[inline]
    pub(super) fn add_element(&mut self, parent: Option<usize>, source: Span, name: Span) -> usize {
        if let Some(parent) = parent {
            self.entries[parent].is_leaf = false;
        }
        self.entries.push(Entry {
            source,
            name,
            text: Text::Source(Span::EMPTY),
            text_after_child: None,
            is_leaf: true,
            parent: parent.unwrap_or(0),
        })
    }

    /// Adds a piece of text to an element. `decoded` is the text where it differs from the source.
    #[inline]
    pub(super) fn add_text(
        &mut self,
        element: usize,
        source: &str,
        span: Span,
        decoded: Option<&str>,
    ) {
        let entry = &mut self.entries[element];
        if !entry.is_leaf {
            let text = decoded.map_or(span.bytes_of(source), str::as_bytes);
            if entry.text_after_child.is_none() && find_non_space(text).is_some() {
                entry.text_after_child = Some(skip_space(source, span.start));
            }
            return;
        }
        let (start, offset) = match entry.text {
            Text::Source(Span { start, end }) if start == end && decoded.is_none() => {
                entry.text = Text::Source(span);
                return;
            }
            Text::Source(before) => {
                let start = self.decoded.len();
                self.decoded.push_str(before.of(source));
                (start, before.start)
            }
            Text::Decoded { span, offset } => (span.start, offset),
        };
        let is_first = trim(&self.decoded[start..]).is_empty();
        self.decoded.push_str(decoded.unwrap_or(span.of(source)));
        entry.text = Text::Decoded {
            span: Span {
                start,
                end: self.decoded.len(),
            },
            offset: if is_first { span.start } else { offset },
        };
    }

    pub(super) fn text<'a>(&'a self, source: &'a str, text: Text) -> &'a str {
        match text {
            Text::Source(span) => span.of(source),
            Text::Decoded { span, .. } => span.of(&self.decoded),
        }
    }
}

/// The offset of the first byte from `offset` on that is not white space.
pub(super) fn skip_space(source: &str, offset: usize) -> usize {
    let rest = source[offset..].trim_start_matches(SPACE);
    source.len() - rest.len()
}
