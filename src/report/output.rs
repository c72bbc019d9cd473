//! Words on the two streams, either of which may be closed at any time (`s3sync … | head`): then
//! they are dropped, and nothing fails for want of an audience. A progress bar makes way for them.

use std::io::{self, IsTerminal as _, Write};

use super::progress::suspended;

/// Where words go: results to standard output, everything else to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Prints text, and ends its last line where it does not itself.
    pub fn print(mut self, text: &str) {
        let is_whole = text.is_empty() || text.ends_with('\n');
        let end = if is_whole { "" } else { "\n" };
        let _ = self.write_all(format!("{text}{end}").as_bytes());
        let _ = self.flush();
    }

    /// Writes text as it is. A reader that has gone is an error here: for those who stop working
    /// when nobody reads.
    pub(super) fn deliver(self, text: &str) -> io::Result<()> {
        suspended(|| match self {
            Self::Stdout => deliver(&mut io::stdout(), text),
            Self::Stderr => deliver(&mut io::stderr(), text),
        })
    }

    /// Whether somebody watches.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => io::stdout().is_terminal(),
            Self::Stderr => io::stderr().is_terminal(),
        }
    }
}

/// A reader that has gone is no error.
impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = suspended(|| match self {
            Self::Stdout => io::stdout().write(bytes),
            Self::Stderr => io::stderr().write(bytes),
        });
        unless_closed(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match self {
            Self::Stdout => io::stdout().flush(),
            Self::Stderr => io::stderr().flush(),
        };
        unless_closed(flushed, ())
    }
}

fn deliver(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

fn unless_closed<T>(result: io::Result<T>, closed: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(closed),
        result => result,
    }
}
