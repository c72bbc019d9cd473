//! Lines on their way to whoever reads them, in pages.

use std::fmt;
use std::io;
use std::sync::{Mutex, OnceLock};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio_util::sync::CancellationToken;

use crate::report::{Stream, locked};

/// So much is written at once where nobody watches.
const PAGE: usize = 16 << 10;

/// Writes lines in the order they come. Whoever fills a page writes it, and waits for the reader:
/// the plan is made no faster than it is read.
pub(in crate::report) struct Pages {
    stream: Stream,
    /// Where a page ends: behind every line where somebody watches.
    page: usize,
    waiting: Mutex<String>,
    /// Held while a page is written, so that pages keep their order.
    writing: Mutex<()>,
    stop: CancellationToken,
    lost: OnceLock<Lost>,
}

/// Why nothing is written any more.
#[derive(Debug)]
enum Lost {
    NobodyReads,
    Failed(io::Error),
}

impl Pages {
    pub(in crate::report) fn new(stream: Stream, stop: CancellationToken) -> Self {
        Self {
            stream,
            page: if stream.is_terminal() { 1 } else { PAGE },
            waiting: Mutex::default(),
            writing: Mutex::default(),
            stop,
            lost: OnceLock::new(),
        }
    }

    /// Takes a line, or several.
    pub(in crate::report) fn add(&self, lines: &str) {
        if self.lost.get().is_some() {
            return;
        }
        let is_full = {
            let mut waiting = locked(&self.waiting);
            waiting.push_str(lines);
            waiting.len() >= self.page
        };
        if is_full {
            self.flush();
        }
    }

    /// Writes what is waiting.
    pub(in crate::report) fn flush(&self) {
        waiting_for_somebody(|| {
            let _writing = locked(&self.writing);
            let page = std::mem::take(&mut *locked(&self.waiting));
            if page.is_empty() || self.lost.get().is_some() {
                return;
            }
            if let Err(error) = self.stream.deliver(&page) {
                let lost = match error.kind() {
                    io::ErrorKind::BrokenPipe => Lost::NobodyReads,
                    _ => Lost::Failed(error),
                };
                let _ = self.lost.set(lost);
                self.stop.cancel();
            }
        });
    }

    pub(in crate::report) fn is_unread(&self) -> bool {
        matches!(self.lost.get(), Some(Lost::NobodyReads))
    }

    pub(in crate::report) fn trouble(&self) -> Option<String> {
        match self.lost.get() {
            Some(Lost::Failed(error)) => Some(format!("could not be written to the end: {error}")),
            Some(Lost::NobodyReads) | None => None,
        }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages({:?})", self.stream)
    }
}

/// A reader that takes its time (`| less`) must not keep the other tasks of this thread, such as
/// the one that hears signals.
fn waiting_for_somebody(write: impl FnOnce()) {
    let has_other_threads = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if has_other_threads {
        tokio::task::block_in_place(write);
    } else {
        write();
    }
}
