//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};
use DomainFileError::*;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "service", collect);
}

fn collect(samples: &mut Samples) {
    let hints = [NoFolder, Missing, Link, NoPermission, Unsuitable].map(|error| error.hint());
    let hints: Vec<_> = hints.iter().map(|hint| hint as &dyn std::fmt::Display).collect();
    samples.add("DomainFileError", &hints);
}
