//! A queue that can be left in the middle.

use std::collections::VecDeque;

/// What stands in it: whoever it is, and where. A place is given once, so that one who comes back has
/// another.
pub(super) type Entry = (u64, u64);

/// Who came, in that order. One that leaves stays until it is the first, or until another comes when more have
/// left than are here, so that nobody has to look for it. Whoever owns the line knows who is where.
#[derive(Debug, Default)]
pub(super) struct Line {
    entries: VecDeque<Entry>,
    /// How many of them have left.
    left: usize,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.entries.len().saturating_sub(self.left)
    }

    pub(super) fn push(&mut self, entry: Entry, is_here: impl Fn(&Entry) -> bool) {
        if self.left > self.len() {
            self.entries.retain(is_here);
            self.left = 0;
        }
        self.entries.push_back(entry);
    }

    /// Puts one back that was taken out, in front of all others.
    pub(super) fn put_back(&mut self, entry: Entry) {
        self.entries.push_front(entry);
    }

    /// One has left, wherever it was.
    pub(super) fn leave(&mut self) {
        self.left = self.left.saturating_add(1);
    }

    /// CommandSpec out the first one.
    pub(super) fn pop(&mut self, is_here: impl Fn(&Entry) -> bool) -> Option<Entry> {
        loop {
            let entry = self.entries.pop_front()?;
            if is_here(&entry) {
                return Some(entry);
            }
            self.left = self.left.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn a_line_holds_no_more_of_those_who_left_than_of_those_who_are_there() {
        let mut line = Line::default();
        line.push((0, 0), |_| true);
        for place in 1..1000 {
            line.push((1, place), |(_, at)| *at == 0);
            line.leave();
            assert_eq!(line.len(), 1);
            assert!(line.entries.len() <= 4, "{}", line.entries.len());
        }
        assert_eq!(line.pop(|(_, at)| *at == 0), Some((0, 0)));
        assert_eq!(line.pop(|(_, at)| *at == 0), None);
        assert_eq!((line.len(), line.left), (0, 0));
    }
}
