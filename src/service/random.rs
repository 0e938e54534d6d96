//! Random numbers from the operating system (random(4)).

use std::fs::File;
use std::io::{self, Read};

/// Returns a function that fills a buffer with unpredictable random bytes. The function keeps its descriptor open, so
/// it works even if the process has no free descriptor.
///
/// # Errors
/// The errors of `open(2)`. The returned function has the errors of `read(2)`.
pub fn random() -> io::Result<impl Fn(&mut [u8]) -> io::Result<()> + Send + Sync + 'static> {
    let source = File::open("/dev/urandom")?;
    Ok(move |bytes: &mut [u8]| (&source).read_exact(bytes))
}
