//! Everything a sandbox keeps, below one directory.
//!
//! ```text
//! DIR/content/<last byte of id>/<id>   immutable files of content, shared by all buckets
//! DIR/buckets/<name>/journal           the changes that make the bucket
//! DIR/lock                             locked by the process that uses the directory
//! ```

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use s3s::S3Error;

use super::blobs::Blobs;
use super::bucket::{Bucket, Change};
use super::error::{Result, error, internal};

/// The buckets and their content.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) blobs: Arc<Blobs>,
    pub(super) region: String,
    dir: PathBuf,
    /// Locked as long as this process uses the directory.
    _lock: File,
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
}

impl Store {
    /// Loads what an earlier process left in this directory.
    pub(super) fn open(dir: &Path, region: &str) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let lock = lock(&dir.join("lock"))?;
        let blobs = Blobs::open(dir.join("content"))?;
        let dir = dir.join("buckets");
        std::fs::create_dir_all(&dir)?;
        let mut buckets = BTreeMap::new();
        for entry in std::fs::read_dir(&dir)? {
            let path = entry?.path();
            let Some(name) = path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned)
            else {
                continue;
            };
            let bucket = Bucket::open(&name, path.clone(), Arc::clone(&blobs))?;
            if bucket.read().region.is_empty() {
                // killed while it was made or removed
                std::fs::remove_dir_all(path)?;
                continue;
            }
            buckets.insert(name, Arc::new(bucket));
        }
        blobs.sweep()?;
        Ok(Self {
            blobs,
            region: region.to_owned(),
            dir,
            _lock: lock,
            buckets: RwLock::new(buckets),
        })
    }

    /// A bucket that must be there.
    pub(super) fn bucket(&self, name: &str) -> Result<Arc<Bucket>> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.get(name).cloned().ok_or_else(no_such_bucket)
    }

    /// All buckets, by name.
    pub(super) fn buckets(&self) -> Vec<Arc<Bucket>> {
        self.buckets
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Makes a bucket; `None` if there is one of this name.
    pub(super) fn create(&self, name: &str, region: &str) -> Result<Option<Arc<Bucket>>> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return Ok(None);
        }
        let bucket =
            Bucket::open(name, self.dir.join(name), Arc::clone(&self.blobs)).map_err(internal)?;
        bucket.commit(Change::Created {
            region: region.to_owned(),
            at: Timestamp::now(),
        })?;
        let bucket = Arc::new(bucket);
        buckets.insert(name.to_owned(), Arc::clone(&bucket));
        Ok(Some(bucket))
    }

    /// Removes a bucket that has no objects left; its uploads go with it.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(name).ok_or_else(no_such_bucket)?;
        bucket.transact(|state| {
            if !state.is_empty() {
                return Err(error(
                    409,
                    "BucketNotEmpty",
                    "The bucket you tried to delete is not empty",
                ));
            }
            let ended = state
                .uploads
                .keys()
                .cloned()
                .map(|(key, id)| Change::UploadEnded { key, id });
            Ok((ended.collect(), ()))
        })?;
        std::fs::remove_dir_all(self.dir.join(name)).map_err(internal)?;
        buckets.remove(name);
        Ok(())
    }
}

/// Locks the file; a sandbox that is just ending in this process gets a moment for it.
fn lock(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    let mut attempts = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(cause)) => return Err(cause),
            Err(TryLockError::WouldBlock) if attempts == 40 => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "another run or `s3sync sandbox` uses this directory; wait for its end, or name another one",
                ));
            }
            Err(TryLockError::WouldBlock) => {
                attempts += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn no_such_bucket() -> S3Error {
    error(404, "NoSuchBucket", "The specified bucket does not exist")
}
