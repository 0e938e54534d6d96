//! Samples of the texts of this module.

use super::*;
use crate::text::samples::{self, Samples, system_error};
use ReadError::*;

#[test]
fn samples_are_as_reviewed() {
    samples::compare(module_path!(), "text: files", collect);
}

fn collect(samples: &mut Samples) {
    let closed = || PathBuf::from("/etc/wechat");
    samples.add(
        "ReadError",
        &[
            &System(system_error(2)),
            &NoPermission { user_id: Some(999), closed: closed(), is_folder: false },
            &NoPermission { user_id: None, closed: closed(), is_folder: false },
            &NoPermission { user_id: Some(999), closed: closed(), is_folder: true },
            &NoPermission { user_id: None, closed: closed(), is_folder: true },
            &NotRegularFile,
            &TooLong { bytes: 5_000_000, max: 4_194_304 },
        ],
    );
}
