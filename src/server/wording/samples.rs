//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples, system_error};
use LogEvent::*;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "server", collect);
}

fn collect(samples: &mut Samples) {
    let accept = AcceptFailed { error: system_error(24) };
    let thread = ThreadFailed { error: system_error(11) };
    let limit = ConnectionLimitReached { limit: 1024 };
    let events = [accept, thread, limit, HandlerPanicked, LinesLost { count: 3 }];
    samples.add_notes("LogEvent", &events.map(|event| event.note()));
}
