//! The elements of a message, as whoever asks for them sees them.

use std::iter;

use super::tree::{Entry, Span, Tree};

/// An element of a text that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    text: &'a str,
    tree: &'a Tree,
    number: usize,
    entry: &'a Entry,
}

impl<'a> Element<'a> {
    pub(super) fn root(text: &'a str, tree: &'a Tree) -> Self {
        Self::new(text, tree, 0)
    }

    fn new(text: &'a str, tree: &'a Tree, number: usize) -> Self {
        let entry = tree.entry(number).unwrap_or(&Entry::NOTHING);
        Self {
            text,
            tree,
            number,
            entry,
        }
    }

    pub(crate) fn name(self) -> &'a str {
        self.entry.name.of(self.text)
    }

    /// Its name where nobody asks which characters it is made of.
    pub(crate) fn name_octets(self) -> &'a [u8] {
        self.entry.name.octets_of(self.text)
    }

    /// Whether there are no elements in it.
    pub(crate) fn is_leaf(self) -> bool {
        self.entry.is_leaf
    }

    /// The text of a leaf, as it is; empty where it has none.
    pub(crate) fn text(self) -> &'a str {
        let entry = self.entry;
        entry.text.of(match entry.is_decoded {
            true => self.tree.decoded(),
            false => self.text,
        })
    }

    /// Every element in it at any depth, in document order.
    fn elements(self) -> impl Iterator<Item = Self> {
        let numbers = self.number.saturating_add(1)..self.tree.count();
        let elements = numbers.map(move |number| Self::new(self.text, self.tree, number));
        elements.take_while(move |element| usize::from(element.entry.parent) >= self.number)
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        let is_child = move |element: &Self| usize::from(element.entry.parent) == self.number;
        self.elements().filter(is_child)
    }

    /// Every leaf in it, in document order.
    pub(crate) fn leaves(self) -> impl Iterator<Item = Self> {
        self.elements().filter(|element| element.is_leaf())
    }

    /// The text of the leaf at a path of names, the first of each name.
    pub(crate) fn text_at(self, path: &str) -> Option<&'a str> {
        let leaf = path.split('/').try_fold(self, |element, name| {
            let mut children = element.children();
            children.find(|child| child.name_octets() == name.as_bytes())
        })?;
        leaf.is_leaf().then(|| leaf.text())
    }

    /// The first leaf of this name below the root, wherever this element stands. Reads the table directly:
    /// rules ask for it several times a message.
    pub(crate) fn first_text_of_all(self, name: &str) -> Option<&'a str> {
        let length = Span::new(0, name.len()).length();
        let is_named = |entry: &Entry| {
            entry.is_leaf
                && entry.name.length() == length
                && entry.name.octets_of(self.text) == name.as_bytes()
        };
        let mut numbers = 1..self.tree.count();
        let number = numbers.find(|number| self.tree.entry(*number).is_some_and(is_named))?;
        Some(Self::new(self.text, self.tree, number).text())
    }

    /// Its own name and those of the elements that it stands in, up to the root's.
    pub(crate) fn names(self) -> impl Iterator<Item = &'a [u8]> {
        let outside = |element: &Self| (element.number > 0).then(|| element.parent());
        iter::successors(Some(self), outside).map(Self::name_octets)
    }

    /// Whether it stands in elements of the same names as another, and has its name.
    pub(crate) fn is_at_path_of(self, other: Element<'_>) -> bool {
        self.names().eq(other.names())
    }

    fn parent(self) -> Self {
        Self::new(self.text, self.tree, usize::from(self.entry.parent))
    }

    /// The names from below the root down to this element, joined by `/`.
    pub(crate) fn path(self) -> String {
        let mut names = Vec::new();
        let mut element = self;
        while element.number > 0 {
            names.push(element.name());
            element = element.parent();
        }
        names.reverse();
        names.join("/")
    }

    /// The root as it stands in the input.
    pub(crate) fn source(self) -> &'a str {
        self.tree.root().of(self.text)
    }
}
