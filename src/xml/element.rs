//! An element of a document. Documents of both readers have the same elements.

use std::iter;

use super::tree::{Entry, Text, Tree};

/// An element. All offsets are in bytes of the document's source.
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
        let entry = tree.entry(number);
        Self { source, tree, number, entry }
    }

    /// The name, without a prefix.
    pub(crate) fn name(self) -> &'a str {
        self.entry.name.of(self.source)
    }

    /// Returns `self.name() == name` in fewer instructions, because this is called dozens of times for each message.
    #[inline]
    pub(crate) fn is_named(self, name: &str) -> bool {
        self.entry.name.bytes_of(self.source) == name.as_bytes()
    }

    /// Whether the element has no child elements.
    pub(crate) fn is_leaf(self) -> bool {
        self.entry.is_leaf
    }

    /// The text before the first child, or the whole text of a leaf. It does not include comments.
    pub(crate) fn text(self) -> &'a str {
        self.tree.text(self.source, self.entry.text)
    }

    /// All elements inside this element, at any depth, in document order.
    fn elements(self) -> impl Iterator<Item = Self> {
        (self.number + 1..self.tree.count)
            .map(move |number| Self::new(self.source, self.tree, number))
            .take_while(move |element| element.entry.parent >= self.number)
    }

    /// The child elements, in document order.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        self.elements().filter(move |element| element.entry.parent == self.number)
    }

    /// All leaves inside this element, at any depth, in document order.
    pub(crate) fn leaves(self) -> impl Iterator<Item = Self> {
        self.elements().filter(|element| element.is_leaf())
    }

    /// The text of the leaf at a path, which is a list of names joined by `/`. If several children have a name, the
    /// first child is used.
    pub(crate) fn text_at(self, path: &str) -> Option<&'a str> {
        let leaf = path.split('/').try_fold(self, |element, name| {
            element.children().find(|child| child.is_named(name))
        })?;
        leaf.is_leaf().then(|| leaf.text())
    }

    /// The text of the first leaf with this name, at any depth.
    pub(crate) fn text_of_first(self, name: &str) -> Option<&'a str> {
        self.leaves().find(|leaf| leaf.is_named(name)).map(Self::text)
    }

    /// The name of this element, then the names of its ancestors, from its parent to the root.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a str> {
        let parent = |element: &Self| Self::new(element.source, element.tree, element.entry.parent);
        iter::successors(Some(self), move |element| (element.number > 0).then(|| parent(element)))
            .map(Self::name)
    }

    /// The names of the ancestors without the root, and of this element, joined by `/`.
    pub(crate) fn path(self) -> String {
        let mut names: Vec<&str> = self.names().collect();
        names.pop();
        names.reverse();
        names.join("/")
    }

    /// The attributes in document order: name without a prefix, value, and offset.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str, usize)> {
        let all = &self.tree.attributes;
        let first = all.partition_point(|attribute| attribute.element < self.number);
        let own = all[first..].iter();
        own.take_while(move |attribute| attribute.element == self.number)
            .map(|attribute| (&*attribute.name, &*attribute.value, attribute.offset))
    }

    /// The offset of the start tag.
    pub(crate) fn offset(self) -> usize {
        self.entry.source.start
    }

    /// The offset of the first occurrence of `part` in the source of this element. If `part` does not occur, because the
    /// source has references in it, the offset of the start tag.
    pub(crate) fn offset_of(self, part: &str) -> usize {
        self.offset() + self.source().find(part).unwrap_or(0)
    }

    /// The offset of the first character directly in this element, not in a child, that is not white space.
    pub(crate) fn text_offset(self) -> Option<usize> {
        let offset = match self.entry.text {
            Text::Source(span) => span.text_offset(self.source, None),
            Text::Decoded { offset, .. } => offset,
        };
        offset.or(self.entry.text_after_child)
    }

    /// The offset of the first character directly in this element and after a child that is not white space.
    pub(crate) fn text_after_child(self) -> Option<usize> {
        self.entry.text_after_child
    }

    /// The source of this element, from start tag to end tag.
    pub(crate) fn source(self) -> &'a str {
        self.entry.source.of(self.source)
    }
}
