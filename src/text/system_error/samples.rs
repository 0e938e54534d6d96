//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples, system_error};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "text: errors of the system", collect);
}

fn collect(samples: &mut Samples) {
    for (number, _) in CHINESE {
        samples.add(&number.to_string(), &[&SystemError(&system_error(number))]);
    }
}
