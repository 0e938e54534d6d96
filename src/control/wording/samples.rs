//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "control", collect);
}

fn collect(samples: &mut Samples) {
    samples.add("values", &[&NONE_YET, &yes_or_no(true), &yes_or_no(false)]);
    for (_, unit) in UNITS {
        samples.add("unit", &[&unit]);
    }
    let report = |unanswered| ShutdownReport {
        took: std::time::Duration::from_millis(1500),
        unanswered,
        is_complete: true,
    };
    let language = crate::text::language::language();
    samples.add("unknown command", &[&unknown_command("restart", "0.1.0", language)]);
    let stopped = |unanswered| stopped(&report(unanswered), language);
    samples.add("stopped", &[&stopped(0), &stopped(1), &stopped(2)]);
    samples.add("socket", &[&NOT_A_SOCKET, &SOCKET_IN_USE, &FOLDER_CHANGED, &path_too_long(120, 107)]);
}
