//! Reading from a directory or a single file.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use rustix::fs::{Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::LocalSourceSettings;
use super::beneath::DIRECTORY;
use super::blocking::blocking;
use super::crew::Crew;
use super::look::look;
use super::read::{self, FILE};
use super::walk::{Role, Walk};
use crate::object::{LocalKey, ObjectKey, ObjectVersion};
use crate::store::{
    Content, Description, ErrorKind, Halt, Head, LeavesOut, Listing, Looked, Oddity, OddityKind,
    Read, Source, StoreError, StoreKind,
};

/// A directory, or a single file, to read from.
#[derive(Debug, Clone)]
pub struct LocalSource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: LocalSourceSettings,
    left_out: Option<Arc<dyn LeavesOut>>,
    base: OnceLock<Base>,
    crew: Crew,
}

/// So many bytes are read and hashed in less time than it takes to wake a thread for them, or
/// little more.
const SHORT: u64 = 64 << 10;

/// What keys are looked up in.
#[derive(Debug)]
struct Base {
    directory: OwnedFd,
    /// The only name there is, when the source is a single file.
    only: Option<OsString>,
}

impl LocalSource {
    /// Takes the settings and touches nothing; a root that is not there shows when it is listed.
    pub fn new(settings: LocalSourceSettings) -> Self {
        Self::leaving_out(settings, None)
    }

    /// The same, and never looks into directories that are left out.
    pub fn leaving_out(
        settings: LocalSourceSettings,
        left_out: Option<Arc<dyn LeavesOut>>,
    ) -> Self {
        Self(Arc::new(Inner {
            settings,
            left_out,
            base: OnceLock::new(),
            crew: Crew::default(),
        }))
    }

    /// The same, of which no answer is waited for any more when a stopped run halts.
    #[must_use]
    pub fn halting_with(mut self, halt: Halt) -> Self {
        let inner = Arc::get_mut(&mut self.0).expect("nobody has a part in it before it is used");
        inner.crew = Crew::until(halt.work);
        self
    }
}

#[async_trait]
impl Source for LocalSource {
    fn describe(&self) -> Description {
        describe(&self.0.settings.root)
    }

    fn list(&self) -> Listing {
        let settings = &self.0.settings;
        Walk {
            root: settings.root.clone(),
            role: Role::Source {
                ignore_symlinks: settings.ignore_symlinks,
            },
            never_list: settings.never_list.clone(),
            left_out: self.0.left_out.clone(),
            reached: None,
        }
        .list()
    }

    async fn head(&self, of: ObjectVersion<'_>, _checksums: bool) -> Result<Head, StoreError> {
        let (inner, key) = (Arc::clone(&self.0), path_of("open", of.key)?);
        let head = move || {
            let path = || inner.path(&key);
            let file = inner.open(&key)?;
            let status =
                fstat(&file).map_err(|error| StoreError::io("stat", path(), &error.into()))?;
            read::regular("stat", path, &status)
        };
        self.0.crew.blocking(head).await
    }

    async fn look(&self, key: &ObjectKey) -> Result<Looked, StoreError> {
        let inner = Arc::clone(&self.0);
        let key = key.clone();
        self.0.crew.blocking(move || inner.look(&key)).await
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        let (inner, key) = (Arc::clone(&self.0), path_of("open", &read.key)?);
        let (range, hash) = (read.range.clone(), read.hash.clone());
        let content = move || {
            let file = inner.open(&key)?;
            read::content(&file, || inner.path(&key), range, &hash)
        };
        if read.expected <= SHORT {
            self.0.crew.blocking(content).await
        } else {
            blocking(self.0.crew.halt(), content).await
        }
    }
}

impl Inner {
    fn look(&self, key: &ObjectKey) -> Result<Looked, StoreError> {
        let odd = |kind, message: String| {
            Ok(Looked::Oddity(Oddity {
                name: key.as_str().to_owned(),
                kind,
                message: Some(message),
            }))
        };
        let local = match LocalKey::new(key) {
            Ok(local) => local,
            Err(error) => return odd(OddityKind::UnsafeName, error.to_string()),
        };
        // nothing is known of any key where the root cannot be opened
        let base = self.base().map_err(|error| {
            let root = self.settings.root.display().to_string();
            let error = StoreError::io("list", root, &error.into());
            StoreError {
                kind: match error.kind {
                    ErrorKind::TooManyOpenFiles => error.kind,
                    _ => ErrorKind::Fatal,
                },
                ..error
            }
        })?;
        let is_only = |only: &OsString| only == local.as_path().as_os_str();
        if !base.only.as_ref().is_none_or(is_only) {
            return odd(OddityKind::Absent, "the source is another file".to_owned());
        }
        let path = local.below(&self.settings.root);
        if base.only.is_none()
            && self
                .settings
                .never_list
                .iter()
                .any(|dir| path.starts_with(dir))
        {
            return odd(
                OddityKind::Absent,
                "it is in a directory that is never listed".to_owned(),
            );
        }
        let ignore_symlinks = self.settings.ignore_symlinks && base.only.is_none();
        look(&base.directory, key, &local, ignore_symlinks, || {
            self.path(&local)
        })
    }

    fn open(&self, key: &LocalKey) -> Result<OwnedFd, StoreError> {
        let failed = |error: Errno| {
            // a link where links are left out is not the file that was listed
            let error = if error == Errno::LOOP {
                Errno::NOENT
            } else {
                error
            };
            StoreError::io("open", self.path(key), &error.into())
        };
        let base = self.base().map_err(failed)?;
        if base
            .only
            .as_deref()
            .is_some_and(|only| only != key.as_path())
        {
            return Err(failed(Errno::NOENT));
        }
        let flags = if self.settings.ignore_symlinks && base.only.is_none() {
            FILE | OFlags::NOFOLLOW
        } else {
            FILE
        };
        openat(&base.directory, key.as_path(), flags, Mode::empty()).map_err(failed)
    }

    fn base(&self) -> Result<&Base, Errno> {
        if let Some(base) = self.base.get() {
            return Ok(base);
        }
        let root = &self.settings.root;
        let open = |path: &Path| rustix::fs::open(path, DIRECTORY, Mode::empty());
        let base = match open(root) {
            Err(Errno::NOTDIR) => {
                let parent = match root.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => parent,
                    _ => Path::new("."),
                };
                Base {
                    directory: open(parent)?,
                    only: root.file_name().map(OsString::from),
                }
            }
            directory => Base {
                directory: directory?,
                only: None,
            },
        };
        Ok(self.base.get_or_init(|| base))
    }

    /// The path in messages.
    fn path(&self, key: &LocalKey) -> String {
        let root = &self.settings.root;
        let single = self.base.get().is_some_and(|base| base.only.is_some());
        let path: PathBuf = if single {
            root.clone()
        } else {
            key.below(root)
        };
        path.display().to_string()
    }
}

/// What a directory is called.
pub(super) fn describe(root: &Path) -> Description {
    Description {
        url: root.display().to_string(),
        kind: StoreKind::Local,
        prefix: String::new(),
        region: None,
        endpoint: None,
        versioning: None,
    }
}

/// The path a key stands for, or why it must not become one.
pub(super) fn path_of(operation: &'static str, key: &ObjectKey) -> Result<LocalKey, StoreError> {
    LocalKey::new(key).map_err(|unsafe_key| {
        StoreError::new(
            operation,
            key.as_str(),
            ErrorKind::UnsafeKey,
            unsafe_key.to_string(),
        )
    })
}
