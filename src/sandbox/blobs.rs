//! Content on disk: immutable files, counted by who needs them.
//!
//! A file is written once under a new id and deleted when the last version, part or reader that
//! holds it lets go. A GET in flight therefore survives the overwrite of its object, and a copy
//! needs no second file.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name of a file of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BlobId(pub(super) u128);

/// A run of bytes in a file of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    pub(super) blob: BlobId,
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Serialize for BlobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

/// All files of content of a sandbox.
#[derive(Debug)]
pub(super) struct Blobs {
    dir: PathBuf,
    holds: Mutex<HashMap<BlobId, u32>>,
}

impl Blobs {
    /// The files below `dir`, which is made if it is not there.
    pub(super) fn open(dir: PathBuf) -> io::Result<Arc<Self>> {
        for shard in 0..=u8::MAX {
            std::fs::create_dir_all(dir.join(format!("{shard:02x}")))?;
        }
        Ok(Arc::new(Self {
            dir,
            holds: Mutex::default(),
        }))
    }

    /// A new file, open for writing, that goes away with the hold unless someone else holds it.
    pub(super) fn create(self: &Arc<Self>) -> io::Result<(File, Hold)> {
        let id = BlobId(Uuid::now_v7().as_u128());
        let file = File::create_new(self.path(id))?;
        Ok((file, self.hold([id])))
    }

    /// Keeps these files from being deleted.
    pub(super) fn hold(self: &Arc<Self>, ids: impl IntoIterator<Item = BlobId>) -> Hold {
        let ids: Vec<_> = ids.into_iter().collect();
        self.link(ids.iter().copied());
        Hold {
            blobs: Arc::clone(self),
            ids,
        }
    }

    /// Counts one more holder for each.
    pub(super) fn link(&self, ids: impl IntoIterator<Item = BlobId>) {
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            *holds.entry(id).or_default() += 1;
        }
    }

    /// Counts one holder less for each and deletes nothing: while buckets are being loaded, one
    /// that comes later may hold the same file. [`Blobs::sweep`] deletes what nobody does.
    pub(super) fn let_go(&self, ids: impl IntoIterator<Item = BlobId>) {
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if let Some(count) = holds.get_mut(&id) {
                *count -= 1;
                if *count == 0 {
                    holds.remove(&id);
                }
            }
        }
    }

    /// Counts one holder less for each, and deletes the files nobody holds any more.
    pub(super) fn unlink(&self, ids: impl IntoIterator<Item = BlobId>) {
        for id in ids {
            let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(count) = holds.get_mut(&id) else {
                continue;
            };
            *count -= 1;
            if *count == 0 {
                holds.remove(&id);
                drop(holds);
                if let Err(cause) = std::fs::remove_file(self.path(id)) {
                    tracing::warn!(%cause, "sandbox: cannot delete content");
                }
            }
        }
    }

    /// Opens a file for reading.
    pub(super) fn read(&self, id: BlobId) -> io::Result<File> {
        File::open(self.path(id))
    }

    /// Deletes the files nobody holds: what a killed process was writing.
    pub(super) fn sweep(&self) -> io::Result<()> {
        let holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        for shard in std::fs::read_dir(&self.dir)? {
            for file in std::fs::read_dir(shard?.path())? {
                let path = file?.path();
                if id_of(&path).is_none_or(|id| !holds.contains_key(&id)) {
                    std::fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    fn path(&self, id: BlobId) -> PathBuf {
        self.dir
            .join(format!("{:02x}", id.0 as u8))
            .join(format!("{:032x}", id.0))
    }
}

fn id_of(path: &Path) -> Option<BlobId> {
    u128::from_str_radix(path.file_name()?.to_str()?, 16)
        .ok()
        .map(BlobId)
}

/// As long as it lives, its files do.
#[derive(Debug)]
pub(super) struct Hold {
    blobs: Arc<Blobs>,
    ids: Vec<BlobId>,
}

impl Hold {
    /// The one file of a hold that [`Blobs::create`] made.
    pub(super) fn id(&self) -> BlobId {
        self.ids[0]
    }

    /// The files this is one of.
    pub(super) fn blobs(&self) -> &Arc<Blobs> {
        &self.blobs
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.blobs.unlink(std::mem::take(&mut self.ids));
    }
}
