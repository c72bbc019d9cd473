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
use super::read::{self, FILE};
use super::walk::{Role, Walk};
use crate::object::{LocalKey, ObjectKey, ObjectVersion};
use crate::store::{
    Content, Description, ErrorKind, Head, LeavesOut, Listing, Read, Source, StoreError, StoreKind,
};

/// A directory, or a single file, to read from.
#[derive(Debug, Clone)]
pub struct LocalSource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: LocalSourceSettings,
    left_out: Option<Arc<dyn LeavesOut>>,
    base: OnceLock<Base>,
}

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
        }))
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
        }
        .list()
    }

    async fn head(&self, of: ObjectVersion<'_>, _checksums: bool) -> Result<Head, StoreError> {
        let (inner, key) = (Arc::clone(&self.0), path_of("open", of.key)?);
        blocking(move || {
            let path = || inner.path(&key);
            let file = inner.open(&key)?;
            let status =
                fstat(&file).map_err(|error| StoreError::io("stat", path(), &error.into()))?;
            read::regular("stat", path, &status)
        })
        .await
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        let (inner, key) = (Arc::clone(&self.0), path_of("open", &read.key)?);
        let (range, hash) = (read.range.clone(), read.hash.clone());
        blocking(move || {
            let file = inner.open(&key)?;
            read::content(&file, || inner.path(&key), range, &hash)
        })
        .await
    }
}

impl Inner {
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
