//! A line for each key, as rclone's `check --combined` writes it: a symbol, a space, the key.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::event::{Event, Sink, SkipReason};
use crate::report::human::printable;
use crate::report::plan::Pages;
use crate::report::{Stream, locked};

/// What could not be compared at all has no other symbol.
const ERROR: char = '!';

/// The list, on its way to a file or to standard output.
pub struct Combined(Way);

enum Way {
    /// A reader that goes away is no reason to stop checking.
    Stdout(Pages),
    File {
        path: PathBuf,
        file: Mutex<BufWriter<File>>,
        /// Nothing is written after the first error.
        broken: OnceLock<io::Error>,
    },
}

/// The lines of one pair.
#[derive(Debug)]
struct OfPair {
    list: Arc<Combined>,
    /// What stands before a key: nothing, or the name of the pair.
    prefix: String,
}

impl Combined {
    /// Creates the file, or empties it; `-` is standard output.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            let nothing = CancellationToken::new();
            return Ok(Self(Way::Stdout(Pages::new(Stream::Stdout, nothing))));
        }
        Ok(Self(Way::File {
            file: Mutex::new(BufWriter::new(File::create(path)?)),
            path: path.to_owned(),
            broken: OnceLock::new(),
        }))
    }

    /// A sink that writes the lines of a pair, under its name where it was given one.
    pub(super) fn of_pair(list: &Arc<Self>, name: Option<&str>) -> Arc<dyn Sink> {
        Arc::new(OfPair {
            list: Arc::clone(list),
            prefix: name.map_or_else(String::new, |name| format!("{name}: ")),
        })
    }

    /// Brings everything to where it goes; says what went wrong, if anything did.
    pub(super) fn flush(&self) -> Option<String> {
        match &self.0 {
            Way::Stdout(pages) => {
                pages.flush();
                pages.trouble().map(|why| format!("the list of keys {why}"))
            }
            Way::File { path, file, broken } => {
                if let Err(error) = locked(file).flush() {
                    let _ = broken.set(error);
                }
                let error = broken.get()?;
                Some(format!("{} could not be written: {error}", path.display()))
            }
        }
    }

    pub(super) fn is_stdout(&self) -> bool {
        matches!(self.0, Way::Stdout(_))
    }

    fn add(&self, line: &str) {
        match &self.0 {
            Way::Stdout(pages) => pages.add(line),
            Way::File { file, broken, .. } => {
                if broken.get().is_none()
                    && let Err(error) = locked(file).write_all(line.as_bytes())
                {
                    let _ = broken.set(error);
                }
            }
        }
    }
}

impl fmt::Debug for Combined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Stdout(_) => f.write_str("Combined(-)"),
            Way::File { path, .. } => write!(f, "Combined({})", path.display()),
        }
    }
}

impl Sink for OfPair {
    fn event(&self, event: &Event) {
        let (symbol, key) = match event {
            Event::Compared(compared) => (compared.sameness().symbol(), compared.key.as_str()),
            Event::Failed { key, .. } => (ERROR, key.as_str()),
            Event::Skipped { key, reason, .. } if is_unseen(*reason) => (ERROR, key.as_str()),
            _ => return,
        };
        let key = printable(key);
        self.list.add(&format!("{symbol} {}{key}\n", self.prefix));
    }
}

/// Whether something that should have been compared was not; the rest is nothing a bucket and a
/// directory could both have.
fn is_unseen(reason: SkipReason) -> bool {
    reason.is_warning()
}
