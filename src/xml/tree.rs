//! The table of a document's elements, in document order. Both readers fill it, and [`Element`](super::Element) reads it.

use super::characters::find_non_space;

/// Elements stored without an allocation. A text message has 7 elements, and nearly every event at most 16.
const INLINE: usize = 12;

/// All elements of a document, and the texts that are not slices of the source.
#[derive(Debug)]
pub(super) struct Tree {
    inline: [Entry; INLINE],
    /// The elements after the first 16.
    more: Vec<Entry>,
    /// The number of elements.
    pub(super) count: usize,
    /// Texts with references, with line ends other than LF, or in several pieces.
    pub(super) decoded: String,
    /// The attributes of all elements, in document order.
    pub(super) attributes: Vec<Attribute>,
}

/// An element. Its index in document order is its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// From the `<` of its start tag to the `>` of its end tag.
    pub(super) source: Span,
    pub(super) name: Span,
    /// The text before the first child; the whole text of a leaf.
    pub(super) text: Text,
    /// The offset of the first text after a child, white space aside.
    pub(super) text_after_child: Option<usize>,
    pub(super) is_leaf: bool,
    /// The number of the element around it; the root's is its own.
    pub(super) parent: usize,
}

#[derive(Debug)]
pub(super) struct Attribute {
    /// The number of its element.
    pub(super) element: usize,
    pub(super) offset: usize,
    pub(super) name: String,
    pub(super) value: String,
}

/// Where a text is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    Source(Span),
    /// In [`Tree::decoded`]. White space aside, it begins at `offset` of the source.
    Decoded {
        span: Span,
        offset: Option<usize>,
    },
}

/// Bytes from `start` to before `end`.
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

    /// `of`, for comparisons: without the check that no character is cut.
    #[inline]
    pub(super) fn bytes_of(self, text: &str) -> &[u8] {
        &text.as_bytes()[self.start..self.end]
    }

    /// Where the text of a span of the source begins, white space aside. `decoded` is that text where it differs from the
    /// source.
    pub(super) fn text_offset(self, source: &str, decoded: Option<&str>) -> Option<usize> {
        find_non_space(decoded.map_or(self.bytes_of(source), str::as_bytes))?;
        let blank = find_non_space(&source.as_bytes()[self.start..])?;
        Some(self.start + blank)
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

    /// Adds a piece of text to an element. `decoded` is the text where it differs from the source.
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
