//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "session", collect);
}

fn collect(samples: &mut Samples) {
    samples.add_notes("LogNote", &[text_cut(3000), late_replies_dropped(3)]);
}
