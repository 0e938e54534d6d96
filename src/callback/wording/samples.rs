//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples, system_error};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "callback", collect);
}

fn collect(samples: &mut Samples) {
    samples.add_notes("token check", &[token_check_passed()]);
    samples.add_notes("modes", &[Mode::Plain, Mode::Compatible, Mode::Safe].map(new_mode));
    samples.add("encrypted message", &[&UNREAD, &SET_AES_KEY, &CHOOSE_COMPATIBLE]);
    samples.add_notes("reply", &[no_random_bytes(&system_error(2))]);
}
