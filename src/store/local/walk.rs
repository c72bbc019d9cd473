//! A tree's entries in ascending byte order of their keys, in memory of its largest directory.

use std::ffi::{CStr, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, stat, statat};
use rustix::io::Errno;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use super::beneath::{Beneath, DIRECTORY};
use super::names::{Kind, Names};
use super::reached::{Id, Reached};
use super::read::modified;
use crate::object::{Entry, MAX_KEY_BYTES, ObjectKey};
use crate::store::{ErrorKind, LeavesOut, Listing, Oddity, OddityKind, Page, StoreError};

/// Entries in a page.
const PAGE: usize = 1000;

/// Pages the walk may be ahead of its reader.
const PAGES_AHEAD: usize = 2;

/// What to walk, and how.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) root: PathBuf,
    pub(super) role: Role,
    pub(super) never_list: Vec<PathBuf>,
    /// Which directories are not looked into.
    pub(super) left_out: Option<Arc<dyn LeavesOut>>,
    /// Takes what is listed through links.
    pub(super) reached: Option<Arc<Reached>>,
}

/// What the tree is walked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The root must be there, as a directory or as a single file; symbolic links are followed
    /// wherever they lead, or left out.
    Source { ignore_symlinks: bool },
    /// A root that is not there is empty. Symbolic links count where they stay beneath the root,
    /// because only there anything is written through them.
    Target,
}

impl Walk {
    /// Walks on a thread that may block, as far ahead of the reader as a few pages; it stops
    /// when the listing is dropped.
    pub(super) fn list(self) -> Listing {
        let begin = async move {
            let (sender, pages) = mpsc::channel(PAGES_AHEAD);
            let walk = tokio::task::spawn_blocking(move || self.run(sender));
            let walk = Some(walk);
            stream::unfold(Reading { pages, walk }, next)
        };
        stream::once(begin).flatten().boxed()
    }

    fn run(self, pages: Sender<Page>) -> Result<(), StoreError> {
        let status = match (stat(&self.root), self.role) {
            (Ok(status), _) => status,
            (Err(Errno::NOENT), Role::Target) => return Ok(()),
            (Err(Errno::NOENT), Role::Source { .. }) => {
                return Err(self.failed("no such directory"));
            }
            (Err(error), _) => return Err(self.failed_by(error)),
        };
        match (kind_of(&status), self.role) {
            (Kind::Directory, _) => match Walker::start(&self, pages)?.walk() {
                Ok(()) | Err(Stop::NobodyListens) => Ok(()),
                Err(Stop::Failed(error)) => Err(error),
            },
            (Kind::File, Role::Source { .. }) => {
                // when nobody listens any more there is nothing left to do
                let _ = pages.blocking_send(self.single_file(&status));
                Ok(())
            }
            (_, Role::Source { .. }) => Err(self.failed("it is neither a directory nor a file")),
            (_, Role::Target) => Err(self.failed("it is not a directory")),
        }
    }

    /// The only entry of a source that is one file.
    fn single_file(&self, status: &Stat) -> Page {
        let name = self.root.file_name().unwrap_or_default().as_bytes();
        let mut page = Page::default();
        match std::str::from_utf8(name) {
            Ok(name) => page.entries.extend(entry(name, status)),
            Err(_) => page.oddities.push(Oddity {
                name: escaped(name),
                kind: OddityKind::NotUtf8,
                message: None,
            }),
        }
        page
    }

    fn failed(&self, message: &str) -> StoreError {
        let root = self.root.display().to_string();
        StoreError::new("list", root, ErrorKind::Fatal, message)
    }

    fn failed_by(&self, error: Errno) -> StoreError {
        let root = self.root.display().to_string();
        let error = StoreError::io("list", root, &error.into());
        match error.kind {
            ErrorKind::TooManyOpenFiles => error,
            _ => StoreError {
                kind: ErrorKind::Fatal,
                ..error
            },
        }
    }
}

/// A walk as its reader sees it.
struct Reading {
    pages: Receiver<Page>,
    /// `None` once its end was told.
    walk: Option<JoinHandle<Result<(), StoreError>>>,
}

/// Hands on the next page. That all pages have come says nothing; only the walk's own end says
/// whether the listing is complete.
async fn next(mut reading: Reading) -> Option<(Result<Page, StoreError>, Reading)> {
    if let Some(page) = reading.pages.recv().await {
        return Some((Ok(page), reading));
    }
    let error = match reading.walk.take()?.await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => error,
        Err(failure) => {
            let message = format!("the walk ended before the listing did: {failure}");
            StoreError::new("list", "", ErrorKind::Fatal, message)
        }
    };
    Some((Err(error), reading))
}

/// Why a walk ends early.
enum Stop {
    NobodyListens,
    Failed(StoreError),
}

/// A walk under way.
struct Walker<'a> {
    walk: &'a Walk,
    pages: Sender<Page>,
    page: Page,
    /// What links must not lead out of, in a target.
    beneath: Option<Beneath>,
    excluded: Vec<Excluded<'a>>,
    /// The directories from the root to where the walk stands.
    levels: Vec<Level>,
    /// Their names, each with its slash: the beginning of the next key.
    prefix: String,
}

/// A directory whose names are being walked.
struct Level {
    fd: OwnedFd,
    id: Id,
    names: Names,
    /// Whether a link led to it, or to one above it.
    through_link: bool,
    /// How much of the prefix is above it.
    above: usize,
}

/// A directory never listed. It may be made while the walk is under way, so that one that was
/// not there at the start is recognized by its name first.
struct Excluded<'a> {
    path: &'a Path,
    id: Option<Id>,
}

impl Excluded<'_> {
    fn is(&self, name: &[u8], id: Id) -> bool {
        let now = || stat(self.path).ok().map(|status| Id::of(&status));
        match self.id {
            Some(excluded) => excluded == id,
            None => self.path.file_name() == Some(OsStr::from_bytes(name)) && now() == Some(id),
        }
    }
}

/// A level while one of its names is looked at.
#[derive(Clone, Copy)]
struct Parent<'a> {
    fd: &'a OwnedFd,
    id: Id,
    through_link: bool,
}

impl<'a> Walker<'a> {
    fn start(walk: &'a Walk, pages: Sender<Page>) -> Result<Self, StoreError> {
        let fd = rustix::fs::open(&walk.root, DIRECTORY, Mode::empty())
            .map_err(|error| walk.failed_by(error))?;
        let status = fstat(&fd).map_err(|error| walk.failed_by(error))?;
        let beneath = match walk.role {
            Role::Target => {
                Some(Beneath::open_root(&walk.root).map_err(|error| walk.failed_by(error))?)
            }
            Role::Source { .. } => None,
        };
        let excluded = walk.never_list.iter().map(|path| Excluded {
            path,
            id: stat(path).ok().map(|status| Id::of(&status)),
        });
        let mut walker = Self {
            walk,
            pages,
            page: Page::default(),
            beneath,
            excluded: excluded.collect(),
            levels: Vec::new(),
            prefix: String::new(),
        };
        let names = walker.names(&fd).map_err(|error| walk.failed_by(error))?;
        walker.levels.push(Level {
            fd,
            id: Id::of(&status),
            names,
            through_link: false,
            above: 0,
        });
        Ok(walker)
    }

    fn walk(mut self) -> Result<(), Stop> {
        while let Some(mut level) = self.levels.pop() {
            // the level is taken off while one of its names is looked at
            let below = loop {
                let Some((name, kind)) = level.names.next() else {
                    self.prefix.truncate(level.above);
                    break None;
                };
                let parent = Parent {
                    fd: &level.fd,
                    id: level.id,
                    through_link: level.through_link,
                };
                if let Some(below) = self.visit(parent, name, kind)? {
                    break Some(below);
                }
            };
            if let Some(below) = below {
                self.levels.push(level);
                self.levels.push(below);
            }
        }
        self.send()
    }

    /// Lists one name, or opens it if it is a directory.
    fn visit(
        &mut self,
        parent: Parent<'_>,
        name: &CStr,
        kind: Kind,
    ) -> Result<Option<Level>, Stop> {
        let Ok(text) = std::str::from_utf8(name.to_bytes()) else {
            let mut escaped = escaped(name.to_bytes());
            if kind.is_directory() {
                escaped.push('/');
            }
            self.odd(&escaped, OddityKind::NotUtf8)?;
            return Ok(None);
        };
        match kind {
            Kind::File | Kind::LinkedFile => self.file(parent.fd, name, text, kind)?,
            Kind::Special => self.odd(text, OddityKind::SpecialFile)?,
            Kind::NotFollowed => self.odd(text, OddityKind::NotFollowed)?,
            Kind::Unknowable => self.odd_directory(text, OddityKind::UnreadableDirectory)?,
            Kind::Directory | Kind::LinkedDirectory => {
                return self.directory(parent, name, text, kind);
            }
        }
        Ok(None)
    }

    fn file(&mut self, parent: &OwnedFd, name: &CStr, text: &str, kind: Kind) -> Result<(), Stop> {
        let status = match kind {
            Kind::LinkedFile => self.follow(parent, name),
            _ => statat(parent, name, AtFlags::SYMLINK_NOFOLLOW),
        };
        let above = self.prefix.len();
        match status {
            Ok(status) if kind_of(&status) == Kind::File => {
                if kind == Kind::LinkedFile {
                    self.reached(Id::of(&status));
                }
                self.prefix.push_str(text);
                let entry = entry(&self.prefix, &status);
                self.prefix.truncate(above);
                match entry {
                    Some(entry) => self.page.entries.push(entry),
                    None => return self.odd(text, OddityKind::KeyTooLong),
                }
                self.send_if_full()
            }
            Ok(_) | Err(Errno::NOENT) => self.odd(text, OddityKind::Vanished),
            Err(error) if above == 0 => Err(Stop::Failed(self.walk.failed_by(error))),
            Err(error) => {
                // no longer searchable, or the disk fails: what else stands here is not known
                tracing::debug!(directory = self.prefix, %error, "unreadable");
                self.odd("", OddityKind::UnreadableDirectory)
            }
        }
    }

    fn directory(
        &mut self,
        parent: Parent<'_>,
        name: &CStr,
        text: &str,
        kind: Kind,
    ) -> Result<Option<Level>, Stop> {
        let above = self.prefix.len();
        if self.is_left_out(text) {
            self.odd_directory(text, OddityKind::LeftOut)?;
            return Ok(None);
        }
        // with a slash and one byte more, nothing below it could be a key
        if above + text.len() + 2 > MAX_KEY_BYTES {
            self.odd_directory(text, OddityKind::KeyTooLong)?;
            return Ok(None);
        }
        let opened = self
            .open_directory(parent.fd, name, kind)
            .and_then(|fd| fstat(&fd).map(|status| (fd, Id::of(&status))));
        let (fd, id) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.unreadable(text, error).map(|()| None),
        };
        let mut ancestors = self.levels.iter().map(|level| level.id);
        let is_loop = id == parent.id || ancestors.any(|ancestor| ancestor == id);
        if is_loop {
            tracing::debug!(
                directory = text,
                "a directory inside itself is not listed again"
            );
            self.not_looked_into(text)?;
            return Ok(None);
        }
        if self
            .excluded
            .iter()
            .any(|excluded| excluded.is(name.to_bytes(), id))
        {
            self.not_looked_into(text)?;
            return Ok(None);
        }
        let through_link = parent.through_link || kind == Kind::LinkedDirectory;
        if through_link {
            self.reached(id);
        }
        self.prefix.push_str(text);
        self.prefix.push('/');
        match self.names(&fd) {
            Ok(names) => Ok(Some(Level {
                fd,
                id,
                names,
                through_link,
                above,
            })),
            Err(error) => {
                self.prefix.truncate(above);
                self.unreadable(text, error).map(|()| None)
            }
        }
    }

    /// Something is listed that has another name as well.
    fn reached(&self, id: Id) {
        if let Some(reached) = &self.walk.reached {
            reached.note(id);
        }
    }

    /// Of a source, what is below a directory that is never listed is not missing: it is not known.
    fn not_looked_into(&mut self, text: &str) -> Result<(), Stop> {
        match self.walk.role {
            Role::Source { .. } => self.odd_directory(text, OddityKind::NotFollowed),
            Role::Target => Ok(()),
        }
    }

    /// Whether nobody wants to know what is below a directory; it is not even opened.
    fn is_left_out(&mut self, text: &str) -> bool {
        let Some(left_out) = &self.walk.left_out else {
            return false;
        };
        let above = self.prefix.len();
        self.prefix.push_str(text);
        self.prefix.push('/');
        let is_left_out = left_out.leaves_out(&self.prefix);
        self.prefix.truncate(above);
        is_left_out
    }

    fn unreadable(&mut self, text: &str, error: Errno) -> Result<(), Stop> {
        match error {
            Errno::NOENT | Errno::NOTDIR => self.odd_directory(text, OddityKind::Vanished),
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => {
                Err(Stop::Failed(self.walk.failed_by(error)))
            }
            error => {
                tracing::debug!(directory = text, %error, "unreadable");
                self.odd_directory(text, OddityKind::UnreadableDirectory)
            }
        }
    }

    fn names(&self, directory: &OwnedFd) -> Result<Names, Errno> {
        let ignore = self.walk.role
            == Role::Source {
                ignore_symlinks: true,
            };
        // a target has nothing there; of a source, it is not known what it would have
        let not_followed = match self.walk.role {
            Role::Source { .. } => Some(Kind::NotFollowed),
            Role::Target => None,
        };
        Names::read(directory, |name| {
            if ignore {
                return not_followed;
            }
            match self.follow(directory, name) {
                Ok(status) => Some(kind_of(&status).through_link()),
                // broken, circular, or out of a target
                Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::XDEV) => not_followed,
                Err(_) => Some(Kind::Unknowable),
            }
        })
    }

    /// What a symbolic link leads to.
    fn follow(&self, directory: &OwnedFd, name: &CStr) -> Result<Stat, Errno> {
        match &self.beneath {
            None => statat(directory, name, AtFlags::empty()),
            Some(beneath) => {
                let path = beneath.open(&self.path_of(name), LOOK)?;
                fstat(&path)
            }
        }
    }

    fn open_directory(&self, parent: &OwnedFd, name: &CStr, kind: Kind) -> Result<OwnedFd, Errno> {
        match (&self.beneath, kind) {
            (Some(beneath), Kind::LinkedDirectory) => beneath.open(&self.path_of(name), DIRECTORY),
            (None, Kind::LinkedDirectory) => openat(parent, name, DIRECTORY, Mode::empty()),
            _ => openat(parent, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()),
        }
    }

    fn path_of(&self, name: &CStr) -> PathBuf {
        Path::new(&self.prefix).join(OsStr::from_bytes(name.to_bytes()))
    }

    fn odd_directory(&mut self, name: &str, kind: OddityKind) -> Result<(), Stop> {
        self.odd(&format!("{name}/"), kind)
    }

    fn odd(&mut self, name: &str, kind: OddityKind) -> Result<(), Stop> {
        let name = format!("{}{name}", self.prefix);
        self.page.oddities.push(Oddity {
            name,
            kind,
            message: None,
        });
        self.send_if_full()
    }

    fn send_if_full(&mut self) -> Result<(), Stop> {
        if self.page.entries.len() + self.page.oddities.len() < PAGE {
            return Ok(());
        }
        self.send()?;
        self.page.entries.reserve_exact(PAGE);
        Ok(())
    }

    fn send(&mut self) -> Result<(), Stop> {
        let page = std::mem::take(&mut self.page);
        if page.entries.is_empty() && page.oddities.is_empty() {
            return Ok(());
        }
        self.pages
            .blocking_send(page)
            .map_err(|_| Stop::NobodyListens)
    }
}

/// How a link's end is opened to be looked at.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

fn kind_of(status: &Stat) -> Kind {
    Kind::of(FileType::from_raw_mode(status.st_mode))
}

/// `None` when the key is too long.
fn entry(key: &str, status: &Stat) -> Option<Entry> {
    Some(Entry {
        key: ObjectKey::new(key).ok()?,
        size: u64::try_from(status.st_size).unwrap_or(0),
        modified: modified(status),
        etag: None,
        version: None,
        storage_class: None,
        checksum: None,
    })
}

/// Bytes that are not UTF-8 as `\xNN`.
pub(in crate::store) fn escaped(name: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("a string takes everything");
        }
    }
    text
}
