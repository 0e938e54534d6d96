//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples};
use Fault::{
    ByteOrderMark, CarriageReturn, ClosedFolder, DeadLink, Empty, Folder, InterpreterMissing,
    InterpreterNotInPath, LoaderMissing, Missing, NoExec, NoInterpreter, NotExecutable, NotInPath,
    NotRegularFile, OtherProcessor,
};

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "text: programs", collect);
}

fn collect(samples: &mut Samples) {
    let file = || PathBuf::from("/opt/bot/reply");
    let open = |closed: &str, is_folder| {
        Fault::ClosedToOthers(ClosedToOthers { closed: closed.into(), mode: 0o700, is_folder })
    };
    let reason =
        ReadError::NoPermission { user_id: None, closed: "/opt/bot".into(), is_folder: true };
    let reason = || reason.to_string();
    samples.add(
        "Fault",
        &[
            &Missing { file: file() },
            &DeadLink { file: file(), target: "/opt/old".into() },
            &NotInPath { name: "reply".to_owned() },
            &ClosedFolder { reason: reason(), folder: "/home/bot".into() },
            &ClosedFolder { reason: reason(), folder: "/opt/bot".into() },
            &Folder { file: file() },
            &NotRegularFile { file: file() },
            &NotExecutable { file: file(), mode: 0o644 },
            &NoExec { file: file(), mount: "/opt".into() },
            &open("/home/bot", true),
            &open("/opt/bot", true),
            &open("/opt/bot/reply", false),
            &Empty { file: file() },
            &ByteOrderMark { file: file() },
            &NoInterpreter { file: file() },
            &CarriageReturn { file: file() },
            &InterpreterMissing { file: file(), interpreter: "/usr/bin/python".to_owned() },
            &InterpreterNotInPath { file: file(), interpreter: "python".to_owned() },
            &LoaderMissing { file: file(), loader: "/lib/ld-musl-x86_64.so.1".to_owned() },
            &OtherProcessor { file: file() },
        ],
    );
}
