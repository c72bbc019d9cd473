/*! The files of a job: the job file and everything it includes.

An included file comes before what includes it, so that the latter wins; among files included side
by side the later one wins. A file that several include is read once, at its first place: it stays
below all of them.
*/

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use toml_edit::Value;

use super::JobFile;
use super::names::{Names, Within};
use super::source::{SourceFile, Words, item_span};
use super::syntax;
use crate::config::bounded::{self, Pipes};
use crate::config::environment::Environment;
use crate::config::problem::{Place, Problem};
use crate::config::text::{FileText, secrets_by_look};
use crate::config::units::write_size;

/// Most bytes in the files of a job together: thousands of pairs. Parsed they take two hundred
/// times that.
pub(in crate::config) const MOST_BYTES: u64 = 2 << 20;

/// Longest chain of files that include each other.
const DEEPEST: usize = 64;

/// The files of a job, lowest first.
pub(super) struct Sources {
    pub(super) files: Vec<SourceFile>,
    /// Whether some file could not be read: what it would have said is missing.
    pub(super) is_broken: bool,
}

/// Reads everything a job file includes.
pub(super) fn read(
    job: &JobFile<'_>,
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Sources {
    let mut loading = Loading {
        environment,
        problems,
        files: Vec::new(),
        is_broken: false,
        known: HashSet::new(),
        way: Vec::new(),
        started: 0,
        bytes_left: MOST_BYTES.saturating_sub(job.content.len() as u64),
    };
    let file_name = job.name.file_name().unwrap_or(job.name.as_os_str());
    let found = Found {
        name: job.name.to_owned(),
        base: job.base.to_owned(),
        identity: job.base.join(file_name).canonicalize().ok(),
    };
    loading.visit(found, job.content.to_owned(), &Place::Nowhere);
    Sources {
        files: loading.files,
        is_broken: loading.is_broken,
    }
}

/// The text of a job file, or where it stops being one. `asked` is where it is included.
pub(in crate::config) fn decode(
    name: &Path,
    number: usize,
    bytes: Vec<u8>,
    asked: &Place,
) -> Result<String, Problem> {
    let error = match String::from_utf8(bytes) {
        Ok(text) => {
            let marked = text.strip_prefix('\u{feff}').map(str::to_owned);
            return Ok(marked.unwrap_or(text));
        }
        Err(error) => error,
    };
    let at = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let content = String::from_utf8_lossy(bytes);
    let text = FileText::new(
        name.to_owned(),
        number,
        &content,
        &secrets_by_look(&content),
    );
    let place = Place::File {
        text: Arc::new(text),
        span: at..at + 1,
        path: String::new(),
    };
    let message = format!("not UTF-8: byte 0x{:02x} at offset {at}", bytes[at]);
    let problem = Problem::new(message, &place).remedy(if is_utf16 {
        "it looks like UTF-16: save the file as UTF-8"
    } else {
        "save the file as UTF-8"
    });
    Err(included_from(problem, asked))
}

/// A problem of an included file names the line that includes it.
fn included_from(problem: Problem, asked: &Place) -> Problem {
    match asked {
        Place::File { .. } => problem.against(asked, "included here"),
        _ => problem,
    }
}

/// A file that is about to be read.
struct Found {
    name: PathBuf,
    base: PathBuf,
    /// Its path without symbolic links; what comes from elsewhere has none.
    identity: Option<PathBuf>,
}

struct Loading<'a> {
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
    files: Vec<SourceFile>,
    is_broken: bool,
    /// Identities of the files that are read, or were tried.
    known: HashSet<PathBuf>,
    /// The files between the job file and the present one, both with it.
    way: Vec<(Option<PathBuf>, PathBuf)>,
    /// How many were begun.
    started: usize,
    bytes_left: u64,
}

impl Loading<'_> {
    fn visit(&mut self, found: Found, content: String, asked: &Place) {
        let number = self.started;
        let Found {
            name,
            base,
            identity,
        } = found;
        let document = match syntax::parse(&name, number, content) {
            Ok(document) => document,
            Err(problem) => {
                self.problems.push(included_from(problem, asked));
                self.is_broken = true;
                return;
            }
        };
        let file = SourceFile::new(name, number, &base, identity.clone(), document);
        self.known.extend(identity.clone());
        self.way.push((identity, file.name.clone()));
        for (path, place) in self.paths(&file) {
            self.include(&file, &path, &place);
        }
        self.way.pop();
        self.files.push(file);
    }

    /// What a file includes, each with its place.
    fn paths(&mut self, file: &SourceFile) -> Vec<(String, Place)> {
        let root = file.document.as_table();
        let Some(item) = root.get("include") else {
            return Vec::new();
        };
        let Some(array) = item.as_array() else {
            let place = file.place(&item_span(root, "include", item), "include");
            let problem = Problem::new("`include` must be a list of paths", &place);
            self.problems.push(match item.as_str() {
                Some(path) => problem.remedy(format!("write include = [\"{path}\"]")),
                None => problem.remedy("write include = [\"common.toml\"]"),
            });
            self.is_broken = true;
            return Vec::new();
        };
        let names = Names::of_the_environment(self.environment);
        let mut paths = Vec::new();
        for value in array {
            let span = value.span().unwrap_or(0..0);
            let place = file.place(&span, "include");
            match self.path(file, value, &span, &place, &names) {
                Some(path) => paths.push((path, place)),
                None => self.is_broken = true,
            }
        }
        paths
    }

    fn path(
        &mut self,
        file: &SourceFile,
        value: &Value,
        span: &Range<usize>,
        place: &Place,
        names: &Names<'_>,
    ) -> Option<String> {
        let wrong = |message: &str, remedy: &str| Problem::new(message, place).remedy(remedy);
        let Some(text) = value.as_str() else {
            let message = "`include` must be a list of paths";
            self.problems.push(wrong(message, "this is no text"));
            return None;
        };
        let words = Words {
            file,
            text,
            span: span.clone(),
            path: "include".to_owned(),
        };
        let path = names.fill_in(&words, Within::Include, self.problems)?.text;
        let problem = if path.is_empty() {
            wrong("an included path is empty", "")
        } else if path.contains('\0') {
            wrong("an included path contains a NUL character", "")
        } else if path == "~" || path.starts_with("~/") {
            wrong(
                "`~` means nothing in an included path",
                "write the whole path, or ${HOME}",
            )
        } else {
            return Some(path);
        };
        self.problems.push(problem);
        None
    }

    fn include(&mut self, from: &SourceFile, path: &str, place: &Place) {
        let whole = from.base.join(path);
        let identity = whole.canonicalize().ok();
        let name = self.shown_name(&from.name, path, identity.as_deref());
        let begin = identity.as_ref().and_then(|own| {
            self.way
                .iter()
                .position(|(one, _)| one.as_ref() == Some(own))
        });
        if let Some(begin) = begin {
            let circle = &self.way[begin..];
            let names = || circle.iter().chain(circle.first());
            let way: Vec<String> = names()
                .map(|(_, name)| format!("`{}`", name.display()))
                .collect();
            let message = match circle {
                [(_, name)] => format!("`{}` includes itself", name.display()),
                _ => format!("files include each other: {}", way.join(" includes ")),
            };
            let problem = Problem::new(message, place).remedy("take this one out");
            self.problems.push(problem);
            self.is_broken = true;
            return;
        }
        if identity
            .as_ref()
            .is_some_and(|own| self.known.contains(own))
        {
            return;
        }
        self.started += 1;
        let content = self.content(&name, &whole, place);
        match content {
            Ok(content) => {
                let folder = whole.parent().unwrap_or(Path::new("/"));
                let found = Found {
                    base: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
                    name,
                    identity,
                };
                self.visit(found, content, place);
            }
            Err(problem) => {
                self.problems.push(problem);
                self.is_broken = true;
            }
        }
    }

    /// What messages call an included file: its path from where the user stands, as the job file's.
    fn shown_name(&self, from: &Path, path: &str, identity: Option<&Path>) -> PathBuf {
        let joined = from.parent().unwrap_or(Path::new("")).join(path);
        let tidy = tidy(&joined);
        // behind a symbolic link `..` is somewhere else
        let there = self.environment.directory().join(&tidy).canonicalize().ok();
        if there.as_deref() == identity {
            tidy
        } else {
            joined
        }
    }

    fn content(&mut self, name: &Path, whole: &Path, asked: &Place) -> Result<String, Problem> {
        let refused = |what: &str| {
            let message = format!("cannot read the included file `{}`: {what}", name.display());
            Problem::new(message, asked)
        };
        if self.way.len() >= DEEPEST {
            let message = format!("more than {DEEPEST} files include each other in a row");
            return Err(Problem::new(message, asked).remedy("include fewer of them"));
        }
        let content =
            bounded::read(whole, MOST_BYTES, Pipes::Refuse).map_err(|what| refused(&what))?;
        let size = content.bytes.len() as u64;
        self.bytes_left = self.bytes_left.checked_sub(size).ok_or_else(|| {
            refused(&format!(
                "the files of this job are together larger than {}",
                write_size(MOST_BYTES)
            ))
        })?;
        decode(name, self.started, content.bytes, asked)
    }
}

/// A path without its `.` and without `..` after a name.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        let last = tidy.components().next_back();
        match (component, last) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => {
                tidy.pop();
            }
            (component, _) => tidy.push(component),
        }
    }
    tidy
}
