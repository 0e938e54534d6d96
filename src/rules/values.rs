//! The values of a message that the conditions of the rules need.

use std::borrow::Cow;

use super::value::{Origin, TEXT, VALUE_MAX, Value};
use crate::wechat::Message;

/// The values of up to this many fields are kept on the stack.
const INLINE_FIELDS: usize = 8;

/// A shorter value counts as this many bytes, because each takes time to match.
const VALUE_MIN: usize = 64;

/// The fields that the conditions of the rules name. A field is identified by its slot, the index of its name.
#[derive(Debug)]
pub(super) struct Fields {
    /// Sorted, without repeats.
    names: Vec<Cow<'static, str>>,
    /// The slot of `Content`.
    pub(super) content: Option<usize>,
    /// The slot of `Text`.
    pub(super) text: Option<usize>,
}

impl Fields {
    pub(super) fn new(names: Vec<Cow<'static, str>>) -> Self {
        let slot = |name: &str| names.iter().position(|known| known == name);
        Self { content: slot("Content"), text: slot(TEXT), names }
    }
}

/// The values of a message.
#[derive(Debug, Default)]
pub(super) struct Values<'v> {
    /// The first value of each field. Those of [`INLINE_FIELDS`] fields or fewer are inline.
    inline: [Option<Value<'v>>; INLINE_FIELDS],
    allocated: Vec<Option<Value<'v>>>,
    /// Slots and further values of fields of which the message has several.
    more: Vec<(usize, Value<'v>)>,
}

impl<'v> Values<'v> {
    /// Reads these fields. Must be called once, on the default value, which is not moved because it is large.
    pub(super) fn read(&mut self, message: &'v Message<'v>, fields: &Fields) {
        let Fields { names, text, .. } = fields;
        if names.len() > INLINE_FIELDS {
            self.allocated.resize_with(names.len(), || None);
        }
        for leaf in message.fields() {
            for (slot, name) in names.iter().enumerate() {
                if Some(slot) != *text && leaf.is_named(name) {
                    self.add(slot, Value::new(leaf.text(), Origin::new(name, message)));
                }
            }
        }
        if let Some(slot) = *text
            && let Some(text) = message.text()
        {
            self.add(slot, Value::new(text, Origin::new(TEXT, message)));
        }
    }

    /// Ignores a further value of a field if all its values together would have more than [`VALUE_MAX`] bytes.
    fn add(&mut self, slot: usize, value: Value<'v>) {
        if self.first(slot).is_some() {
            let size = |value: &Value<'_>| value.whole.len().max(VALUE_MIN);
            if self.of(slot).map(size).sum::<usize>() + size(&value) <= VALUE_MAX {
                self.more.push((slot, value));
            }
            return;
        }
        let first = match self.allocated.get_mut(slot) {
            Some(first) => first,
            None => &mut self.inline[slot],
        };
        *first = Some(value);
    }

    pub(super) fn first(&self, slot: usize) -> Option<&Value<'v>> {
        self.allocated.get(slot).unwrap_or_else(|| &self.inline[slot]).as_ref()
    }

    /// All values of a field.
    pub(super) fn of(&self, slot: usize) -> impl Iterator<Item = &Value<'v>> {
        let more = self.more.iter().filter(move |(of, _)| *of == slot).map(|(_, value)| value);
        self.first(slot).into_iter().chain(more)
    }
}
