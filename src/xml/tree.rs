//! The table of a document's elements, in document order. Both readers fill it, and [`Element`](super::Element) reads it.

use super::characters::find_non_space;

/// The number of elements that are stored without an allocation. A text message has 7 elements, and most events have at
/// most 12.
const INLINE: usize = 12;

/// All elements of a document, and the texts that are not slices of the source.
#[derive(Debug)]
pub(super) struct Tree {
    inline: [Entry; INLINE],
    /// The elements after the first [`INLINE`].
    more: Vec<Entry>,
    /// The number of elements.
    pub(super) count: usize,
    /// Texts that are not slices of the source, because they have references, line ends other than LF, or several pieces.
    pub(super) decoded: String,
    /// The attributes of all elements, in document order.
    pub(super) attributes: Vec<Attribute>,
}

/// An element. The number of an element is its index in document order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// From the `<` of its start tag to the `>` of its end tag.
    pub(super) source: Span,
    pub(super) name: Span,
    /// The text before the first child, or the whole text of a leaf.
    pub(super) text: Text,
    /// The offset of the first character after a child that is directly in this element and not white space.
    pub(super) text_after_child: Option<usize>,
    pub(super) is_leaf: bool,
    /// The number of the parent element; 0 for the root.
    pub(super) parent: usize,
}

#[derive(Debug)]
pub(super) struct Attribute {
    /// The number of the element that has this attribute.
    pub(super) element: usize,
    pub(super) offset: usize,
    pub(super) name: String,
    pub(super) value: String,
}

/// The place where a text is stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    /// A slice of the source.
    Source(Span),
    /// A slice of [`Tree::decoded`]. `offset` is the place in the source of the first character that is not white space.
    Decoded { span: Span, offset: Option<usize> },
}

/// A range of bytes, from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    const EMPTY: Self = Self { start: 0, end: 0 };

    #[inline]
    pub(super) fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }

    /// Like `of`, but for comparisons of bytes, which need no check that the range does not cut a character.
    #[inline]
    pub(super) fn bytes_of(self, text: &str) -> &[u8] {
        &text.as_bytes()[self.start..self.end]
    }

    /// The offset of the first character in this range of the source that is not white space. `decoded` is the decoded text
    /// if it differs from the source.
    pub(super) fn text_offset(self, source: &str, decoded: Option<&str>) -> Option<usize> {
        find_non_space(decoded.map_or(self.bytes_of(source), str::as_bytes))?;
        let blanks = find_non_space(&source.as_bytes()[self.start..])?;
        Some(self.start + blanks)
    }
}

impl Entry {
    const EMPTY: Self = Self {
        source: Span::EMPTY,
        name: Span::EMPTY,
        text: Text::Source(Span::EMPTY),
        text_after_child: None,
        is_leaf: true,
        parent: 0,
    };
}

impl Tree {
    pub(super) const EMPTY: Self = Self {
        inline: [Entry::EMPTY; INLINE],
        more: Vec::new(),
        count: 0,
        decoded: String::new(),
        attributes: Vec::new(),
    };

    #[inline]
    pub(super) fn entry(&self, number: usize) -> &Entry {
        match number.checked_sub(INLINE) {
            None => &self.inline[number],
            Some(index) => &self.more[index],
        }
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, number: usize) -> &mut Entry {
        match number.checked_sub(INLINE) {
            None => &mut self.inline[number],
            Some(index) => &mut self.more[index],
        }
    }

    /// Adds an element without content and returns its number.
    #[inline]
    pub(super) fn add_element(&mut self, parent: Option<usize>, source: Span, name: Span) -> usize {
        let number = self.count;
        let entry = Entry { source, name, parent: parent.unwrap_or(number), ..Entry::EMPTY };
        match number < INLINE {
            true => self.inline[number] = entry,
            false => self.more.push(entry),
        }
        self.count += 1;
        if let Some(parent) = parent {
            self.entry_mut(parent).is_leaf = false;
        }
        number
    }

    /// Adds a piece of text to an element. `decoded` is the decoded text if it differs from the source.
    #[inline]
    pub(super) fn add_text(
        &mut self,
        element: usize,
        source: &str,
        span: Span,
        decoded: Option<&str>,
    ) {
        let entry = self.entry_mut(element);
        let (start, offset) = match entry.text {
            _ if !entry.is_leaf => {
                let offset = entry.text_after_child;
                entry.text_after_child = offset.or_else(|| span.text_offset(source, decoded));
                return;
            }
            Text::Source(before) if before.start == before.end && decoded.is_none() => {
                entry.text = Text::Source(span);
                return;
            }
            Text::Source(before) => {
                let start = self.decoded.len();
                self.decoded.push_str(before.of(source));
                (start, before.text_offset(source, None))
            }
            Text::Decoded { span, offset } => (span.start, offset),
        };
        self.decoded.push_str(decoded.unwrap_or(span.of(source)));
        let end = self.decoded.len();
        self.entry_mut(element).text = Text::Decoded {
            span: Span { start, end },
            offset: offset.or_else(|| span.text_offset(source, decoded)),
        };
    }

    pub(super) fn text<'a>(&'a self, source: &'a str, text: Text) -> &'a str {
        match text {
            Text::Source(span) => span.of(source),
            Text::Decoded { span, .. } => span.of(&self.decoded),
        }
    }
}
