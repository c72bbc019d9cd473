//! Writing a large file in parts.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use super::blocking::blocking;
use super::target::Tree;
use super::temporary::Temporary;
use crate::digest::Digest;
use crate::object::LocalKey;
use crate::store::{ErrorKind, Incomplete, Part, Put, StoreError, Stored, StoredPart, Upload};

/// A file being written in parts, invisible until it is complete. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct LocalUpload {
    tree: Arc<Tree>,
    key: LocalKey,
    put: Put,
    temporary: Temporary,
    /// Lengths of the parts that were written, by offset.
    written: Mutex<BTreeMap<u64, u64>>,
}

impl LocalUpload {
    /// Reserves the space, so that a full disk shows before the first byte has come.
    pub(super) fn begin(tree: Arc<Tree>, key: LocalKey, put: &Put) -> Result<Self, StoreError> {
        let temporary = tree.temporary(&key)?;
        if put.size > 0 {
            match fallocate(temporary.file(), FallocateFlags::empty(), 0, put.size) {
                Ok(()) => {}
                Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => {
                    return Err(tree.write_failed(&key, error));
                }
                // many file systems cannot; writing shows what is wrong, if anything is
                Err(error) => tracing::debug!(%error, "no space reserved"),
            }
        }
        Ok(Self {
            tree,
            key,
            put: put.clone(),
            temporary,
            written: Mutex::default(),
        })
    }

    /// Whether the parts written are the whole file, without a gap: reserved space reads as zeros.
    fn is_whole(&self) -> bool {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let end = written.iter().try_fold(0, |end, (&offset, &length)| {
            (offset == end).then_some(end + length)
        });
        end == Some(self.put.size)
    }

    fn failed(&self, kind: ErrorKind, message: &str) -> StoreError {
        StoreError::new("write", self.tree.path(self.key.as_path()), kind, message)
    }
}

#[async_trait]
impl Upload for LocalUpload {
    async fn put_part(&self, part: &Part) -> Result<StoredPart, StoreError> {
        let size = part.bytes.len() as u64;
        if part
            .offset
            .checked_add(size)
            .is_none_or(|end| end > self.put.size)
        {
            return Err(self.failed(ErrorKind::Other, "a part is beyond the end of the file"));
        }
        let (file, bytes, offset) = (
            Arc::clone(self.temporary.file()),
            part.bytes.clone(),
            part.offset,
        );
        let path = self.tree.path(self.key.as_path());
        blocking(&self.tree.halt.work, move || {
            file.write_all_at(&bytes, offset)
                .map_err(|error| StoreError::io("write", path, &error))
        })
        .await?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if size > 0 {
            written.insert(part.offset, size);
        }
        Ok(StoredPart {
            number: part.number,
            etag: None,
            etag_is_digest: false,
            checksum: None,
            size,
        })
    }

    async fn complete(
        self: Box<Self>,
        _parts: Vec<StoredPart>,
        _whole: Option<Digest>,
    ) -> Result<Stored, Incomplete> {
        if !self.is_whole() {
            let why = "the parts are not the whole file";
            return Err(self.failed(ErrorKind::Other, why).into());
        }
        let halt = self.tree.halt.work.clone();
        let published = blocking(&halt, move || {
            let upload = *self;
            upload
                .tree
                .publish(upload.temporary, &upload.key, &upload.put)
        });
        Ok(published.await?)
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        let halt = self.tree.halt.cleaning.clone();
        blocking(&halt, move || {
            drop(self);
            Ok(())
        })
        .await
    }
}
