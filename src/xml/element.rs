//! An element of a document, whichever reader read it.

use std::iter;

use super::characters::trim;
use super::tree::{Entry, Span, Text, Tree, skip_space};

/// An element. All offsets are bytes of the document's source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    source: &'a str,
    tree: &'a Tree,
    number: usize,
    entry: &'a Entry,
}

impl<'a> Element<'a> {
    pub(super) fn root(source: &'a str, tree: &'a Tree) -> Self {
        Self::new(source, tree, 0)
    }

    fn new(source: &'a str, tree: &'a Tree, number: usize) -> Self {
        Self {
            source,
            tree,
            number,
            entry: &tree.entries[number],
        }
    }

    /// The name, without a prefix.
    pub(crate) fn name(self) -> &'a str {
        self.entry.name.of(self.source)
    }

    /// The name, for comparisons.
    pub(crate) fn name_octets(self) -> &'a [u8] {
        self.entry.name.bytes_of(self.source)
    }

    /// Whether it has no child elements.
    pub(crate) fn is_leaf(self) -> bool {
        self.entry.is_leaf
    }

    /// The text before the first child; the whole text of a leaf. Comments are no part of it.
    pub(crate) fn text(self) -> &'a str {
        self.tree.text(self.source, self.entry.text)
    }

    /// Every element in it at any depth, in document order.
    fn elements(self) -> impl Iterator<Item = Self> {
        (self.number + 1..self.tree.entries.count())
            .map(move |number| Self::new(self.source, self.tree, number))
            .take_while(move |element| element.entry.parent >= self.number)
    }

    /// The child elements, in document order.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        self.elements()
            .filter(move |element| element.entry.parent == self.number)
    }

    /// Every leaf in it at any depth, in document order.
    pub(crate) fn leaves(self) -> impl Iterator<Item = Self> {
        self.elements().filter(|element| element.is_leaf())
    }

    /// The text of the leaf at a path of names joined by `/`, the first of each name.
    pub(crate) fn text_at(self, path: &str) -> Option<&'a str> {
        let leaf = path.split('/').try_fold(self, |element, name| {
            element
                .children()
                .find(|child| child.name_octets() == name.as_bytes())
        })?;
        leaf.is_leaf().then(|| leaf.text())
    }

    /// The first leaf of this name below the root, wherever this element stands. Reads the table directly:
    /// rules ask for it several times a message.
    pub(crate) fn first_text_of_all(self, name: &str) -> Option<&'a str> {
        let is_named = |entry: &Entry| {
            entry.is_leaf
                && entry.name.end - entry.name.start == name.len()
                && entry.name.bytes_of(self.source) == name.as_bytes()
        };
        let mut numbers = 1..self.tree.entries.count();
        let number = numbers.find(|number| is_named(&self.tree.entries[*number]))?;
        Some(Self::new(self.source, self.tree, number).text())
    }

    /// Its name and those of the elements around it, up to the root's.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a [u8]> {
        iter::successors(Some(self), |element| element.parent()).map(Self::name_octets)
    }

    /// Whether both have the same names from the root down.
    pub(crate) fn is_at_path_of(self, other: Element<'_>) -> bool {
        self.names().eq(other.names())
    }

    /// `None` for the root.
    fn parent(self) -> Option<Self> {
        let parent = Self::new(self.source, self.tree, self.entry.parent);
        (self.number > 0).then_some(parent)
    }

    /// The names from below the root down to this element, joined by `/`.
    pub(crate) fn path(self) -> String {
        let below_root = iter::successors(Some(self), |element| element.parent())
            .take_while(|element| element.number > 0);
        let mut names: Vec<&str> = below_root.map(Self::name).collect();
        names.reverse();
        names.join("/")
    }

    /// The attributes in document order: name without a prefix, value, and offset.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str, usize)> {
        let all = &self.tree.attributes;
        let first = all.partition_point(|attribute| attribute.element < self.number);
        all[first..]
            .iter()
            .take_while(move |attribute| attribute.element == self.number)
            .map(move |attribute| {
                let value = self.tree.text(self.source, attribute.value);
                (attribute.name.of(self.source), value, attribute.offset)
            })
    }

    /// Offset of its start tag.
    pub(crate) fn offset(self) -> usize {
        self.entry.source.start
    }

    /// Offset of this part's first occurrence in its source; of its start tag if the part is written otherwise there.
    pub(crate) fn offset_of(self, part: &str) -> usize {
        self.source()
            .find(part)
            .map_or(self.offset(), |at| self.offset() + at)
    }

    /// Offset of the first text right in it that is not white space.
    pub(crate) fn text_offset(self) -> Option<usize> {
        let text = self.entry.text;
        if trim(self.tree.text(self.source, text)).is_empty() {
            return self.text_after_child();
        }
        let (Text::Source(Span { start, .. }) | Text::Decoded { offset: start, .. }) = text;
        Some(skip_space(self.source, start))
    }

    /// Offset of the first text after a child that is not white space.
    pub(crate) fn text_after_child(self) -> Option<usize> {
        self.entry.text_after_child
    }

    /// Its source, from start tag to end tag.
    pub(crate) fn source(self) -> &'a str {
        self.entry.source.of(self.source)
    }
}
