//! The system's random bytes.

use std::fs::File;
use std::io::{self, Read};

/// A function that fills bytes with random ones that nobody can predict (random(4)). It keeps a descriptor, so that
/// it does not fail where there are no more to be had.
///
/// # Errors
/// Those of `open(2)`; the function's are those of `read(2)`.
pub fn random() -> io::Result<impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static> {
    let source = File::open("/dev/urandom")?;
    Ok(move |bytes: &mut [u8]| (&source).read_exact(bytes))
}
