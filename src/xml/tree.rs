//! The elements of a message: a table in document order, which needs no allocation for what WeChat sends.

use std::ops::Range;

/// Elements that are kept without an allocation: texts have 7, and nearly all events fewer than these.
const FEW: usize = 16;

/// A table of all elements in document order, the root first.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) entries: Entries,
    /// Texts that do not stand in the input as they are: in several pieces, with references, or with a CR.
    pub(super) decoded: String,
    /// Where the root's end tag ends.
    pub(super) end: usize,
}

/// An element. Places are bytes of the input, or of the decoded texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: Span,
    pub(super) text: Span,
    pub(super) is_decoded: bool,
    pub(super) is_leaf: bool,
    /// The number of the element that it stands in; the root's is its own.
    pub(super) parent: u16,
}

/// From one byte to before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    const NOTHING: Self = Self { start: 0, end: 0 };

    /// No input is too long for it: HTTP ends at 64 KiB.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: short(start),
            end: short(end),
        }
    }

    fn range(self) -> Range<usize> {
        let long = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        long(self.start)..long(self.end)
    }

    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or("")
    }

    /// The same where nobody asks which characters they are.
    pub(super) fn octets_of(self, text: &str) -> &[u8] {
        text.as_bytes().get(self.range()).unwrap_or(b"")
    }

    /// How many bytes it is.
    pub(super) const fn length(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

impl Entry {
    pub(super) const NOTHING: Self = Self {
        name: Span::NOTHING,
        text: Span::NOTHING,
        is_decoded: false,
        is_leaf: false,
        parent: 0,
    };
}

/// The elements by their numbers: the first ones in place, the others behind a pointer.
#[derive(Debug)]
pub(super) struct Entries {
    few: [Entry; FEW],
    more: Vec<Entry>,
    count: usize,
}

impl Entries {
    const NONE: Self = Self {
        few: [Entry::NOTHING; FEW],
        more: Vec::new(),
        count: 0,
    };

    fn get(&self, number: usize) -> Option<&Entry> {
        match number.checked_sub(FEW) {
            None => self.few.get(number),
            Some(number) => self.more.get(number),
        }
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut Entry> {
        match number.checked_sub(FEW) {
            None => self.few.get_mut(number),
            Some(number) => self.more.get_mut(number),
        }
    }

    /// Adds an element, and says which number it is.
    pub(super) fn add(&mut self, entry: Entry) -> usize {
        let number = self.count;
        match self.few.get_mut(number) {
            Some(free) => *free = entry,
            None => self.more.push(entry),
        }
        self.count = number.saturating_add(1);
        number
    }
}

impl Tree {
    pub(super) const EMPTY: Self = Self {
        entries: Entries::NONE,
        decoded: String::new(),
        end: 0,
    };

    pub(super) fn entry(&self, number: usize) -> Option<&Entry> {
        self.entries.get(number)
    }

    /// How many elements there are.
    pub(super) const fn count(&self) -> usize {
        self.entries.count
    }

    pub(super) fn decoded(&self) -> &str {
        &self.decoded
    }

    /// From the root's start tag to its end tag. It begins with the `<` in front of its name.
    pub(super) fn root(&self) -> Span {
        let name = self.entry(0).map_or(Span::NOTHING, |root| root.name);
        Span {
            start: name.start.saturating_sub(1),
            ..Span::new(0, self.end)
        }
    }
}
