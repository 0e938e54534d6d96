//! The random numbers of the system (random(4)).

use std::fs::File;
use std::io::{self, Read};

/// Makes a function that fills a buffer with unpredictable random bytes. The function keeps a descriptor open, so it
/// also works when the process has no descriptor left.
///
/// # Errors
/// Those of `open(2)`; the function's are those of `read(2)`.
pub fn random() -> io::Result<impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static> {
    let source = File::open("/dev/urandom")?;
    Ok(move |bytes: &mut [u8]| (&source).read_exact(bytes))
}
