//! Standard output, which may be closed at any time.

use std::io::{self, Write as _};

/// Prints text that ends with its own newline. Where nobody reads it any more (`s3sync … | head`),
/// it is dropped: a run does not fail for want of an audience.
pub fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}
