//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples, system_error};
use std::os::unix::process::ExitStatusExt;

use crate::text::executable::Fault;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "program", collect);
}

fn collect(samples: &mut Samples) {
    let (failed, killed) = (ExitStatus::from_raw(3 << 8), ExitStatus::from_raw(9));
    let failure = Failure::OutputNotUtf8(30);
    samples.add_notes("notes", &[failure.note("/opt/bot/reply"), start_counts_dropped(5)]);
    samples.add(
        "Failure",
        &[
            &Failure::Busy,
            &Failure::Limited(Limit { count: 20, seconds: 3600 }),
            &Failure::TooLong { longest: Longest::Argument(0), bytes: 200_000 },
            &Failure::TooLong { longest: Longest::Argument(1), bytes: 200_000 },
            &Failure::TooLong {
                longest: Longest::Variable("WECHAT_CONTENT".to_owned()),
                bytes: 9_000,
            },
            &Failure::Supervisor(system_error(11)),
            &Failure::SupervisorEnded(killed),
            &Failure::SupervisorHung(60),
            &Failure::NotStarted("…".to_owned()),
            &Failure::Program("…".to_owned()),
            &failure,
            &Failure::OutputInvalid("…".to_owned()),
        ],
    );
    samples.add(
        "Longest",
        &[&Longest::Argument(0), &Longest::Argument(1), &Longest::Variable("PATH".to_owned())],
    );
    let fault = || Fault::Missing { file: "/opt/bot/reply".into() };
    let stderr = || "cannot open the database".to_owned();
    samples.add(
        "SupervisorError",
        &[
            &SupervisorError::Usage,
            &SupervisorError::Message(system_error(5)),
            &SupervisorError::Start(system_error(13)),
            &SupervisorError::Fault(fault()),
            &SupervisorError::Thread(system_error(11)),
            &SupervisorError::ServerGone,
            &SupervisorError::TimedOut(60),
            &SupervisorError::Failed(failed, String::new()),
            &SupervisorError::Failed(killed, stderr()),
            &SupervisorError::FailedScript(failed, stderr(), fault()),
        ],
    );
    samples.add("exit status", &[&shown(&failed), &shown(&killed)]);
}
