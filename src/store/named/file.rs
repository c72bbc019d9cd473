//! Reading a file of keys: as many as there are, in the memory of a few.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::form::{self, Form, Place};
use super::line::Line;
use super::{PAGE, Pages, csv};
use crate::object::ObjectKey;
use crate::store::local::escaped;
use crate::store::s3::KeyOrder;
use crate::store::sort::{self, Sorted, Sorter};
use crate::store::{ErrorKind, Oddity, OddityKind, Page, StoreError};

/// So much of a file is looked at to know its form.
const HEAD: usize = 64 << 10;

/// No row that names a key is longer.
const LONGEST: u64 = 64 << 10;

/// What is to be read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) path: PathBuf,
    /// Take no other keys.
    pub(super) only: Option<Arc<[ObjectKey]>>,
    pub(super) place: Place,
    pub(super) order: KeyOrder,
    /// Where the sort has its files.
    pub(super) dir: PathBuf,
    /// Who hears of what is no key.
    pub(super) oddities: Option<Pages>,
}

impl Reading {
    /// The keys in order, each once, and what is to be said of those that are not below the
    /// prefix.
    pub(super) async fn run(self) -> Result<(Sorted<Line>, Option<String>), StoreError> {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || self.read()).await;
        read.unwrap_or_else(|panic| Err(wrong(&path, &format!("it was not read: {panic}"))))
    }

    fn read(&self) -> Result<(Sorted<Line>, Option<String>), StoreError> {
        let failed = |error: &io::Error| StoreError {
            kind: ErrorKind::Fatal,
            ..StoreError::io("read the keys", self.path.display().to_string(), error)
        };
        let file = File::open(&self.path).map_err(|error| failed(&error))?;
        let mut file = BufReader::with_capacity(HEAD, file);
        let head = file.fill_buf();
        if head
            .map_err(|error| failed(&error))?
            .starts_with(b"\xef\xbb\xbf")
        {
            file.consume(3);
        }
        let head = file.buffer();
        let form = form::recognise(&self.path, head, &self.place)
            .map_err(|message| wrong(&self.path, &message))?;
        let mut taking = Taking {
            reading: self,
            form,
            number: 0,
            sorter: Sorter::new(self.order, self.dir.clone()),
            lines: Vec::new(),
            page: Page::default(),
            outside: None,
            inside: 0,
        };
        let separator = if form == Form::Nul { 0 } else { b'\n' };
        let mut row = Vec::new();
        loop {
            row.clear();
            let mut limited = (&mut file).take(LONGEST);
            let read = limited.read_until(separator, &mut row);
            if read.map_err(|error| failed(&error))? == 0 {
                break;
            }
            taking.number += 1;
            let is_ended = row.pop_if(|last| *last == separator).is_some();
            if !is_ended && row.len() as u64 == LONGEST {
                return Err(taking.wrong("is longer than any that names a key"));
            }
            if taking.take(&row, is_ended)?.is_none() {
                // nobody listens any more
                break;
            }
        }
        taking.finish()
    }
}

/// These, in order, each once.
pub(super) fn sorted(
    keys: &[ObjectKey],
    order: KeyOrder,
    dir: &Path,
) -> Result<Sorted<Line>, StoreError> {
    let mut sorter = Sorter::new(order, dir.to_owned());
    let lines = keys.iter().map(|key| Line {
        key: key.clone(),
        number: 0,
    });
    sorter.extend(lines.collect());
    sorter.finish().map_err(|error| sort::failed(dir, &error))
}

/// A file under way.
struct Taking<'a> {
    reading: &'a Reading,
    form: Form,
    /// Lines read so far.
    number: u64,
    sorter: Sorter<Line>,
    /// Read, and not with the sorter yet.
    lines: Vec<Line>,
    /// What is no key, and not told yet.
    page: Page,
    outside: Option<Outside>,
    /// Rows of a CSV that are below the prefix.
    inside: u64,
}

/// Rows of a CSV about something else than the source.
struct Outside {
    count: u64,
    /// The line of the first.
    line: u64,
    /// The first, in words.
    first: String,
}

impl Taking<'_> {
    /// Takes one row, without what ends it; `None` when nobody listens any more.
    fn take(&mut self, row: &[u8], is_ended: bool) -> Result<Option<()>, StoreError> {
        let row = match self.form {
            Form::Lines { crlf: true } | Form::Csv { .. } => row.strip_suffix(b"\r").unwrap_or(row),
            Form::Lines { crlf: false } if is_ended && row.ends_with(b"\r") => {
                return Err(self.wrong(
                    "ends in a carriage return, and line 1 does not; end all lines alike, or separate the keys by NUL",
                ));
            }
            Form::Lines { crlf: false } | Form::Nul => row,
        };
        if row.is_empty() {
            return Ok(Some(()));
        }
        match self.form {
            Form::Nul => self.name(row),
            Form::Lines { .. } if row.contains(&0) => {
                Err(self.wrong("has a NUL byte, and keys are separated by line ends before it"))
            }
            Form::Lines { .. } => self.name(row),
            Form::Csv { named } => self.row(row, named),
        }
    }

    /// A key relative to the root.
    fn name(&mut self, name: &[u8]) -> Result<Option<()>, StoreError> {
        if !self.reading.place.is_local {
            return self.key(name);
        }
        // `find .` prints `./a` for `a`, and no file of a directory is called so
        let name = match name.strip_prefix(b"./") {
            Some(rest) if !rest.is_empty() => rest,
            _ => name,
        };
        if name.starts_with(b"/") {
            let message = "is an absolute path, and keys are relative to the source".to_owned();
            return Ok(self.odd(name, OddityKind::UnsafeName, &message));
        }
        self.key(name)
    }

    fn row(&mut self, row: &[u8], named: bool) -> Result<Option<()>, StoreError> {
        let Ok(text) = std::str::from_utf8(row) else {
            return Err(self.wrong("is not UTF-8"));
        };
        let (bucket, key) = csv::row(text).map_err(|why| {
            let remedy = if named {
                ""
            } else {
                "; by line 1 it is a CSV of the source's bucket; if these are keys, separate them by NUL"
            };
            self.wrong(&format!("is no row of a CSV: {why}{remedy}"))
        })?;
        let is_header = self.number == 1
            && bucket.eq_ignore_ascii_case("bucket")
            && key.eq_ignore_ascii_case(b"key");
        let place = &self.reading.place;
        if !place.is_in(&bucket) {
            if is_header {
                return Ok(Some(()));
            }
            if !named {
                return Err(self.wrong(&format!(
                    "is of `{bucket}`, and by line 1 it is a CSV of the source's bucket; if it is one, call it .csv; if these are keys, separate them by NUL"
                )));
            }
            return Ok(self.outside(format!("of the bucket `{bucket}`")));
        }
        let Some(relative) = key.strip_prefix(place.prefix.as_bytes()) else {
            let key = String::from_utf8_lossy(&key);
            return Ok(self.outside(format!("`{key}`, which is not below `{}`", place.prefix)));
        };
        self.inside += 1;
        if relative.is_empty() {
            return Ok(self.odd(&key, OddityKind::KeyIsPrefix, "is the prefix itself"));
        }
        self.key(relative)
    }

    #[allow(clippy::unnecessary_wraps, reason = "as of all rows")]
    fn outside(&mut self, what: String) -> Option<()> {
        let line = self.number;
        let outside = self.outside.get_or_insert(Outside {
            count: 0,
            line,
            first: what,
        });
        outside.count += 1;
        Some(())
    }

    fn key(&mut self, name: &[u8]) -> Result<Option<()>, StoreError> {
        let Ok(text) = std::str::from_utf8(name) else {
            return Ok(self.odd(name, OddityKind::NotUtf8, "is not UTF-8"));
        };
        let key = match ObjectKey::new(text) {
            Ok(key) => key,
            Err(error) => return Ok(self.odd(name, OddityKind::KeyTooLong, &error.to_string())),
        };
        let only = self.reading.only.as_deref();
        if only.is_some_and(|only| !only.contains(&key)) {
            return Ok(Some(()));
        }
        self.lines.push(Line {
            key,
            number: self.number,
        });
        if self.lines.len() == PAGE {
            self.sorter.extend(std::mem::take(&mut self.lines));
            if self.sorter.is_full() {
                let dir = &self.reading.dir;
                (self.sorter.spill()).map_err(|error| sort::failed(dir, &error))?;
            }
        }
        Ok(Some(()))
    }

    fn odd(&mut self, name: &[u8], kind: OddityKind, why: &str) -> Option<()> {
        self.page.oddities.push(Oddity {
            name: escaped(name),
            kind,
            message: Some(format!("line {} {why}", self.number)),
        });
        if self.page.oddities.len() == PAGE {
            self.tell()
        } else {
            Some(())
        }
    }

    /// Tells what is no key; `None` when nobody listens any more.
    fn tell(&mut self) -> Option<()> {
        let page = std::mem::take(&mut self.page);
        match &self.reading.oddities {
            Some(out) if !page.oddities.is_empty() => out.blocking_send(Ok(page)).ok(),
            Some(_) | None => Some(()),
        }
    }

    fn finish(mut self) -> Result<(Sorted<Line>, Option<String>), StoreError> {
        // nobody listening is no loss
        let _ = self.tell();
        let path = &self.reading.path;
        let warning = match &self.outside {
            Some(Outside { line, first, .. }) if self.inside == 0 => {
                return Err(wrong(
                    path,
                    &format!("no row is about the source; the first, line {line}, is {first}"),
                ));
            }
            Some(Outside { count, line, first }) => Some(format!(
                "{count} rows of `{}` are not about the source and were left out; the first, line {line}, is {first}",
                path.display()
            )),
            None => None,
        };
        self.sorter.extend(self.lines);
        let sorted = self.sorter.finish();
        let sorted = sorted.map_err(|error| sort::failed(&self.reading.dir, &error))?;
        Ok((sorted, warning))
    }

    fn wrong(&self, what: &str) -> StoreError {
        wrong(&self.reading.path, &format!("line {} {what}", self.number))
    }
}

/// The error of a file that is wrong.
fn wrong(path: &Path, message: &str) -> StoreError {
    let path = path.display().to_string();
    StoreError::new("read the keys", path, ErrorKind::Fatal, message)
}
