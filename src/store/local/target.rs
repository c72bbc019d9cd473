//! Writing to a directory.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::fstat;
use rustix::io::Errno;

use super::LocalTargetSettings;
use super::beneath::DIRECTORY;
use super::blocking::blocking;
use super::directories::Directories;
use super::folding;
use super::markers::Markers;
use super::reached::Reached;
use super::read::{self, FILE};
use super::source::{describe, path_of};
use super::sweep::sweep;
use super::temporary::{Temporary, TemporaryNames};
use super::upload::LocalUpload;
use super::walk::{Role, Walk};
use crate::digest::Digest;
use crate::object::{LocalKey, ObjectVersion};
use crate::store::{
    Content, Description, ErrorKind, Folding, Halt, Head, LeftFiles, Listing, Put, Read, Removal,
    Removed, Source, StoreError, Stored, Swept, Target, Unwitnessed, Upload, Witness,
};

/// A directory to write to. It is made when the first file is written.
#[derive(Debug, Clone)]
pub struct LocalTarget(Arc<Tree>);

/// The tree below the root.
#[derive(Debug)]
pub(super) struct Tree {
    settings: LocalTargetSettings,
    pub(super) directories: Directories,
    pub(super) markers: Markers,
    folding: OnceLock<Folding>,
    /// What was written where names fold, by what they have in common with others.
    written: Markers,
    /// What has more than one name, because a link leads to it.
    pub(super) reached: Arc<Reached>,
    names: Arc<TemporaryNames>,
    /// Hears of the first temporary file before it is made.
    witness: Arc<dyn Witness>,
    is_witnessed: OnceLock<()>,
    /// Until when answers are waited for.
    pub(super) halt: Halt,
}

impl LocalTarget {
    /// Takes the settings and touches nothing.
    pub fn new(settings: LocalTargetSettings) -> Self {
        Self::witnessed(settings, Arc::new(Unwitnessed))
    }

    /// The same, and somebody hears of the temporary files that are made.
    pub fn witnessed(settings: LocalTargetSettings, witness: Arc<dyn Witness>) -> Self {
        let directories = Directories::new(settings.root.clone());
        Self(Arc::new(Tree {
            settings,
            directories,
            markers: Markers::default(),
            folding: OnceLock::new(),
            written: Markers::default(),
            reached: Arc::default(),
            names: Arc::new(TemporaryNames::new()),
            witness,
            is_witnessed: OnceLock::new(),
            halt: Halt::default(),
        }))
    }

    /// The same, of which no answer is waited for any more when a stopped run halts.
    #[must_use]
    pub fn halting_with(mut self, halt: Halt) -> Self {
        let tree = Arc::get_mut(&mut self.0).expect("nobody has a part in it before it is used");
        tree.halt = halt;
        self
    }

    /// The same on a file system that does not see these differences, whatever it sees.
    #[must_use]
    pub fn folding_like(self, folding: Folding) -> Self {
        let _ = self.0.folding.set(folding);
        self
    }
}

#[async_trait]
impl Source for LocalTarget {
    fn describe(&self) -> Description {
        describe(&self.0.settings.root)
    }

    fn list(&self) -> Listing {
        Walk {
            root: self.0.settings.root.clone(),
            role: Role::Target,
            never_list: self.0.settings.never_list.clone(),
            left_out: None,
            reached: Some(Arc::clone(&self.0.reached)),
        }
        .list()
    }

    async fn head(&self, of: ObjectVersion<'_>, _checksums: bool) -> Result<Head, StoreError> {
        let wants_directory = of.key.is_directory_marker();
        let (tree, key) = (Arc::clone(&self.0), path_of("open", of.key)?);
        blocking(&self.0.halt.work, move || {
            let path = || tree.path(key.as_path());
            let flags = if wants_directory { DIRECTORY } else { FILE };
            let file = tree.open(&key, flags)?;
            let status =
                fstat(&file).map_err(|error| StoreError::io("stat", path(), &error.into()))?;
            if wants_directory {
                Ok(Head {
                    size: 0,
                    ..read::head(&status)
                })
            } else {
                read::regular("stat", path, &status)
            }
        })
        .await
    }

    async fn read(&self, read: &Read) -> Result<Content, StoreError> {
        let (tree, key) = (Arc::clone(&self.0), path_of("open", &read.key)?);
        let (range, hash) = (read.range.clone(), read.hash.clone());
        blocking(&self.0.halt.work, move || {
            let file = tree.open(&key, FILE)?;
            read::content(&file, || tree.path(key.as_path()), range, &hash)
        })
        .await
    }
}

#[async_trait]
impl Target for LocalTarget {
    async fn put(
        &self,
        put: &Put,
        bytes: Bytes,
        _digests: &[Digest],
    ) -> Result<Stored, StoreError> {
        let (tree, key) = (Arc::clone(&self.0), path_of("write", &put.key)?);
        if put.key.is_directory_marker() {
            return match bytes.len() {
                0 => blocking(&self.0.halt.work, move || tree.put_directory(&key)).await,
                _ => Err(marker_with_content(put)),
            };
        }
        let put = put.clone();
        blocking(&self.0.halt.work, move || tree.put_file(&key, &put, &bytes)).await
    }

    async fn begin(&self, put: &Put) -> Result<Box<dyn Upload>, StoreError> {
        let (tree, key) = (Arc::clone(&self.0), path_of("write", &put.key)?);
        if put.key.is_directory_marker() {
            return Err(marker_with_content(put));
        }
        let put = put.clone();
        let upload = blocking(&self.0.halt.work, move || {
            LocalUpload::begin(tree, key, &put)
        })
        .await?;
        Ok(Box::new(upload))
    }

    async fn delete(
        &self,
        removals: &[Removal],
    ) -> Result<Vec<Result<Removed, StoreError>>, StoreError> {
        let (tree, removals) = (Arc::clone(&self.0), removals.to_vec());
        blocking(&self.0.halt.work, move || Ok(tree.delete(&removals))).await
    }

    async fn folding(&self, may_write: bool) -> Folding {
        let tree = Arc::clone(&self.0);
        let asked = blocking(&self.0.halt.work, move || Ok(tree.ask_folding(may_write))).await;
        asked.unwrap_or_default()
    }

    fn keeps_no_digests(&self) -> bool {
        true
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let tree = Arc::clone(&self.0);
        blocking(&self.0.halt.cleaning, move || {
            tree.tell_of_no_temporary_files();
            tree.directories.sync()
        })
        .await
    }

    async fn sweep(&self, left: &LeftFiles) -> Result<Swept, StoreError> {
        let (tree, left) = (Arc::clone(&self.0), left.clone());
        blocking(&self.0.halt.work, move || {
            sweep(&tree.settings, &left, &tree.halt.work)
        })
        .await
    }
}

impl Tree {
    fn ask_folding(&self, may_write: bool) -> Folding {
        *self.folding.get_or_init(|| {
            let is_there = matches!(self.directories.root(), Ok(Some(_)));
            let root = (may_write && is_there)
                .then(|| self.directories.make(Path::new("")).ok())
                .flatten();
            let asked = root.and_then(|root| {
                self.tell_of_temporary_files();
                folding::asked(&self.names, root)
            });
            asked.unwrap_or_else(|| folding::seen(&self.settings.root))
        })
    }

    /// Notes that a file was written, where that is a file under other names as well.
    fn has_written(&self, key: &LocalKey) {
        if let Some(common) = self.in_common(key) {
            self.written.note(Path::new(&common));
        }
    }

    /// Whether a key is, on this file system, one that was written under another name.
    pub(super) fn was_written(&self, key: &LocalKey) -> bool {
        let common = self.in_common(key);
        common.is_some_and(|common| self.written.has(Path::new(&common)))
    }

    fn in_common(&self, key: &LocalKey) -> Option<String> {
        let folding = self.folding.get().filter(|folding| folding.folds())?;
        key.as_path().to_str().map(|path| folding.fold(path))
    }

    /// A new temporary file beside where `key` will be.
    pub(super) fn temporary(&self, key: &LocalKey) -> Result<Temporary, StoreError> {
        let (parent, _) = key.split();
        let mut tried_again = false;
        loop {
            let directory = self.directories.make(parent)?;
            self.tell_of_temporary_files();
            match Temporary::create(&self.names, directory) {
                Ok(temporary) => return Ok(temporary),
                // the directory was removed since it was opened
                Err(Errno::NOENT) if !tried_again => {
                    self.directories.forget_all()?;
                    tried_again = true;
                }
                Err(error) => return Err(self.write_failed(key, error)),
            }
        }
    }

    /// Tells it once, when the root is there.
    fn tell_of_temporary_files(&self) {
        self.is_witnessed.get_or_init(|| {
            let root = self.directories.root().ok().flatten();
            self.witness.temporary_files(LeftFiles {
                token: self.names.token().to_owned(),
                below: root.and_then(|root| root.id().ok()),
            });
        });
    }

    fn tell_of_no_temporary_files(&self) {
        if self.is_witnessed.get().is_some() && !self.names.any_there() {
            self.witness.no_temporary_files(self.names.token());
        }
    }

    /// Brings a complete temporary file to its place.
    pub(super) fn publish(
        &self,
        temporary: Temporary,
        key: &LocalKey,
        put: &Put,
    ) -> Result<Stored, StoreError> {
        let (_, name) = key.split();
        temporary
            .publish(name, put.modified)
            .map_err(|error| self.write_failed(key, error))?;
        self.has_written(key);
        Ok(stored(put.size))
    }

    pub(super) fn write_failed(&self, key: &LocalKey, error: Errno) -> StoreError {
        let path = self.path(key.as_path());
        match error {
            Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST => StoreError::new(
                "write",
                &path,
                ErrorKind::Occupied,
                format!("`{path}` is a directory where a file must be"),
            ),
            other => StoreError::io("write", path, &other.into()),
        }
    }

    /// A path in messages.
    pub(super) fn path(&self, path: &Path) -> String {
        self.settings.root.join(path).display().to_string()
    }

    fn open(
        &self,
        key: &LocalKey,
        flags: rustix::fs::OFlags,
    ) -> Result<std::os::fd::OwnedFd, StoreError> {
        let Some(root) = self.directories.root()? else {
            let path = self.path(key.as_path());
            return Err(StoreError::io("open", path, &Errno::NOENT.into()));
        };
        root.open(key.as_path(), flags)
            .map_err(|error| match error {
                // a file on the way: there is no such file below it
                Errno::NOTDIR => root.explain("open", key.as_path(), Errno::NOENT),
                other => root.explain("open", key.as_path(), other),
            })
    }

    fn put_file(&self, key: &LocalKey, put: &Put, bytes: &[u8]) -> Result<Stored, StoreError> {
        let temporary = self.temporary(key)?;
        temporary
            .file()
            .write_all_at(bytes, 0)
            .map_err(|error| StoreError::io("write", self.path(key.as_path()), &error))?;
        self.publish(temporary, key, put)
    }

    fn put_directory(&self, key: &LocalKey) -> Result<Stored, StoreError> {
        self.directories.make(key.as_path())?;
        self.markers.note(key.as_path());
        Ok(stored(0))
    }
}

/// What there is to say of a file that was written.
fn stored(size: u64) -> Stored {
    Stored {
        size,
        etag: None,
        etag_is_digest: false,
        version: None,
        checksums: Vec::new(),
        request_id: None,
    }
}

fn marker_with_content(put: &Put) -> StoreError {
    StoreError::new(
        "write",
        put.key.as_str(),
        ErrorKind::UnsafeKey,
        "the key ends in `/` and has content, which no directory can hold",
    )
}
